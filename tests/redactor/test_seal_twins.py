"""A known seal is found again faint, turned, copied or written over; nothing else is."""

from __future__ import annotations

from functools import cache
from random import Random

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as PillowImage

from redactor.finders.seal_twins import SealPrint, describe, distinct_prints, find_twins
from redactor.finders.seals import find_seals
from redactor.page import Finding, Image, Kind
from sample_scans.canvas import RED, Canvas, Style
from sample_scans.fonts import Fonts
from sample_scans.marks import emblem, seal

DPI = 110
UNIT, OTHER = "巴音郭楞蒙古自治州林业和草原局", "新疆维吾尔自治区第三地质大队"
FONTS = Fonts(debian=False)
TEXT = "本项目在塔里木盆地北缘开展防风固沙林营造技术研究，三年完成造林面积一千二百亩。"
SHAPES = ("round", "oval", "square")


def blank(dpi: int = DPI) -> Canvas:
    return Canvas(FONTS, Random(1), dpi, 210, 150)


def written(canvas: Canvas) -> Canvas:
    for row in range(10):
        canvas.line(20, 12 + 13 * row, TEXT[row:], Style("song", 11))
    return canvas


def pixels_of(canvas: Canvas, grey: bool = False) -> Image:
    """BGR, with the grain and softness of a scan, from a JPEG."""
    rgb = np.asarray(canvas.image.convert("L").convert("RGB") if grey else canvas.image, np.uint8)
    noise = np.random.default_rng(2).normal(0, 2, rgb.shape[:2])[:, :, None]
    soft = cv2.GaussianBlur(rgb[:, :, ::-1], (0, 0), 0.6)
    pixels = np.clip(soft + noise, 0, 255).astype(np.uint8)
    return np.asarray(cv2.imdecode(cv2.imencode(".jpg", pixels)[1], cv2.IMREAD_COLOR), np.uint8)


@cache
def known(shape: str = "round", unit: str = UNIT, turn: float = 8, dpi: int = DPI) -> SealPrint:
    canvas = blank(dpi)
    seal(canvas, 100, 70, unit, 1, shape, 42, turn=turn)
    pixels = pixels_of(canvas)
    (region,) = find_seals(pixels, dpi)
    found = describe(pixels, region, dpi)
    assert found is not None
    return found


@settings(max_examples=20, deadline=None)
@given(
    shape=st.sampled_from(SHAPES),
    turn=st.floats(-180, 180),
    x=st.floats(35, 175),
    y=st.floats(35, 115),
    strength=st.floats(0.15, 0.9),
    grey=st.booleans(),
)
def test_a_seal_is_found_again_at_any_turn_and_place_however_faint(
    shape: str, turn: float, x: float, y: float, strength: float, grey: bool
) -> None:
    canvas = blank()
    canvas.line(20, 8, TEXT, Style("song", 11))
    seal(canvas, x, y, UNIT, 1, shape, 42, strength=strength, turn=turn)
    (twin,) = find_twins(pixels_of(canvas, grey), DPI, [known(shape)], ())
    (item,) = canvas.items
    assert item.outline is not None
    assert _covered(twin, item.quads) > 0.98


@settings(max_examples=20, deadline=None)
@given(
    shape=st.sampled_from(SHAPES),
    turn=st.floats(-180, 180),
    strength=st.floats(0.4, 0.9),
    grey=st.booleans(),
)
def test_a_seal_is_found_again_under_print(
    shape: str, turn: float, strength: float, grey: bool
) -> None:
    canvas = written(blank())
    seal(canvas, 120, 80, UNIT, 1, shape, 42, strength=strength, turn=turn)
    (twin,) = find_twins(pixels_of(canvas, grey), DPI, [known(shape)], ())
    assert _covered(twin, canvas.items[0].quads) > 0.98


def _covered(twin: Finding, quads: tuple) -> float:  # type: ignore[type-arg]
    """Share of the corners of glyphs that a finding covers."""
    hull = twin.quad.astype(np.float32)
    points = [point for quad in quads for point in quad]
    inside = [cv2.pointPolygonTest(hull, (float(x), float(y)), False) >= 0 for x, y in points]
    return float(np.mean(inside))


@pytest.mark.parametrize("dpi", [150, 200])
def test_the_resolution_of_the_other_page_does_not_matter(dpi: int) -> None:
    canvas = blank(dpi)
    seal(canvas, 120, 80, UNIT, 1, strength=0.2, turn=130)
    (twin,) = find_twins(pixels_of(canvas), dpi, [known()], ())
    assert _covered(twin, canvas.items[0].quads) > 0.98


def test_a_seal_that_stands_twice_is_found_twice() -> None:
    canvas = blank()
    seal(canvas, 50, 70, UNIT, 1, strength=0.2, turn=30)
    seal(canvas, 150, 70, UNIT, 1, strength=0.2, turn=200)
    assert len(find_twins(pixels_of(canvas), DPI, [known()], ())) == 2


def test_what_is_masked_already_is_not_found_again() -> None:
    canvas = blank()
    seal(canvas, 100, 70, UNIT, 1)
    pixels = pixels_of(canvas)
    (region,) = find_seals(pixels, DPI)
    found = Finding(Kind.SEAL, region.quad, "", 1.0, "", "seals")
    assert find_twins(pixels, DPI, [known()], [found]) == ()


def _other_seal(canvas: Canvas) -> None:
    seal(canvas, 110, 75, OTHER, 0, turn=40)


def _letterhead(canvas: Canvas) -> None:
    canvas.line(105, 40, "巴音郭楞蒙古自治州林业和草原局文件", Style("song", 26, RED), "center")
    emblem(canvas, 105, 100, 40)


def _circles(canvas: Canvas) -> None:
    """Rings without letters, as cups and finger prints leave them."""
    pixels = np.array(canvas.image)
    for radius in range(10, 92, 6):
        cv2.circle(pixels, (480, 330), radius, RED, 2, cv2.LINE_AA)
    canvas.image = PillowImage.fromarray(pixels)


@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("draw", [written, _other_seal, _letterhead, _circles])
def test_what_is_not_the_seal_stays(draw, shape: str, grey: bool) -> None:  # type: ignore[no-untyped-def]
    canvas = blank()
    draw(canvas)
    assert find_twins(pixels_of(canvas, grey), DPI, [known(shape)], ()) == ()


def test_prints_of_one_seal_are_one_and_of_two_are_two() -> None:
    prints = [known(turn=8), known(turn=171), known(unit=OTHER), known("square")]
    assert distinct_prints(prints) == (prints[0], prints[2], prints[3])


def test_a_cut_seal_gives_no_print() -> None:
    canvas = blank()
    seal(canvas, 210, 70, UNIT, 1)
    pixels = pixels_of(canvas)
    (region,) = find_seals(pixels, DPI)
    assert describe(pixels, region, DPI) is None


@pytest.mark.parametrize("size", [(1, 1), (70, 3), (80, 80)])
def test_odd_sizes_hold_no_twin(size: tuple[int, int]) -> None:
    assert find_twins(np.full((*size, 3), 240, np.uint8), 200, [known()], ()) == ()


def test_no_prints_no_twins() -> None:
    page = np.full((400, 400, 3), 240, np.uint8)
    assert find_twins(page, DPI, [], ()) == ()
