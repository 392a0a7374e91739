"""Finds embossed seals (钢印): rings of light and shade without ink, over photos and paper.

A relief is lighter on one side and darker on the other, and fades where the light runs along the
ring. So the sign of an edge must not matter: edges vote for the centre of their ring by the doubled
angle of their gradient (ring_votes.py), after everything too strong or too coloured for a
relief (print, ink seals, the border of a photo) was taken off. Each candidate must then show a thin
line that keeps its sign along the ring while the paper around it has none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from redactor import geometry
from redactor.finders import ring_votes
from redactor.page import Finding, Image, Kind, Quad
from redactor.reduction import halved

FINDER = "embossed"
PER_MM = 3.0
"""Pixels per mm of the picture on which rings are traced: a relief's line is 0.5 to 1 mm wide."""
SMALLEST_PAGE = 64
"""Pixels on the shorter side; smaller pictures hold no seal that could be told."""
LIGHT_MM, MOST_GAIN = 30.0, 2.0
"""The paper's brightest tone within so many mm is its light; what lies in half of it has half of
the relief, which is made up for, but for no more than this."""
PAPER = 80
"""Percentile of the light on a page that is full light."""
GROUND_MM = 2.8
"""What differs from the mean over so many mm around is a line."""
STRONGEST, MOST_TINT = 40.0, 25
"""Grey levels of contrast and of colour beyond which a line is ink or the border of a photo."""
CLEARANCE_MM = 1.8
"""Diameter of what is taken off around such ink."""
VOTE_PER_MM = 1.2
"""Pixels per mm of the picture on which edges vote."""
SMALLEST_MM, LARGEST_MM, BAND_MM = 8.5, 24.0, 1.9
"""Radius of the rings that are sought and the distance of two of them, mm."""
FULL_VOTE = 3.0
"""An edge of so many grey levels a pixel has a full vote, one of a quarter has none."""
LEAST_VOTE = 0.42
"""Votes of a candidate, about 1.3 for a clean pale ring, 0.5 to 1.1 for a relief."""
MOST_CANDIDATES = 16
ANGLES, WINDOW = 180, 9
"""Directions in which a ring is looked at, and over how many of them its line keeps its sign."""
STEP_MM = 0.3
COHERENT, FAINTEST = 0.62, 1.2
"""Mean of a line along the ring over its root mean square, and its grey levels, to be there."""
SHADOW = 0.3
"""Share of a line's strength below which what is near it is its shadow."""
STRAY_MM = 0.75
"""How far the line may stray from the ring."""
BESIDE_MM, REACH_MM = 1.5, 4.0
"""From where to where outside of the ring there should be no line."""
LEAST_ARC = 0.38
"""Share of the whole ring that must be there; a photo's dark half or print may hide the rest."""
SMALLEST_SEAL_MM = 8.2
MOST_BENT = 0.06
"""Most by which a ring differs from a circle, share of its radius."""
SURE, DOUBTFUL = 0.53, 0.49
"""Least likeness (votes times the share of the ring that stands out) to mask and to ask."""
WHOLE, CLEAR, CLEAR_ARC = 0.68, 0.6, 0.65
"""Share of a doubtful ring that stands out from which it is masked, too; and that of a ring with
fewer votes from which a person is asked, with its share of the whole ring."""
SAME = 0.3
"""Overlap (intersection over union) with a seal that was found by its ink."""
MARGIN_MM = 1.2
"""A mask reaches this far beyond its ring."""

_BAND = BAND_MM * VOTE_PER_MM
_RADII = tuple(
    np.arange(SMALLEST_MM * VOTE_PER_MM, LARGEST_MM * VOTE_PER_MM + _BAND, _BAND).tolist()
)
_ROOM = round(LARGEST_MM * VOTE_PER_MM) + 2
"""Of the voting picture, pixels: bands, radii, and the room for centres beyond its edge."""

Plane = npt.NDArray[np.float32]
Grey = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class EmbossedSeals:
    """`sure`: to mask, kind SEAL. `doubtful`: places for a person to look at, kind SEAL."""

    sure: tuple[Finding, ...]
    doubtful: tuple[Finding, ...]


@dataclass(frozen=True, eq=False)
class Relief:
    """A reduced page. `lines`: how much lighter than its surroundings each pixel is, grey levels,
    0 where `bare` (1 or 0) says that ink hides the paper. `scale`: its pixels per page pixel."""

    lines: Plane
    bare: Plane
    scale: float
    per_mm: float


