"""Unread print that runs out of a seal's mask is masked; what was read, rules and pictures stay."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from redactor import geometry
from redactor.finders.seal_edges import find_seal_edges
from redactor.page import Char, Finding, Image, Kind, Line, Quad

DPI = 200.0
SEAL = geometry.rectangle(200, 200, 500, 500)
GLYPH = geometry.rectangle(480, 330, 510, 360)


def sheet() -> Image:
    """Paper with a grey ring whose mask is SEAL, and a character that its right side cuts."""
    page = np.full((700, 900, 3), 245, np.uint8)
    cv2.circle(page, (350, 350), 140, (120, 120, 120), 4)
    cv2.rectangle(page, (481, 333), (508, 357), (20, 20, 20), 3)
    cv2.line(page, (494, 333), (494, 357), (20, 20, 20), 3)
    return page


def read(score: float, quad: Quad = GLYPH) -> Line:
    return Line((Char("心", quad, score),), quad, score)


def test_the_rest_of_a_character_beside_the_mask_is_masked() -> None:
    for lines in ((), (read(0.5),)):
        (found,) = find_seal_edges(sheet(), DPI, [SEAL], lines)
        assert found.kind is Kind.SEAL
        x0, y0, x1, y1 = geometry.bounds(found.quad)
        assert x0 <= 500 < 509 < x1 < 520
        assert 320 < y0 <= 332
        assert 358 <= y1 < 370


def test_what_was_read_is_left_to_the_text_finders() -> None:
    assert find_seal_edges(sheet(), DPI, [SEAL], [read(0.99)]) == ()


def character(page: Image, x: int, y: int) -> None:
    """Strokes of 28 x 30 pixels."""
    cv2.rectangle(page, (x, y), (x + 27, y + 29), (20, 20, 20), 3)
    cv2.line(page, (x + 13, y), (x + 13, y + 29), (20, 20, 20), 3)


def row(page: Image, *xs: int, y: int = 335) -> Image:
    for x in xs:
        character(page, x, y)
    return page


@pytest.mark.parametrize("gap", [5, 9, 20])
@pytest.mark.parametrize("underlined", [False, True])
def test_a_row_that_runs_out_of_the_seal_is_masked_to_its_end(gap: int, underlined: bool) -> None:
    """A unit across a seal that nobody could read: its first and last characters go as well."""
    step = 28 + gap
    right, left = [490 + step * i for i in range(4)], [190 - step * i for i in range(3)]
    page = row(sheet(), *right, *left)
    if underlined:
        cv2.line(page, (20, 372), (880, 372), (20, 20, 20), 3)
    quads = [geometry.bounds(f.quad) for f in find_seal_edges(page, DPI, [SEAL], ())]
    assert any(a <= 501 and c >= right[-1] + 28 and b <= 335 and d >= 365 for a, b, c, d in quads)
    assert any(c >= 199 and a <= left[-1] and b <= 335 and d >= 365 for a, b, c, d in quads)
    assert all(d < 380 for _, _, _, d in quads)


def test_a_row_along_the_edge_of_the_seals_box_is_masked_beside_it() -> None:
    page = row(sheet(), *(140 + 36 * i for i in range(12)), y=188)
    boxes = bounds(find_seal_edges(page, DPI, [SEAL], ()))
    assert min(box[0] for box in boxes) <= 140
    assert max(box[2] for box in boxes) >= 140 + 36 * 11 + 28


def test_a_row_ends_at_a_gap_and_at_what_was_read() -> None:
    page = row(sheet(), 490, 600)
    assert all(q[2] < 560 for q in bounds(find_seal_edges(page, DPI, [SEAL], ())))
    page = row(sheet(), 490, 522, 554)
    known = read(0.99, geometry.rectangle(550, 333, 586, 368))
    assert all(q[2] < 556 for q in bounds(find_seal_edges(page, DPI, [SEAL], [known])))


def bounds(found: tuple[Finding, ...]) -> list[tuple[float, float, float, float]]:
    assert found
    return [geometry.bounds(f.quad) for f in found]


def test_a_bar_and_a_picture_that_run_out_of_the_seal_stay() -> None:
    page = np.full((700, 900, 3), 245, np.uint8)
    cv2.rectangle(page, (450, 250), (700, 280), (20, 20, 20), -1)
    cv2.rectangle(page, (450, 320), (640, 480), (60, 60, 60), -1)
    assert find_seal_edges(page, DPI, [SEAL], ()) == ()


@pytest.mark.parametrize("rise", [0, 16, 24, 32])
def test_a_slanted_rule_stays(rise: int) -> None:
    page = np.full((700, 900, 3), 245, np.uint8)
    cv2.line(page, (450, 350), (880, 350 - rise), (20, 20, 20), 3, cv2.LINE_AA)
    assert find_seal_edges(page, DPI, [SEAL], ()) == ()


def test_a_rule_across_the_seal_and_print_beside_it_stay() -> None:
    page = np.full((700, 900, 3), 245, np.uint8)
    cv2.line(page, (20, 300), (880, 300), (20, 20, 20), 3)
    cv2.rectangle(page, (520, 400), (545, 425), (20, 20, 20), 3)
    assert find_seal_edges(page, DPI, [SEAL], ()) == ()
