"""Pictures must be found and pages of text must stay cheap. All pages are drawn here."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from redactor.finders.pictures import find_pictures, text_quads
from redactor.geometry import rectangle
from redactor.page import Char, Image, Line


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
    inches=st.floats(0.5, 1.6),
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


def test_shaded_cell_with_text_is_no_picture() -> None:
    page = text_page(100)
    page[300:400, 100:260] = 203
    cv2.rectangle(page, (100, 300), (260, 400), (0, 0, 0), 2)
    for y in (330, 360, 385):
        cv2.putText(page, "contact number", (110, y), 0, 0.5, (40, 40, 40), 1, cv2.LINE_AA)
        page[y - 12 : y - 8, 110:220] = 245  # the light halo that sharpening leaves around letters
    assert find_pictures(page, 100) == ()


def test_photo_on_a_tinted_card_is_found_by_itself() -> None:
    page = text_page(200)
    page[400:830, 300:977] = (235, 222, 212)
    page[500:752, 700:904] = drawn_photo(204, 252)
    (found,) = find_pictures(page, 200)
    assert abs(found.x0 - 700) < 16 and abs(found.x1 - 904) < 16
    assert abs(found.y0 - 500) < 16 and abs(found.y1 - 752) < 16


def test_shade_and_desk_of_a_photographed_page_do_not_swallow_the_photo() -> None:
    page = text_page(150).astype(np.float32)
    page[500:720, 800:960] = drawn_photo(160, 220)
    page *= np.linspace(1.0, 0.6, page.shape[1])[None, :, None]
    page[:60] = page[-60:] = 70
    page[:, :50] = page[:, -50:] = 70
    (found,) = find_pictures(page.astype(np.uint8), 150)
    assert abs(found.x0 - 800) < 16 and abs(found.x1 - 960) < 16


@pytest.mark.parametrize("gap", [6, 30])
def test_photo_beside_a_border_around_the_page_is_found(gap: int) -> None:
    page = text_page(150)
    cv2.rectangle(page, (40, 40), (page.shape[1] - 40, page.shape[0] - 40), (20, 20, 150), 14)
    left = page.shape[1] - 40 - 7 - gap - 160
    page[500:720, left : left + 160] = drawn_photo(160, 220)
    (found,) = find_pictures(page, 150)
    assert abs(found.x0 - left) < 16 and abs(found.x1 - left - 160) < 16


def test_large_letters_known_as_text_are_no_picture_but_a_photo_beside_them_is() -> None:
    page = text_page(150)
    cv2.putText(page, "HONOUR", (100, 120), 0, 3.5, (0, 0, 0), 30)
    page[500:720, 800:960] = drawn_photo(160, 220)
    letters = rectangle(80, 20, 700, 140)
    assert len(find_pictures(page, 150)) > 1
    (found,) = find_pictures(page, 150, [letters])
    assert abs(found.x0 - 800) < 16


def test_photo_half_under_text_stays_a_picture() -> None:
    page = text_page(150)
    page[500:720, 800:960] = drawn_photo(160, 220)
    assert len(find_pictures(page, 150, [rectangle(300, 490, 1000, 610)])) == 1


def written(text: str, score: float) -> Line:
    quad = rectangle(0, 0, 30 * len(text), 30)
    return Line(tuple(Char(c, quad, score) for c in text), quad, score)


def test_only_legible_lines_are_text_for_sure() -> None:
    lines = [
        written("荣誉证书", 0.98),
        written("图", 0.99),
        written("阳江建材", 0.7),
        written("", 1),
    ]
    assert [q is lines[0].quad for q in text_quads(lines)] == [True]