@dataclass(frozen=True)
class ReliefRing:
    """A ring in pixels of the relief. `cover`: share of its bare part that shows the line, less
    the share on rings just outside of it. `steady`: the same without any straying. `arc`: share of
    the whole ring that shows the line. `bent`: how far it is from a circle, share of the radius.
    `vote`: of its edges."""

    x: float
    y: float
    radius: float
    cover: float
    steady: float
    arc: float
    bent: float
    vote: float

    @property
    def likeness(self) -> float:
        """0 for nothing, above 1 for a clean pale ring."""
        return self.standing * self.vote

    @property
    def sure(self) -> bool:
        """Whether nobody needs to look."""
        return self.likeness >= SURE or (self.likeness >= DOUBTFUL and self.standing >= WHOLE)

    @property
    def standing(self) -> float:
        """Share of the ring that stands out from what is around it."""
        return min(self.cover, self.steady)


def find_embossed(pixels: Image, dpi: float, seals: Sequence[Quad] = ()) -> EmbossedSeals:
    """Embossed seals of an upright page, each covered as a whole disc.

    `dpi`: resolution of `pixels`. `seals`: what was found by its ink; it is not found again.
    """
    if min(pixels.shape[:2]) < SMALLEST_PAGE:
        return EmbossedSeals((), ())
    relief = relief_of(pixels, dpi)
    sure: list[Finding] = []
    doubtful: list[Finding] = []
    for ring in sorted(find_relief_rings(relief), key=lambda r: -r.likeness):
        if not _is_ring(ring, relief.per_mm):
            continue
        quad = _disc_quad(ring, relief, pixels)
        taken = [*seals, *(f.quad for f in sure), *(f.quad for f in doubtful)]
        if any(geometry.overlap(quad, other) > SAME for other in taken):
            continue
        size = round(2 * ring.radius / relief.per_mm)
        score = min(1.0, ring.likeness)
        if ring.sure:
            why = f"embossed seal, {size} mm"
            sure.append(Finding(Kind.SEAL, quad, "", score, why, FINDER))
        else:
            why = f"a faint ring of {size} mm, perhaps an embossed seal"
            doubtful.append(Finding(Kind.SEAL, quad, "", score, why, FINDER))
    return EmbossedSeals(tuple(sure), tuple(doubtful))


def relief_of(pixels: Image, dpi: float) -> Relief:
    """What is left of a page without its ink and its large tones."""
    per_mm = max(dpi, 20.0) / 25.4
    scale = min(1.0, PER_MM / per_mm)
    whole = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY), np.uint8)
    size = (max(1, round(whole.shape[1] * scale)), max(1, round(whole.shape[0] * scale)))
    half, _ = halved(whole, scale)
    grey = np.asarray(cv2.resize(half, size, interpolation=cv2.INTER_AREA), np.float32)
    # Colours only tell ink, so that the quick way to reduce them will do.
    small = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_LINEAR), np.uint8)
    per_mm *= scale
    grey = _levelled(grey, per_mm)
    side = max(3, round(GROUND_MM * per_mm) | 1)
    ink = _strong(grey - cv2.blur(grey, (side, side))) | _tint(small, side)
    bare = (1 - cv2.dilate(ink, _disc(CLEARANCE_MM * per_mm))).astype(np.float32)
    # The mean of the bare pixels alone, else the paper beside print would look lighter.
    ground = cv2.blur(grey * bare, (side, side)) / (cv2.blur(bare, (side, side)) + 1e-3)
    lines = (grey - ground) * bare
    strong = _strong(lines) > 0
    lines[strong] = 0
    bare[strong] = 0
    return Relief(lines, bare, scale, per_mm)


