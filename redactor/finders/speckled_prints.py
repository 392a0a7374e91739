"""Tells a fingerprint that a fax or a bilevel copy broke into specks, of which no ridge is left."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from redactor import geometry
from redactor.page import Image, Quad

BLACK = 128
"""Grey levels below which there is ink; a page of two levels has nothing between."""
SPECK_MM, FEWEST, SHARE = 0.8, 40, 0.4
"""Specks are no larger; so many stand in a print and hold this share of its ink. Strokes of
letters, seals and tables hold together."""
INKED = (0.03, 0.3)
"""Share of a broken print that is ink."""
TONES, MOST_TONES = (50, 205), 0.01
"""Grey levels that a bilevel copy does not have, and the share of pixels that may."""
GRID_MM, AROUND_MM, DENSE = 0.5, 4.5, 0.3
"""Specks are counted in cells of a grid; within this distance so many stand on a square mm."""
SHORTEST_MM, LEAST_LENGTH_MM, LONGEST_MM = 7.0, 11.0, 34.0
"""Sides of a dense place: thumbs leave 10 x 13 to 20 x 26 mm."""
CLUSTER, CLUSTER_SHARE, MOST_INK, LONGEST_STROKE_MM = 50, 0.2, 0.2, 8.0
"""Specks of a dense place, their share of its ink, its share of ink, and its longest stroke: worn
seals and portraits have longer ones, or more ink."""


def is_speckled(crop: Image, mask: np.ndarray, per_mm: float) -> bool:
    """Whether the part of `crop` inside `mask` (of any size, 1 inside) is made of specks."""
    inside = cv2.resize(mask, crop.shape[1::-1], interpolation=cv2.INTER_NEAREST) > 0
    ink = ((crop.min(axis=2) < BLACK) & inside).astype(np.uint8)
    if not INKED[0] <= float(ink.mean()) <= INKED[1]:
        return False
    _, _, stats, _ = cv2.connectedComponentsWithStats(ink)
    sizes = stats[1:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]].max(axis=1)
    specks = sizes <= SPECK_MM * per_mm
    held = float(stats[1:, cv2.CC_STAT_AREA][specks].sum())
    return int(specks.sum()) >= FEWEST and held >= SHARE * int(ink.sum())


def find_speckled(pixels: Image, per_mm: float) -> Iterator[Quad]:
    """Boxes of places of a thumb's size that are dense with specks, on a page of two levels; none
    on others."""
    few = pixels[::3, ::3].min(axis=2)
    if float(((few > TONES[0]) & (few < TONES[1])).mean()) > MOST_TONES:
        return
    ink = (pixels.min(axis=2) < BLACK).astype(np.uint8)
    _, _, stats, middles = cv2.connectedComponentsWithStats(ink)
    sizes, areas, middles = stats[1:, 2:4].max(axis=1), stats[1:, 4], middles[1:]
    small = sizes <= SPECK_MM * per_mm
    cell = GRID_MM * per_mm
    height, width = (int(side / cell) + 1 for side in ink.shape)
    count = np.zeros((height, width), np.float32)
    across, down = (middles[small] / cell).astype(int).T
    np.add.at(count, (down, across), 1)
    side = round(AROUND_MM / GRID_MM) | 1
    dense = (cv2.blur(count, (side, side)) >= DENSE * GRID_MM**2).astype(np.uint8)
    core = round(0.75 * SHORTEST_MM / GRID_MM) | 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (core, core))
    _, _, places, _ = cv2.connectedComponentsWithStats(
        cv2.morphologyEx(dense, cv2.MORPH_OPEN, disc)
    )
    for x, y, w, h, area in places[1:].tolist():
        low, high = GRID_MM * min(w, h), GRID_MM * max(w, h)
        if low < SHORTEST_MM or not LEAST_LENGTH_MM <= high <= LONGEST_MM:
            continue
        at = middles / cell
        inside = ((at >= (x, y)) & (at < (x + w, y + h))).all(axis=1)
        total = float(areas[inside].sum())
        if (
            (inside & small).sum() >= CLUSTER
            and areas[inside & small].sum() >= CLUSTER_SHARE * total
            and total <= MOST_INK * area * cell * cell
            and sizes[inside].max() <= LONGEST_STROKE_MM * per_mm
        ):
            yield geometry.rectangle(x, y, x + w, y + h) * cell
