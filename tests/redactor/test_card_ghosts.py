"""A small portrait on an ID card in which no face was found must be masked.

Source: drawn cards; blobs stand for what a fax leaves of a ghost image.
"""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from redactor.finders.card_ghosts import find_card_ghosts
from redactor.geometry import bounds, rectangle
from redactor.page import Char, Finding, Image, Kind, Line

MM = 8.0
ROWS = (("姓名某人", 6.0), ("住址某市", 27.0), ("公民身份号码 652801198503151236", 45.0))


def card(x: float = 62.0, y: float = 60.0) -> tuple[Image, tuple[Line, ...]]:
    """A page of 200 dpi with the print of a card whose left top corner is at (x, y) mm."""
    page = np.full((2339, 1654, 3), 245, np.uint8)
    return page, tuple(line(text, x + 6, y + down) for text, down in ROWS)


def line(text: str, x: float, y: float, score: float = 0.95) -> Line:
    wide = 66.0 / 25
    chars = tuple(
        Char(c, rectangle(*(v * MM for v in (x + i * wide, y, x + (i + 1) * wide, y + 4))), score)
        for i, c in enumerate(text)
    )
    quad = rectangle(x * MM, y * MM, (x + len(text) * wide) * MM, (y + 4) * MM)
    return Line(chars, quad, score)


def blob(page: Image, x: float, y: float, wide: float = 5.0, level: int = 90) -> None:
    centre, axes = (round(x * MM), round(y * MM)), (round(wide * MM / 2), round(wide * MM / 2.4))
    cv2.ellipse(page, centre, axes, 0, 0, 360, (level, level, level), -1)


def mask(kind: Kind, x0: float, y0: float, x1: float, y1: float, text: str = "") -> Finding:
    return Finding(kind, rectangle(x0 * MM, y0 * MM, x1 * MM, y1 * MM), text, 1.0, "", "")


@pytest.mark.parametrize(("x", "y"), [(62.0, 60.0), (20.0, 20.0), (100.0, 200.0)])
def test_blob_on_a_card_is_masked(x: float, y: float) -> None:
    page, lines = card(x, y)
    blob(page, x + 8, y + 38)
    (found,) = find_card_ghosts(page, lines, (), ())
    assert found.kind is Kind.FACE
    inside = cv2.pointPolygonTest(
        found.quad.astype(np.float32), ((x + 8) * MM, (y + 36) * MM), False
    )
    assert inside > 0


def test_card_without_a_blob_is_quiet() -> None:
    page, lines = card()
    assert find_card_ghosts(page, lines, (), ()) == ()


@pytest.mark.parametrize("level", [180, 205, 225])
def test_fine_pattern_is_no_picture(level: int) -> None:
    page, lines = card()
    blob(page, 70, 98, level=level)
    assert bool(find_card_ghosts(page, lines, (), ())) == (level < 245 - 40)


def test_blob_elsewhere_is_no_card_s() -> None:
    page, lines = card()
    blob(page, 70, 150)
    assert find_card_ghosts(page, lines, (), ()) == ()


@pytest.mark.parametrize("left_out", [1, 2])
def test_form_with_one_of_the_labels_is_no_card(left_out: int) -> None:
    page, lines = card()
    blob(page, 70, 98)
    kept = tuple(row for number, row in enumerate(lines) if number != left_out)
    assert find_card_ghosts(page, kept, (), ()) == ()


def test_masked_print_and_portrait_are_known() -> None:
    page, lines = card()
    blob(page, 70, 98)
    eyes = mask(Kind.EYES, 68, 96, 72, 98)
    assert find_card_ghosts(page, lines, (), (mask(Kind.SEAL, 60, 90, 80, 110),)) == ()
    assert find_card_ghosts(page, lines, (eyes,), (eyes,)) == ()
    assert find_card_ghosts(page, (*lines, line("库尔勒市", 66, 96)), (), ()) == ()


def test_undecoded_code_is_no_proof_and_does_not_hide_the_place() -> None:
    """A fax's blob looks like dense modules; its mask covers the shoulders, the eyes are above."""
    page, lines = card()
    blob(page, 70, 98)
    around = (66.0, 95.0, 74.0, 101.0)
    (found,) = find_card_ghosts(page, lines, (), (mask(Kind.CODE, *around),))
    assert found.quad[:, 1].min() < 94 * MM
    assert find_card_ghosts(page, lines, (), (mask(Kind.CODE, *around, text="url"),)) == ()


def test_misread_blob_is_not_print() -> None:
    page, lines = card()
    blob(page, 70, 98)
    assert find_card_ghosts(page, (*lines, line("1.", 68, 96, 0.4)), (), ())
    assert find_card_ghosts(page, (*lines, line("盒", 68, 96, 0.8)), (), ())


def test_the_mask_holds_all_of_a_ghost_of_which_a_part_is_left_and_no_print() -> None:
    page, lines = card()
    blob(page, 62 + 8, 60 + 38, wide=4.4)
    (found,) = find_card_ghosts(page, lines, (), ())
    x0, y0, x1, y1 = bounds(found.quad)
    assert x1 - x0 >= 7 * MM
    assert y0 >= (60 + 27 + 4) * MM
    assert y1 <= (60 + 45) * MM
