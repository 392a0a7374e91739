"""Ink that nobody could read is boxed; empty fields and ruled lines are not ink."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from redactor import geometry
from redactor.finders.ink import ink_box
from redactor.page import Image

ZONE = geometry.rectangle(50, 50, 350, 110)


def field(paper: int = 245) -> Image:
    return np.full((200, 400, 3), paper, np.uint8)


def scribble(page: Image, ink: tuple[int, int, int] = (120, 40, 20)) -> Image:
    points = np.array([[120, 70], [140, 100], [150, 65], [170, 98], [200, 72], [215, 95]])
    cv2.polylines(page, [points.astype(np.int32)], False, ink, 3)
    return page


@pytest.mark.parametrize("paper", [255, 235, 190])
@pytest.mark.parametrize("ink", [(0, 0, 0), (120, 40, 20), (110, 110, 110)])
def test_the_box_holds_every_stroke(paper: int, ink: tuple[int, int, int]) -> None:
    page = scribble(field(paper), ink)
    box = ink_box(page, ZONE)
    assert box is not None
    ys, xs = np.nonzero(page.min(axis=2) < paper - 40)
    x0, y0, x1, y1 = geometry.bounds(box)
    assert x0 <= xs.min()
    assert y0 <= ys.min()
    assert x1 >= xs.max() + 1
    assert y1 >= ys.max() + 1
    assert geometry.area(box) < 1.25 * (xs.max() - xs.min() + 4) * (ys.max() - ys.min() + 4)


def test_an_empty_field_has_no_ink() -> None:
    assert ink_box(field(), ZONE) is None


def test_a_ruled_line_to_write_on_is_no_ink() -> None:
    page = field()
    cv2.line(page, (50, 106), (335, 106), (0, 0, 0), 2)
    cv2.line(page, (345, 50), (345, 110), (0, 0, 0), 2)
    assert ink_box(page, ZONE) is None
    box = ink_box(scribble(page), ZONE)
    assert box is not None
    assert geometry.bounds(box)[2] < 300


def test_dust_is_no_ink() -> None:
    page = field()
    page[70, 100] = page[90, 200] = 0
    assert ink_box(page, ZONE) is None


def test_a_zone_outside_the_page_has_no_ink() -> None:
    assert ink_box(scribble(field()), geometry.rectangle(390, 190, 900, 300)) is None
    assert ink_box(scribble(field()), geometry.rectangle(600, 500, 900, 700)) is None
