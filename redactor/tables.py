"""Finds the ruled cells of forms and tables from their lines (cv2 morphology, no OCR)."""

from __future__ import annotations

import cv2
import numpy as np

from redactor.page import Image, Quad

WORKING_SIDE = 1400
"""Longest side on which rules are looked for, pixels."""
SHORTEST_RULE = 1 / 45
"""Shortest rule, as a share of the page's longest side."""
SMALLEST_CELL, LARGEST_CELL = 10, 0.6
"""Shortest side of a cell in working pixels; largest share of the page's area."""


def find_cells(pixels: Image) -> tuple[Quad, ...]:
    """Quads of the ruled cells of a page, smallest first, in page pixels; slightly skewed ones too.

    A cell is a patch of paper that rules close in on all sides.
    """
    scale = min(1.0, WORKING_SIDE / max(pixels.shape[:2]))
    grey = cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY)
    if scale < 1:
        grey = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    ink = cv2.adaptiveThreshold(
        grey, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, 25, 10
    )
    length = max(12, int(max(grey.shape) * SHORTEST_RULE))
    rules = _rules(ink, length)
    if rules is None:
        return ()
    count, labels, stats, _ = cv2.connectedComponentsWithStats(255 - rules, connectivity=4)
    limit = LARGEST_CELL * grey.size
    cells = []
    for index in range(1, count):
        x, y, w, h, area = stats[index]
        at_edge = x == 0 or y == 0 or x + w == grey.shape[1] or y + h == grey.shape[0]
        if at_edge or min(w, h) < SMALLEST_CELL or w * h > limit or area < 0.55 * w * h:
            continue
        patch = (labels[y : y + h, x : x + w] == index).astype(np.uint8)
        cells.append((area, _cell_quad(patch, x, y) / scale))
    return tuple(quad for _, quad in sorted(cells, key=lambda cell: cell[0]))


def _rules(ink: np.ndarray, length: int) -> np.ndarray | None:
    """Mask of horizontal and vertical rules; None when there are too few for a table."""
    # A skewed rule is a staircase of short runs: closing across it first keeps it whole.
    thick = cv2.dilate(ink, np.ones((3, 3), np.uint8))
    across = cv2.morphologyEx(thick, cv2.MORPH_OPEN, np.ones((1, length), np.uint8))
    down = cv2.morphologyEx(thick, cv2.MORPH_OPEN, np.ones((length, 1), np.uint8))
    across = _long_enough(across, 2 * length, axis=0)
    down = _long_enough(down, length, axis=1)
    if not across.any() or not down.any():
        return None
    return np.asarray(cv2.dilate(cv2.bitwise_or(across, down), np.ones((3, 3), np.uint8)))


def _long_enough(mask: np.ndarray, length: int, axis: int) -> np.ndarray:
    """Drops the components of `mask` shorter than `length` (axis 0: width, 1: height)."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
    keep = stats[:, cv2.CC_STAT_WIDTH if axis == 0 else cv2.CC_STAT_HEIGHT] >= length
    keep[0] = False
    return np.where(keep[labels], 255, 0).astype(np.uint8) if count > 1 else np.zeros_like(mask)


def _cell_quad(patch: np.ndarray, x: int, y: int) -> Quad:
    """Corners of a patch in page order: extreme points along the diagonals."""
    ys, xs = np.nonzero(patch)
    total, difference = xs + ys, xs - ys
    corners = [total.argmin(), difference.argmax(), total.argmax(), difference.argmin()]
    return np.array([[xs[i] + x, ys[i] + y] for i in corners], dtype=np.float64)
