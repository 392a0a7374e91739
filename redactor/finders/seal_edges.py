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
"""Ink that runs out of a seal's mask by more is a rule, a picture or handwriting, unless it is a
row of print: no higher, and shorter than `ROW_MM`."""
ROW_MM, LEAST_ROW_MM = 70.0, 1.6
"""Longest rest of a row and least height of one, mm: a long unit in print of 12 points."""
ROW_INK, TALL = (0.08, 0.75), 0.4
"""Share of a row's box that is ink: a bar is full; and of its height that a column's ink spans."""
STEP, LEVEL = 0.8, 0.6
"""Gap to the next character of a row, in its heights, and the share of the lower one's height that
two of them share."""
RULE_MM, STEP_MM = 12.0, 1.0
"""Straight lines from this length on are rules; what touches one and is this low is part of it."""
LEAST_MM = 0.4
"""Ink that runs out by less is the edge of the seal's own frame or a speck."""
JOIN_MM = 0.7
"""Gap between two strokes of one character."""
MARGIN_MM = 0.15
"""A rest's mask reaches this far beyond its ink, for strokes that are paler at their ends."""
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
    room, aside = REACH_MM * per_mm + 2, ROW_MM * per_mm + 2
    left, top = max(0, int(x0 - aside)), max(0, int(y0 - room))
    part = pixels[top : int(y1 + room), left : int(x1 + aside)]
    if min(part.shape[:2]) < 4:
        return []
    shift = np.array([left, top], dtype=np.float64)
    ink = _ink(part, per_mm)
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
    _, labels, stats, _ = cv2.connectedComponentsWithStats(outside)
    boxes = {
        label: (int(x), int(y), int(x + w), int(y + h))
        for label, (x, y, w, h, _) in enumerate(stats)
        if label and _fits(ink[y : y + h, x : x + w], per_mm)
    }
    touching = set(np.unique(labels[(rim > 0) & (crossing > 0)]).tolist())
    rests = []
    for label in touching & set(boxes):
        start = boxes[label]
        if start[2] > x1 - left or start[0] < x0 - left:  # beyond its sides, not above or below
            start = _followed(start, [boxes[k] for k in boxes if k not in touching], per_mm)
        margin = 1 + MARGIN_MM * per_mm
        rests.append(geometry.grown(geometry.rectangle(*start), margin, margin) + shift)
    return rests


def _ink(part: Image, per_mm: float) -> np.ndarray:
    """1 on print, 0 on paper and on ruled lines."""
    grey = darkest(np.ascontiguousarray(part))
    ink = (grey < float(np.percentile(grey, 75)) - DEPTH).astype(np.uint8)
    long = max(9, round(RULE_MM * per_mm))
    rules = np.zeros_like(ink)
    for shape in ((1, long), (long, 1)):
        straight = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones(shape, np.uint8))
        rules = np.asarray(cv2.bitwise_or(rules, straight), np.uint8)
    if not rules.any():
        return ink
    ink[cv2.dilate(rules, np.ones((3, 3), np.uint8)) > 0] = 0
    # Of a rule that slants a little, steps are left.
    _, labels, stats, _ = cv2.connectedComponentsWithStats(ink)
    low = stats[:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]].min(axis=1) <= STEP_MM * per_mm
    near = np.unique(labels[cv2.dilate(rules, np.ones((7, 7), np.uint8)) > 0])
    ink[np.isin(labels, near[low[near] & (near > 0)])] = 0
    return ink


def _fits(ink: np.ndarray, per_mm: float) -> bool:
    """Whether a piece of ink is a character, its rest, or a row of print."""
    height, width = ink.shape
    if max(height, width) <= REACH_MM * per_mm:
        return max(height, width) >= LEAST_MM * per_mm
    low = LEAST_ROW_MM * per_mm <= height <= REACH_MM * per_mm
    inked = ROW_INK[0] <= float(ink.mean()) <= ROW_INK[1]
    return low and width <= ROW_MM * per_mm and inked and _reach(ink) >= TALL * height


def _reach(ink: np.ndarray) -> float:
    """Median height over which a column holds ink: a character's whole, a little of a rule's."""
    columns = ink[:, ink.any(axis=0)]
    return float(np.median(len(ink) - columns[::-1].argmax(axis=0) - columns.argmax(axis=0)))


def _followed(
    start: tuple[int, int, int, int], others: Sequence[tuple[int, int, int, int]], per_mm: float
) -> tuple[int, int, int, int]:
    """The box of a row that begins with `start`, with the characters that go on on either side."""
    x0, y0, x1, y1 = last = start
    tall = max(y1 - y0, LEAST_ROW_MM * per_mm)
    rest = list(others)
    while True:
        nearest = [
            box
            for box in rest
            if min(box[3], last[3]) - max(box[1], last[1])
            >= LEVEL * min(box[3] - box[1], last[3] - last[1])
            and max(box[0] - x1, x0 - box[2]) <= STEP * tall
        ]
        if not nearest or x1 - x0 > ROW_MM * per_mm:
            return x0, y0, x1, y1
        last = nearest[0]
        rest.remove(last)
        x0, y0 = min(x0, last[0]), min(y0, last[1])
        x1, y1 = max(x1, last[2]), max(y1, last[3])
        tall = max(tall, last[3] - last[1])


def _near(
    box: tuple[float, float, float, float], left: int, top: int, shape: tuple[int, ...]
) -> bool:
    across = box[2] > left and box[0] < left + shape[1]
    return across and box[3] > top and box[1] < top + shape[0]
