"""Finds places that may be codes, also those too blurred, torn or small to be decoded."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from redactor.geometry import bounds, grown, height, width
from redactor.page import Quad
from redactor.reduction import reduced

Grey = npt.NDArray[np.uint8]
"""(H, W) uint8."""

BLOCK_SIDE = 1400
"""Longest side in pixels of a page in which blocks are sought: A4 at 120 dpi."""
LEVELS = 3
"""Each level halves the page's size."""
MIN_SIDE, MIN_FILL, MAX_ASPECT = 11, 0.55, 9
"""Of a block: its smaller side in pixels, its share of the rectangle around it, and the ratio of
that rectangle's sides."""


class Block(NamedTuple):
    """A place that may be a code. `quad`: page pixels, its longer side along reading. `level`: of
    the pyramid, 0 finest. `fill`: share of the quad that the block takes up, 0..1."""

    quad: Quad
    level: int
    fill: float


def finder_pattern_quads(small: Grey, scale: float) -> list[Quad]:
    """Quads around QR codes of which at least two finder patterns can be seen; as in blocks."""
    patterns = _finder_patterns(small)
    quads: list[Quad] = []
    used: set[int] = set()
    for i, (center, size) in enumerate(patterns):
        if i in used:
            continue
        mates = [
            j
            for j, (other, other_size) in enumerate(patterns)
            if j != i
            and j not in used
            and 0.7 < other_size / size < 1.4
            # 21 to 177 modules a side: the patterns, 7 modules wide, stand 14 to 170 apart.
            and 1.7 * size < math.dist(center, other) < 20 * size
        ]
        if not mates:
            continue
        mates.sort(key=lambda j: math.dist(center, patterns[j][0]))
        group = [i, *mates[:2]]
        if (quad := _code_around([patterns[k] for k in group])) is not None:
            quads.append(quad / scale)
            used.update(group)
    return quads


def _finder_patterns(grey: Grey) -> list[tuple[tuple[float, float], float]]:
    """(center, side) of squares that hold a ring and a core as 7 : 5 : 3."""
    binary = cv2.adaptiveThreshold(
        grey, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, 41, 12
    )
    contours, tree = cv2.findContours(binary, cv2.RETR_TREE, cv2.CHAIN_APPROX_SIMPLE)
    if not contours:
        return []
    found: list[tuple[tuple[float, float], float]] = []
    child = tree[0, :, 2]
    inmost = np.where(child < 0, -1, child[child])
    for index in np.flatnonzero(inmost >= 0):
        if len(contours[index]) < 4:
            continue
        outer, hole, core = (contours[k] for k in (index, child[index], inmost[index]))
        (center, size, _), inner = cv2.minAreaRect(outer), cv2.minAreaRect(core)
        side = math.sqrt(max(size[0] * size[1], 1.0))
        # Contours run along pixel centres, so a dark shape measures one pixel short and a hole
        # one pixel long.
        dark, light = side + 1, math.sqrt(max(cv2.contourArea(hole), 0.0)) - 1
        middle = math.sqrt(max(inner[1][0] * inner[1][1], 0.0)) + 1
        if not 9 <= dark <= 200 or max(size) > 1.35 * min(size):
            continue
        filled = cv2.contourArea(outer) / max(size[0] * size[1], 1.0)
        centered = math.dist(center, inner[0]) < 0.1 * dark
        if (
            filled > 0.8
            and centered
            and 0.55 < light / dark < 0.85
            and 0.3 < middle / dark < 0.58
            and max(inner[1]) < 1.4 * min(inner[1]) + 1
        ):
            found.append(((float(center[0]), float(center[1])), dark))
    return found


def _code_around(patterns: list[tuple[tuple[float, float], float]]) -> Quad | None:
    """The square spanned by two or three finder patterns; with two, both squares they allow."""
    side = max(size for _, size in patterns)
    points = [np.array(center) for center, _ in patterns]
    if len(points) == 3:
        lengths = [
            (float(np.linalg.norm(points[a] - points[b])), 3 - a - b)
            for a, b in ((0, 1), (0, 2), (1, 2))
        ]
        longest, corner = max(lengths)
        legs = [length for length, _ in lengths if length != longest]
        square = len(legs) == 2 and legs[0] / legs[1] < 1.25 and legs[1] / legs[0] < 1.25
        if square and 1.25 < longest / float(np.mean(legs)) < 1.6:
            a, b = (points[k] for k in range(3) if k != corner)
            c = points[corner]
            return grown(np.array([c, a, a + b - c, b]), *_outward(np.array([c, a]), side))
        points = points[:2]
    a, b = points[0], points[1]
    step = b - a
    normal = np.array([-step[1], step[0]])
    # Side by side or corner to corner cannot be told apart: cover the square on both sides.
    return grown(np.array([a - normal, b - normal, b + normal, a + normal]), side, side)


