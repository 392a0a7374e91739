"""Finds fingerprints (手印): oval patches of ink made of fine ridges that turn.

A cheap look at the reduced page gives patches of a thumb's size and form. In each, small windows
are taken apart into waves: ridges are one wave with one direction, the direction turns slowly from
window to window (print is many waves, a bar code one that never turns).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from redactor import geometry
from redactor.finders.speckled_prints import find_speckled, is_speckled
from redactor.page import Finding, Image, Kind, Line, Quad

FINDER = "fingerprints"
PALE_PRINT = "an oval patch of pale ridges"
"""How the reason of a doubtful print begins that a copier made pale."""
COARSE_PER_MM = 2.0
"""Least pixels per mm of the picture in which patches are sought."""
INK, RED = 28, 22
"""Grey levels below the paper, and of red over the other colours, from which on there is ink."""
PAPER_MM = 9.0
"""The brightest pixel within about this distance is paper."""
GAP_MM, STROKE_MM = 1.7, 6.0
"""Gaps between ridges are closed up to this; what is narrower than a stroke is no patch."""
SHORTEST_MM, LEAST_LENGTH_MM, LONGEST_MM = 7.0, 9.0, 30.0
"""Short side at least, long side at least and at most: thumbs leave 10 x 13 to 20 x 26 mm."""
SOLID, LEAST_OVAL, MOST_OVAL = 0.83, 0.64, 0.86
"""Area over that of the hull; area over that of the box around: an ellipse fills 0.785 of it."""
BLACK = 70
"""Grey levels in red light by which print is darker than red ink."""
FINE_PER_MM = 8.0
"""Pixels per mm at which ridges are looked at, at most."""
WINDOW_MM, STEP_MM = 4.0, 2.0
COARSEST_MM, FINEST_MM = 2.2, 0.3
"""Limits of a wave's length; ridges are 0.4 to 0.6 mm apart, coarser ones are drawings of them."""
SPREAD = np.deg2rad(25)
"""Waves within this of the strongest one's direction are the same ridges."""
RIDGE_MM = 0.8
"""Waves up to this long can be a finger's ridges."""
PURE, LEAST_CONTRAST = 0.5, 4.0
"""Share of a window's energy in one wave, and standard deviation of its ink, to be ridges."""
MARGIN_MM = 1.6
"""A mask reaches this far beyond the patch: ridges at its rim are thin and broken."""
SIGNED = re.compile("签[字名章]|捺印|指纹|手印|承诺人|本人")
"""Words of a page on which a pale print is sought as well."""
PALE = (10, 140)
"""Grey levels below the paper of a copied print's ridges; print and handwriting are darker."""
AROUND_MM, PALE_SHARE, LEAST_SEEN = 3.0, 0.3, 0.1
"""Pale ink fills this share of what can be seen in a window; print must leave the last share."""
PALE_MARGIN_MM = 4.0
"""A mask reaches this far beyond a pale patch, of which a copier leaves only the core."""
FEWEST, PALE_WINDOWS = 20, 14
"""Windows of coarse ridges that make a print, and a pale patch that a person must look at."""

SURELY_READ, SAME_PLACE = 0.95, 0.5
"""Probability of a character that is print for sure, and its overlap with the patch that it is."""

Plane = npt.NDArray[np.float32]
Grey = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Fingerprints:
    """`sure`: to mask, kind SIGNATURE. `doubtful`: oval patches of red ink whose ridges are too
    smeared or too coarsely scanned to be seen, for a person to look at."""

    sure: tuple[Finding, ...]
    doubtful: tuple[Finding, ...]


@dataclass(frozen=True)
class Patch:
    """A patch of ink: its box and form in page pixels. `red`: found by its colour. `solid`, `oval`:
    area over hull and over the tightest box. `slender`: short side over long side."""

    x0: int
    y0: int
    x1: int
    y1: int
    mask: Grey
    red: bool
    solid: float
    oval: float
    slender: float


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


