"""Masks are solid to the last pixel, touch nothing else, and files hold nothing but pixels."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow

from redactor import geometry
from redactor.masking import MASK_COLOUR, TEXT_KINDS, encode, fit, mask_quad, paint
from redactor.page import Finding, Image, Kind, Quad
from redactor.proof import stray_parts

PAPER = 200


def sheet(width: int = 240, height: int = 180) -> Image:
    """Paper with nothing on it: every change is a mask."""
    return np.full((height, width, 3), PAPER, np.uint8)


def noise(width: int = 64, height: int = 48, seed: int = 1) -> Image:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


@st.composite
def turned(draw: st.DrawFn) -> Quad:
    """A turned rectangle within the sheet, with corners between pixels."""
    w, h = draw(st.floats(3, 90)), draw(st.floats(3, 60))
    x, y = draw(st.floats(70, 170)), draw(st.floats(60, 120))
    angle = draw(st.floats(-np.pi, np.pi))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return geometry.rectangle(-w / 2, -h / 2, w / 2, h / 2) @ turn.T + (x, y)


def distances(quad: Quad, shape: tuple[int, ...]) -> np.ndarray:
    """How far each pixel's middle lies outside of a convex clockwise quad; negative: inside."""
    ys, xs = np.mgrid[0 : shape[0], 0 : shape[1]] + 0.5
    away = np.full(shape[:2], -np.inf)
    for start, end in zip(quad, np.roll(quad, -1, axis=0), strict=True):
        edge = (end - start) / np.linalg.norm(end - start)
        away = np.maximum(away, (xs - start[0]) * edge[1] - (ys - start[1]) * edge[0])
    return away


@given(turned())
def test_every_pixel_of_the_quad_is_painted_and_none_beyond_it(quad: Quad) -> None:
    masked = paint(sheet(), [quad])
    black = (masked == MASK_COLOUR).all(axis=2)
    assert ((masked == PAPER).all(axis=2) | black).all(), "a pixel that is neither: a soft edge"
    away = distances(quad, masked.shape)
    assert black[away <= 0].all(), "a sliver inside the quad"
    assert not black[away > 1.0].any(), "a neighbour was eaten"


def test_an_upright_quad_covers_exactly_its_pixels() -> None:
    masked = paint(sheet(), [geometry.rectangle(20, 30, 60, 50)])
    black = (masked == 0).all(axis=2)
    inside = np.zeros_like(black)
    inside[30:50, 20:60] = True
    assert black[inside].all()
    # A half-open edge may take one more row, never two.
    assert not black[:29].any()
    assert not black[51:].any()
    assert not black[:, :19].any()
    assert not black[:, 61:].any()


def test_quads_over_the_edge_of_the_page_are_painted_up_to_it() -> None:
    masked = paint(sheet(), [geometry.rectangle(-50, -50, 10, 10)])
    assert (masked[:10, :10] == 0).all()
    assert (masked[12:, 12:] == PAPER).all()


def test_the_page_itself_stays_as_it_was() -> None:
    page = sheet()
    paint(page, [geometry.rectangle(0, 0, 100, 100)])
    assert (page == PAPER).all()


@pytest.mark.parametrize("kind", list(Kind))
def test_text_masks_have_margins_and_no_mask_is_smaller_than_its_finding(kind: Kind) -> None:
    quad = geometry.rectangle(50, 50, 150, 80)
    mask = mask_quad(Finding(kind, quad, "", 1.0, "", ""))
    x0, y0, x1, y1 = geometry.bounds(mask)
    assert x0 <= 50
    assert y0 <= 50
    assert x1 >= 150
    assert y1 >= 80
    assert (geometry.area(mask) > geometry.area(quad)) or kind not in TEXT_KINDS
    # A neighbour a tenth of a line away is not reached.
    assert max(50 - x0, 50 - y0, x1 - 150, y1 - 80) < 0.15 * 30


