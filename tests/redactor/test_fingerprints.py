"""Fingerprints are told from print, codes and discs by fine ridges that turn."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from redactor import geometry
from redactor.finders.fingerprints import Fingerprints, find_fingerprints
from redactor.page import Char, Image, Kind, Line, Quad
from sample_scans.canvas import Canvas, Style
from sample_scans.degrade import RECIPES, degrade
from sample_scans.fonts import Fonts
from sample_scans.marks import fingerprint

DPI = 200.0
MM = DPI / 25.4
RED, BLACK, BLUE = (45, 30, 200), (40, 40, 40), (150, 60, 40)


def sheet(width_mm: float = 90, height_mm: float = 80) -> Image:
    return np.full((round(height_mm * MM), round(width_mm * MM), 3), 246, np.uint8)


def ridges(period: float, long_mm: float = 20, wide_mm: float = 14) -> np.ndarray:
    """Ink of a whorl, 0..1: rings around a core, bent and broken, in an oval."""
    fine = 4  # drawn larger and reduced, as a scanner averages
    high, wide = round(long_mm * MM * fine), round(wide_mm * MM * fine)
    ys, xs = np.mgrid[0:high, 0:wide].astype(np.float32)
    y, x = (ys - high / 2) / MM / fine, (xs - wide / 2) / MM / fine
    noise = np.random.default_rng(2).normal(0, 1, (high // 40, wide // 40)).astype(np.float32)
    bent = cv2.resize(noise, (wide, high), interpolation=cv2.INTER_CUBIC)
    waves = np.sin(2 * np.pi * (np.hypot(x, 0.8 * (y - 2)) + 0.12 * bent) / period)
    inside = np.hypot(x / (wide_mm / 2), y / (long_mm / 2)) < 1
    ink = np.clip(waves * 2 + 0.5 + 0.3 * bent, 0, 1) * inside
    size = (round(wide / fine), round(high / fine))
    return cv2.resize(ink.astype(np.float32), size, interpolation=cv2.INTER_AREA)


def stamped(
    page: Image,
    ink: np.ndarray,
    x_mm: float,
    y_mm: float,
    bgr: tuple[int, ...],
    strength: float = 0.8,
) -> Image:
    """The page with the ink multiplied in, its middle at (x, y)."""
    out = page.astype(np.float32)
    high, wide = ink.shape
    left, top = round(x_mm * MM - wide / 2), round(y_mm * MM - high / 2)
    part = out[top : top + high, left : left + wide]
    part *= 1 - strength * ink[..., None] * (1 - np.array(bgr) / 255)
    return np.asarray(cv2.GaussianBlur(out.astype(np.uint8), (0, 0), 0.5), np.uint8)


def printed(page: Image) -> Image:
    for row in range(9):
        at = (round(4 * MM), round((10 + 8 * row) * MM))
        cv2.putText(page, f"I promise that {row} is true WMH", at, 0, 0.9, (20, 20, 20), 2)
    return page


def assert_covered(found: Fingerprints, x_mm: float, y_mm: float) -> None:
    (print_,) = found.sure
    assert print_.kind is Kind.SIGNATURE
    assert found.doubtful == ()
    x0, y0, x1, y1 = geometry.bounds(print_.quad)
    assert x0 <= (x_mm - 7) * MM + 1
    assert y0 <= (y_mm - 10) * MM + 1
    assert x1 >= (x_mm + 7) * MM - 1
    assert y1 >= (y_mm + 10) * MM - 1
    assert (x1 - x0) * (y1 - y0) < 20 * 26 * MM * MM


@pytest.mark.parametrize("ink", [RED, BLACK, BLUE])
@pytest.mark.parametrize("period", [0.42, 0.5, 0.6])
def test_ridges_of_any_ink_are_found(ink: tuple[int, ...], period: float) -> None:
    page = stamped(sheet(), ridges(period), 45, 40, ink)
    assert_covered(find_fingerprints(page, DPI), 45, 40)


def test_over_print() -> None:
    page = stamped(printed(sheet()), ridges(0.5), 50, 40, RED)
    assert_covered(find_fingerprints(page, DPI), 50, 40)
    seal = geometry.rectangle(30 * MM, 25 * MM, 60 * MM, 55 * MM)
    assert_covered(find_fingerprints(page, DPI, [seal]), 50, 40)


def line(text: str) -> Line:
    quad = geometry.rectangle(0, 0, 10, 10)
    return Line(tuple(Char(letter, quad, 1.0) for letter in text), quad, 1.0)


def copied() -> Image:
    """A print of wide ridges, paled by a copier, under a name written over it."""
    page = stamped(sheet(), ridges(1.4, 19, 14), 45, 40, (120, 120, 120), 0.4)
    cv2.putText(page, "HW", (round(30 * MM), round(42 * MM)), 0, 3.0, (15, 15, 15), 6)
    return page


def test_a_copied_print_under_handwriting_is_found_where_a_signature_is_asked_for() -> None:
    (print_,) = find_fingerprints(copied(), DPI, (), (line("承诺人（签字）："),)).sure
    x0, y0, x1, y1 = (v / MM for v in geometry.bounds(print_.quad))
    assert x0 < 38.5 and y0 < 31 and x1 > 51.5 and y1 > 49
    assert (x1 - x0) * (y1 - y0) < 26 * 32


def test_pale_prints_are_not_sought_where_no_signature_is_asked_for() -> None:
    found = find_fingerprints(copied(), DPI, (), (line("试验采用随机区组设计"),))
    assert found.sure == found.doubtful == ()


def test_handwriting_alone_on_a_signed_page_is_no_print() -> None:
    page = sheet()
    cv2.putText(page, "HW", (round(30 * MM), round(42 * MM)), 0, 3.0, (15, 15, 15), 6)
    found = find_fingerprints(page, DPI, (), (line("承诺人（签字）："),))
    assert found.sure == found.doubtful == ()


def test_smeared_red_ink_is_for_a_person() -> None:
    smear = cv2.GaussianBlur(ridges(0.5), (0, 0), 0.5 * MM)
    found = find_fingerprints(stamped(sheet(), smear, 45, 40, RED), DPI)
    assert found.sure == ()
    (doubt,) = found.doubtful
    x0, _, x1, _ = geometry.bounds(doubt.quad)
    assert x0 < 39 * MM
    assert x1 > 51 * MM
    seal = geometry.rectangle(30 * MM, 25 * MM, 60 * MM, 55 * MM)
    assert find_fingerprints(stamped(sheet(), smear, 45, 40, RED), DPI, [seal]).doubtful == ()


def test_smeared_black_ink_is_a_spot() -> None:
    smear = cv2.GaussianBlur(ridges(0.5), (0, 0), 0.5 * MM)
    found = find_fingerprints(stamped(sheet(), smear, 45, 40, BLACK), DPI)
    assert (found.sure, found.doubtful) == ((), ())


def bars() -> Image:
    page = sheet()
    for i in range(14):
        x = round((35 + i) * MM)
        cv2.rectangle(page, (x, round(30 * MM)), (x + 3, round(50 * MM)), (20, 20, 20), -1)
    return page


def hatched() -> Image:
    """Fine straight lines in an oval, as on security paper."""
    xs = np.arange(round(14 * MM)) / MM
    lines = np.repeat(np.sin(2 * np.pi * xs[None, :] / 0.5) > 0, round(20 * MM), axis=0)
    oval = np.zeros(lines.shape, np.uint8)
    middle = (lines.shape[1] // 2, lines.shape[0] // 2)
    cv2.ellipse(oval, middle, middle, 0, 0, 360, (1,), -1)
    return stamped(sheet(), (lines * oval).astype(np.float32), 45, 40, BLACK)


def code() -> Image:
    page = sheet()
    cells = np.random.default_rng(1).integers(0, 2, (25, 25), dtype=np.uint8) * 220 + 20
    size = round(18 * MM)
    page[200 : 200 + size, 200 : 200 + size] = cv2.resize(
        cells, (size, size), interpolation=cv2.INTER_NEAREST
    )[..., None]
    return page


def skin() -> Image:
    """A face's tone and form on white ground."""
    page = sheet()
    cv2.ellipse(page, (350, 300), (round(7 * MM), round(9 * MM)), 0, 0, 360, (130, 160, 215), -1)
    return page


