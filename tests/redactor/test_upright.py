"""Pages come out upright whichever way they went through the scanner."""

from __future__ import annotations

import numpy as np
import pytest

from redactor import geometry
from redactor.reading import shared_reader
from redactor.upright import read_upright, turn
from sample_scans.canvas import Canvas, Style
from tests.redactor.golden.pages import pixels_of, sheet


def page_of_text() -> Canvas:
    canvas = sheet(120, 80)
    for row, y in enumerate(range(8, 72, 12)):
        canvas.line(8, y, f"第{row + 1}条 承担胡杨林更新项目，成绩优秀。", Style(size=12))
    return canvas


def one_short_line() -> Canvas:
    canvas = sheet(100, 140, dpi=90)
    canvas.line(30, 60, "工作总结", Style(face="sans", size=22))
    return canvas


def heading_of_symmetric_glyphs() -> Canvas:
    """二 and 〇 read as well on their side: they must not outweigh the rest of the line."""
    canvas = sheet(150, 30)
    canvas.line(10, 10, "二〇二三年度工作总结", Style(size=13, gap=0.15))
    return canvas


def a_form() -> Canvas:
    canvas = sheet(150, 60)
    cells = canvas.table(10, 8, (30, 40, 30, 30), (11, 11, 11))
    texts = (("姓名", "王建国", "性别", "男"), ("民族", "汉族", "学历", "本科"), ("", "", "", ""))
    for row, words in zip(cells, texts, strict=True):
        for cell, word in zip(row, words, strict=True):
            if word:
                canvas.cell(cell, word, Style(size=11))
    return canvas


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_turning_and_its_homography_agree(rotation: int) -> None:
    pixels = np.random.default_rng(1).integers(0, 255, (40, 60, 3)).astype(np.uint8)
    turned = turn(pixels, rotation)
    matrix = geometry.quarter_turn(rotation, (60, 40))
    for x, y in ((0, 0), (59, 0), (13, 27), (59, 39)):
        pixel = geometry.mapped(geometry.rectangle(x, y, x + 1, y + 1), matrix)
        x0, y0, _, _ = (round(v) for v in geometry.bounds(pixel))
        assert (turned[y0, x0] == pixels[y, x]).all()


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize(
    "draw", [page_of_text, one_short_line, heading_of_symmetric_glyphs, a_form]
)
def test_a_page_is_turned_upright(draw: object, rotation: int) -> None:
    upright = pixels_of(draw())  # type: ignore[operator]
    arrives = turn(upright, (360 - rotation) % 360)
    found = read_upright(shared_reader(1), arrives, 200)
    page, reading = found.pixels, found.reading
    assert reading.rotation == rotation
    assert np.array_equal(page, upright)
    assert reading.size == (upright.shape[1], upright.shape[0])
    assert any(len(line.text) >= 2 and line.score > 0.9 for line in reading.lines)