def find_fingerprints(
    pixels: Image, dpi: float, seals: Sequence[Quad] = (), lines: Sequence[Line] = ()
) -> Fingerprints:
    """Fingerprints in red, black or blue ink on an upright page.

    `dpi`: that of `pixels`. `seals`: places of seals; a red patch in one is its own emblem, and
    only ridges show a print there. `lines`: what was read; where it asks for a signature and no
    other print was found, pale prints of grey copies and broken ones of faxes are sought, too.
    """
    sure: list[Finding] = []
    doubtful: list[Finding] = []
    per_mm = max(dpi, 20.0) / 25.4
    for patch in find_patches(pixels, per_mm):
        ridges = ridges_of(pixels, patch, per_mm)
        margin = MARGIN_MM * per_mm
        quad = geometry.rectangle(
            patch.x0 - margin, patch.y0 - margin, patch.x1 + margin, patch.y1 + margin
        ).clip(0, np.array(pixels.shape[1::-1], np.float64))
        if is_fingerprint(ridges):
            why = f"fingerprint, ridges {ridges.period:.1f} mm apart"
            sure.append(Finding(Kind.SIGNATURE, quad, "", ridges.share, why, FINDER))
        elif _is_smear(pixels, patch, per_mm) and not _is_print(patch, lines):
            why = "an oval patch of red ink, perhaps a fingerprint"
            doubtful.append(Finding(Kind.SIGNATURE, quad, "", 0.5, why, FINDER))
        elif _is_broken_print(pixels, patch, per_mm):
            why = "an oval patch of specks, perhaps a fingerprint"
            doubtful.append(Finding(Kind.SIGNATURE, quad, "", 0.5, why, FINDER))
    if not sure and any(SIGNED.search(line.text) for line in lines):
        for is_sure, finding in _find_pale(pixels, per_mm):
            (sure if is_sure else doubtful).append(finding)
        for box in find_speckled(pixels, per_mm):
            quad = geometry.grown(box, MARGIN_MM * per_mm, MARGIN_MM * per_mm)
            why = "a place dense with specks on a page to be signed"
            sure.append(Finding(Kind.SIGNATURE, quad, "", 0.5, why, FINDER))
    whole = _joined(sure)
    taken = [*seals, *(f.quad for f in whole)]
    # A thumb pressed beside a seal touches the seal's box with its margin.
    clear = [f for f in doubtful if not any(geometry.holds(t, f.quad) for t in taken)]
    return Fingerprints(whole, tuple(clear))


def _find_pale(pixels: Image, per_mm: float) -> Iterator[tuple[bool, Finding]]:
    """(whether it is sure, a print that a copier made paler than the handwriting over it)."""
    size = np.array(pixels.shape[1::-1], np.float64)
    margin = PALE_MARGIN_MM * per_mm
    for patch in find_pale_patches(pixels, per_mm):
        ridges = ridges_of(pixels, patch, per_mm)
        box = geometry.rectangle(patch.x0, patch.y0, patch.x1, patch.y1)
        quad = geometry.grown(box, margin, margin).clip(0, size)
        if is_fingerprint(ridges):
            why = f"fingerprint, ridges {ridges.period:.1f} mm apart"
            yield True, Finding(Kind.SIGNATURE, quad, "", ridges.share, why, FINDER)
        elif is_fingerprint(replace(ridges, windows=ridges.windows + FEWEST - PALE_WINDOWS)):
            why = f"{PALE_PRINT}, perhaps a fingerprint"
            yield False, Finding(Kind.SIGNATURE, quad, "", 0.5, why, FINDER)


def _is_broken_print(pixels: Image, patch: Patch, per_mm: float) -> bool:
    """Whether a dark patch is nothing but specks; its form is broken as well."""
    crop = pixels[patch.y0 : patch.y1, patch.x0 : patch.x1]
    return not patch.red and is_speckled(crop, patch.mask, per_mm)


