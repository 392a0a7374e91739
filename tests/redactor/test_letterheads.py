"""Letterheads are found by their ink when text alone misses them, and headings are left alone."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import pylopdf_fonts_zh_cn
import pytest
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from redactor import geometry
from redactor.finders.letterheads import FINDER, find_letterheads
from redactor.page import Char, Finding, Image, Kind, Line, Quad
from tests.redactor.golden.boxes import identity, reading, texts

SIZE = (1600, 2200)
RED, BLACK, GREY = (205, 28, 32), (30, 30, 30), (95, 95, 95)
UNIT = "巴音郭楞蒙古自治州林业和草原局"
OWN = identity("张晓岚", f"{UNIT}种苗站")
NUMBER, OTHER_NUMBER = "巴林草发〔2023〕5号", "库教发〔2023〕12号"


class Document:
    """An A4 page at 194 dpi; what is written is also read, unless it is said to be left out."""

    def __init__(self) -> None:
        self._image = Pillow.new("RGB", SIZE, (252, 252, 250))
        self._draw = ImageDraw.Draw(self._image)
        self.lines: list[Line] = []

    def write(
        self,
        text: str,
        y: int,
        em: int,
        colour: tuple[int, int, int] = RED,
        gap: float = 0.0,
        x: int | None = None,
        unread: str = "",
    ) -> Quad:
        """One line in the middle (or from x); glyphs of `unread` are drawn but not read."""
        font = ImageFont.truetype(str(pylopdf_fonts_zh_cn.serif_path()), em)
        step = round(em * (1 + gap))
        left = at = (SIZE[0] - step * len(text)) // 2 if x is None else x
        run = ""
        start = at
        for glyph in text:
            self._draw.text((at, y), glyph, colour, font, "la", stroke_width=1)
            if glyph in unread:
                self._read(run, start, y, em, step)
                run, start = "", at + step
            else:
                run += glyph
            at += step
        self._read(run, start, y, em, step)
        return geometry.rectangle(left, y, at, y + em)

    def _read(self, text: str, x: int, y: int, em: int, step: int) -> None:
        if text:
            self.lines.append(cut_line(text, x, x + step * len(text), y, y + em * 1.3))

    def rule(self, y: int, colour: tuple[int, int, int] = RED) -> None:
        self._draw.rectangle((180, y, 1420, y + 5), fill=colour)

    def body(self, y: int = 1000) -> None:
        for row in range(12):
            self.write("各县市要结合实际认真抓好落实按期上报进展情况", y + 80 * row, 44, BLACK)

    @property
    def pixels(self) -> Image:
        return np.ascontiguousarray(np.asarray(self._image)[:, :, ::-1])

    def found(self, others: bool) -> tuple[Finding, ...]:
        return find_letterheads(self.pixels, reading(*self.lines), OWN, others)


def hides(findings: Sequence[Finding], quad: Quad) -> bool:
    x0, y0, x1, y1 = geometry.bounds(quad)
    slack = 0.2 * (y1 - y0)
    return any(
        fx0 <= x0 + slack and fy0 <= y0 + 2 * slack and fx1 >= x1 - 2 * slack and fy1 >= y1 - slack
        for fx0, fy0, fx1, fy1 in (geometry.bounds(f.quad) for f in findings)
    )


@pytest.mark.parametrize("others", [True, False], ids=["strict", "notice"])
@pytest.mark.parametrize(
    ("text", "gap", "unread"),
    [("巴州林草局文件", 0.3, "巴州"), (UNIT, 0.0, "自治州"), (UNIT + "文件", 0.0, UNIT + "文件")],
)
def test_the_own_letterhead_that_was_read_in_part(
    others: bool, text: str, gap: float, unread: str
) -> None:
    page = Document()
    head = page.write(text, 300, 1300 // (len(text) + 3), gap=gap, unread=unread)
    page.write(NUMBER, 560, 44, BLACK)
    page.rule(650)
    page.body()
    units = [f for f in page.found(others) if f.kind is Kind.UNIT]
    assert hides(units, head)
    assert {f.finder for f in units} == {FINDER}


def test_the_own_letterhead_that_was_read_twice_in_part_or_cut() -> None:
    """Two boxes overlap; half a glyph at the edge of a box is misread."""
    page = Document()
    head = page.write(UNIT, 300, 80, unread=UNIT)
    page.write(NUMBER, 560, 44, BLACK)
    page.body()
    x0, y0, x1, y1 = geometry.bounds(head)
    for text, start, end in ((UNIT[:7], 0, 7 / 15), (UNIT[5:], 5 / 15, 1)):
        left, right = x0 + start * (x1 - x0), x0 + end * (x1 - x0)
        page.lines.append(cut_line(text, left, right, y0, y1 + 20))
    assert hides(page.found(others=False), head)
    page.lines[-2:] = [cut_line("口草原局", x0 + 11 / 15 * (x1 - x0), x1, y0, y1 + 20)]
    assert hides(page.found(others=False), head)


def cut_line(text: str, x0: float, x1: float, y0: float, y1: float) -> Line:
    step = (x1 - x0) / len(text)
    boxes = [
        geometry.rectangle(x0 + i * step, y0, x0 + (i + 1) * step, y1) for i in range(len(text))
    ]
    chars = tuple(Char(c, box, 0.99) for c, box in zip(text, boxes, strict=True))
    return Line(chars, geometry.around(boxes), 0.99)


@pytest.mark.parametrize("text", [UNIT[:9] + "水利局文件", UNIT[:9] + "农业农村局", "自治州林业局"])
def test_a_neighbour_that_shares_most_characters_stays_under_notice(text: str) -> None:
    page = Document()
    page.write(text, 300, 90)
    page.rule(650)
    page.body()
    assert page.found(others=True) != ()
    assert page.found(others=False) == ()


def test_every_letterhead_goes_under_strict_with_its_number() -> None:
    page = Document()
    head = page.write("库尔勒市教育局文件", 300, 130)
    number = page.write(OTHER_NUMBER, 560, 44, BLACK)
    page.rule(650)
    page.write("关于表彰优秀教师的通知", 760, 60, BLACK)
    page.write("根据《通知》（库教发〔2022〕3号）精神", 1240, 44, BLACK)
    page.body(1320)
    findings = page.found(others=True)
    assert texts(findings) == ["库尔勒市教育局文件", OTHER_NUMBER]
    assert hides(findings, head) and hides(findings, number)
    assert page.found(others=False) == ()


def test_several_organs_in_one_letterhead() -> None:
    page = Document()
    rows = [
        page.write(name, y, 78, x=140)
        for name, y in ((UNIT[:9] + "林草局", 240), (UNIT[:9] + "水利局", 370),
                        (UNIT[:9] + "财政局", 500))
    ]  # fmt: skip
    page.write("文件", 360, 120, x=1180)
    page.write("巴林草联发〔2023〕7号", 680, 44, BLACK)
    page.body()
    findings = page.found(others=True)
    assert all(hides(findings, row) for row in rows)


def test_a_grey_copy_needs_a_number_or_the_word() -> None:
    for text, number, goes in (
        ("库尔勒市教育局文件", "", True),
        ("库尔勒市教育局", OTHER_NUMBER, True),
        ("库尔勒市教育局", "", False),
    ):
        page = Document()
        head = page.write(text, 300, 130, GREY)
        page.rule(650, GREY)
        if number:
            page.write(number, 560, 44, BLACK)
        page.body()
        assert hides(page.found(others=True), head) is goes


@pytest.mark.parametrize(
    ("text", "em", "colour", "ruled", "number"),
    [
        ("荣誉证书", 170, RED, False, ""),
        ("新疆农业大学", 120, RED, False, ""),
        ("学习贯彻二十大精神", 110, RED, True, ""),
        ("关于推荐评审人选的函", 62, BLACK, True, OTHER_NUMBER),
        ("关于推荐评审人选的函", 110, RED, True, OTHER_NUMBER),
        ("专业技术职务任职资格评审表", 60, BLACK, False, OTHER_NUMBER),
        ("库尔勒市教育局", 60, BLACK, True, OTHER_NUMBER),
    ],
)
def test_headings_stay(
    text: str, em: int, colour: tuple[int, int, int], ruled: bool, number: str
) -> None:
    page = Document()
    page.write(text, 300, em, colour)
    if ruled:
        page.rule(650)
    if number:
        page.write(number, 560, 44, BLACK)
    page.body()
    assert page.found(others=True) == ()


def test_a_red_title_that_was_read_in_part_stays() -> None:
    page = Document()
    page.write("关于表彰优秀教师的通知", 300, 110, unread="优秀")
    page.write(OTHER_NUMBER, 560, 44, BLACK)
    page.body()
    assert page.found(others=True) == ()


@pytest.mark.parametrize("numbered", [True, False])
def test_a_grey_row_that_was_read_in_part_needs_a_number(numbered: bool) -> None:
    page = Document()
    head = page.write("巴州林草局文件", 300, 120, GREY, gap=0.3, unread="巴州局文件")
    if numbered:
        page.write(NUMBER, 560, 44, BLACK)
    page.body()
    assert hides(page.found(others=False), head) is numbered


def test_a_letterhead_in_part_of_somebody_else_stays_under_notice() -> None:
    page = Document()
    page.write("和硕县畜牧兽医站文件", 300, 120, unread="县")
    page.rule(650)
    page.body()
    assert page.found(others=True) != ()
    assert page.found(others=False) == ()


def test_seals_photos_and_the_lower_half_hold_no_letterhead() -> None:
    page = Document()
    page.body(200)
    page.write("库尔勒市教育局文件", 1500, 120)
    page.rule(1700)
    pixels = page.pixels
    cv2.circle(pixels, (1100, 500), 160, (40, 40, 210), 9)
    rng = np.random.default_rng(5)
    pixels[100:500, 100:400] = cv2.resize(rng.integers(0, 255, (40, 30, 3), np.uint8), (300, 400))
    assert find_letterheads(pixels, reading(*page.lines), OWN, True) == ()


def test_a_blank_and_a_tiny_page() -> None:
    for size in ((2200, 1600), (20, 12)):
        blank = np.full((*size, 3), 250, np.uint8)
        assert find_letterheads(blank, reading(), OWN, True) == ()
