"""Ink that runs out of a signature's mask: the thumb that was pressed on it, a long stroke.

A fingerprint over a signature has few ridges that are whole; what shows of it around the mask of
the signature still is one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import cv2
import numpy as np

from redactor import geometry
from redactor.channels import darkest
from redactor.page import Finding, Image, Kind, Line, Reading
from redactor.streams import cell_of

FINDER = "touching_ink"
AROUND_MM = 12.0
"""How far around a signature ink is followed: more than half a thumb."""
JOIN_MM = 1.8
"""Gap between two ridges that belong together."""
FAINT = 14
"""Grey levels below the paper from which on there is ink."""
SURE = 0.9
"""Lines read with this mean probability are print, which is not followed."""
LEAST_MM = 1.2
"""Ink that runs out by less is the edge of a stroke."""
SIGNS = re.compile("签名|签字|签章|承诺人|捺印|手印")
"""A name behind such a label was written by hand, however well it was read."""


def find_touching_ink(
    pixels: Image, dpi: float, signatures: Sequence[Finding], reading: Reading
) -> tuple[Finding, ...]:
    """Masks for what runs out of the masks of `signatures` on an upright page: those of kind
    SIGNATURE and of names behind a label that asks for one.

    `dpi`: resolution of `pixels`. `reading`: print and rules are left out, and ink is not followed
    out of the cell of a signature.
    """
    per_mm = max(dpi, 20.0) / 25.4
    return tuple(
        Finding(Kind.SIGNATURE, quad, "", 0.5, "ink that runs out of a signature", FINDER)
        for finding in signatures
        if finding.kind is Kind.SIGNATURE or _is_signed(finding, reading.lines)
        for quad in [_reach(pixels, finding, reading, per_mm)]
        if quad is not None
    )


def _is_signed(finding: Finding, lines: Sequence[Line]) -> bool:
    """Whether a name stands in the row of a label that asks for a signature, behind it."""
    if finding.kind is not Kind.NAME:
        return False
    x0, y0, _, y1 = geometry.bounds(finding.quad)
    for line in lines:
        if not SIGNS.search(line.text):
            continue
        left, top, _, bottom = geometry.bounds(line.quad)
        if left < x0 and min(y1, bottom) - max(y0, top) > 0.5 * (y1 - y0):
            return True
    return False


def _reach(pixels: Image, finding: Finding, reading: Reading, per_mm: float) -> np.ndarray | None:
    x0, y0, x1, y1 = geometry.bounds(finding.quad)
    room = AROUND_MM * per_mm
    left, top = max(0, int(x0 - room)), max(0, int(y0 - room))
    part = darkest(np.ascontiguousarray(pixels[top : int(y1 + room), left : int(x1 + room)]))
    if not part.size:
        return None
    paper = float(np.percentile(part, 75))
    ink = (part < paper - FAINT).astype(np.uint8)
    own = np.zeros_like(ink)
    shift = np.array([left, top], dtype=np.float64)
    cv2.fillConvexPoly(own, np.round(finding.quad - shift).astype(np.int32), (1,))
    for line in reading.lines:
        if line.score >= SURE and not geometry.holds(finding.quad, line.quad):
            cv2.fillConvexPoly(ink, np.round(line.quad - shift).astype(np.int32), (0,))
        elif finding.kind is Kind.NAME:
            for char in line.chars:
                if char.score >= SURE and not geometry.holds(finding.quad, char.quad):
                    cv2.fillConvexPoly(ink, np.round(char.quad - shift).astype(np.int32), (0,))
    ink[_rules(ink, per_mm) > 0] = 0
    size = max(3, round(JOIN_MM * per_mm) | 1)
    joined = cv2.morphologyEx(ink | own, cv2.MORPH_CLOSE, np.ones((size, size), np.uint8))
    _, labels = cv2.connectedComponents(joined)
    touched = np.unique(labels[own > 0])
    ys, xs = np.nonzero(np.isin(labels, touched[touched > 0]) & ((ink | own) > 0))
    if not len(xs):
        return None
    box = xs.min() + left, ys.min() + top, xs.max() + 1 + left, ys.max() + 1 + top
    beyond = max(x0 - box[0], y0 - box[1], box[2] - x1, box[3] - y1)
    edge = min(box[0] - left, box[1] - top) <= 0 or box[3] >= top + part.shape[0]
    # What runs on to the edge of the surroundings is a table or a frame, not a thumb.
    if beyond < LEAST_MM * per_mm or (edge and left > 0 and top > 0):
        return None
    home = cell_of(finding.quad, reading.cells)
    low = np.minimum(box[:2], (x0, y0))
    high = np.maximum(box[2:], (x1, y1))
    if home >= 0:
        a, b, c, d = geometry.bounds(reading.cells[home])
        low, high = np.maximum(low, np.minimum((a, b), (x0, y0))), high.clip(None, (c, d))
    return geometry.rectangle(*low, *np.maximum(high, (x1, y1)))


def _rules(ink: np.ndarray, per_mm: float) -> np.ndarray:
    """Ruled lines longer than a thumb is wide, a little thicker than they are."""
    long = max(9, round(AROUND_MM * per_mm * 1.6))
    across = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((1, long), np.uint8))
    down = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((long, 1), np.uint8))
    return np.asarray(cv2.dilate(cv2.bitwise_or(across, down), np.ones((3, 3), np.uint8)))
