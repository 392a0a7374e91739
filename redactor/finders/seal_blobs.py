"""Finds seals of any outline as blobs of coloured ink whose border is drawn.

A seal's hull is its frame: ink runs along nearly all of it. The hull of lettering, a signature or
a smear jumps from tip to tip over bare paper.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from redactor.finders.seal_ink import disc

SHORTEST_MM, LONGEST_MM = 10.0, 66.0
"""Sides of a seal's box, mm; a resolution that is wrong by a fifth does no harm."""
SLIMMEST = 0.42
"""Shorter side over longer side: the flattest ovals in use are 45 x 30 mm, lines are longer."""
LARGEST_SHARE = 0.3
"""A blob that takes more of the picture than this is what the picture shows, not a seal on it."""
BRIDGES_MM = (0.8, 2.4)
"""Gaps in the ink that are bridged: worn print, then print of which only patches are left."""
LEAST_BORDER = 0.70
"""Share of the hull that has ink along it."""
FULLEST = 0.80
"""Share of the hull that is ink: more is a patch of colour."""
MOST_BLIND, WHOLE_BORDER = 0.45, 0.93
"""Share of the hull that may lie on pictures: a seal may touch a portrait, not lie in it; and the
border from which on this does not matter, because dense lettering looks like a picture, too."""
FRAME_BRIDGES_MM = (0.0, 0.8)
FRAME_BORDER, FRAME_ASPECT, FRAME_FILL, FRAME_INK = 0.93, 0.85, 0.3, (0.08, 0.68)
"""For ink of any colour: share of the frame that is drawn; aspect of square ones (photo frames are
slimmer) and how full they may be without what stands loose in them (codes are one piece); share of
the inner part that is lettering."""
SAMPLES = 240

Mask = npt.NDArray[np.uint8]
HOLLOW_BRIDGE_MM, HOLLOW_BORDER = 0.35, 0.85
"""Gaps of a frame that are closed, mm; share of a hollow's outline that has ink along it."""
FRAME_MM, HOLLOW_MM = 1.2, 20.0
"""Thickest frame and narrowest hollow, mm."""


@dataclass(frozen=True, eq=False)
class Blob:
    """`hull`: (N, 2) corners in pixels of the mask. `shape`: round, oval, square or triangle.

    `border`: share of the hull along which there is ink, 0..1. `aspect`: shorter over longer side.
    `fill`: share of the hull that is ink joined to the frame.
    """

    hull: npt.NDArray[np.float64]
    shape: str
    border: float
    aspect: float
    fill: float


def find_frames(mask: Mask, blind: Mask, per_mm: float) -> list[Blob]:
    """Like `find_blobs` for ink of any colour, where tables and photo frames are drawn, too.

    The frame must be whole, no longer than a seal's is, and hold some lettering.
    """
    framed = [
        blob
        for blob in find_blobs(mask, blind, per_mm, FRAME_BRIDGES_MM, FRAME_BORDER)
        if blob.shape in ("oval", "square")
        and (blob.shape == "oval" or (blob.aspect >= FRAME_ASPECT and blob.fill <= FRAME_FILL))
    ]
    return [
        blob
        for blob in (*framed, *_hollows(mask, blind, per_mm))
        if FRAME_INK[0] <= _ink_within(mask, blob) <= FRAME_INK[1]
    ]


