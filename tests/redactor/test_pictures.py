"""Pictures must be found and pages of text must stay cheap. All pages are drawn here."""

from __future__ import annotations

import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from redactor.finders.pictures import find_pictures
from redactor.page import Image


def text_page(dpi: int) -> Image:
    page = np.full((round(11.69 * dpi), round(8.27 * dpi), 3), 248, np.uint8)
    for y in range(dpi, page.shape[0] - dpi // 2, dpi // 4):
        cv2.putText(
            page, "plain lines of text, 0996-2012345", (dpi // 2, y), 0, dpi / 220, (30, 30, 30), 1
        )
        cv2.line(page, (dpi // 2, y + dpi // 16), (dpi * 7, y + dpi // 16), (0, 0, 0), 1)
    return page


def drawn_photo(width: int, height: int) -> Image:
    """A grey gradient with a dark disc: no face, but a picture."""
    photo = np.linspace(60, 190, width)[None, :].repeat(height, axis=0).astype(np.uint8)
    cv2.circle(photo, (width // 2, height // 2), width // 3, (30,), -1)
    return np.repeat(photo[:, :, None], 3, axis=2)


def test_text_and_rules_are_no_picture() -> None:
    assert find_pictures(text_page(150), 150) == ()


def test_flat_tint_is_no_picture() -> None:
    page = text_page(150)
    page[300:500, 100:1100] = (225, 205, 190)
    assert find_pictures(page, 150) == ()


@settings(max_examples=25, deadline=None)
@given(
    dpi=st.sampled_from([100, 150, 200]),
    x=st.floats(0.0, 6.0),
    y=st.floats(0.0, 9.0),
    inches=st.floats(0.5, 2.0),
)
def test_photo_is_found_where_it_is(dpi: int, x: float, y: float, inches: float) -> None:
    page = text_page(dpi)
    width, height = round(inches * dpi), round(inches * dpi * 1.3)
    x0, y0 = round(x * dpi), round(y * dpi)
    place = page[y0 : y0 + height, x0 : x0 + width]
    place[:] = drawn_photo(width, height)[: place.shape[0], : place.shape[1]]
    largest = find_pictures(page, dpi)[0]
    slack = dpi / 8
    assert abs(largest.x0 - x0) <= slack
    assert abs(largest.y0 - y0) <= slack
    assert abs(largest.x1 - min(x0 + width, page.shape[1])) <= slack
    assert abs(largest.y1 - min(y0 + height, page.shape[0])) <= slack
    assert 0 <= largest.x0 < largest.x1 <= page.shape[1]
    assert 0 <= largest.y0 < largest.y1 <= page.shape[0]
