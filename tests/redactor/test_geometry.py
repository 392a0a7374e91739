"""Geometry keeps its promises for any quad: turns, maps, margins and parts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from redactor import geometry
from redactor.page import Quad

SIDES = st.integers(1, 4000)
TURNS = st.sampled_from([0, 90, 180, 270])
FRACTIONS = st.floats(0, 1)


@st.composite
def quads(draw: st.DrawFn) -> Quad:
    """A rectangle, turned by any angle."""
    w, h = draw(st.floats(2, 900)), draw(st.floats(2, 900))
    x, y = draw(st.floats(-500, 3000)), draw(st.floats(-500, 3000))
    angle = draw(st.floats(-np.pi, np.pi))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return geometry.rectangle(-w / 2, -h / 2, w / 2, h / 2) @ turn.T + (x, y)


def holds(outer: Quad, points: np.ndarray) -> bool:
    """Whether all points lie in a convex clockwise quad (y down)."""
    edges = np.roll(outer, -1, axis=0) - outer
    lengths = np.maximum(np.linalg.norm(edges, axis=1), 1e-9)
    for start, edge, length in zip(outer, edges, lengths, strict=True):
        away = edge[0] * (points[:, 1] - start[1]) - edge[1] * (points[:, 0] - start[0])
        if (away / length < -1e-6).any():
            return False
    return True


@given(SIDES, SIDES, TURNS, TURNS)
def test_quarter_turns_compose(w: int, h: int, first: int, second: int) -> None:
    size = (w, h)
    turned = (w, h) if first in (0, 180) else (h, w)
    both = geometry.quarter_turn(second, turned) @ geometry.quarter_turn(first, size)
    assert np.array_equal(both, geometry.quarter_turn((first + second) % 360, size))


@given(SIDES, SIDES, TURNS)
def test_a_turn_and_its_counter_turn_are_the_identity(w: int, h: int, rotation: int) -> None:
    turned = (w, h) if rotation in (0, 180) else (h, w)
    back = geometry.quarter_turn(-rotation, turned) @ geometry.quarter_turn(rotation, (w, h))
    assert np.array_equal(back, np.eye(3))


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_a_turn_agrees_with_numpy_on_every_pixel(rotation: int) -> None:
    pixels = np.arange(12).reshape(3, 4)
    turned = np.rot90(pixels, -rotation // 90)
    matrix = geometry.quarter_turn(rotation, (4, 3))
    for y in range(3):
        for x in range(4):
            pixel = geometry.mapped(geometry.rectangle(x, y, x + 1, y + 1), matrix)
            x0, y0, x1, y1 = (round(v) for v in geometry.bounds(pixel))
            assert (x1 - x0, y1 - y0) == (1, 1)
            assert turned[y0, x0] == pixels[y, x]


@given(quads(), TURNS)
def test_mapping_back_returns_the_quad(quad: Quad, rotation: int) -> None:
    matrix = geometry.quarter_turn(rotation, (1000, 700))
    back = geometry.mapped(geometry.mapped(quad, matrix), np.linalg.inv(matrix))
    assert np.allclose(back, quad)
    assert geometry.area(geometry.mapped(quad, matrix)) == pytest.approx(geometry.area(quad))


def test_mapping_divides_by_the_third_coordinate() -> None:
    square = geometry.rectangle(0, 0, 4, 4)
    matrix = np.array([[1.0, 0, 0], [0, 1, 0], [0.25, 0, 1]])
    assert np.allclose(geometry.mapped(square, matrix), [[0, 0], [2, 0], [2, 2], [0, 4]])


@given(quads(), st.floats(0, 50), st.floats(0, 50))
def test_a_grown_quad_holds_the_quad_and_is_larger_by_its_margins(
    quad: Quad, along: float, across: float
) -> None:
    larger = geometry.grown(quad, along, across)
    assert holds(larger, quad)
    assert geometry.width(larger) == pytest.approx(geometry.width(quad) + 2 * along)
    assert geometry.height(larger) == pytest.approx(geometry.height(quad) + 2 * across)


@given(st.lists(quads(), min_size=1, max_size=5))
def test_around_holds_every_quad(several: list[Quad]) -> None:
    whole = geometry.around(several)
    assert holds(whole, np.concatenate(several))


@given(quads())
def test_around_one_rectangle_is_that_rectangle(quad: Quad) -> None:
    assert np.allclose(geometry.around([quad]), quad, atol=1e-6)


@given(quads(), quads())
def test_around_is_turned_like_its_lead(quad: Quad, lead: Quad) -> None:
    whole = geometry.around([quad], lead)
    right, led = whole[1] - whole[0], lead[1] - lead[0]
    assert right[0] * led[1] - right[1] * led[0] == pytest.approx(0, abs=1e-4 * led @ led + 1e-3)
    assert right @ led > 0


@given(quads(), FRACTIONS, FRACTIONS)
def test_between_is_a_part_and_the_parts_make_the_whole(quad: Quad, a: float, b: float) -> None:
    start, end = sorted((a, b))
    part = geometry.between(quad, start, end)
    assert holds(geometry.grown(quad, 1e-3, 1e-3), part)
    assert geometry.width(part) == pytest.approx((end - start) * geometry.width(quad), abs=1e-6)
    down = geometry.between_down(quad, start, end)
    assert geometry.height(down) == pytest.approx((end - start) * geometry.height(quad), abs=1e-6)
    assert np.allclose(geometry.between(quad, 0, 1), quad)
    assert np.allclose(geometry.between_down(quad, 0, 1), quad)


@given(quads(), quads())
def test_overlap_is_a_symmetric_share(a: Quad, b: Quad) -> None:
    share = geometry.overlap(a, b)
    assert 0 <= share <= 1
    assert share == pytest.approx(geometry.overlap(b, a))
    assert geometry.overlap(a, a) == pytest.approx(1)


def test_overlap_of_neighbours_is_nothing() -> None:
    left, right = geometry.rectangle(0, 0, 10, 10), geometry.rectangle(10, 0, 20, 10)
    assert geometry.overlap(left, right) == 0
    assert geometry.overlap(left, geometry.rectangle(5, 0, 15, 10)) == pytest.approx(1 / 3)


def test_slope_is_the_median_direction_of_reading() -> None:
    level, steep = (
        geometry.rectangle(0, 0, 100, 10),
        geometry.rectangle(0, 0, 100, 10)[[1, 2, 3, 0]],
    )
    assert geometry.slope([]) == 0
    assert geometry.slope([level, level, steep]) == 0
    assert geometry.slope([steep]) == pytest.approx(np.pi / 2)