def _hollows(mask: Mask, blind: Mask, per_mm: float) -> list[Blob]:
    """The insides of oval and triangular frames: print may touch a frame from without, and then
    its outline is no longer its own. Cells of tables are rectangles."""
    size = HOLLOW_BRIDGE_MM * per_mm
    inked, left, top = _inked(mask, round(2 * size) + 2)
    joined = cv2.morphologyEx(inked, cv2.MORPH_CLOSE, disc(size)) if size > 1.5 else inked
    ground = (joined == 0).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(ground, connectivity=4)
    longest = stats[:, 2:4].max(axis=1) / per_mm
    fits = (longest >= SHORTEST_MM) & (longest <= LONGEST_MM)
    fits[0] = False
    found = []
    for label in np.flatnonzero(fits):
        x, y, w, h = (int(v) for v in stats[label, :4])
        part = (labels[y : y + h, x : x + w] == label).astype(np.uint8)
        contours, _ = cv2.findContours(part, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        hull = cv2.convexHull(np.concatenate(contours))
        _, sides, _ = cv2.minAreaRect(hull)
        low, high = min(sides), max(sides)
        if low < HOLLOW_MM * per_mm or low < SLIMMEST * high:
            continue
        shape = _shape(float(cv2.contourArea(hull)) / (low * high), low / high)
        outline = hull[:, 0, :].astype(np.float64)
        near = (joined[y : y + h, x : x + w] > 0).astype(np.uint8)
        border = _border(near, outline, per_mm)
        if shape in ("oval", "triangle") and border >= HOLLOW_BORDER:
            corners = outline + (left + x + 0.5, top + y + 0.5)
            middle = corners.mean(axis=0)
            # The frame itself lies around its hollow.
            grown = middle + (corners - middle) * (1 + 2 * FRAME_MM * per_mm / low)
            if share_within(blind, grown) <= MOST_BLIND:
                found.append(Blob(grown, shape, border, low / high, 0.0))
    return found


def _inked(mask: Mask, room: int) -> tuple[Mask, int, int]:
    """(the part of a mask around all of its ink with `room` pixels of ground, its left and top)."""
    x, y, w, h = cv2.boundingRect(mask)
    left, top = max(0, x - room), max(0, y - room)
    return mask[top : y + h + room, left : x + w + room], left, top


def find_blobs(
    mask: Mask,
    blind: Mask,
    per_mm: float,
    bridges: tuple[float, ...] = BRIDGES_MM,
    least_border: float = LEAST_BORDER,
) -> list[Blob]:
    """Framed blobs of a mask of strokes (255 on ink), largest first, none inside another.

    `blind`: 255 where ink proves nothing. `per_mm`: pixels per mm.
    """
    if cv2.countNonZero(mask) < 20 * per_mm * per_mm:
        return []
    found: list[Blob] = []
    inked, left, top = _inked(mask, round(2 * max(bridges) * per_mm) + 2)
    for bridge in bridges:
        size = bridge * per_mm
        joined = cv2.morphologyEx(inked, cv2.MORPH_CLOSE, disc(size)) if size > 1.5 else inked
        _, labels, stats, _ = cv2.connectedComponentsWithStats(joined)
        longest = stats[:, 2:4].max(axis=1) / per_mm
        fits = (longest >= SHORTEST_MM) & (longest <= 1.1 * LONGEST_MM)
        fits &= stats[:, 2].astype(np.int64) * stats[:, 3] <= LARGEST_SHARE * mask.size
        fits[0] = False  # the ground
        for label in np.flatnonzero(fits):
            x, y, w, h = (int(v) for v in stats[label, :4])
            part = (labels[y : y + h, x : x + w] == label).astype(np.uint8)
            blob = framed_blob(part, (left + x, top + y), per_mm)
            if blob is None or blob.border < least_border:
                continue
            if blob.border >= WHOLE_BORDER or share_within(blind, blob.hull) <= MOST_BLIND:
                found.append(blob)
    found.sort(key=lambda b: -cv2.contourArea(b.hull.astype(np.float32)))
    kept: list[Blob] = []
    for blob in found:
        middle = tuple(float(v) for v in blob.hull.mean(axis=0))
        if not any(
            cv2.pointPolygonTest(k.hull.astype(np.float32), middle, False) >= 0 for k in kept
        ):
            kept.append(blob)
    return kept


def framed_blob(
    part: Mask, origin: tuple[int, int], per_mm: float, fullest: float = FULLEST
) -> Blob | None:
    """A component as a blob, None when it is no seal; `origin`: where `part` lies on the mask.

    `fullest`: share of the hull that the component may fill.
    """
    contours, _ = cv2.findContours(part, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    hull = cv2.convexHull(np.concatenate(contours))
    _, sides, _ = cv2.minAreaRect(hull)
    low, high = min(sides), max(sides)
    if low < SHORTEST_MM * per_mm or high > LONGEST_MM * per_mm or low < SLIMMEST * high:
        return None
    border = _border(part, hull[:, 0, :].astype(np.float64), per_mm)
    area = float(cv2.contourArea(hull))
    fill = float(part.sum()) / area
    if border < LEAST_BORDER or fill > fullest:
        return None
    corners = hull[:, 0, :].astype(np.float64) + origin + 0.5
    return Blob(corners, _shape(area / (low * high), low / high), border, low / high, fill)


def _ink_within(mask: Mask, blob: Blob) -> float:
    """Share of ink in the hull shrunk to 80 percent, the frame left out."""
    middle = blob.hull.mean(axis=0)
    return share_within(mask, middle + 0.8 * (blob.hull - middle))


def share_within(mask: Mask, hull: npt.NDArray[np.float64]) -> float:
    """Share of a convex polygon that is set in a mask, 0..1."""
    x, y, w, h = cv2.boundingRect(hull.astype(np.int32))
    inside = np.zeros((h, w), np.uint8)
    cv2.fillConvexPoly(inside, (hull - (x, y)).astype(np.int32), (1,))
    part = mask[y : y + h, x : x + w]
    chosen = inside[: part.shape[0], : part.shape[1]] > 0
    return float((part[chosen] > 0).mean()) if chosen.any() else 0.0


def _border(part: Mask, hull: npt.NDArray[np.float64], per_mm: float) -> float:
    """Share of evenly spaced points of the hull that have ink within 0.6 mm."""
    closed = np.vstack([hull, hull[:1]])
    lengths = np.hypot(*np.diff(closed, axis=0).T)
    along = np.r_[0.0, np.cumsum(lengths)]
    at = np.linspace(0, along[-1], SAMPLES, endpoint=False)
    xs = np.interp(at, along, closed[:, 0])
    ys = np.interp(at, along, closed[:, 1])
    margin = 2
    padded = cv2.copyMakeBorder(part, margin, margin, margin, margin, cv2.BORDER_CONSTANT)
    near = cv2.dilate(padded, disc(1.2 * per_mm))
    return float(near[np.round(ys).astype(int) + margin, np.round(xs).astype(int) + margin].mean())


def _shape(fill: float, aspect: float) -> str:
    """By how much of its tightest box the hull fills: triangle 0.5, ellipse 0.785, square 1."""
    if fill < 0.65:
        return "triangle"
    if fill > 0.89:
        return "square"
    return "round" if aspect > 0.87 else "oval"
