"""What runs out of a signature's mask is masked, too; print and tables around it stay."""

from __future__ import annotations

import cv2
import numpy as np

from redactor import geometry
from redactor.finders.touching_ink import find_touching_ink
from redactor.page import Finding, Image, Kind
from tests.redactor.golden.boxes import line, reading

DPI = 200.0
SIGNED = Finding(Kind.SIGNATURE, geometry.rectangle(300, 200, 500, 260), "", 0.5, "", "labels")


def thumb(page: Image, x: int, y: int) -> None:
    """Pale grey ridges of a thumb, 1.5 mm apart, centred at (x, y)."""
    for radius in range(8, 75, 11):
        cv2.ellipse(page, (x, y), (radius * 3 // 4, radius), 0, 0, 360, (205, 205, 205), 4)


def paper() -> Image:
    return np.full((600, 900, 3), 255, np.uint8)


def test_a_thumb_pressed_on_a_signature_is_covered() -> None:
    page = paper()
    thumb(page, 400, 230)
    (found,) = find_touching_ink(page, DPI, [SIGNED], reading())
    x0, y0, x1, y1 = geometry.bounds(found.quad)
    assert x0 <= 300 and y0 <= 157 and x1 >= 500 and y1 >= 303
    assert found.kind is Kind.SIGNATURE


def test_print_beside_and_below_a_signature_is_not_followed() -> None:
    page = paper()
    page[266:300:3, 300:620] = 0
    below = line("二〇二四年九月三日", 300, 264, 38)
    assert find_touching_ink(page, DPI, [SIGNED], reading(below)) == ()


def test_the_rules_of_a_table_are_not_followed() -> None:
    page = paper()
    page[195:199, :] = 60
    page[262:266, :] = 60
    page[:, 296:300] = 60
    assert find_touching_ink(page, DPI, [SIGNED], reading()) == ()


def test_other_masks_are_not_looked_at() -> None:
    page = paper()
    thumb(page, 400, 230)
    name = Finding(Kind.NAME, SIGNED.quad, "", 1.0, "", "known")
    assert find_touching_ink(page, DPI, [name], reading()) == ()


def test_ink_is_not_followed_out_of_the_signatures_cell() -> None:
    page = paper()
    thumb(page, 400, 230)
    cell = geometry.rectangle(250, 190, 600, 270)
    (found,) = find_touching_ink(page, DPI, [SIGNED], reading(cells=(cell,)))
    _, y0, _, y1 = geometry.bounds(found.quad)
    assert (y0, y1) == (190, 270)


def test_a_thumb_on_a_signature_that_was_read_as_a_name_is_covered() -> None:
    page = paper()
    thumb(page, 400, 240)
    name = Finding(Kind.NAME, SIGNED.quad, "李明", 1.0, "", "known")
    (found,) = find_touching_ink(page, DPI, [name], reading(line("乙方（签字）：", 90, 205)))
    assert geometry.bounds(found.quad)[3] >= 310
    unsigned = reading(line("推荐单位意见：", 90, 205))
    assert find_touching_ink(page, DPI, [name], unsigned) == ()