def _is_print(patch: Patch, lines: Sequence[Line]) -> bool:
    """Whether a patch is one large character that was read surely, as of a red masthead."""
    box = geometry.rectangle(patch.x0, patch.y0, patch.x1, patch.y1)
    return any(
        char.score >= SURELY_READ and geometry.overlap(char.quad, box) >= SAME_PLACE
        for line in lines
        for char in line.chars
    )


def _joined(findings: list[Finding]) -> tuple[Finding, ...]:
    """One finding where the red and the dark patch of one print were found."""
    whole: list[Finding] = []
    for finding in findings:
        same = [f for f in whole if geometry.overlap(f.quad, finding.quad) > 0]
        quads = [finding.quad, *(f.quad for f in same)]
        upright = geometry.rectangle(0, 0, 1, 1)
        joined = replace(finding, quad=geometry.around(quads, upright))
        whole = [f for f in whole if f not in same] + [joined]
    return tuple(whole)


def is_fingerprint(ridges: Ridges) -> bool:
    """Whether waves are ridges. Coarse ones must fill the patch: large print has waves, too."""
    if ridges.period <= RIDGE_MM:
        fine = ridges.windows >= 6 and ridges.share >= 0.2
        return fine and ridges.turn >= 0.08 and ridges.smooth >= 0.5
    coarse = ridges.windows >= FEWEST and ridges.share >= 0.55
    return coarse and ridges.turn >= 0.5 and ridges.smooth >= 0.54


def find_patches(pixels: Image, per_mm: float) -> Iterator[Patch]:
    """Patches of a thumb's size and form, by colour and by darkness; one may come twice."""
    small, step = _reduced(pixels, per_mm)
    blue, green, red = cv2.split(small)
    fine = per_mm / step
    inks = (
        (cv2.subtract(red, cv2.max(green, blue)), RED, True),
        (_depth(small, fine), INK, False),
    )
    for excess, least, is_red in inks:
        ink = np.asarray(cv2.threshold(excess, least, 1, cv2.THRESH_BINARY)[1], np.uint8)
        if cv2.countNonZero(ink):
            closed = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, _disc(GAP_MM * fine))
            yield from _patches(np.asarray(closed, np.uint8), fine, step, is_red)


def find_pale_patches(pixels: Image, per_mm: float) -> Iterator[Patch]:
    """Patches of a thumb's size and form in which much of what print leaves to see is pale ink."""
    small, step = _reduced(pixels, per_mm)
    fine = per_mm / step
    depth = _depth(small, fine)
    dark = np.asarray(depth > PALE[1], np.uint8)
    seen = 1 - cv2.dilate(dark, np.ones((3, 3), np.uint8))
    pale = (depth > PALE[0]) & (seen > 0)
    side = max(3, round(AROUND_MM * fine) | 1)
    in_view = cv2.blur(seen.astype(np.float32), (side, side))
    share = cv2.blur(pale.astype(np.float32), (side, side))
    patch = (share > PALE_SHARE * in_view) & (in_view > LEAST_SEEN)
    yield from _patches(patch.astype(np.uint8), fine, step, False)


