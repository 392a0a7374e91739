"""Finds round seals by their ring, in any ink, also where text runs through it or the page cuts it.

Edges vote for centres (ring_votes.py); each candidate must then show an outer edge at one smooth
distance around it.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from redactor.finders import ring_votes

VOTE_PER_MM = 1.3
"""Pixels per mm of the picture on which edges vote."""
SMALLEST_MM, LARGEST_MM = 8.0, 31.0
"""Radius of seals: 16 mm (a doctor's or small department's seal) to 62 mm across, mm."""
BAND_MM = 1.9
"""Distance of the radii that are voted for, mm."""
CAP = 10.0
"""An edge this steep, grey levels per voting pixel, has a full vote, so that faint ink counts."""
MOST_CANDIDATES = 12
ANGLES = 240
"""Directions in which a candidate's edge is looked for."""
TURN = np.arange(ANGLES) * 2 * np.pi / ANGLES
CIRCLE = np.column_stack([np.cos(TURN), np.sin(TURN)])
EVEN, LEAST_EVEN = 0.03, 0.45
"""Share of the visible directions that show an edge within `EVEN` of the radius from their common
distance; with fewer a candidate is given up at once. On 150 pages no seal had less than 0.65."""
STEP, TALLEST, INK = 10, 60, 14
"""An edge of ink is at least this many grey levels high, more than `TALLEST` counts no more; a
pixel darker by `INK` is ink."""
PERFECT = 0.94
"""With so much of the ring there it is one, whatever lies around it."""
REACH_MM, GRID_MM, EDGE_MM, DRIFT_MM = 6.0, 0.2, 0.8, 0.61
"""How far inside the ring is looked, how finely, how wide its edge is, how far it may stray, mm."""
STEADY = 1.2
"""The edge's mean along the ring over its spread: text under a circle stays below 1."""

_BAND = BAND_MM * VOTE_PER_MM
_RADII = tuple(
    np.arange(SMALLEST_MM * VOTE_PER_MM, LARGEST_MM * VOTE_PER_MM + _BAND, _BAND).tolist()
)
_ROOM = round(LARGEST_MM * VOTE_PER_MM) + 2
"""Of the voting picture, pixels: bands, radii, and the room for centres beyond its edge."""

Plane = npt.NDArray[np.uint8]
Ellipse = tuple[tuple[float, float], tuple[float, float], float]
"""((x, y), (axis, axis), degrees) as cv2.fitEllipse gives it."""


@dataclass(frozen=True, eq=False)
class Ring:
    """An ellipse that is nearly a circle, in pixels of the plane given to `find_rings`.

    `box`: centre, axes and angle as cv2.fitEllipse gives them. `cover`: share of the ring on the
    plane that shows a steady outer edge, 0..1. `visible`: share of the ring that lies on the
    plane and not in blind parts, 0..1. `arc`: share of the whole ring with an edge.
    `outside`, `inside`: share of ink just outside the ring and 2 to 3 mm inside of it, 0..1 (a
    disc is full, a ring is not). `blind`: share of the ring on the plane that lies in blind parts;
    they count only when all of the ring is there.
    """

    box: Ellipse
    cover: float
    visible: float
    outside: float
    inside: float
    blind: float

    @property
    def arc(self) -> float:
        return self.cover * self.visible

    @property
    def radius(self) -> float:
        return (self.box[1][0] + self.box[1][1]) / 4


def find_rings(plane: Plane, blind: Plane, per_mm: float, least_vote: float) -> list[Ring]:
    """Rings with their evidence, strongest vote first, none twice; the caller judges `cover`.

    `plane`: ink, 0..255. `blind`: 255 where the plane proves nothing. `per_mm`: pixels per mm.
    """
    found: list[Ring] = []
    for x, y, radius in _candidates(plane, per_mm, least_vote):
        ring = _trace(plane, blind, per_mm, x, y, radius)
        if ring is not None and not any(_same(ring, other) for other in found):
            found.append(ring)
    return found


def _same(a: Ring, b: Ring) -> bool:
    apart = np.hypot(a.box[0][0] - b.box[0][0], a.box[0][1] - b.box[0][1])
    return bool(apart < 0.5 * max(a.radius, b.radius) and a.cover <= b.cover)


def ring_centres(
    plane: Plane, per_mm: float, radius_mm: float, least_vote: float, count: int
) -> list[tuple[float, float]]:
    """(x, y) of the likeliest centres of rings of one radius, pixels of the plane, best first."""
    tiny, scale = _voting(plane, per_mm)
    shape = ring_votes.field_shape(tiny.shape, _ROOM)
    edges = ring_votes.spectra(*_double_angle(tiny), shape)
    kernels = ring_votes.kernels(shape, _RADII, _BAND)
    nearest = np.argsort(np.abs(np.array(_RADII) - radius_mm * VOTE_PER_MM))[:2]
    best = np.maximum(*(ring_votes.votes(edges, kernels[i]) for i in nearest))
    places = ring_votes.peaks(best, least_vote, count)
    at = (ring_votes.unwrapped(*place, tiny.shape, shape, _ROOM) for place in places)
    return [(x / scale, y / scale) for x, y in at]