@pytest.mark.parametrize(("form", "name"), [("jpg", "JPEG"), ("png", "PNG")])
@pytest.mark.parametrize("grey", [False, True])
def test_files_hold_the_pixels_the_resolution_and_nothing_else(
    form: str, name: str, grey: bool
) -> None:
    pixels = paint(noise(), [geometry.rectangle(8, 8, 40, 24)])
    if grey:
        pixels = np.repeat(pixels[:, :, :1], 3, axis=2)
    data = encode(pixels, form, 200)
    assert stray_parts(data) == []
    with Pillow.open(io.BytesIO(data)) as picture:
        assert picture.format == name
        assert picture.mode == ("L" if grey else "RGB")
        assert picture.size == (64, 48)
        assert not picture.getexif()
        assert set(picture.info) <= {"dpi", "jfif", "jfif_version", "jfif_unit", "jfif_density"}
        assert round(picture.info["dpi"][0]) == 200
        if form == "png":
            assert np.array_equal(np.asarray(picture.convert("RGB"))[:, :, ::-1], pixels)


@given(st.sampled_from(["jpg", "png"]), st.integers(0, 50))
def test_the_same_pixels_give_the_same_bytes(form: str, seed: int) -> None:
    assert encode(noise(seed=seed), form, 150) == encode(noise(seed=seed), form, 150)


def glyphs(starts: list[int], wide: int = 34) -> Image:
    """Glyphs of level strokes, 40 high, with gaps of 6 between them."""
    page = np.full((80, 400, 3), 255, np.uint8)
    for start in starts:
        page[20:60:4, start : start + wide] = 0
    return page


def text_at(x0: float, x1: float) -> Finding:
    return Finding(Kind.NAME, geometry.rectangle(x0, 20, x1, 60), "", 1.0, "", "known")


def test_a_glyph_that_was_placed_half_outside_is_taken_in() -> None:
    page = glyphs([100, 140, 180])
    right = geometry.bounds(fit(page, text_at(98, 195)).quad)[2]
    assert right >= 214
    left = geometry.bounds(fit(page, text_at(122, 216)).quad)[0]
    assert left <= 100


def test_a_neighbour_that_the_margin_touches_is_left() -> None:
    page = glyphs([100, 140, 180])
    x0, _, x1, _ = geometry.bounds(fit(page, text_at(138, 180)).quad)
    assert 130 < x0 < 140
    assert x1 < 190


def test_a_mask_moves_by_a_sliver_where_glyphs_touch_and_does_not_run_on() -> None:
    page = glyphs([50], wide=300)
    x0, _, x1, _ = geometry.bounds(fit(page, text_at(138, 180)).quad)
    assert (x0, x1) == pytest.approx((138 - 7, 180 + 7), abs=1)


def lettered(tail: tuple[int, int, int, int]) -> Image:
    """Paper with strokes of letters from y = 60 to 90 and one more box of ink (x0, y0, x1, y1)."""
    page = sheet()
    for x in range(50, 190, 20):
        page[60:90, x : x + 4] = 20
    x0, y0, x1, y1 = tail
    page[y0:y1, x0:x1] = 20
    return page


@pytest.mark.parametrize("y", [(70, 97), (53, 80)])
def test_a_side_that_cuts_the_tail_of_a_letter_takes_it_in(y: tuple[int, int]) -> None:
    page = lettered((110, y[0], 114, y[1]))
    quad = geometry.rectangle(45, 60, 195, 90)
    masked = paint(page, [fit(page, Finding(Kind.NAME, quad, "", 1.0, "", "")).quad])
    assert not ((masked == 20).all(axis=2)).any()


@pytest.mark.parametrize("other", [(110, 60, 114, 170), (40, 88, 200, 97)])
def test_a_rule_that_crosses_a_mask_or_runs_along_it_stays(other: tuple[int, ...]) -> None:
    x0, y0, x1, y1 = other
    page = lettered((x0, y0, x1, y1))
    quad = geometry.rectangle(45, 60, 195, 90)
    _, _, _, bottom = geometry.bounds(fit(page, Finding(Kind.NAME, quad, "", 1.0, "", "")).quad)
    assert bottom < 94