def _reduced(pixels: Image, per_mm: float) -> tuple[Image, int]:
    """(the page at about COARSE_PER_MM, how many times smaller it is)."""
    step = max(1, int(per_mm / COARSE_PER_MM))
    height, width = (max(1, side // step) for side in pixels.shape[:2])
    whole = pixels[: height * step, : width * step]
    small = cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8), step


def _depth(small: Image, fine: float) -> Grey:
    """How much darker than the paper around, grey levels."""
    blue, green, red = cv2.split(small)
    dark = cv2.min(cv2.min(blue, green), red)
    side = max(3, round(PAPER_MM * fine) | 1)
    paper = cv2.blur(cv2.dilate(dark, np.ones((side, side), np.uint8)), (side, side))
    return np.asarray(cv2.subtract(paper, dark), np.uint8)


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


def _patches(closed: Grey, fine: float, step: int, is_red: bool) -> Iterator[Patch]:
    solid, left, top = _opened(closed, _disc(STROKE_MM * fine))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(solid)
    for label in range(1, count):
        x, y, w, h = (int(v) for v in stats[label, :4])
        short, long = min(w, h) / fine, max(w, h) / fine
        if short < SHORTEST_MM or not LEAST_LENGTH_MM <= long <= LONGEST_MM:
            continue
        mask = (labels[y : y + h, x : x + w] == label).astype(np.uint8)
        outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        outline = max(outlines, key=cv2.contourArea)
        area = cv2.contourArea(outline)
        (_, _), (a, b), _ = cv2.minAreaRect(outline)
        filled = area / max(1.0, cv2.contourArea(cv2.convexHull(outline)))
        oval = area / max(1.0, a * b)
        if filled < SOLID or not LEAST_OVAL <= oval <= MOST_OVAL:
            continue
        x, y = x + left, y + top
        yield Patch(
            x * step, y * step, (x + w) * step, (y + h) * step,
            mask, is_red, filled, oval, min(a, b) / max(a, b, 1.0),
        )  # fmt: skip


def _opened(ink: Grey, disc: Grey) -> tuple[Grey, int, int]:
    """(opening with a disc where it leaves anything, left and top of that part).

    A disc takes long; the square and the two diameters within it are quick and leave all that the
    disc leaves.
    """
    size, reach = len(disc), len(disc) // 2
    side = 2 * int(reach / 2**0.5) + 1
    cores = ink
    for shape in ((size, 1), (1, size), (side, side)):
        inner = cv2.erode(ink, np.ones(shape, np.uint8))
        cores = np.asarray(cv2.bitwise_and(cores, inner), np.uint8)
    x, y, w, h = cv2.boundingRect(cores)
    if not w:
        return cores[:1, :1], 0, 0
    left, top = max(0, x - 2 * reach), max(0, y - 2 * reach)
    part = np.s_[top : y + h + 2 * reach, left : x + w + 2 * reach]
    solid = cv2.dilate(cv2.bitwise_and(cv2.erode(ink[part], disc), cores[part]), disc)
    return np.asarray(solid, np.uint8), left, top


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


def _is_smear(pixels: Image, patch: Patch, per_mm: float) -> bool:
    """Whether a red patch has the form of a thumb and lies on paper; faces and discs do not."""
    width, height = patch.x1 - patch.x0, patch.y1 - patch.y0
    formed = (
        patch.red
        and patch.solid >= 0.94
        and 0.70 <= patch.oval <= 0.83
        and 0.6 <= patch.slender <= 0.86
        and min(width, height) >= 10 * per_mm
        and 13 * per_mm <= max(width, height) <= 27 * per_mm
    )
    if not formed:
        return False
    inside = cv2.resize(patch.mask, (width, height), interpolation=cv2.INTER_NEAREST) > 0
    blue, green, red = np.median(pixels[patch.y0 : patch.y1, patch.x0 : patch.x1][inside], axis=0)
    # Skin and orange cloth lean to yellow, ink paste does not.
    if green - blue > 0.2 * (red - blue):
        return False
    rim = round(2 * per_mm)
    left, top = max(0, patch.x0 - rim), max(0, patch.y0 - rim)
    around = pixels[top : patch.y1 + rim, left : patch.x1 + rim]
    sides = (around[:rim], around[-rim:], around[:, :rim], around[:, -rim:])
    edge = np.concatenate([side.reshape(-1, 3) for side in sides])
    paper = np.percentile(edge, 30, axis=0)
    return bool(paper.min() > 110 and paper.max() - paper.min() < 60)


def _disc(diameter: float) -> Grey:
    size = max(3, round(diameter) | 1)
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)), np.uint8)
