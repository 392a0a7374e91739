"""Joined script must be found among what was not read, and other ink must not be taken for it."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import pytest

from redactor import geometry
from redactor.finders.arabic_lines import find_unread_runs
from redactor.finders.arabic_script import LOOKS_SURE
from redactor.page import Char, Image, Line, Quad, Reading
from tests.redactor.golden.boxes import line, reading
from tests.redactor.golden.uyghur import NAME, TEXT, UNIT, Sheet


def covers(outer: Quad, inner: Quad, slack: float = 6) -> bool:
    ox0, oy0, ox1, oy1 = geometry.bounds(outer)
    x0, y0, x1, y1 = geometry.bounds(inner)
    return ox0 <= x0 + slack and oy0 <= y0 + slack and ox1 >= x1 - slack and oy1 >= y1 - slack


@pytest.mark.parametrize("size", [22, 30, 40, 56, 72])
@pytest.mark.parametrize("text", [NAME, UNIT])
def test_a_line_of_uyghur_is_one_run(size: int, text: str) -> None:
    sheet = Sheet()
    quad = sheet.write(text, 100, 300, size)
    (run,) = find_unread_runs(sheet.pixels, reading())
    assert run.likeness >= LOOKS_SURE
    assert covers(run.quad, quad)


def test_the_small_script_of_a_card_in_a_coarse_scan_is_a_run() -> None:
    sheet = Sheet()
    quad = sheet.write("پاتىگۈل تۇرسۇن", 300, 300, 9)
    (run,) = find_unread_runs(sheet.pixels, reading())
    assert run.likeness >= LOOKS_SURE
    assert covers(run.quad, quad)


def test_rows_of_a_paragraph_stay_apart() -> None:
    sheet = Sheet()
    quads = [sheet.write(TEXT, 200, 300 + 70 * row) for row in range(5)]
    runs = find_unread_runs(sheet.pixels, reading())
    assert len(runs) == len(quads)
    assert all(covers(run.quad, quad) for run, quad in zip(runs, quads, strict=True))


@pytest.mark.parametrize("size", [24, 36, 60])
@pytest.mark.parametrize("text", ["专业技术人员登记表", "Certificate of Training", "2024年3月5日"])
def test_other_script_looks_otherwise(size: int, text: str) -> None:
    sheet = Sheet()
    sheet.write(text, 100, 300, size)
    assert all(run.likeness < LOOKS_SURE for run in find_unread_runs(sheet.pixels, reading()))


def test_what_was_read_is_no_run() -> None:
    sheet = Sheet()
    sheet.write("工作单位", 100, 100, 40)
    sheet.write(NAME, 100, 300)
    known = line("工作单位", 100, 100, 48)
    (run,) = find_unread_runs(sheet.pixels, reading(known))
    assert run.quad[0, 1] > 250
    # Badly read: the reader made signs of the script.
    odd = Line((Char("J", run.quad, 0.3), Char("d", run.quad, 0.3)), run.quad, 0.3)
    assert len(find_unread_runs(sheet.pixels, reading(known, odd))) == 1


def test_script_in_the_box_of_a_label_is_found() -> None:
    """The detector gives one box for label and value, the reader reads the label alone."""
    sheet = Sheet()
    sheet.write("姓名：", 100, 300, 40)
    value = sheet.write(NAME, 230, 295)
    x0, y0, x1, y1 = 98.0, 296.0, geometry.bounds(value)[2], 348.0
    for signs in (("姓", "名", "："), ("姓", "名", "：", " ")):
        edges = [x0, 140.0, 182.0, 222.0][: len(signs)] + [x1]
        boxes = [geometry.rectangle(a, y0, b, y1) for a, b in pairwise(edges)]
        chars = tuple(Char(sign, box, 0.9) for sign, box in zip(signs, boxes, strict=True))
        whole = Line(chars, geometry.rectangle(x0, y0, x1, y1), 0.9)
        (run,) = find_unread_runs(sheet.pixels, reading(whole))
        assert covers(run.quad, value, 25)


def test_rules_photos_and_stains_are_no_runs() -> None:
    sheet = Sheet()
    for row in range(6):
        sheet.rule(100, 100 + 80 * row, 1500, 180 + 80 * row)
    page = sheet.pixels
    rng = np.random.default_rng(4)
    photo = cv2.resize(rng.integers(0, 255, (60, 45, 3), np.uint8), (300, 400))
    page[1000:1400, 200:500] = photo
    cv2.circle(page, (900, 1300), 150, (60, 60, 200), 8)
    assert [run for run in find_unread_runs(page, reading()) if run.likeness >= LOOKS_SURE] == []


def test_script_in_narrow_cells_ends_before_the_rules() -> None:
    sheet = Sheet()
    for row in range(5):
        sheet.rule(100, 300 + 70 * row, 410, 370 + 70 * row)
    quad = sheet.write(NAME, 128, 372, 36)
    (run,) = find_unread_runs(sheet.pixels, reading())
    assert covers(run.quad, quad) and covers(quad, run.quad)


def test_an_empty_page_and_a_tiny_one() -> None:
    blank: Image = np.full((800, 600, 3), 250, np.uint8)
    assert find_unread_runs(blank, reading()) == ()
    tiny: Image = np.full((9, 7, 3), 250, np.uint8)
    assert find_unread_runs(tiny, Reading((), (), (7, 9), 0, "test")) == ()


@pytest.mark.parametrize(("rise", "bend"), [(30, 0), (60, 0), (90, 0), (90, 12), (-60, 0)])
def test_a_rule_that_slants_or_bends_does_not_swallow_the_script_beside_it(
    rise: int, bend: int
) -> None:
    """As on a photographed form: the rule below a name runs across the name's row."""
    sheet = Sheet()
    quad = sheet.write(NAME, 1000, 520)
    pixels = sheet.pixels
    xs = np.arange(150, 1500)
    share = (xs - 150) / 1350
    below = geometry.bounds(quad)[3] + 14
    ys = below - rise * (share - 0.72) + bend * (np.sin(np.pi * share) - 0.77)
    points = np.stack([xs, ys], axis=1).round().astype(np.int32)
    cv2.polylines(pixels, [points], False, (40, 40, 40), 2, cv2.LINE_AA)
    runs = find_unread_runs(pixels, reading())
    (name,) = [run for run in runs if geometry.overlap(run.quad, quad) > 0.6]
    assert name.likeness >= LOOKS_SURE
    assert covers(name.quad, quad)
