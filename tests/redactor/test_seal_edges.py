"""Unread print that runs out of a seal's mask is masked; what was read, rules and pictures stay."""

from __future__ import annotations

import cv2
import numpy as np

from redactor import geometry
from redactor.finders.seal_edges import find_seal_edges
from redactor.page import Char, Image, Kind, Line, Quad

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


def test_a_rule_across_the_seal_and_print_beside_it_stay() -> None:
    page = np.full((700, 900, 3), 245, np.uint8)
    cv2.line(page, (20, 300), (880, 300), (20, 20, 20), 3)
    cv2.rectangle(page, (520, 400), (545, 425), (20, 20, 20), 3)
    assert find_seal_edges(page, DPI, [SEAL], ()) == ()
