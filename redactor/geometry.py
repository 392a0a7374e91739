"""Pure geometry on quads and homographies, in pixels."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from redactor.page import Matrix, Quad


def rectangle(x0: float, y0: float, x1: float, y1: float) -> Quad:
    """Axis-aligned quad from its top left and bottom right corner."""
    return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], dtype=np.float64)


def bounds(quad: Quad) -> tuple[float, float, float, float]:
    """(x0, y0, x1, y1) of the axis-aligned box around a quad."""
    low, high = quad.min(axis=0), quad.max(axis=0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def width(quad: Quad) -> float:
    """Length along the reading direction."""
    return (_distance(quad, 0, 1) + _distance(quad, 3, 2)) / 2


def height(quad: Quad) -> float:
    """Length across the reading direction."""
    return (_distance(quad, 0, 3) + _distance(quad, 1, 2)) / 2


def _distance(quad: Quad, one: int, other: int) -> float:
    """Between two corners; asked thousands of times a page, where numpy's norm is slow."""
    (x0, y0), (x1, y1) = quad[one].tolist(), quad[other].tolist()
    return math.hypot(x1 - x0, y1 - y0)


def area(quad: Quad) -> float:
    """Shoelace area, never negative."""
    x, y = quad[:, 0], quad[:, 1]
    return float(abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2)


def between(quad: Quad, start: float, end: float) -> Quad:
    """The part of `quad` from fraction `start` to `end` along its reading direction."""
    top, bottom = quad[1] - quad[0], quad[2] - quad[3]
    return np.array(
        [
            quad[0] + start * top,
            quad[0] + end * top,
            quad[3] + end * bottom,
            quad[3] + start * bottom,
        ]
    )


def between_down(quad: Quad, start: float, end: float) -> Quad:
    """The part of `quad` from fraction `start` to `end` across its reading direction."""
    left, right = quad[3] - quad[0], quad[2] - quad[1]
    return np.array(
        [
            quad[0] + start * left,
            quad[1] + start * right,
            quad[1] + end * right,
            quad[0] + end * left,
        ]
    )


def grown(quad: Quad, along: float, across: float) -> Quad:
    """`quad` with `along` pixels more at each end and `across` pixels more at each side."""
    right = _unit(quad[1] - quad[0] + quad[2] - quad[3])
    down = _unit(quad[3] - quad[0] + quad[2] - quad[1])
    signs = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], dtype=np.float64)
    return quad + signs[:, :1] * along * right + signs[:, 1:] * across * down


def around(quads: Sequence[Quad], along: Quad | None = None) -> Quad:
    """The smallest quad that holds all `quads`, turned like `along` (default: the first)."""
    lead = quads[0] if along is None else along
    right = _unit(lead[1] - lead[0] + lead[2] - lead[3])
    down = np.array([-right[1], right[0]])
    points = np.concatenate(list(quads))
    u, v = points @ right, points @ down
    corners = [(u.min(), v.min()), (u.max(), v.min()), (u.max(), v.max()), (u.min(), v.max())]
    return np.array([a * right + b * down for a, b in corners])


def mapped(quad: Quad, matrix: Matrix) -> Quad:
    """`quad` sent through a homography."""
    points = np.column_stack([quad, np.ones(len(quad))]) @ matrix.T
    return np.asarray(points[:, :2] / points[:, 2:])


def quarter_turn(rotation: int, size: tuple[int, int]) -> Matrix:
    """Homography that turns a page of `size` (width, height) clockwise by 0, 90, 180 or 270.

    Maps continuous coordinates (pixel (0, 0) covers 0..1), so corners go to corners.
    """
    w, h = size
    turns = {
        0: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
        90: [[0, -1, h], [1, 0, 0], [0, 0, 1]],
        180: [[-1, 0, w], [0, -1, h], [0, 0, 1]],
        270: [[0, 1, 0], [-1, 0, w], [0, 0, 1]],
    }
    return np.array(turns[rotation % 360], dtype=np.float64)


def overlap(a: Quad, b: Quad) -> float:
    """Intersection over union of the boxes around two quads, 0..1."""
    ax0, ay0, ax1, ay1 = bounds(a)
    bx0, by0, bx1, by1 = bounds(b)
    w, h = min(ax1, bx1) - max(ax0, bx0), min(ay1, by1) - max(ay0, by0)
    if w <= 0 or h <= 0:
        return 0.0
    inter = w * h
    return inter / ((ax1 - ax0) * (ay1 - ay0) + (bx1 - bx0) * (by1 - by0) - inter)


def holds(box: Quad, quad: Quad) -> bool:
    """Whether the middle of `quad` lies in the bounds of `box`."""
    x0, y0, x1, y1 = bounds(box)
    x, y = quad.mean(axis=0)
    return bool(x0 <= x <= x1 and y0 <= y <= y1)


def slope(quads: Iterable[Quad]) -> float:
    """Median direction of reading, radians, clockwise positive (y down)."""
    angles = [float(np.arctan2(*(q[1] - q[0])[::-1])) for q in quads]
    return float(np.median(angles)) if angles else 0.0


def _unit(vector: np.ndarray) -> np.ndarray:
    length = float(np.hypot(*vector))
    return vector / length if length > 1e-9 else np.array([1.0, 0.0])