def _levelled(grey: Plane, per_mm: float) -> Plane:
    """The page as if lit evenly: in the shade a relief is as much weaker as its paper."""
    shrink = 0.125
    tiny = cv2.resize(grey, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
    side = max(3, round(LIGHT_MM * per_mm * shrink) | 1)
    light = cv2.morphologyEx(tiny, cv2.MORPH_CLOSE, np.ones((side, side), np.uint8))
    light = cv2.GaussianBlur(light, (0, 0), side / 4)
    gain = np.clip(np.percentile(light, PAPER) / np.maximum(light, 1.0), 1.0, MOST_GAIN)
    if gain.max() < 1.05:
        return grey
    whole = cv2.resize(gain.astype(np.float32), grey.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return grey * np.asarray(whole, np.float32)


def find_relief_rings(relief: Relief) -> list[ReliefRing]:
    """The rings that the strongest candidates turn out to be."""
    traced = (_trace(relief, *candidate) for candidate in _candidates(relief))
    return [ring for ring in traced if ring is not None]


def _is_ring(ring: ReliefRing, per_mm: float) -> bool:
    clear = ring.standing >= CLEAR and ring.arc >= CLEAR_ARC
    return (
        (ring.likeness >= DOUBTFUL or clear)
        and ring.arc >= LEAST_ARC
        and ring.bent <= MOST_BENT
        and ring.radius >= SMALLEST_SEAL_MM * per_mm
    )


def _disc_quad(ring: ReliefRing, relief: Relief, pixels: Image) -> Quad:
    """The box around the disc, page pixels, cut off at the page's edge."""
    half = ring.radius * (1 + ring.bent) + MARGIN_MM * relief.per_mm
    quad = geometry.rectangle(ring.x - half, ring.y - half, ring.x + half, ring.y + half)
    return (quad / relief.scale).clip(0, np.array(pixels.shape[1::-1], np.float64))


def _strong(lines: Floats) -> Grey:
    """1 on lines too strong for a relief."""
    return (np.abs(lines) > STRONGEST).astype(np.uint8)


def _tint(small: Image, side: int) -> Grey:
    """1 on lines of coloured ink."""
    blue, green, red = cv2.split(small)
    tint = cv2.subtract(cv2.max(cv2.max(blue, green), red), cv2.min(cv2.min(blue, green), red))
    if int(tint[::4, ::4].max(initial=0)) <= MOST_TINT // 2:
        return np.zeros(tint.shape, np.uint8)
    around = cv2.blur(tint, (3 * side, 3 * side))
    return np.asarray(
        cv2.threshold(cv2.absdiff(tint, around), MOST_TINT, 1, cv2.THRESH_BINARY)[1], np.uint8
    )


def _disc(diameter: float) -> Grey:
    size = max(3, round(diameter) | 1)
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)), np.uint8)


def _candidates(relief: Relief) -> list[tuple[float, float, float, float]]:
    """(x, y, radius, vote) in pixels of the relief, most votes first."""
    scale = VOTE_PER_MM / relief.per_mm
    across, aslant = _field(relief.lines, scale)
    shape = ring_votes.field_shape(across.shape, _ROOM)
    edges = ring_votes.spectra(across, aslant, shape)
    best, which = ring_votes.strongest(edges, ring_votes.kernels(shape, _RADII, _BAND))
    found = []
    for x, y in ring_votes.peaks(best, LEAST_VOTE, MOST_CANDIDATES):
        cx, cy = ring_votes.unwrapped(x, y, across.shape, shape, _ROOM)
        found.append((cx / scale, cy / scale, _RADII[which[y, x]] / scale, float(best[y, x])))
    return found


def _field(lines: Plane, scale: float) -> tuple[Plane, Plane]:
    """Cosine and sine of the doubled angle of all edges, times their vote: taken where lines are
    sharp, then reduced, because a thin line would fade if the picture were reduced first."""
    gx = cv2.Sobel(lines, cv2.CV_32F, 1, 0, scale=0.25)
    gy = cv2.Sobel(lines, cv2.CV_32F, 0, 1, scale=0.25)
    square = gx * gx + gy * gy
    length = cv2.sqrt(square)
    vote = np.minimum(length, FULL_VOTE) / FULL_VOTE / (square + 1e-6)
    vote[length < 0.25 * FULL_VOTE] = 0
    parts = ((gx * gx - gy * gy) * vote, 2 * gx * gy * vote)
    area = cv2.INTER_AREA
    across, aslant = (cv2.resize(p, None, fx=scale, fy=scale, interpolation=area) for p in parts)
    return np.asarray(across, np.float32), np.asarray(aslant, np.float32)


