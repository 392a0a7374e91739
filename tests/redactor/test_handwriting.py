"""Signatures that nobody could read are masked where one belongs; print and other writing stay."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from redactor import geometry
from redactor.finders.handwriting import find_handwriting
from redactor.page import Char, Finding, Image, Kind, Line, Quad, Reading

DPI = 200.0
MM = DPI / 25.4
EM = 4.2
BLUE_PEN, BLACK_PEN, RED_INK = (120, 45, 30), (30, 30, 30), (40, 30, 205)


def sheet() -> Image:
    return np.full((round(120 * MM), round(150 * MM), 3), 250, np.uint8)


def printed(
    page: Image, text: str, x: float, y: float, score: float = 0.99, end: float = 0
) -> Line:
    """A line of print at (x, y) mm as read; `end` mm when strokes stretch its last box."""
    chars = []
    for i, char in enumerate(text):
        x0, x1 = x + i * EM, x + (i + 1) * EM
        for row in (0.25, 0.5, 0.75):  # a glyph's strokes
            a = (round((x0 + 0.5) * MM), round((y + row * EM) * MM))
            cv2.line(page, a, (round((x1 - 0.5) * MM), a[1]), (40, 40, 40), 3)
        down = (round((x0 + EM / 2) * MM), round((y + 0.4) * MM))
        cv2.line(page, down, (down[0], round((y + EM - 0.4) * MM)), (40, 40, 40), 3)
        right = max(x1, end) if end and i == len(text) - 1 else x1
        chars.append(
            Char(char, geometry.rectangle(x0 * MM, y * MM, right * MM, (y + EM) * MM), score)
        )
    whole = geometry.around([c.quad for c in chars])
    return Line(tuple(chars), whole, score)


def signed(
    page: Image, x: float, y: float, wide: float = 26, high: float = 8,
    pen: tuple[int, ...] = BLUE_PEN, seed: int = 1,
) -> tuple[float, float, float, float]:  # fmt: skip
    """A signature of three bent strokes; its box in mm."""
    rng = np.random.default_rng(seed)
    for part in range(3):
        steps = np.linspace(0, 1, 40)
        xs = x + wide * (part + steps) / 3
        wave = np.sin(steps * rng.uniform(9, 14) + part) * rng.uniform(0.5, 1)
        ys = y + high / 2 * (1 + np.where(steps < 0.97, wave, 1))
        ys[0], ys[1] = y, y + high
        points = np.round(np.column_stack([xs, ys]) * MM).astype(np.int32)
        cv2.polylines(page, [points], False, pen, 3, cv2.LINE_AA)
    return x, y, x + wide, y + high


def read(*lines: Line, cells: tuple[Quad, ...] = ()) -> Reading:
    return Reading(lines, cells, (0, 0), 0, "test")


def cell(x0: float, y0: float, x1: float, y1: float) -> Quad:
    return geometry.rectangle(x0 * MM, y0 * MM, x1 * MM, y1 * MM)


def assert_masked(found: tuple[Finding, ...], box: tuple[float, float, float, float]) -> None:
    (finding,) = found
    assert finding.kind is Kind.SIGNATURE
    assert finding.score == 0.5
    x0, y0, x1, y1 = (v / MM for v in geometry.bounds(finding.quad))
    assert x0 <= box[0] + 0.2
    assert y0 <= box[1] + 0.2
    assert x1 >= box[2] - 0.2
    assert y1 >= box[3] - 0.2
    assert (x1 - x0) * (y1 - y0) < 1.6 * (box[2] - box[0] + 2) * (box[3] - box[1] + 2)


@pytest.mark.parametrize("label", ["本人签名：", "承诺人（签字）：", "经办人：", "审核人签章"])
@pytest.mark.parametrize("pen", [BLUE_PEN, BLACK_PEN])
def test_strokes_in_one_box_with_their_label(label: str, pen: tuple[int, ...]) -> None:
    page = sheet()
    end = 20 + len(label) * EM
    box = signed(page, end + 1, 38, pen=pen)
    line = printed(page, label, 20, 40, end=box[2])
    assert_masked(find_handwriting(page, DPI, read(line)), box)


def test_on_a_rule_and_on_dots() -> None:
    for dotted in (False, True):
        page = sheet()
        line = printed(page, "负责人签字：", 20, 40)
        box = signed(page, 49, 37)
        for x in np.arange(46, 95, 1.2 if dotted else 0.1):
            cv2.circle(page, (round(x * MM), round(45 * MM)), 1, (30, 30, 30), -1)
        assert_masked(find_handwriting(page, DPI, read(line)), box)


def test_below_its_label() -> None:
    page = sheet()
    line = printed(page, "申报人签字", 60, 40)
    box = signed(page, 58, 47)
    assert_masked(find_handwriting(page, DPI, read(line)), box)


def test_in_the_cell_beside_its_label() -> None:
    page = sheet()
    line = printed(page, "经办人", 22, 44)
    box = signed(page, 50, 43)
    for x in (20, 40, 90):
        cv2.line(
            page, (round(x * MM), round(40 * MM)), (round(x * MM), round(54 * MM)), (0, 0, 0), 2
        )
    for y in (40, 54):
        cv2.line(
            page, (round(20 * MM), round(y * MM)), (round(90 * MM), round(y * MM)), (0, 0, 0), 2
        )
    cells = (cell(20, 40, 40, 54), cell(40, 40, 90, 54))
    assert_masked(find_handwriting(page, DPI, read(line, cells=cells)), box)


def test_a_read_value_in_the_cell_beside_its_label_stays() -> None:
    page = sheet()
    label, value = printed(page, "经办人", 22, 44), printed(page, "欧阳宏", 50, 44)
    cells = (cell(20, 40, 40, 54), cell(40, 40, 90, 54))
    assert find_handwriting(page, DPI, read(label, value, cells=cells)) == ()


def test_prose_that_begins_like_a_label_stays_however_badly_it_is_read() -> None:
    page = sheet()
    line = printed(page, "经办人员应当核对", 20, 40)
    chars = tuple(replace(c, score=0.99 if i < 3 else 0.5) for i, c in enumerate(line.chars))
    prose = replace(line, chars=chars, score=0.6)
    signed(page, 34, 38)
    assert find_handwriting(page, DPI, read(prose)) == ()


def stamp(page: Image) -> Quad:
    centre = (round(75 * MM), round(60 * MM))
    cv2.circle(page, centre, round(20 * MM), RED_INK, 8)
    cv2.circle(page, centre, round(6 * MM), RED_INK, -1)
    return geometry.rectangle(54 * MM, 39 * MM, 96 * MM, 81 * MM)


def test_over_a_red_seal() -> None:
    page = sheet()
    seal = stamp(page)
    box = signed(page, 62, 56, seed=3)
    assert_masked(find_handwriting(page, DPI, read(), seals=[seal]), box)
    # A seal's own mask does not hide them: it may be lifted.
    mask = Finding(Kind.SEAL, seal, "", 0.9, "", "seals")
    assert_masked(find_handwriting(page, DPI, read(), [mask], [seal]), box)


def test_a_seal_over_print_holds_no_signature() -> None:
    page = sheet()
    seal = stamp(page)
    unread = printed(page, "某某某", 66, 70, score=0.4)
    label = printed(page, "负责人签字：", 50, 58)
    assert find_handwriting(page, DPI, read(unread), seals=[seal]) == ()
    assert find_handwriting(stamped_label(), DPI, read(label), seals=[seal]) == ()


def stamped_label() -> Image:
    page = sheet()
    printed(page, "负责人签字：", 50, 58)
    stamp(page)
    return page


@pytest.mark.parametrize(
    "text", ["评分：", "签字笔书写", "姓名由本人填写", "经办人员应当核对", "日期："]
)
def test_writing_that_no_label_asks_for_stays(text: str) -> None:
    page = sheet()
    line = printed(page, text, 20, 40)
    signed(page, 21 + len(text) * EM, 38)
    assert find_handwriting(page, DPI, read(line)) == ()


def test_print_behind_and_below_a_label_stays() -> None:
    page = sheet()
    label = printed(page, "签字：", 20, 40)
    date = printed(page, "二〇二四年九月", 40, 40)
    below = printed(page, "本表一式两份由单位存档", 16, 47)
    assert find_handwriting(page, DPI, read(label, date, below)) == ()


def test_a_value_that_was_read_is_left_to_the_other_finders() -> None:
    page = sheet()
    line = printed(page, "签名：李明", 20, 40)
    assert find_handwriting(page, DPI, read(line)) == ()


def test_nothing_is_masked_twice() -> None:
    page = sheet()
    line = printed(page, "签名：", 20, 40)
    signed(page, 35, 38)
    (first,) = find_handwriting(page, DPI, read(line))
    assert find_handwriting(page, DPI, read(line), [first]) == ()
    assert len(find_handwriting(page, DPI, read(line, line))) == 1


def test_a_shaded_cell_is_paper() -> None:
    page = sheet()
    page[round(36 * MM) : round(48 * MM), round(10 * MM) : round(100 * MM)] = 170
    line = printed(page, "签名：", 20, 40)
    assert find_handwriting(page, DPI, read(line)) == ()
    box = signed(page, 36, 38, pen=BLACK_PEN)
    assert_masked(find_handwriting(page, DPI, read(line)), box)


def test_an_empty_field_stays_empty() -> None:
    page = sheet()
    line = printed(page, "签名：", 20, 40)
    cv2.line(page, (round(34 * MM), round(45 * MM)), (round(80 * MM), round(45 * MM)), (0, 0, 0), 3)
    assert find_handwriting(page, DPI, read(line)) == ()
    assert find_handwriting(page, DPI, read()) == ()


@settings(max_examples=20, deadline=None)
@given(
    off=st.floats(0.8, 8), rise=st.floats(-2, 1), wide=st.floats(16, 32), high=st.floats(5, 9),
    seed=st.integers(0, 99),
)  # fmt: skip
def test_all_strokes_are_covered(
    off: float, rise: float, wide: float, high: float, seed: int
) -> None:
    page = sheet()
    box = signed(page, 20 + 3 * EM + off, 39 + rise, wide, high, seed=seed)
    line = printed(page, "签名：", 20, 40, end=box[2])
    (finding,) = find_handwriting(page, DPI, read(line))
    x0, _, x1, y1 = geometry.bounds(finding.quad)
    pen = np.argwhere((page[..., 0] > page[..., 2] + 40) & (page.min(axis=2) < 150))
    ys, xs = pen[:, 0], pen[:, 1]
    assert x0 <= xs.min() + 2
    assert x1 >= xs.max() - 2
    assert y1 >= ys.max() - 2


def test_strokes_read_in_part_behind_a_label_in_brackets_are_masked() -> None:
    page = sheet()
    label = printed(page, "乙方（签字）：", 20, 40)
    box = signed(page, 56, 38, 16, 7)
    scores = (0.7, 0.98)  # one of the strokes' two characters looks like print
    strokes = tuple(
        Char(text, geometry.rectangle(x * MM, 38 * MM, (x + 8) * MM, 46 * MM), score)
        for text, x, score in zip("点鹏", (56, 64), scores, strict=True)
    )
    chars = (*label.chars, *strokes)
    line = Line(chars, geometry.around([c.quad for c in chars]), 0.89)
    assert_masked(find_handwriting(page, DPI, read(line)), box)