def _candidates(plane: Plane, per_mm: float, least_vote: float) -> list[tuple[float, float, float]]:
    """(x, y, radius) in pixels of the plane, most votes first."""
    tiny, scale = _voting(plane, per_mm)
    shape = ring_votes.field_shape(tiny.shape, _ROOM)
    edges = ring_votes.spectra(*_double_angle(tiny), shape)
    best, which = ring_votes.strongest(edges, ring_votes.kernels(shape, _RADII, _BAND))
    found = []
    for x, y in ring_votes.peaks(best, least_vote, MOST_CANDIDATES):
        cx, cy = ring_votes.unwrapped(x, y, tiny.shape, shape, _ROOM)
        found.append((cx / scale, cy / scale, _RADII[which[y, x]] / scale))
    return found


def _voting(plane: Plane, per_mm: float) -> tuple[Plane, float]:
    """(the plane reduced for voting, its scale)."""
    scale = VOTE_PER_MM / per_mm
    tiny = cv2.resize(plane, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.asarray(tiny, np.uint8), scale


def _double_angle(tiny: Plane) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """(x, y) of vectors whose direction is twice the gradient's and whose length is their vote."""
    gx = cv2.Sobel(tiny, cv2.CV_32F, 1, 0, scale=0.25)
    gy = cv2.Sobel(tiny, cv2.CV_32F, 0, 1, scale=0.25)
    length = cv2.magnitude(gx, gy) + 1e-3
    # The picture's own border is no edge: a scan's dark margin would vote along it.
    vote = np.minimum(length, CAP) / CAP / (length * length)
    vote[length < 0.2 * CAP] = 0
    return (gx * gx - gy * gy) * vote, 2 * gx * gy * vote


def _trace(
    plane: Plane, blind: Plane, per_mm: float, x: float, y: float, radius: float
) -> Ring | None:
    """The ellipse through the outer edges around a candidate; None when there is none."""
    box = ((x, y), (2 * radius, 2 * radius), 0.0)
    for reach in (0.14, 0.08, 0.06):
        points, steps, angles = _edges(plane, per_mm, box, reach)
        even = np.count_nonzero(np.abs(steps) <= EVEN)
        if len(points) < 24 or even < LEAST_EVEN * _visible(plane, box):
            return None
        near = np.abs(steps) <= _spread(steps, reach)
        chosen = points[near].astype(np.float32)
        fitted = _fitted(chosen, angles[near], box)
        if fitted is None:
            return None
        box = fitted
    return measured(plane, blind, per_mm, box)


def _visible(plane: Plane, box: Ellipse) -> int:
    """Number of the directions in which an ellipse lies on the plane; its tilt does not matter."""
    (cx, cy), (a, b), _ = box
    x, y = cx + a / 2 * CIRCLE[:, 0], cy + b / 2 * CIRCLE[:, 1]
    height, width = plane.shape
    return int(np.count_nonzero((x > 0) & (x < width) & (y > 0) & (y < height)))


def _spread(steps: npt.NDArray[np.float64], reach: float) -> float:
    return float(min(reach, max(0.02, 2.0 * np.median(np.abs(steps)))))


def _fitted(
    points: npt.NDArray[np.float32],
    angles: npt.NDArray[np.float64],
    box: Ellipse,
) -> Ellipse | None:
    """A circle through few points or a short arc, an ellipse where the whole ring is there."""
    if len(points) < 24:
        return None
    sectors = len(np.unique((angles / (2 * np.pi) * 12).astype(int)))
    if sectors >= 10:
        (cx, cy), (a, b), turn = cv2.fitEllipse(points)
        if min(a, b) > 0.82 * max(a, b):
            return ((cx, cy), (a, b), turn)
    xs, ys = points[:, 0].astype(np.float64), points[:, 1].astype(np.float64)
    system = np.column_stack([2 * xs, 2 * ys, np.ones(len(xs))])
    (cx, cy, rest), *_ = np.linalg.lstsq(system, xs * xs + ys * ys, rcond=None)
    square_radius = rest + cx * cx + cy * cy
    if square_radius <= 0:
        return None
    diameter = 2 * float(np.sqrt(square_radius))
    old = max(box[1])
    if not 0.75 * old < diameter < 1.3 * old:
        return None
    return ((float(cx), float(cy)), (diameter, diameter), 0.0)


def _polar(
    plane: Plane, box: Ellipse, low: float,
    high: float, columns: int,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float64], npt.NDArray[np.float64]]:  # fmt: skip
    """(values[angle, share of the radius], xs, ys) between `low` and `high` radii."""
    (cx, cy), (a, b), turn = box
    tilt = np.deg2rad(turn)
    along, across = a / 2 * CIRCLE[:, 0], b / 2 * CIRCLE[:, 1]
    ux = along * np.cos(tilt) - across * np.sin(tilt)
    uy = along * np.sin(tilt) + across * np.cos(tilt)
    shares = np.linspace(low, high, columns)
    xs = cx + ux[:, None] * shares[None, :]
    ys = cy + uy[:, None] * shares[None, :]
    values = cv2.remap(
        plane, (xs - 0.5).astype(np.float32), (ys - 0.5).astype(np.float32), cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT, borderValue=(0,),
    )  # fmt: skip
    return values.astype(np.float32), xs, ys


