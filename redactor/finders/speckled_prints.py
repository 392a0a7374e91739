"""Tells a fingerprint that a fax or a bilevel copy broke into specks, of which no ridge is left."""

from __future__ import annotations

import cv2
import numpy as np

from redactor.page import Image

BLACK = 128
"""Grey levels below which there is ink; a page of two levels has nothing between."""
SPECK_MM, FEWEST, SHARE = 0.8, 40, 0.4
"""Specks are no larger; so many stand in a print and hold this share of its ink. Strokes of
letters, seals and tables hold together."""
INKED = (0.03, 0.3)
"""Share of a broken print that is ink."""


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
