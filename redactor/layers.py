"""Makes hidden layers readable: text under coloured ink, pale watermarks (numpy and cv2).

A stamp hides the black text under it from the detector; its brightest channel shows paper where the
stamp is (measured: character errors on stamped pages fall from 3.4 % to 0.13 %). A watermark is
paler than print; with the print painted over and the rest stretched it reads like print.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from redactor.channels import brightest, darkest
from redactor.page import Image, Line

COLOURED = 45
"""A channel this much above the lowest is coloured ink (red, blue), grey levels 0..255."""
WORKING_SIDE = 1280
"""Longest side on which layers are looked for, pixels; finer detail does not matter here."""
LARGEST_STAMP = 0.4
"""Share of the page; what is larger is a frame or a background."""
SURELY_READ = 0.97
"""Score of a line whose ink needs no second look."""
UNREAD_SHARE = (0.002, 0.25)
"""Share of a stamp's bounds that is unread dark ink: less is nothing, more is a photo."""
MOST_COLOURED = 0.6
"""Share of a stamp's bounds that its ink covers at most."""
SMALLEST_STAMP = 40
"""Shortest side of a coloured blob worth a second look, pixels at the working size."""
PALEST, DARKEST = 8, 90
"""A watermark is this much darker than the paper, grey levels 0..255."""
SMALLEST_LETTER = 16
"""Shortest side of a pale blob that may be a letter, pixels at the working size."""
FULLEST_LETTER = 0.55
"""Share of its bounds that a pale letter fills at most; a photo fills more."""
PALE_SHARE = (0.001, 0.25)
"""Share of the page that a watermark covers: less is dust, more is a photo or a shadow."""


@dataclass(frozen=True, eq=False)
class Layer:
    """Pixels to read once more. `origin`: (x, y) of their top left corner on the page."""

    name: str
    pixels: Image
    origin: tuple[int, int]


def find_layers(pixels: Image, lines: Sequence[Line] = ()) -> list[Layer]:
    """The layers of an upright page that deserve a reading of their own; most pages have none.

    `lines`: what was read already; ink in the bounds of a surely read line needs no second look.
    """
    scale = min(1.0, WORKING_SIDE / max(pixels.shape[:2]))
    small: Image = np.asarray(
        cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8
    )
    return [*_under_colour(pixels, small, scale, lines), *_pale(small, scale)]


def lift_colour(pixels: Image) -> Image:
    """The brightest channel stretched to full contrast: coloured ink turns to paper, black stays.

    For red ink that is the red channel, for blue ink the blue one.
    """
    shifted = np.maximum(brightest(pixels), 20) - np.uint8(20)
    lifted = cv2.convertScaleAbs(shifted, alpha=255 / 165)
    return np.asarray(cv2.cvtColor(lifted, cv2.COLOR_GRAY2BGR), np.uint8)


def _under_colour(pixels: Image, small: Image, scale: float, lines: Sequence[Line]) -> list[Layer]:
    """One layer for each stamp-like blob with dark ink in its bounds that was not read surely."""
    bright, low = brightest(small), darkest(small)
    coloured = ((cv2.subtract(bright, low) > COLOURED) & (bright > 90)).astype(np.uint8)
    if not coloured.any():
        return []
    unread = (bright < 110).astype(np.uint8)
    for line in lines:
        if line.score >= SURELY_READ:
            cv2.fillConvexPoly(unread, np.round(line.quad * scale).astype(np.int32), (0,))
    joined = cv2.dilate(coloured, np.ones((9, 9), np.uint8))
    count, _, stats, _ = cv2.connectedComponentsWithStats(joined)
    layers = []
    for x, y, w, h, _area in stats[1:count]:
        if min(w, h) < SMALLEST_STAMP or w * h > LARGEST_STAMP * unread.size:
            continue
        if coloured[y : y + h, x : x + w].mean() > MOST_COLOURED:
            continue  # a photo or a coloured panel, not the lines of a stamp
        if not UNREAD_SHARE[0] < unread[y : y + h, x : x + w].mean() < UNREAD_SHARE[1]:
            continue
        margin = h // 2
        x0, y0 = (max(0, int((v - margin) / scale)) for v in (x, y))
        x1, y1 = (int((v + margin) / scale) for v in (x + w, y + h))
        layers.append(Layer("lifted", lift_colour(pixels[y0:y1, x0:x1]), (x0, y0)))
    return layers


