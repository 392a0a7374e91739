"""Pale rows are told apart: watermarks by themselves, and print that lies in the shade."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from redactor import geometry
from redactor.finders.watermarks import find_copies, watermark_lines
from redactor.page import Finding, Kind, Line
from tests.redactor.golden.boxes import PAGE, line

ROW = "经核对上述材料与原件相符同意上报经办人祁玮未所在单位"


def pale(text: str, x: float, y: float, em: float = 30) -> Line:
    return line(text, x, y, em, layer="pale")


def turned(row: Line, degrees: float) -> Line:
    angle = np.deg2rad(degrees)
    turn = np.eye(3)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    return replace(row, quad=geometry.mapped(row.quad, turn))


@pytest.mark.parametrize("start", [100, 400, 700])
def test_a_pale_piece_of_a_long_row_of_print_is_no_watermark(start: float) -> None:
    printed = line(ROW, 100, 200, 30)
    assert watermark_lines((printed, pale("原件相符", start, 202)), PAGE) == ()


def test_pale_rows_between_or_across_print_and_large_ones_are_watermarks() -> None:
    printed = line(ROW, 100, 200, 30)
    between = pale("内部资料", 100, 240)
    across = turned(pale("水利工程质量监督站", 250, 40), 35)
    large = pale("内部", 100, 190, em=90)
    rows = (printed, between, across, large)
    assert watermark_lines(rows, PAGE) == (between, across, large)


def test_on_a_page_in_the_shade_no_small_pale_row_is_a_watermark() -> None:
    printed = [line(ROW, 100, 200 + 60 * i, 30) for i in range(3)]
    shade = [pale(ROW[:9], 100, 202 + 60 * i) for i in range(3)]
    alone, large = pale(ROW, 100, 500), pale("内部", 100, 600, em=90)
    assert watermark_lines((*printed, *shade[:2], alone), PAGE) == (alone,)
    assert watermark_lines((*printed, *shade, alone, large), PAGE) == (large,)


def test_a_watermark_of_which_the_end_was_read_is_masked_from_its_beginning() -> None:
    page = np.full((700, 1000, 3), 255, np.uint8)
    for place in range(5):
        left = 200 + 110 * place
        page[300:390, left : left + 12] = page[300:312, left : left + 90] = 205
        page[378:390, left : left + 90] = page[300:390, left + 78 : left + 90] = 205
    read = Finding(
        Kind.UNIT, geometry.rectangle(418, 295, 745, 395), "林草局", 1.0, "unit", "known"
    )
    found = find_copies(page, [read])
    boxes = [geometry.bounds(f.quad) for f in found]
    assert any(x0 <= 205 and x1 >= 740 and y0 <= 300 and y1 >= 390 for x0, y0, x1, y1 in boxes)
    assert all(y0 > 200 and y1 < 500 for _, y0, _, y1 in boxes)
