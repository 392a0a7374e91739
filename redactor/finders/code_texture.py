"""Sees codes by their looks alone, for those that are too blurred, torn or small to be decoded."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

from redactor.geometry import area, around, bounds, grown, height, width
from redactor.page import Quad

Grey = npt.NDArray[np.uint8]
"""(H, W) uint8."""

WINDOW = 19
"""Pixels over which texture is measured: 3 to 4 mm at the 145 dpi of a page 1700 pixels long."""
MIN_BLOCK = 34
"""Smallest side of a matrix code in pixels: 6 mm."""
MIN_BARS = (60, 14)
"""Smallest length and height of a bar code in pixels."""


def finder_pattern_quads(grey: Grey) -> list[Quad]:
    """Quads around QR codes of which at least two finder patterns can be seen."""
    patterns = _finder_patterns(grey)
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
            quads.append(quad)
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
    for index, (_, _, child, _) in enumerate(tree[0]):
        if child < 0 or tree[0][child][2] < 0 or len(contours[index]) < 4:
            continue
        outer, hole, core = (contours[k] for k in (index, child, tree[0][child][2]))
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


def block_quads(grey: Grey) -> list[Quad]:
    """Quads around bar codes and matrix codes by texture."""
    gx = cv2.Scharr(grey, cv2.CV_32F, 1, 0)
    gy = cv2.Scharr(grey, cv2.CV_32F, 0, 1)
    box = (WINDOW, WINDOW)
    xx, yy = cv2.blur(gx * gx, box), cv2.blur(gy * gy, box)
    xy = cv2.blur(gx * gy, box)
    energy = xx + yy
    edges = cv2.blur(((gx * gx + gy * gy) > 250.0**2).astype(np.float32), box)
    coherence = np.sqrt((xx - yy) ** 2 + 4 * xy * xy) / (energy + 1.0)
    bars = ((coherence > 0.7) & (edges > 0.4)).astype(np.uint8)
    blocks = ((coherence < 0.75) & (edges > 0.5)).astype(np.uint8)
    pieces = [q for q in _components(bars, 9, *MIN_BARS) if _is_bar_code(grey, q)]
    quads = _joined(pieces)
    quads += [q for q in _components(blocks, 9, MIN_BLOCK, MIN_BLOCK) if is_matrix_code(grey, q)]
    return [grown(q, WINDOW / 2, WINDOW / 2) for q in quads]


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


def _joined(pieces: list[Quad]) -> list[Quad]:
    """Pieces of bar codes put together again where a stroke or a tear parted them."""
    pieces = sorted(pieces, key=area, reverse=True)
    joined: list[Quad] = []
    for piece in pieces:
        reach = 0.6 * height(piece)
        near = [
            index
            for index, other in enumerate(joined)
            if cv2.intersectConvexConvex(
                grown(piece, reach, reach).astype(np.float32), other.astype(np.float32)
            )[0]
            > 0
        ]
        if near:
            joined[near[0]] = around([joined[near[0]], piece])
        else:
            joined.append(piece)
    return joined


def _components(raw: npt.NDArray[np.uint8], kernel: int, long: int, short: int) -> list[Quad]:
    """Rectangles around what remains after bridging and thinning; short side across reading."""
    shape = np.ones((kernel, kernel), np.uint8)
    mask = cv2.morphologyEx(raw, cv2.MORPH_CLOSE, shape)
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, shape)
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    quads = []
    for contour in contours:
        rect = cv2.minAreaRect(contour)
        low, high = sorted(rect[1])
        if high < long or low < short or cv2.contourArea(contour) < 0.6 * low * high:
            continue
        quad = cv2.boxPoints(rect).astype(np.float64)
        if width(quad) < height(quad):
            quad = np.roll(quad, 1, axis=0)
        quads.append(quad)
    return quads


def cut_out(grey: Grey, quad: Quad) -> Grey:
    """What lies under a quad, turned upright, one pixel for one."""
    w, h = max(8, round(width(quad))), max(8, round(height(quad)))
    corners = np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float32)
    matrix = cv2.getPerspectiveTransform(quad.astype(np.float32), corners)
    return np.asarray(cv2.warpPerspective(grey, matrix, (w, h)), dtype=np.uint8)


def _is_bar_code(grey: Grey, quad: Quad) -> bool:
    """Same bars in every row, at least 20 edges, bars of unlike widths, high contrast.

    Tried along both sides, as a code can be higher than long.
    """
    patch = cut_out(grey, quad).astype(np.float32)
    return _rows_are_bars(patch) or _rows_are_bars(np.ascontiguousarray(patch.T))


def _rows_are_bars(patch: npt.NDArray[np.float32]) -> bool:
    rows = len(patch)
    if rows < 12:
        return False
    slices = [patch[i * rows // 6 : (i + 1) * rows // 6].mean(axis=0) for i in range(1, 5)]
    if min(float(part.std()) for part in slices) < 10:
        return False
    if np.corrcoef(np.array(slices)).min() < 0.75:
        return False
    profile = np.mean(slices, axis=0)
    local = cv2.blur(profile[None, :].astype(np.float32), (31, 1))[0]
    dark = profile < local
    runs = np.diff(np.flatnonzero(np.diff(dark.astype(np.int8))))
    if len(runs) < 20 or profile.max() - profile.min() < 50:
        return False
    return float(runs.std() / runs.mean()) > 0.3


def is_matrix_code(grey: Grey, quad: Quad) -> bool:
    """Black and white in equal parts in every row and column, edges along two directions only."""
    if width(quad) > 8 * height(quad):
        return False
    patch = cut_out(grey, quad)
    _, binary = cv2.threshold(patch, 0, 1, cv2.THRESH_BINARY_INV | cv2.THRESH_OTSU)
    dark = binary.astype(bool)
    share = float(dark.mean())
    if not 0.3 < share < 0.7:
        return False
    ink, paper = float(patch[dark].mean()), float(patch[~dark].mean())
    contrast = paper - ink
    if contrast < 60:
        return False
    between = (patch > ink + 0.3 * contrast) & (patch < paper - 0.3 * contrast)
    if float(between.mean()) > 0.35:
        return False
    inner = dark[len(dark) // 12 : -(len(dark) // 12) or None]
    (along_low, along_high, along_changes), (low, high, changes) = map(_lines, (inner, inner.T))
    aspect = width(quad) / height(quad)
    emptiest, fullest = min(along_low, low), max(along_high, high)
    if aspect > 1.8:
        # PDF417: half of each row is dark, with ten changes of colour over the code's height,
        # where a row of Chinese text has five.
        looks_right = along_low > 0.4 and along_high < 0.75 and along_changes > 8 * aspect
    elif min(along_changes, changes) >= 8:
        # Text has rows of paper between its lines; a code has none.
        looks_right = emptiest > 0.15 and fullest < 0.85
    else:
        # As few modules as a large character has strokes, which leaves its sides emptier.
        looks_right = (
            emptiest > 0.23
            and fullest < 0.85
            and share > 0.4
            and aspect < 1.25
            and along_changes + changes >= 11
        )
    return looks_right and _along_axes(patch) > 0.6


def _lines(dark: npt.NDArray[np.bool_]) -> tuple[float, float, float]:
    """Of the rows: dark share of the emptiest and of the fullest tenth, median colour changes."""
    share = dark.mean(axis=1)
    changes = np.abs(np.diff(dark.astype(np.int8), axis=1)).sum(axis=1)
    return float(np.quantile(share, 0.1)), float(np.quantile(share, 0.9)), float(np.median(changes))


def _along_axes(patch: Grey) -> float:
    """Share of the edge energy within 15 degrees of the patch's own axes (1/3 when at random)."""
    gx = cv2.Scharr(patch, cv2.CV_32F, 1, 0)
    gy = cv2.Scharr(patch, cv2.CV_32F, 0, 1)
    energy = gx * gx + gy * gy
    low, high = np.minimum(np.abs(gx), np.abs(gy)), np.maximum(np.abs(gx), np.abs(gy))
    near = low < math.tan(math.radians(15)) * high
    return float(energy[near].sum() / max(float(energy.sum()), 1.0))
