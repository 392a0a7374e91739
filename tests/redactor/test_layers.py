"""Hidden layers are found where there are any, and plain pages cost no second reading."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from redactor.layers import find_layers
from redactor.page import Image
from sample_scans.canvas import RED, Style
from tests.redactor.golden.pages import pixels_of, sheet

TEXT = Style(size=12)


def plain() -> Image:
    canvas = sheet(150, 100)
    for y in range(8, 90, 10):
        canvas.line(10, y, "承担胡杨林更新项目，成绩优秀，特此证明。", TEXT)
    return pixels_of(canvas)


def stamped(colour: tuple[int, int, int]) -> Image:
    """Black print under a ring of coloured ink; `colour` in BGR."""
    page = plain()
    ring = page.copy()
    cv2.circle(ring, (350, 240), 90, colour, 9)
    return np.minimum(page, ring)


def marked(grey: int) -> Image:
    canvas = sheet(150, 100)
    canvas.line(15, 30, "内部资料", Style(face="sans", size=70, colour=(grey,) * 3))
    for y in (8, 88):
        canvas.line(10, y, "承担胡杨林更新项目，成绩优秀，特此证明。", TEXT)
    return pixels_of(canvas)


def test_a_plain_page_has_no_layers() -> None:
    assert find_layers(plain()) == []
    assert find_layers(np.full((900, 600, 3), 255, np.uint8)) == []


@pytest.mark.parametrize("colour", [(30, 30, 210), (200, 60, 40)])
def test_print_under_coloured_ink_is_lifted(colour: tuple[int, int, int]) -> None:
    page = stamped(colour)
    (layer,) = (x for x in find_layers(page) if x.name == "lifted")
    x0, y0 = layer.origin
    height, width = layer.pixels.shape[:2]
    assert x0 <= 260
    assert y0 <= 150
    assert x0 + width >= 440
    assert y0 + height >= 330
    under = plain()[y0 : y0 + height, x0 : x0 + width].max(axis=2)
    lifted = layer.pixels[:, :, 0]
    # The ring is gone where there was paper, the print is still there.
    assert (lifted[under > 240] > 180).mean() > 0.99
    assert (lifted[under < 60] < 110).mean() > 0.99


def test_coloured_letters_without_print_are_no_layer() -> None:
    canvas = sheet(150, 60)
    canvas.line(10, 10, "荣誉证书", Style(face="sans", size=40, colour=RED))
    assert [x.name for x in find_layers(pixels_of(canvas)) if x.name == "lifted"] == []


@pytest.mark.parametrize("grey", [190, 215])
def test_a_watermark_is_a_layer_in_black(grey: int) -> None:
    page = marked(grey)
    (layer,) = (x for x in find_layers(page) if x.name == "pale")
    x0, y0 = layer.origin
    part = page[y0 : y0 + layer.pixels.shape[0], x0 : x0 + layer.pixels.shape[1], 0]
    strokes = abs(part.astype(int) - grey) < 6
    height, width = strokes.shape
    assert strokes.sum() > 5000
    assert np.median(layer.pixels[:height, :width, 0][strokes]) < 90
    assert np.median(layer.pixels[:height, :width, 0][part > 245]) > 200