def _outward(edge: npt.NDArray[np.float64], side: float) -> tuple[float, float]:
    turned = math.atan2(edge[1, 1] - edge[0, 1], edge[1, 0] - edge[0, 0])
    reach = side * (0.55 + 0.1 * abs(math.sin(2 * turned)))
    return reach, reach


def working_scale(grey: Grey) -> float:
    """Factor that makes a page's longest side BLOCK_SIDE pixels, 1 at most."""
    return min(1.0, BLOCK_SIDE / max(grey.shape))


def blocks(small: Grey, scale: float) -> Iterator[Block]:
    """Dense blocks of marks that stand by themselves: every code, but also words and drawings.

    `small`: the page, shrunk by `scale`; quads are in pixels of the page as it was. Each level
    halves the page, closes gaps of four pixels, as a code's white gaps are up to four modules wide,
    and drops what is thinner than eight, so that modules of 0.2 to 2 mm come out solid on one.
    """
    for level in range(LEVELS):
        if level:
            small = shrunk(small, 0.5)
        closed = cv2.morphologyEx(inked(small), cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
        solid = cv2.morphologyEx(closed, cv2.MORPH_OPEN, np.ones((9, 9), np.uint8))
        # Opening with a square cuts the corners of tilted codes: they come back.
        solid = cv2.bitwise_and(cv2.dilate(solid, np.ones((7, 7), np.uint8)), closed)
        contours, tree = cv2.findContours(solid, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
        to_page = 2**level / scale
        for index, contour in enumerate(contours):
            if tree[0][index][3] >= 0:
                continue  # a hole; what stands in it, as in the frame of a page, is no hole
            middle, size, turn = cv2.minAreaRect(contour)
            # Contours run along pixel centres: a side measures one pixel short.
            along, across = size[0] + 1, size[1] + 1
            low, high = min(along, across), max(along, across)
            fill = (cv2.contourArea(contour) + low + high) / (low * high)
            if low < MIN_SIDE or high > MAX_ASPECT * low or fill < MIN_FILL:
                continue
            whole = (middle[0] + 0.5, middle[1] + 0.5), (along, across), turn
            quad = cv2.boxPoints(whole).astype(np.float64)
            if across < along:  # boxPoints begins with the second side
                quad = np.roll(quad, 1, axis=0)
            yield Block(quad * to_page, level, min(fill, 1.0))


def inked(small: Grey) -> Grey:
    """255 where a pixel is darker than its surroundings of 31 pixels."""
    ink = cv2.adaptiveThreshold(
        small, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, 31, 10
    )
    return np.asarray(ink, dtype=np.uint8)


def shrunk(grey: Grey, factor: float) -> Grey:
    """The page made smaller; factor 1 leaves it."""
    return reduced(grey, factor)


def bar_direction(grey: Grey, quad: Quad) -> npt.NDArray[np.float64]:
    """Unit vector across the bars under a quad: the main direction of its edges."""
    x0, y0, x1, y1 = bounds(quad)
    top, left = max(0, math.floor(y0) - 2), max(0, math.floor(x0) - 2)
    patch = grey[top : math.ceil(y1) + 3, left : math.ceil(x1) + 3]
    gx = cv2.Scharr(patch, cv2.CV_32F, 1, 0)
    gy = cv2.Scharr(patch, cv2.CV_32F, 0, 1)
    xx, yy, xy = (float(v.sum()) for v in (gx * gx, gy * gy, gx * gy))
    angle = 0.5 * math.atan2(2 * xy, xx - yy)
    return np.array([math.cos(angle), math.sin(angle)])


def cut_out(grey: Grey, quad: Quad) -> Grey:
    """What lies under a rectangle, turned upright, one pixel for one."""
    w, h = max(8, round(width(quad))), max(8, round(height(quad)))
    corners = np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float32)
    matrix = cv2.getAffineTransform(quad[:3].astype(np.float32), corners[:3])
    return np.asarray(cv2.warpAffine(grey, matrix, (w, h)), dtype=np.uint8)
