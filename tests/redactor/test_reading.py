"""The real reader places every character on its glyph, whichever way the line runs."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from redactor import geometry
from redactor.characters import Decoded
from redactor.page import Char, Image
from redactor.reading import (
    Reader,
    crop_line,
    place_characters,
    reader_version,
    reading_direction,
    shared_reader,
    split_rows,
)
from redactor.upright import read_upright
from sample_scans.canvas import Canvas, Style
from tests.redactor.golden.pages import pixels_of, sheet


@pytest.fixture(scope="module")
def reader() -> Reader:
    return shared_reader(1)


def chars_of(reader: Reader, canvas: Canvas) -> list[Char]:
    found = read_upright(reader, pixels_of(canvas), 200).reading
    return [c for line in found.lines if line.layer == "ink" for c in line.chars]


def on_glyphs(chars: list[Char], canvas: Canvas) -> None:
    """Each box holds the ink of its own glyph and not the middle of a neighbour's."""
    quads = [np.array(q) for keep in canvas.keep for q in keep.quads]
    text = [c for keep in canvas.keep for c in keep.text if not c.isspace()]
    assert [c.text for c in chars] == text
    for index, (char, glyph) in enumerate(zip(chars, quads, strict=True)):
        x0, y0, x1, y1 = geometry.bounds(geometry.grown(char.quad, 3, 3))
        gx0, gy0, gx1, gy1 = geometry.bounds(glyph)
        assert x0 <= gx0 + 1, char.text
        assert x1 >= gx1 - 1, char.text
        assert y0 <= gy0 + 2, char.text
        assert y1 >= gy1 - 2, char.text
        for other in quads[max(0, index - 1) : index] + quads[index + 1 : index + 2]:
            mx, my = other.mean(axis=0)
            assert not (x0 + 3 < mx < x1 - 3 and y0 + 3 < my < y1 - 3), char.text


@pytest.mark.parametrize(
    ("text", "gap"),
    [
        ("巴音郭楞蒙古自治州林业和草原局", 0.0),
        ("本单位职工诸葛晓岚同志", 0.0),
        ("经评审委员会评审通过", 0.5),
        ("二〇二三年度工作总结", 0.15),
    ],
)
def test_characters_lie_on_their_glyphs(reader: Reader, text: str, gap: float) -> None:
    canvas = sheet(150, 30)
    canvas.line(10, 10, text, Style(size=13, gap=gap))
    on_glyphs(chars_of(reader, canvas), canvas)


def test_digits_lie_on_their_glyphs(reader: Reader) -> None:
    canvas = sheet(120, 30)
    canvas.line(10, 10, "652899198501014510", Style(size=14))
    on_glyphs(chars_of(reader, canvas), canvas)


def test_stacked_characters_lie_on_their_glyphs(reader: Reader) -> None:
    canvas = sheet(60, 110)
    canvas.column(30, 8, "特聘王建国为顾问", Style(size=16))
    on_glyphs(chars_of(reader, canvas), canvas)


def test_an_unsure_character_names_its_rivals(reader: Reader) -> None:
    """Blurred print: characters that may be others say so, and probabilities are shares."""
    canvas = sheet(120, 30)
    canvas.line(10, 10, "已己巳未末土士", Style(size=9))
    pixels = np.asarray(cv2.GaussianBlur(pixels_of(canvas), (0, 0), 1.6), np.uint8)
    found = read_upright(reader, pixels, 200).reading
    chars = [c for line in found.lines for c in line.chars]
    assert any(c.others for c in chars)
    for char in chars:
        assert 0 <= char.score <= 1
        for text, probability in char.others:
            assert text != char.text
            assert 0 < probability <= 1
        assert [p for _, p in char.others] == sorted((p for _, p in char.others), reverse=True)


def test_a_blank_page_has_no_lines(reader: Reader) -> None:
    upright = read_upright(reader, np.full((400, 300, 3), 255, np.uint8), 200)
    assert upright.reading.lines == ()
    assert upright.reading.rotation == 0
    assert upright.pixels.shape == (400, 300, 3)
    assert upright.reading.size == (300, 400)
    assert upright.reading.reader == reader_version()


def test_the_direction_of_reading() -> None:
    flat, tall = geometry.rectangle(0, 0, 100, 30), geometry.rectangle(0, 0, 30, 100)
    quad, vertical = reading_direction(flat)
    assert not vertical
    assert np.array_equal(quad, flat)
    quad, vertical = reading_direction(tall)
    assert vertical
    # Downwards, tops of the characters to the right.
    assert quad[0].tolist() == [30, 0]
    assert quad[1].tolist() == [30, 100]


def striped(rows: int) -> Image:
    page = np.full((200, 120, 3), 255, np.uint8)
    for row in range(rows):
        page[20 + 50 * row : 50 + 50 * row, 15:105:4] = 20
    return page


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_rows_that_were_detected_as_one_box_are_parted(rows: int) -> None:
    quad = geometry.rectangle(10, 10, 110, 10 + 50 * rows)
    parts = split_rows(striped(rows), quad)
    assert len(parts) == rows
    assert sum(geometry.area(part) for part in parts) == pytest.approx(geometry.area(quad))


def test_stacked_characters_are_not_parted() -> None:
    """Three characters of one column, each 36 wide with 28 of ink, are read as one line."""
    page = np.full((140, 60, 3), 255, np.uint8)
    for row in range(3):
        page[14 + 36 * row : 42 + 36 * row, 13:47:4] = 20
    assert len(split_rows(page, geometry.rectangle(12, 10, 48, 118))) == 1


def test_a_crop_is_turned_to_its_reading_direction() -> None:
    page = np.zeros((100, 100, 3), np.uint8)
    page[10:20, 10:60] = (10, 20, 30)
    page[10:20, 10:15] = 255
    crop = crop_line(page, geometry.rectangle(10, 10, 60, 20))
    assert crop.shape == (10, 50, 3)
    assert crop[5, 2].tolist() == [255, 255, 255]
    upside_down = crop_line(page, geometry.rectangle(10, 10, 60, 20)[[2, 3, 0, 1]])
    assert upside_down[5, 47].tolist() == [255, 255, 255]


def test_characters_are_placed_along_a_turned_line() -> None:
    quad = geometry.rectangle(0, 0, 40, 120)[[1, 2, 3, 0]]
    decoded = Decoded("李明远", (1 / 6, 0.5, 5 / 6), (0.9, 0.8, 0.7), ((), (), ()))
    line = place_characters(decoded, quad, True, "ink")
    assert line.text == "李明远"
    assert line.vertical
    assert [round(float(c.quad[:, 1].mean())) for c in line.chars] == [20, 60, 100]
    assert line.score == pytest.approx(0.8)
