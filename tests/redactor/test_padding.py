"""Padding hides how long a name is, and never covers anything but blank paper."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from redactor import geometry
from redactor.padding import KEEP_AWAY, padded, padded_names
from redactor.page import Finding, Image, Kind, Quad

GLYPH = 20


def paper(width: int = 640, height: int = 120) -> Image:
    return np.full((height, width, 3), 250, np.uint8)


def glyphs(page: Image, x: float, y: float, count: int) -> Quad:
    """Squares in the place of characters; returns their quad."""
    for index in range(count):
        left = round(x) + index * GLYPH
        page[round(y) : round(y) + GLYPH, left + 1 : left + GLYPH - 1] = 30
    return geometry.rectangle(x, y - 2, x + count * GLYPH, y + GLYPH + 2)


def ends(page: Image, quad: Quad) -> tuple[float, float]:
    x0, _, x1, _ = geometry.bounds(padded(page, quad))
    return x0, x1


@pytest.mark.parametrize(
    "place", ["left in a cell", "right in a cell", "right of the middle", "centred", "label"]
)
def test_neither_end_tells_the_number_of_characters(place: str) -> None:
    found = []
    for count in (1, 2, 3, 4):
        page = paper()
        if place != "label":
            page[20:80, [100, 500]] = 0
        x = {
            "left in a cell": 110.0,
            "right in a cell": 490.0 - count * GLYPH,
            "right of the middle": 400.0 - count * GLYPH,
            "centred": 300.0 - count * GLYPH / 2,
            "label": 110.0,
        }[place]
        if place == "label":
            glyphs(page, 40, 40, 3)
        found.append(ends(page, glyphs(page, x, 40, count)))
    assert np.ptp(np.array(found), axis=0).max() <= 1


def test_long_names_look_alike_and_not_like_short_ones() -> None:
    found = {}
    for count in (3, 7, 9, 10):
        page = paper()
        glyphs(page, 40, 40, 3)
        found[count] = ends(page, glyphs(page, 110, 40, count))[1]
    assert found[7] == pytest.approx(found[9], abs=1)
    assert found[7] == pytest.approx(found[10], abs=1)
    assert found[3] < found[7] - 3 * GLYPH


def test_a_narrow_cell_is_filled_up_to_its_rules() -> None:
    for count in (1, 2, 3):
        page = paper()
        page[20:80, [100, 180]] = 0
        x0, x1 = ends(page, glyphs(page, 140 - count * GLYPH / 2, 40, count))
        assert abs(x0 - 100 - KEEP_AWAY * (GLYPH + 4)) <= 2
        assert abs(180 - x1 - KEEP_AWAY * (GLYPH + 4)) <= 2


def test_the_rule_that_a_name_stands_on_is_paper() -> None:
    page = paper()
    page[60:62, 100:520] = 0
    quad = glyphs(page, 110, 40, 2)
    assert geometry.width(padded(page, quad)) > 4 * GLYPH


def test_text_around_a_name_stays() -> None:
    page = paper()
    glyphs(page, 60, 40, 10)
    quad = geometry.rectangle(100, 38, 140, 62)
    assert np.allclose(padded(page, quad), quad)


def test_a_column_grows_downwards() -> None:
    page = paper(120, 640)
    for index in range(2):
        page[100 + index * GLYPH : 118 + index * GLYPH, 40 : 40 + GLYPH] = 30
    page[60:80, 40:60] = 30
    quad = geometry.rectangle(38, 100, 62, 140)[[1, 2, 3, 0]]
    x0, y0, x1, y1 = geometry.bounds(padded(page, quad))
    assert (x0, x1) == pytest.approx((38, 62))
    assert y0 == pytest.approx(100)
    assert y1 > 200


def test_only_names_are_padded() -> None:
    page = paper()
    quad = glyphs(page, 110, 40, 2)
    both = [Finding(kind, quad, "x", 1.0, "", "") for kind in (Kind.NAME, Kind.PHONE)]
    name, phone = padded_names(page, both)
    assert geometry.width(name.quad) > geometry.width(quad)
    assert phone is both[1]


@given(
    st.floats(30, 500),
    st.integers(1, 9),
    st.lists(st.integers(0, 620), max_size=4),
    st.floats(-0.2, 0.2),
)
def test_no_ink_is_covered_and_nothing_is_uncovered(
    x: float, count: int, others: list[int], angle: float
) -> None:
    page = paper(640, 640)
    for other in others:
        page[200:440, other : other + 12] = 40
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    flat = geometry.rectangle(-count * GLYPH / 2, -12, count * GLYPH / 2, 12)
    quad = flat @ turn.T + (x, 320)
    assume((quad > 0).all() and (quad < 640).all())
    wide = padded(page, quad)
    start, end = ((corner - quad[0]) @ turn[:, 0] for corner in (wide[0], wide[1]))
    length = geometry.width(quad)
    assert start <= 1e-6
    assert end >= length - 1e-6
    assert geometry.height(wide) == pytest.approx(geometry.height(quad))
    inside = np.argwhere((page == 40).all(axis=2))[:, ::-1] + 0.5
    along, across = ((inside - quad[0]) @ turn[:, axis] for axis in (0, 1))
    hit = (across > 1) & (across < 23) & (along > start + 1) & (along < end - 1)
    assert not (hit & ((along < -1) | (along > length + 1))).any()


def test_a_quad_without_length_or_off_the_page_stays() -> None:
    for quad in (geometry.rectangle(5, 5, 5, 5), geometry.rectangle(900, 900, 950, 920)):
        assert np.allclose(padded(paper(), quad), quad)
