"""Makes pages smaller in a fifth of the time that cv2's area averages take (cv2, pure).

cv2 averages pairs of pixels quickly, other shares pixel by pixel: 27 instead of 5 ms for A4 at
300 dpi to 1600 pixels.
"""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np

from redactor.page import Image

SMOOTH = 0.75
"""Between two points of an interpolation thin lines are lost from fewer pixels than this share."""


def halved(pixels: Image, scale: float) -> tuple[Image, float]:
    """(pixels halved by averages as often as `scale`, 1 at most, allows; the scale left)."""
    while scale <= 0.5 and min(pixels.shape[:2]) >= 2:
        height, width = (side // 2 for side in pixels.shape[:2])
        even = pixels[: 2 * height, : 2 * width]
        half = cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA)
        pixels, scale = np.asarray(half, np.uint8), 2 * scale
    return pixels, scale


def reduced(pixels: Image, scale: float) -> Image:
    """(H, W) or (H, W, 3) uint8 made smaller by `scale`, at most 1. Sides are round(W * scale), or
    one less, at least 1."""
    pixels, scale = halved(pixels, scale)
    size = cast(tuple[int, int], tuple(max(1, round(s * scale)) for s in pixels.shape[1::-1]))
    if size == pixels.shape[1::-1]:
        return pixels
    way = cv2.INTER_LINEAR if scale > SMOOTH else cv2.INTER_AREA
    if min(size) == 1:
        return np.asarray(cv2.resize(pixels, size, interpolation=way), np.uint8)
    return np.asarray(cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=way), np.uint8)
