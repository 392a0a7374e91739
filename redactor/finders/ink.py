"""Finds ink that nobody could read: handwriting beside a label (cv2, pure)."""

from __future__ import annotations

import cv2
import numpy as np

from redactor import geometry
from redactor.channels import darkest
from redactor.page import Image, Quad

LEAST_INK = 0.004
"""Share of a zone that is ink before something counts as written there."""
RULE = 6.0
"""A stroke this many times longer than thick, across most of the zone, is a ruled line."""


def ink_box(pixels: Image, zone: Quad) -> Quad | None:
    """Box around the ink in the bounds of `zone` without ruled lines; None when it is empty."""
    x0, y0, x1, y1 = (round(v) for v in geometry.bounds(zone))
    x0, y0 = max(0, x0), max(0, y0)
    patch = pixels[y0:y1, x0:x1]
    if patch.shape[0] < 6 or patch.shape[1] < 6:
        return None
    grey = darkest(patch)
    paper = float(np.percentile(grey, 85))
    ink = (grey < paper - max(35.0, 0.25 * paper)).astype(np.uint8)
    count, _, stats, _ = cv2.connectedComponentsWithStats(ink)
    kept = [s for s in stats[1:count] if not _is_rule(s, patch.shape)]
    if sum(int(s[cv2.CC_STAT_AREA]) for s in kept) < LEAST_INK * ink.size:
        return None
    boxes = np.array(kept)
    left, top = boxes[:, 0].min(), boxes[:, 1].min()
    right, bottom = (boxes[:, 0] + boxes[:, 2]).max(), (boxes[:, 1] + boxes[:, 3]).max()
    return geometry.rectangle(x0 + left - 1, y0 + top - 1, x0 + right + 1, y0 + bottom + 1)


def _is_rule(stat: np.ndarray, shape: tuple[int, ...]) -> bool:
    w, h, area = int(stat[2]), int(stat[3]), int(stat[4])
    if area < 4:
        return True
    across = w > 0.6 * shape[1] and w > RULE * h and h < 0.2 * shape[0]
    down = h > 0.6 * shape[0] and h > RULE * w and w < 0.2 * shape[1]
    return across or down