def _outer_steps(
    plane: Plane, per_mm: float, box: Ellipse,
    reach: float,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float64], npt.NDArray[np.float64],
           npt.NDArray[np.float64]]:  # fmt: skip
    """How much the ink falls off outwards: (fall[angle, share], shares, xs, ys)."""
    radius = (box[1][0] + box[1][1]) / 4
    step = 0.35 * per_mm / radius
    side = max(2, round(0.8 * per_mm / (step * radius)))
    count = int(2 * reach / step) + 2 * side + 3
    low = 1 - reach - side * step
    values, xs, ys = _polar(plane, box, low, low + step * (count - 1), count)
    inner, outer = values[:, : -2 * side], values[:, 2 * side :]
    fall = np.maximum(inner, values[:, side:-side]) - outer
    middle = slice(side, -side)
    places = np.asarray(low + step * np.arange(count)[middle], np.float64)
    return fall, places, xs[:, middle], ys[:, middle]


def _edges(
    plane: Plane, per_mm: float, box: Ellipse,
    reach: float,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:  # fmt: skip
    """Steepest outer edge in each direction that has one: (points, step from the box, angles)."""
    fall, shares, xs, ys = _outer_steps(plane, per_mm, box, reach)
    # Prefer an edge at the distance at which most directions have one.
    common = np.minimum(fall.clip(0), 3 * STEP).mean(axis=0)
    at = (np.minimum(fall, 3 * STEP) + 2 * common[None, :]).argmax(axis=1)
    rows = np.arange(ANGLES)
    good = fall[rows, at] >= STEP
    points = np.column_stack([xs[rows, at], ys[rows, at]])[good]
    steps = shares[at][good]
    angles = TURN[good]
    centre = float(np.median(steps)) if len(steps) else 1.0
    return points, steps - centre, angles


def measured(plane: Plane, blind: Plane, per_mm: float, box: Ellipse) -> Ring:
    """The evidence on a plane for one ellipse, from the ink 6 mm inside to 2.6 mm outside of it."""
    radius = (box[1][0] + box[1][1]) / 4
    offsets = np.arange(-REACH_MM, 2.6, GRID_MM)
    shares = 1 + offsets * per_mm / radius
    values, xs, ys = _polar(plane, box, shares[0], shares[-1], len(offsets))
    height, width = plane.shape
    rim = int(np.abs(offsets).argmin())
    x, y = xs[:, rim], ys[:, rim]
    seen = (x > 0) & (x < width) & (y > 0) & (y < height)
    hidden = np.zeros(ANGLES, bool)
    hidden[seen] = blind[y[seen].astype(int), x[seen].astype(int)] > 0
    if seen.sum() < 24:
        return Ring(box, 0.0, 0.0, 1.0, 1.0, 0.0)
    side = round(EDGE_MM / GRID_MM)
    fall = np.maximum(values[:, : -2 * side], values[:, side:-side]) - values[:, 2 * side :]
    near = np.abs(offsets[side:-side]) <= DRIFT_MM
    fall = np.clip(fall[:, near], -TALLEST, TALLEST)
    # Along a ring the edge stays the same; strokes that cross the circle come and go.
    mean = _around(fall)
    spread = np.sqrt(np.maximum(_around(fall * fall) - mean * mean, 0))
    shown = ((mean > STEADY * (spread + 4)) & (mean > 0.8 * STEP)).any(axis=1)
    share_blind = float(hidden[seen].mean())
    if shown[seen].mean() < PERFECT and (seen & ~hidden).sum() >= 24:
        seen &= ~hidden
    ink = values[seen] > INK

    def share(low: float, high: float) -> float:
        return float(ink[:, (offsets >= low) & (offsets <= high)].mean())

    return Ring(
        box,
        float(shown[seen].mean()),
        float(seen.mean()),
        share(0.8, 2.2),
        share(-3.0, -2.0),
        share_blind,
    )


def _around(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Mean over 13 degrees of the ring on both sides of each direction together."""
    half = 4
    wrapped = np.vstack([values[-half:], values, values[:half]])
    return np.asarray(cv2.blur(wrapped, (1, 2 * half + 1)), np.float32)[half:-half]
