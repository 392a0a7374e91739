"""Where a page holds pictures rather than text, so that costly finders look only there.

Text, rules and ring-shaped seals are thinner than a picture's masses. A grey closing with a square
a little wider than a pen stroke wipes everything thin off the page; what still differs from the
paper around it is a photo, a dark mass, a tinted cell or large lettering. Paper is what is
brightest near by, so that the shade on a photographed page, or the ground of an ID card, is paper,
too, and does not swallow the photo on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from redactor.channels import darkest
from redactor.geometry import rectangle
from redactor.page import Image, Line, Quad
from redactor.reduction import halved, reduced

WORK_DPI = 100.0
_STROKE_MM = 1.2
_JOIN_MM = 2.5
_SMALLEST_MM, _NARROWEST_MM = 5.0, 3.5
# Bars such as table heads and struck-out lines: longer than 5 times their height, under 8 mm.
_LONGEST_STRIP, _STRIP_MM = 5, 8.0
_INK_STEP = 12
# Paper is the brightest that any square of this side shows; a 2-inch photo is 35 mm wide.
_PAPER_MM, _PAPER_DPI = 42.0, 20.0
# Below this share of the page's brightest ground all is a mass, however large.
_DARK = 0.5
_FLAT = 5.0
# A light ground with nothing darker on it is a shaded cell; even a pale photo has dark parts. On
# darker grounds, which a photo has, too, half of the region has to be the very same.
_LIGHT, _HALF_LIGHT, _TINT_SPREAD, _TINT_STEP, _DARK_SHARE = 180, 120, 4.0, 6.0, 3.0
# The desk around a photographed page, or a border, encloses much and fills little.
_FRAME_FILL, _FRAME_SHARE = 0.5, 0.5
_CARD_MM = 120.0
# A region of which this share lies on what is known to be text or a code is no picture.
_KNOWN_SHARE = 0.8
_LEGIBLE, _FEWEST_CHARACTERS = 0.9, 2

Grey = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Picture:
    """Upright box of a picture-like region, page pixels; `fill` is its share of non-paper, 0..1."""

    x0: int
    y0: int
    x1: int
    y1: int
    fill: float

    @property
    def width(self) -> int:
        return self.x1 - self.x0

    @property
    def height(self) -> int:
        return self.y1 - self.y0

    @property
    def quad(self) -> Quad:
        return rectangle(self.x0, self.y0, self.x1, self.y1)

    def holds(self, quad: Quad, room: float = 0.0) -> bool:
        """Whether the middle of `quad` lies in the box, grown by `room` times its longer side."""
        x, y = (float(v) for v in quad.mean(axis=0))
        slack = room * max(self.width, self.height)
        across = self.x0 - slack <= x <= self.x1 + slack
        return across and self.y0 - slack <= y <= self.y1 + slack


def find_pictures(pixels: Image, dpi: float, known: Sequence[Quad] = ()) -> tuple[Picture, ...]:
    """Picture-like regions of a page, largest first; errs towards too many.

    `dpi`: pixels per inch. `known`: what is no picture for sure (`text_quads`, codes), page pixels.
    Regions under 5 mm, flat tints and borders around half a page are left out.
    """
    scale = min(1.0, WORK_DPI / dpi)
    grey = _shrunk_grey(pixels, scale)
    per_mm = dpi * scale / 25.4
    closed = np.asarray(
        cv2.morphologyEx(grey, cv2.MORPH_CLOSE, _square(_STROKE_MM * per_mm)), np.uint8
    )
    text = _painted(known, scale, grey.shape)
    found = []
    for x, y, inside in _parts(_masses(closed, per_mm), per_mm):
        h, w = inside.shape
        if max(w, h) < _SMALLEST_MM * per_mm or min(w, h) < _NARROWEST_MM * per_mm:
            continue
        if max(w, h) > _LONGEST_STRIP * min(w, h) and min(w, h) < _STRIP_MM * per_mm:
            continue
        if _is_flat(closed[y : y + h, x : x + w]):
            continue
        if text[y : y + h, x : x + w][inside].mean() > _KNOWN_SHARE:
            continue
        found.append(_picture(x, y, w, h, float(inside.mean()), scale, pixels))
    return tuple(sorted(found, key=lambda p: -p.width * p.height))


def text_quads(lines: Sequence[Line]) -> tuple[Quad, ...]:
    """Quads of the lines that are text beyond doubt; a face misread as a character is not."""
    return tuple(
        line.quad
        for line in lines
        if len(line.chars) >= _FEWEST_CHARACTERS
        and sum(c.score for c in line.chars) / len(line.chars) >= _LEGIBLE
    )


def _painted(quads: Sequence[Quad], scale: float, shape: tuple[int, ...]) -> Mask:
    """True inside `quads` at `scale`."""
    painted = np.zeros(shape, np.uint8)
    for quad in quads:
        cv2.fillConvexPoly(painted, np.round(quad * scale).astype(np.int32), (1,))
    return painted.astype(bool)


def _parts(masses: Grey, per_mm: float) -> Iterator[tuple[int, int, Mask]]:
    """(x, y, which pixels of its box) of each mass, near ones joined; of what lies around half a
    page, such as a border, only the parts that touch it not."""
    joined = cv2.morphologyEx(masses, cv2.MORPH_CLOSE, _square(_JOIN_MM * per_mm))
    for x, y, inside in _components(np.asarray(joined, np.uint8)):
        if not _is_frame(inside, masses.shape, per_mm):
            yield x, y, inside
            continue
        h, w = inside.shape
        loose = masses[y : y + h, x : x + w] * inside
        for dx, dy, part in _components(loose):
            if not _is_frame(part, masses.shape, per_mm):
                yield x + dx, y + dy, part


def _components(masses: Grey) -> Iterator[tuple[int, int, Mask]]:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(masses, connectivity=8)
    for label in range(1, count):
        x, y, w, h = (int(v) for v in stats[label, :4])
        yield x, y, labels[y : y + h, x : x + w] == label


def _is_frame(inside: Mask, shape: tuple[int, ...], per_mm: float) -> bool:
    """Whether a mass encloses much of a page and fills little of it; a card is no page."""
    much = inside.size > _FRAME_SHARE * shape[0] * shape[1]
    page = max(inside.shape) > _CARD_MM * per_mm
    return much and page and float(inside.mean()) < _FRAME_FILL


def _shrunk_grey(pixels: Image, scale: float) -> Grey:
    """The darkest channel, so that a blue, red or yellow ground differs from paper as much as grey
    does."""
    few, rest = halved(pixels, scale)
    return reduced(darkest(few), rest)


def _masses(closed: Grey, per_mm: float) -> Grey:
    """255 where the page, its strokes closed, is darker than the paper around."""
    height, width = closed.shape
    coarse = min(1.0, _PAPER_DPI / (per_mm * 25.4))
    size = (max(1, round(width * coarse)), max(1, round(height * coarse)))
    small = cv2.resize(closed, size, interpolation=cv2.INTER_AREA)
    # Only squares that lie within the page count, or a photo at its edge would be its own paper.
    paper = cv2.morphologyEx(
        small,
        cv2.MORPH_CLOSE,
        _square(_PAPER_MM * per_mm * coarse),
        borderType=cv2.BORDER_CONSTANT,
        borderValue=(255,),
    )
    here = cv2.resize(paper, (width, height), interpolation=cv2.INTER_LINEAR)
    dark = _DARK * float(np.percentile(small, 85))
    shaded = cv2.subtract(here, closed) > _INK_STEP
    masses = np.asarray((shaded | (closed < dark)) * 255, np.uint8)
    # Where two grounds meet, coarse paper is off by a pixel or two: a rim is no mass.
    return np.asarray(cv2.morphologyEx(masses, cv2.MORPH_OPEN, _square(3.0)), np.uint8)


def _is_flat(closed: Grey) -> bool:
    """True for a tint with nothing but strokes in it, such as a shaded table head or a cover."""
    edge = min(3, min(closed.shape) // 4)
    core = closed[edge : closed.shape[0] - edge, edge : closed.shape[1] - edge]
    dark, low, middle, high = np.percentile(core, (_DARK_SHARE, 25, 50, 75))
    even = middle > _LIGHT or (middle > _HALF_LIGHT and high - low < _TINT_SPREAD)
    return bool(even and middle - dark < _TINT_STEP) or float(core.std()) < _FLAT


def _picture(x: int, y: int, w: int, h: int, fill: float, scale: float, pixels: Image) -> Picture:
    height, width = pixels.shape[:2]
    return Picture(
        x0=int(x / scale),
        y0=int(y / scale),
        x1=min(width, round((x + w) / scale)),
        y1=min(height, round((y + h) / scale)),
        fill=fill,
    )


def _square(side: float) -> Grey:
    size = max(3, round(side) | 1)
    return np.ones((size, size), np.uint8)
