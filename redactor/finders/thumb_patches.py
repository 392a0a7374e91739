"""Patches of ink of a thumb's size and form on the reduced page: where fingerprints may be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from redactor.page import Image

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
PALE = (10, 140)
"""Grey levels below the paper of a copied print's ridges; print and handwriting are darker."""
AROUND_MM, PALE_SHARE, LEAST_SEEN = 3.0, 0.3, 0.1
"""Pale ink fills this share of what can be seen in a window; print must leave the last share."""

Grey = npt.NDArray[np.uint8]


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


def _disc(diameter: float) -> Grey:
    size = max(3, round(diameter) | 1)
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)), np.uint8)