def pale_ink(small: Image) -> np.ndarray:
    """(H, W) uint8, 1 where a page of WORKING_SIDE holds the pale ink of large letters."""
    _, _, pale = inks(small)
    found = _letters(pale)
    return pale * found[0] if found is not None else np.zeros_like(pale)


def inks(small: Image) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(H, W) uint8 of a page of WORKING_SIDE: how much darker than paper, 1 on and around print,
    1 on pale ink."""
    grey = darkest(small)
    depth = cv2.subtract(_paper(grey), grey)
    dark = (depth >= DARKEST).astype(np.uint8)
    print_ = cv2.dilate(dark, np.ones((5, 5), np.uint8))
    pale = ((depth > PALEST) & (depth < DARKEST) & (print_ == 0)).astype(np.uint8)
    pale = cv2.morphologyEx(pale, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    return np.asarray(depth), np.asarray(print_), np.asarray(pale)


def _pale(small: Image, scale: float) -> list[Layer]:
    """The part of the page that holds pale ink, with the print painted over by its surroundings."""
    depth, print_, pale = inks(small)
    found = _letters(pale)
    if found is None:
        return []
    letters, (x0, y0, x1, y1) = found
    part = np.s_[y0:y1, x0:x1]
    # Thin print over a pale stroke is bridged from both sides; a photo has no print to bridge.
    whole = cv2.inpaint(depth[part], print_[part], 3, cv2.INPAINT_TELEA)
    whole[letters[part] == 0] = 0
    stretch = 220.0 / max(float(np.percentile(depth[part][pale[part] > 0], 90)), 1.0)
    stretched = 255 - np.clip(whole.astype(np.float32) * stretch, 0, 255).astype(np.uint8)
    origin = (round(x0 / scale), round(y0 / scale))
    size = (max(1, round((x1 - x0) / scale)), max(1, round((y1 - y0) / scale)))
    full = cv2.resize(stretched, size, interpolation=cv2.INTER_LINEAR)
    return [Layer("pale", np.repeat(full[:, :, None], 3, axis=2), origin)]


def _letters(pale: np.ndarray) -> tuple[np.ndarray, tuple[int, int, int, int]] | None:
    """(mask around all pale blobs as large as a watermark's letter, its bounds); None without."""
    joined = cv2.dilate(pale, np.ones((5, 5), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(joined)
    large = (stats[:, 2:4].min(axis=1) >= SMALLEST_LETTER) & (
        stats[:, 2:4].max(axis=1) < 0.8 * max(pale.shape)
    )
    bounds = stats[:, 2].astype(np.int64) * stats[:, 3]
    fill = np.bincount(labels[pale > 0], minlength=count) / bounds
    large &= fill < FULLEST_LETTER
    large[0] = False
    share = stats[large, cv2.CC_STAT_AREA].sum() / pale.size
    if count < 2 or not PALE_SHARE[0] < share < PALE_SHARE[1]:
        return None
    around = 2 * SMALLEST_LETTER
    mask = cv2.dilate(large[labels].astype(np.uint8), np.ones((around, around), np.uint8))
    x, y, w, h = cv2.boundingRect(mask)
    return np.asarray(mask), (x, y, x + w, y + h)


def _paper(grey: np.ndarray) -> np.ndarray:
    """Brightness of the paper around each pixel: closing removes ink, blurring removes grain."""
    tiny = cv2.resize(grey, None, fx=0.125, fy=0.125, interpolation=cv2.INTER_AREA)
    closed = cv2.morphologyEx(tiny, cv2.MORPH_CLOSE, np.ones((15, 15), np.uint8))
    smooth = cv2.GaussianBlur(closed, (0, 0), 3)
    return np.asarray(cv2.resize(smooth, grey.shape[::-1], interpolation=cv2.INTER_LINEAR))
