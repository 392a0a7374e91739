"""Tells ridges of a finger in a patch of ink: small windows are taken apart into waves.

Ridges are one wave with one direction, which turns slowly from window to window; print is many
waves, a bar code one that never turns.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from redactor.finders.thumb_patches import Grey, Patch
from redactor.page import Image

BLACK = 70
"""Grey levels in red light by which print is darker than red ink."""
FINE_PER_MM = 8.0
"""Pixels per mm at which ridges are looked at, at most."""
WINDOW_MM, STEP_MM = 4.0, 2.0
COARSEST_MM, FINEST_MM = 2.2, 0.3
"""Limits of a wave's length; ridges are 0.4 to 0.6 mm apart, coarser ones are drawings of them."""
SPREAD = np.deg2rad(25)
"""Waves within this of the strongest one's direction are the same ridges."""
PURE, LEAST_CONTRAST = 0.5, 4.0
"""Share of a window's energy in one wave, and standard deviation of its ink, to be ridges."""

Plane = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Ridges:
    """The windows of a patch that hold one wave. `windows`: how many. `share`: of all windows.
    `period`: median, mm. `turn`: 0 when all have one direction, to 1. `smooth`: likeness of
    neighbouring directions, -1..1."""

    windows: int
    share: float
    period: float
    turn: float
    smooth: float


def ridges_of(pixels: Image, patch: Patch, per_mm: float) -> Ridges:
    """The waves inside a patch, at no more than FINE_PER_MM."""
    scale = min(1.0, FINE_PER_MM / per_mm)
    crop = pixels[patch.y0 : patch.y1, patch.x0 : patch.x1]
    size = (max(1, round(crop.shape[1] * scale)), max(1, round(crop.shape[0] * scale)))
    crop = np.asarray(cv2.resize(crop, size, interpolation=cv2.INTER_AREA), np.uint8)
    inside = cv2.resize(patch.mask, size, interpolation=cv2.INTER_NEAREST)
    # Green, because JPEG keeps fine differences of colour less well; red ink is dark in it, too.
    ink = 255 - crop[:, :, 1].astype(np.float32)
    if patch.red:
        # Print under red ink is dark in red light as well: it is taken out.
        light = crop[:, :, 2]
        print_ = light < np.percentile(light, 90) - BLACK
        ink[print_] = np.median(ink[~print_]) if (~print_).any() else 0
    fine = per_mm * scale
    side = max(3, round(COARSEST_MM * fine) | 1)
    waves = np.asarray(ink - cv2.blur(ink, (side, side)), np.float32)
    return _measured(waves, np.asarray(inside, np.uint8), fine)


def _measured(waves: Plane, inside: Grey, fine: float) -> Ridges:
    side = round(WINDOW_MM * fine)
    step = max(1, round(STEP_MM * fine))
    points = 1 << max(5, (side - 1).bit_length())
    bank = _bank(points, side, fine)
    height, width = waves.shape
    sums = cv2.integral(inside)
    windows = 0
    good: dict[tuple[int, int], tuple[float, float, float]] = {}
    for y in range(0, height - side + 1, step):
        for x in range(0, width - side + 1, step):
            low, high = sums[y, [x, x + side]], sums[y + side, [x, x + side]]
            if high[1] - high[0] - low[1] + low[0] < 0.75 * side * side:
                continue
            windows += 1
            window = waves[y : y + side, x : x + side]
            if float(window.std()) >= LEAST_CONTRAST:
                wave = _strongest(window, bank)
                if wave[0] >= PURE:
                    good[x, y] = wave
    if not good:
        return Ridges(windows, 0.0, 0.0, 0.0, 0.0)
    directions = {at: np.exp(2j * wave[2]) for at, wave in good.items()}
    alike = [
        float((own * np.conj(directions[near])).real)
        for (x, y), own in directions.items()
        for near in ((x + step, y), (x, y + step))
        if near in directions
    ]
    return Ridges(
        len(good),
        len(good) / windows,
        float(np.median([wave[1] for wave in good.values()])),
        float(1 - abs(np.mean(list(directions.values())))),
        float(np.mean(alike)) if alike else 0.0,
    )


@dataclass(frozen=True, eq=False)
class _Bank:
    """What all windows of one size share: their taper, and each wave's frequency (1 / mm),
    direction and weight (0 for waves that are too long or too short)."""

    points: int
    taper: Plane
    frequency: Plane
    direction: Plane
    weight: Plane


@lru_cache(maxsize=8)
def _bank(points: int, side: int, fine: float) -> _Bank:
    across = np.fft.rfftfreq(points)[None, :] * fine
    down = np.fft.fftfreq(points)[:, None] * fine
    frequency = np.hypot(across, down)
    wanted = (frequency > 1 / COARSEST_MM) & (frequency < min(1 / FINEST_MM, 0.47 * fine))
    twice = np.where(across == 0, 1.0, 2.0)
    taper = np.outer(np.hanning(side), np.hanning(side))
    parts = (taper, frequency, np.arctan2(down, across), wanted * twice)
    first, second, third, fourth = (part.astype(np.float32) for part in parts)
    return _Bank(points, first, second, third, fourth)


def _strongest(window: Plane, bank: _Bank) -> tuple[float, float, float]:
    """(share of the energy, length in mm, direction in radians) of a window's main wave."""
    shape = (bank.points, bank.points)
    energy = np.abs(np.fft.rfft2(window * bank.taper, shape)) ** 2 * bank.weight
    total = float(energy.sum())
    smooth = cv2.GaussianBlur(energy.astype(np.float32), (0, 0), 1.0)
    # Ink fades unevenly, which is a long wave: short ones count more.
    peak = int(np.argmax(smooth * np.sqrt(bank.frequency) * (bank.weight > 0)))
    frequency = float(bank.frequency.flat[peak])
    direction = float(bank.direction.flat[peak])
    if total <= 0 or frequency <= 0:
        return 0.0, COARSEST_MM, 0.0
    off = np.abs((bank.direction - direction + np.pi / 2) % np.pi - np.pi / 2)
    near = (bank.frequency > 0.65 * frequency) & (bank.frequency < 1.5 * frequency)
    return float(energy[(off < SPREAD) & near].sum()) / total, 1 / frequency, direction