def emblem() -> Image:
    page = sheet()
    cv2.circle(page, (350, 300), round(9 * MM), (34, 30, 196), -1)
    return page


@pytest.mark.parametrize(
    "draw", [sheet, bars, hatched, code, skin, emblem, lambda: printed(sheet())]
)
def test_other_things_are_left(draw) -> None:  # type: ignore[no-untyped-def]
    found = find_fingerprints(draw(), DPI)
    assert (found.sure, found.doubtful) == ((), ())


def test_a_tiny_picture() -> None:
    assert find_fingerprints(np.full((3, 2, 3), 240, np.uint8), DPI).sure == ()


@settings(max_examples=12, deadline=None)
@given(x=st.floats(12, 78), y=st.floats(14, 66), period=st.floats(0.42, 0.6))
def test_covered_wherever_it_is(x: float, y: float, period: float) -> None:
    page = stamped(sheet(), ridges(period), x, y, RED)
    assert_covered(find_fingerprints(page, DPI), x, y)


def test_a_large_red_character_that_was_read_is_no_smear() -> None:
    smear = cv2.GaussianBlur(ridges(0.5), (0, 0), 0.5 * MM)
    page = stamped(sheet(), smear, 45, 40, RED)
    (doubt,) = find_fingerprints(page, DPI).doubtful
    quad = geometry.grown(doubt.quad, -1.6 * MM, -1.6 * MM)
    for score, doubts in ((0.99, 0), (0.6, 1)):
        title = Line((Char("报", quad, score),), quad, score)
        assert len(find_fingerprints(page, DPI, (), [title]).doubtful) == doubts


