"""Other copies of a watermark that tells who it is: under print they may be too broken to read."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from redactor import geometry
from redactor.layers import WORKING_SIDE, pale_ink
from redactor.page import Finding, Image, Kind, Quad

FINDER = "watermarks"
WELL_READ = 0.6
"""Score of a finding from which its watermark is believed."""
ALIKE = (0.55, 1.7)
"""Thickness of a copy over that of the letters that were read."""
SHORTEST = 1.4
"""Length of a copy over its thickness: two letters."""
JOIN = 0.55
"""Gaps between letters that are bridged, in letter heights."""
LEAST_INK = 0.04
"""Share of a copy's box that is pale ink."""
MARGIN = 0.3
"""Room around a copy, in letter heights."""


def find_copies(pixels: Image, read: Sequence[Finding]) -> tuple[Finding, ...]:
    """Rows of pale letters as large as those in `read`, findings in the watermarks of the page.

    Only asked where a watermark tells who it is, so that every copy of it must go.
    """
    read = [f for f in read if f.kind in (Kind.NAME, Kind.UNIT) and f.score >= WELL_READ]
    if not read:
        return ()
    scale = min(1.0, WORKING_SIDE / max(pixels.shape[:2]))
    small = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    ink = pale_ink(np.asarray(small, np.uint8))
    sizes = [min(geometry.height(f.quad), geometry.width(f.quad)) for f in read]
    height = float(np.median(sizes)) * scale
    length = max(max(geometry.height(f.quad), geometry.width(f.quad)) for f in read)
    first = read[0]
    return tuple(
        Finding(first.kind, quad, "", first.score, f"copy of a watermark: {first.why}", FINDER)
        for quad in (_whole(row / scale, length) for row in _rows(ink, height))
        if not any(geometry.holds(f.quad, quad) for f in read)
    )


def _whole(row: Quad, length: float) -> Quad:
    """A row as long as the watermark on both sides: print may have cut either end off."""
    lost = length - geometry.width(row)
    return geometry.grown(row, lost + MARGIN * geometry.height(row), 0) if lost > 0 else row


def _rows(ink: np.ndarray, height: float) -> list[Quad]:
    """The tightest rectangles, at any angle, around rows of letters of about one height."""
    reach = max(3, round(JOIN * height) | 1)
    joined = cv2.dilate(ink, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach)))
    count, labels = cv2.connectedComponents(joined)
    rows = []
    for label in range(1, count):
        ys, xs = np.nonzero((labels == label) & (ink > 0))
        points = np.stack([xs, ys], axis=1).astype(np.float32)
        box = cv2.boxPoints(cv2.minAreaRect(points)).astype(np.float64)
        if geometry.height(box) > geometry.width(box):
            box = np.roll(box, 1, axis=0)
        thick, long = geometry.height(box), geometry.width(box)
        if not ALIKE[0] * height < thick < ALIKE[1] * height or long < SHORTEST * thick:
            continue
        if len(points) < LEAST_INK * thick * long:
            continue
        rows.append(geometry.grown(box, MARGIN * height, MARGIN * height))
    return rows
