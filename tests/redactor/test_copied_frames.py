"""Worn seals of black-and-white copies are for a person to look at; cells and print are not."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from redactor import geometry
from redactor.finders.copied_frames import find_copied_frames
from redactor.finders.seals import SealRegion, find_seals
from redactor.page import Char, Image, Line, Quad, Reading
from sample_scans.canvas import Canvas, Style
from sample_scans.marks import seal
from tests.redactor.golden.pages import sheet

DPI = 150.0
MM = DPI / 25.4
UNIT = "巴州绿源生态工程有限责任公司"
TEXT = "材料共四十六页装订成册骑缝处加盖印章涂改无效"


def copy(canvas: Canvas, worn: float = 0.35) -> Image:
    """Black and white, with `worn` of the ink gone in specks."""
    grey = cv2.cvtColor(np.asarray(canvas.image, np.uint8), cv2.COLOR_RGB2GRAY)
    specks = np.random.default_rng(3).random(grey.shape) < worn
    return np.repeat(np.where((grey < 170) & ~specks, 0, 255).astype(np.uint8)[:, :, None], 3, 2)


def page(shape: str) -> Canvas:
    """A clear round seal and one of `shape` whose top a line of print crosses."""
    canvas = sheet(180, 110, dpi=round(DPI))
    canvas.line(80, 31, TEXT, Style(size=12))
    seal(canvas, 40, 60, UNIT, 1, "round", 42, (60, 60, 60))
    seal(canvas, 125, 50, UNIT, 1, shape, 42, (60, 60, 60))
    return canvas


def reading(canvas: Canvas, *cells: Quad) -> Reading:
    """The print at the top as it would be read."""
    quad = geometry.rectangle(80 * MM, 30 * MM, 180 * MM, 37 * MM)
    line = Line(tuple(Char(letter, quad, 1.0) for letter in TEXT), quad, 1.0)
    return Reading((line,), cells, canvas.image.size, 0, "")


def clear(pixels: Image) -> tuple[SealRegion, ...]:
    found = find_seals(pixels, DPI)
    return tuple(s for s in found if s.quad.mean(axis=0)[0] < 80 * MM)


@pytest.mark.parametrize("shape", ["oval", "square"])
def test_a_worn_seal_beside_a_clear_one_is_for_a_person(shape: str) -> None:
    canvas = page(shape)
    pixels = copy(canvas)
    seals = clear(copy(canvas, 0.0))
    assert len(seals) == 1
    (doubt,) = find_copied_frames(pixels, DPI, seals, reading(canvas))
    x0, y0, x1, y1 = (v / MM for v in geometry.bounds(doubt.quad))
    assert 102 < x0 < 106 and 144 < x1 < 149
    assert 26 < y0 < 40 and 62 < y1 < 74


def test_nothing_is_doubted_without_a_seal_or_in_colour_or_in_a_table() -> None:
    canvas = page("square")
    pixels, seals = copy(canvas), clear(copy(canvas, 0.0))
    cell = geometry.rectangle(103 * MM, 28 * MM, 147 * MM, 72 * MM)
    beside = cell + (45 * MM, 0)
    grey = np.asarray(np.clip(pixels, 60, 200), np.uint8)
    assert find_copied_frames(pixels, DPI, (), reading(canvas)) == ()
    assert find_copied_frames(grey, DPI, seals, reading(canvas)) == ()
    assert find_copied_frames(pixels, DPI, seals, reading(canvas, cell, beside)) == ()
    assert find_copied_frames(pixels, DPI, seals, reading(canvas, cell))
