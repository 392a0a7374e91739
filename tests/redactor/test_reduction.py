"""A smaller page must have the size asked for and show the same things at the same places.

Source: drawn lines and discs.
"""

from __future__ import annotations

import cv2
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from redactor.reduction import reduced


@given(st.integers(1, 400), st.integers(1, 400), st.floats(0.05, 1.0), st.sampled_from([1, 3]))
def test_size_and_level(width: int, height: int, scale: float, channels: int) -> None:
    shape = (height, width) if channels == 1 else (height, width, channels)
    page = np.full(shape, 77, np.uint8)
    small = reduced(page, scale)
    wanted = round(height * scale), round(width * scale)
    assert all(
        0 <= most - side <= 1 or side == 1
        for most, side in zip(wanted, small.shape[:2], strict=True)
    )
    assert small.shape[2:] == page.shape[2:]
    assert np.all(small == 77)


@given(st.floats(0.1, 1.0), st.integers(30, 570), st.integers(30, 370))
def test_places_stay(scale: float, x: int, y: int) -> None:
    page = np.zeros((401, 601), np.uint8)
    cv2.circle(page, (x, y), 20, (255,), -1)
    moments = cv2.moments(reduced(page, scale))
    at = moments["m10"] / moments["m00"], moments["m01"] / moments["m00"]
    # The middle of a pixel is half a pixel from its edge.
    assert abs((at[0] + 0.5) / scale - 0.5 - x) < 1.0
    assert abs((at[1] + 0.5) / scale - 0.5 - y) < 1.0


@given(st.floats(0.13, 1.0), st.integers(2, 190))
def test_no_thin_line_is_lost(scale: float, at: int) -> None:
    """A line of one pixel keeps at least half of the weight that area averages give it."""
    page = np.zeros((200, 200), np.uint8)
    page[:, at] = 255
    small = reduced(page, scale).astype(float)
    area = cv2.resize(page, small.shape[::-1], interpolation=cv2.INTER_AREA).astype(float)
    assert small.max() > 0.5 * min(area.max(), 255 * scale / 2)


def test_half_is_the_mean_of_four() -> None:
    page = np.random.default_rng(1).integers(0, 256, (64, 48, 3), np.uint8)
    means = page.reshape(32, 2, 24, 2, 3).mean(axis=(1, 3))
    assert np.abs(reduced(page, 0.5) - means).max() <= 0.75
