"""Where a page holds pictures rather than text, so that costly finders look only there.

Text, rules and ring-shaped seals are thinner than a picture's masses. A grey closing with a square
a little wider than a pen stroke wipes everything thin off the page; what still differs from paper
is a photo, a dark mass, a tinted cell or large lettering.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from redactor.geometry import rectangle
from redactor.page import Image, Quad

WORK_DPI = 100.0
_STROKE_MM = 2.0
_JOIN_MM = 2.5
_SMALLEST_MM, _NARROWEST_MM = 5.0, 3.5
# Bars such as table heads and struck-out lines: longer than 5 times their height, under 8 mm.
_LONGEST_STRIP, _STRIP_MM = 5, 8.0
_INK_STEP = 16
_FLAT = 5.0
# A light ground of which half hardly varies is a shaded cell; a pale photo varies more.
_LIGHT, _TINT_SPREAD = 120, 4.0

Grey = npt.NDArray[np.uint8]


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


def find_pictures(pixels: Image, dpi: float) -> tuple[Picture, ...]:
    """Picture-like regions of a page, largest first; errs towards too many.

    `dpi`: pixels per inch. Regions under 5 mm and flat tints are left out.
    """
    scale = min(1.0, WORK_DPI / dpi)
    grey = _shrunk_grey(pixels, scale)
    per_mm = dpi * scale / 25.4
    closed = np.asarray(
        cv2.morphologyEx(grey, cv2.MORPH_CLOSE, _square(_STROKE_MM * per_mm)), np.uint8
    )
    masses = _masses(closed)
    joined = cv2.morphologyEx(masses, cv2.MORPH_CLOSE, _square(_JOIN_MM * per_mm))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    found = []
    for label in range(1, count):
        x, y, w, h = (int(v) for v in stats[label, :4])
        if max(w, h) < _SMALLEST_MM * per_mm or min(w, h) < _NARROWEST_MM * per_mm:
            continue
        if max(w, h) > _LONGEST_STRIP * min(w, h) and min(w, h) < _STRIP_MM * per_mm:
            continue
        if _is_flat(closed[y : y + h, x : x + w]):
            continue
        inside = labels[y : y + h, x : x + w] == label
        found.append(_picture(x, y, w, h, float(inside.mean()), scale, pixels))
    return tuple(sorted(found, key=lambda p: -p.width * p.height))


def _shrunk_grey(pixels: Image, scale: float) -> Grey:
    """The darkest channel, so that a blue, red or yellow ground differs from paper as much as grey
    does; area-averaged."""
    small = pixels
    if scale < 1.0:
        small = np.asarray(
            cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8
        )
    return np.asarray(small.min(axis=2), np.uint8)


def _masses(closed: Grey) -> Grey:
    """255 where the page, its strokes closed, is darker than paper."""
    paper = float(np.percentile(closed[::4, ::4], 85))
    return np.asarray((closed < paper - _INK_STEP) * 255, np.uint8)


def _is_flat(closed: Grey) -> bool:
    """True for a tint with nothing but strokes in it, such as a shaded table head or a cover."""
    edge = min(3, min(closed.shape) // 4)
    core = closed[edge : closed.shape[0] - edge, edge : closed.shape[1] - edge]
    low, middle, high = np.percentile(core, (25, 50, 75))
    tint = middle > _LIGHT and high - low < _TINT_SPREAD
    return bool(tint) or float(core.std()) < _FLAT


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
