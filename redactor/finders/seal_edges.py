"""Print under a seal of which an end stays outside the seal's mask: a unit that nobody could read.

The ring and the star keep a reader from print that lies across them, so that no text finder knows
what it says; its last character beside the mask still tells whose seal it is.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from redactor import geometry
from redactor.channels import darkest
from redactor.page import Finding, Image, Kind, Line, Quad

FINDER = "seal_edges"
REACH_MM = 5.0
"""Ink that runs out of a seal's mask by more is a rule, a picture or handwriting."""
LEAST_MM = 0.4
"""Ink that runs out by less is the edge of the seal's own frame or a speck."""
JOIN_MM = 0.7
"""Gap between two strokes of one character."""
DEPTH = 60
"""Grey levels below the paper from which on there is ink."""
READ = 0.9
"""A character read with this probability was seen by the text finders."""


def find_seal_edges(
    pixels: Image, dpi: float, seals: Sequence[Quad], lines: Sequence[Line]
) -> tuple[Finding, ...]:
    """Masks, kind SEAL, for unread ink that runs out of what will be painted for seals.

    `seals`: their quads on the upright page. `lines`: what was read, which is left alone.
    """
    per_mm = max(dpi, 20.0) / 25.4
    read = [c.quad for line in lines for c in line.chars if c.score >= READ and c.text.strip()]
    return tuple(
        Finding(Kind.SEAL, quad, "", 0.5, "unread print that runs out of a seal", FINDER)
        for seal in seals
        for quad in _rests(pixels, seal, read, per_mm)
    )


def _rests(pixels: Image, seal: Quad, read: Sequence[Quad], per_mm: float) -> list[Quad]:
    """Boxes of the unread ink that runs out of one seal, from the mask's edge on."""
    x0, y0, x1, y1 = geometry.bounds(seal)
    room = REACH_MM * per_mm + 2
    left, top = max(0, int(x0 - room)), max(0, int(y0 - room))
    part = pixels[top : int(y1 + room), left : int(x1 + room)]
    if min(part.shape[:2]) < 4:
        return []
    grey = darkest(np.ascontiguousarray(part))
    ink = (grey < float(np.percentile(grey, 75)) - DEPTH).astype(np.uint8)
    shift = np.array([left, top], dtype=np.float64)
    for quad in read:
        if _near(geometry.bounds(quad), left, top, part.shape):
            grown = geometry.grown(quad, 0.0, 0.1 * geometry.height(quad)) - shift
            cv2.fillConvexPoly(ink, np.round(grown).astype(np.int32), (0,))
    own = np.zeros_like(ink)
    cv2.fillConvexPoly(own, np.round(seal - shift).astype(np.int32), (1,))
    size = max(3, round(JOIN_MM * per_mm) | 1)
    joined = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((size, size), np.uint8))
    outside = np.asarray(cv2.bitwise_and(joined, 1 - own), np.uint8)
    rim = cv2.dilate(own, np.ones((3, 3), np.uint8)) - own
    crossing = cv2.dilate(cv2.bitwise_and(joined, own), np.ones((3, 3), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(outside)
    touching = set(np.unique(labels[(rim > 0) & (crossing > 0)]).tolist()) - {0}
    rests = []
    for label in range(1, count):
        x, y, w, h = (int(v) for v in stats[label, :4])
        sized = LEAST_MM * per_mm <= max(w, h) <= REACH_MM * per_mm
        if label in touching and sized:
            rests.append(geometry.rectangle(x - 1, y - 1, x + w + 1, y + h + 1) + shift)
    return rests


def _near(
    box: tuple[float, float, float, float], left: int, top: int, shape: tuple[int, ...]
) -> bool:
    across = box[2] > left and box[0] < left + shape[1]
    return across and box[3] > top and box[1] < top + shape[0]