def broken(page: Image, left_mm: float, top_mm: float, wide_mm: float, high_mm: float) -> Image:
    """The page as a fax gives it, of whose ink in the box only every third pixel came through."""
    kept = np.random.default_rng(5).random(page.shape[:2]) < 0.33
    ys, xs = np.mgrid[0 : page.shape[0], 0 : page.shape[1]] / MM
    near = (abs(xs - left_mm - wide_mm / 2) < wide_mm / 2) & (
        abs(ys - top_mm - high_mm / 2) < high_mm / 2
    )
    out = np.where(page.min(axis=2) < 170, 0, 255).astype(np.uint8)
    out[near & ~kept] = 255
    return np.repeat(out[:, :, None], 3, axis=2)


def test_a_print_that_a_fax_broke_into_specks_goes_to_a_person() -> None:
    page = broken(stamped(sheet(), ridges(1.4), 45, 40, BLACK), 36, 28, 18, 24)
    found = find_fingerprints(page, DPI)
    assert found.sure == ()
    (doubt,) = found.doubtful
    assert "specks" in doubt.why
    x0, y0, x1, y1 = geometry.bounds(doubt.quad)
    assert x0 < 45 * MM < x1 and y0 < 40 * MM < y1


SIGNED = Line((), geometry.rectangle(0, 0, 1, 1), 1.0)


def faxed(canvas: Canvas, seed: int) -> tuple[Image, Quad]:
    """The sheet as a fax with its own noise gives it, and where the first print went."""
    rgb, carry = degrade(np.asarray(canvas.image), RECIPES["fax"], np.random.default_rng(seed))
    prints = [i for i in canvas.items if i.form == "fingerprint" and i.outline is not None]
    whole = carry(np.array(prints[0].outline)) if prints else np.zeros((4, 2))
    return np.ascontiguousarray(rgb[:, :, ::-1]), whole


def signing_page(seed: int) -> Canvas:
    canvas = Canvas(Fonts(debian=False), Random(seed), 200, 120, 90)
    for y in (8, 16, 66, 74):
        canvas.line(8, y, "本人承诺所填内容真实。" * 2, Style(size=12))
    canvas.rule(8, 62, 112, 62)
    canvas.line(10, 40, "承诺人（签字）：…………………………", Style(size=12))
    return canvas


@pytest.mark.parametrize("seed", [0, 2, 5, 8, 11, 15])
def test_a_print_of_a_fax_is_masked_where_a_signature_is_asked_for(seed: int) -> None:
    """Of few ridges is enough left to be a patch; the specks stand close together."""
    canvas = signing_page(seed)
    fingerprint(canvas, 85, 40, 1)
    page, whole = faxed(canvas, seed)
    asks = replace(SIGNED, chars=tuple(Char(c, SIGNED.quad, 1.0) for c in "签字"))
    (found,) = find_fingerprints(page, DPI, (), [asks]).sure
    x0, y0, x1, y1 = geometry.bounds(found.quad)
    a, b, c, d = geometry.bounds(whole)
    assert x0 <= a + 3 and y0 <= b + 3 and x1 >= c - 3 and y1 >= d - 3
    assert (x1 - x0) * (y1 - y0) < 2 * (c - a) * (d - b)


def test_a_fax_without_a_print_has_none() -> None:
    page, _ = faxed(signing_page(3), 3)
    asks = replace(SIGNED, chars=tuple(Char(c, SIGNED.quad, 1.0) for c in "签字"))
    found = find_fingerprints(page, DPI, (), [asks])
    assert (found.sure, found.doubtful) == ((), ())


def test_print_that_a_fax_broke_is_no_fingerprint() -> None:
    assert find_fingerprints(broken(printed(sheet()), 0, 0, 90, 80), DPI).doubtful == ()


def test_a_doubtful_print_that_touches_a_seal_with_its_margin_is_not_lost() -> None:
    page = broken(stamped(sheet(), ridges(1.4), 45, 40, BLACK), 36, 28, 18, 24)
    (doubt,) = find_fingerprints(page, DPI).doubtful
    x0, y0, _, _ = geometry.bounds(doubt.quad)
    beside = geometry.rectangle(x0 - 200, y0 - 200, x0 + 4, y0 + 4)
    (still,) = find_fingerprints(page, DPI, [beside]).doubtful
    assert still.why == doubt.why
    assert find_fingerprints(page, DPI, [doubt.quad]).doubtful == ()