def _trace(relief: Relief, x: float, y: float, radius: float, vote: float) -> ReliefRing | None:
    """Moves a candidate onto the line around it and weighs what is there; None without a line."""
    angles = np.arange(ANGLES) * 2 * np.pi / ANGLES
    # Shift along x and y, radius, and the two ways of being an ellipse.
    shapes = np.stack(
        [np.cos(angles), np.sin(angles), np.ones(ANGLES), np.cos(2 * angles), np.sin(2 * angles)],
        axis=1,
    )
    bend = np.zeros(5)
    rows = np.arange(ANGLES)
    for reach, free in ((2.4, 3), (1.4, 5), (0.9, 5)):
        offsets = np.arange(-reach, reach + 0.01, STEP_MM)
        coherent, strength, bare = _unrolled(relief, x, y, radius + shapes @ bend, offsets)
        gain = (coherent - 0.35).clip(0) * np.minimum(strength, 6.0) * bare
        # Prefer a line at the distance at which most directions have one.
        at = (gain + 1.5 * gain.mean(axis=0)[None, :]).argmax(axis=1)
        weight, off = gain[rows, at], offsets[at] * relief.per_mm
        if (weight > 0).sum() < 20:
            return None
        middle = float(np.median(off[weight > 0]))
        near = (weight > 0) & (np.abs(off - middle) < 0.6 * reach * relief.per_mm)
        bend[:free] += _solved(shapes[near, :free], weight[near], off[near])
    return _weighed(relief, x, y, radius, bend, shapes, vote)


def _solved(shapes: Floats, weight: Floats, off: Floats) -> Floats:
    """Weighted least squares; a little stiff against ellipses."""
    stiff = np.full(shapes.shape[1], 1e-3)
    stiff[3:] = 0.05 * weight.sum()
    left = shapes.T @ (shapes * weight[:, None]) + np.diag(stiff)
    return np.asarray(np.linalg.solve(left, shapes.T @ (weight * off)), np.float64)


def _weighed(
    relief: Relief,
    x: float,
    y: float,
    radius: float,
    bend: Floats,
    shapes: Floats,
    vote: float,
) -> ReliefRing | None:
    """The evidence for a ring: its line, and lines where there should be none."""
    offsets = np.arange(-STRAY_MM, REACH_MM, STEP_MM)
    coherent, strength, bare = _unrolled(relief, x, y, radius + shapes @ bend, offsets)
    wide = int((np.abs(offsets) <= STRAY_MM + 0.01).sum())
    # A strong line throws a faint shadow beside it, which is no line of its own.
    floor = np.maximum(FAINTEST, SHADOW * strength[:, :wide].max(axis=1))[:, None]
    line = np.asarray((coherent > COHERENT) & (strength > floor) & (bare > 0.5), np.bool_)
    seen = bare[:, :wide].mean(axis=1) > 0.5
    if not seen.any():
        return None
    shown = np.asarray(line[:, :wide].any(axis=1), np.bool_)
    outer = int(np.searchsorted(offsets, BESIDE_MM))
    beside = [
        float(line[seen][:, i : i + wide].any(axis=1).mean())
        for i in range(outer, len(offsets) - wide + 1)
    ]
    at: Floats = line[seen].mean(axis=0, dtype=np.float64)
    return ReliefRing(
        float(x + bend[0]),
        float(y + bend[1]),
        float(radius + bend[2]),
        float(shown[seen].mean() - np.mean(beside)),
        float(at[:wide].max() - at[outer:].mean()),
        float((shown & seen).mean()),
        float(np.hypot(bend[3], bend[4]) / radius),
        vote,
    )


def _unrolled(
    relief: Relief,
    x: float,
    y: float,
    radii: Floats,
    offsets: Floats,
) -> tuple[Plane, Plane, Plane]:
    """(coherence 0..1, mean strength, bare share) by angle and offset in mm from the ring."""
    angles = np.arange(ANGLES) * 2 * np.pi / ANGLES
    far: Floats = radii[:, None] + offsets[None, :] * relief.per_mm
    xs = (x + far * np.cos(angles)[:, None] - 0.5).astype(np.float32)
    ys = (y + far * np.sin(angles)[:, None] - 0.5).astype(np.float32)
    border = {"borderMode": cv2.BORDER_CONSTANT, "borderValue": (0.0,)}
    lines = cv2.remap(relief.lines, xs, ys, cv2.INTER_LINEAR, **border)  # type: ignore[call-overload]
    bare = cv2.remap(relief.bare, xs, ys, cv2.INTER_NEAREST, **border)  # type: ignore[call-overload]
    share = _along(bare)
    safe = np.maximum(share, 0.1)
    mean = np.abs(_along(lines)) / safe
    spread = np.sqrt(np.maximum(_along(lines * lines) / safe, 0)) + 0.5
    return mean / spread, mean, share


def _along(values: Plane) -> Plane:
    """Mean over a window along the ring."""
    wrapped = np.vstack([values[-WINDOW:], values, values[:WINDOW]])
    return np.asarray(cv2.blur(wrapped, (1, WINDOW)), np.float32)[WINDOW:-WINDOW]
