"""Ruled cells are found where they are, also slightly skewed, and text alone makes none."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import pytest

from redactor import geometry
from redactor.page import Image
from redactor.tables import find_cells

XS, YS = (100, 300, 700, 900), (200, 260, 340, 500)


def table(angle: float = 0.0, paper: int = 250, ink: int = 30) -> Image:
    page = np.full((1300, 1000, 3), paper, np.uint8)
    for x in XS:
        cv2.line(page, (x, YS[0]), (x, YS[-1]), (ink,) * 3, 2)
    for y in YS:
        cv2.line(page, (XS[0], y), (XS[-1], y), (ink,) * 3, 2)
    if angle:
        matrix = cv2.getRotationMatrix2D((500, 350), angle, 1)
        page = np.asarray(cv2.warpAffine(page, matrix, (1000, 1300), borderValue=(paper,) * 3))
    return page


def expected() -> list[np.ndarray]:
    return [
        geometry.rectangle(x0, y0, x1, y1) for y0, y1 in pairwise(YS) for x0, x1 in pairwise(XS)
    ]


@pytest.mark.parametrize("angle", [0.0, 0.4, -0.4])
def test_every_cell_is_found_where_it_is(angle: float) -> None:
    cells = find_cells(table(angle))
    assert len(cells) == 9
    for want in expected():
        assert max(geometry.overlap(want, cell) for cell in cells) > 0.8


def test_cells_come_smallest_first() -> None:
    sizes = [geometry.area(cell) for cell in find_cells(table())]
    assert sizes == sorted(sizes)


def test_large_pages_give_cells_in_their_own_pixels() -> None:
    page = np.asarray(cv2.resize(table(), None, fx=2.5, fy=2.5))
    cells = find_cells(page)
    for want in expected():
        assert max(geometry.overlap(want * 2.5, cell) for cell in cells) > 0.8


def test_an_open_form_and_plain_text_have_no_cells() -> None:
    page = np.full((1300, 1000, 3), 250, np.uint8)
    for y in range(100, 1200, 40):
        cv2.putText(page, "plain lines of text 0996-2012345", (80, y), 0, 0.8, (30, 30, 30), 2)
        cv2.line(page, (80, y + 8), (900, y + 8), (0, 0, 0), 1)
    assert find_cells(page) == ()
    assert find_cells(np.full((500, 400, 3), 255, np.uint8)) == ()
