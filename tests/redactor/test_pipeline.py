"""Golden pages: drawn, read by the real reader, masked, and judged by their pixels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from redactor import geometry
from redactor.identity import identity_of
from redactor.judgement import judge
from redactor.page import Finding, Kind, Line, SourcePage, State
from redactor.pipeline import read, redact_page
from redactor.profile import NOTICE, STRICT
from redactor.quality import Quality
from redactor.reading import Reader, shared_reader
from redactor.reading_cache import ReadingCache
from sample_scans.canvas import RED, Canvas, Style
from sample_scans.marks import seal
from tests.redactor.golden.boxes import line, reading
from tests.redactor.golden.pages import OWN, Outcome, judged, own, pixels_of, scribble, sheet

TEXT = Style(size=12)
SENTENCE = ["2023年度，本单位职工", own("诸葛晓岚"), "同志承担胡杨林更新项目，成绩优秀。"]


def sentence() -> Canvas:
    canvas = sheet(150, 40)
    canvas.paragraph(12, 10, 126, SENTENCE, TEXT)
    return canvas


def spaced() -> Canvas:
    canvas = sheet(150, 45)
    canvas.line(75, 8, own("诸葛晓岚", form="spaced"), Style(size=16, gap=1.6), "center")
    canvas.line(12, 26, "经评审委员会评审，具备工程师任职资格。", TEXT)
    return canvas


def vertical() -> Canvas:
    canvas = sheet(70, 120)
    canvas.column(50, 10, ["兹聘请", own("诸葛晓岚"), "先生为顾问"], Style(size=15))
    canvas.column(30, 10, "聘期三年特发此证", Style(size=15))
    return canvas


def wrapped_unit() -> Canvas:
    canvas = sheet(100, 55)
    parts = ["本人自二〇一九年起在", own(OWN.unit, "unit"), "从事技术工作，现申报高级工程师。"]
    canvas.paragraph(10, 8, 78, parts, TEXT)
    return canvas


def numbers() -> Canvas:
    canvas = sheet(150, 60)
    canvas.line(12, 8, ["公民身份号码 ", own("652899198501014510", "id_number")], TEXT)
    canvas.line(12, 22, ["联系电话：", own("199-0000-1234", "phone")], TEXT)
    canvas.line(12, 36, ["电子邮箱：", own("zhuge.xl@example.cn", "email")], TEXT)
    return canvas


def form() -> Canvas:
    canvas = sheet(160, 70)
    cells = canvas.table(10, 10, (30, 45, 30, 45), (12, 12, 12))
    rows = (("姓    名", "", "性    别", "女"), ("出生年月", "1985.01", "民    族", "汉族"))
    for row, texts in zip(cells, rows, strict=False):
        for cell, text in zip(row, texts, strict=True):
            if text:
                canvas.cell(cell, text, Style(size=11))
    canvas.cell(cells[2][0], "工作单位", Style(size=11))
    canvas.cell(cells[2][1], own("州林草局", "unit"), Style(size=11))
    x, y, width, height = cells[0][1]
    scribble(canvas, x + 8, y + 2.5, width - 18, height - 5)
    return canvas


def watermark() -> Canvas:
    canvas = sheet(150, 100)
    pale = Style(face="sans", size=44, colour=(190, 190, 190))
    canvas.line(20, 30, own("诸葛晓岚", form="watermark"), pale)
    canvas.line(12, 8, "本材料仅用于职称评审，不得作其他用途。", TEXT)
    canvas.line(12, 84, "第一页共三页", TEXT)
    return canvas


def white_on_colour() -> Canvas:
    canvas = sheet(150, 45)
    canvas.area(0, 5, 150, 25, (170, 30, 35))
    white = Style(face="sans", size=18, colour=(250, 250, 250))
    canvas.line(75, 9, [own("诸葛晓岚"), "创新工作室"], white, "center")
    canvas.line(12, 32, "二〇二三年度工作简报", TEXT)
    return canvas


def small_print() -> Canvas:
    canvas = sheet(110, 40, dpi=200)
    canvas.line(8, 8, "设计说明：本图按现行规范绘制，尺寸以毫米计。", Style(size=6))
    canvas.line(8, 14, ["制图 ", own("诸葛晓岚"), " 校核 王五 审定 赵六"], Style(size=6))
    return canvas


def certificate() -> Canvas:
    """A page in landscape with large letters, little text and a frame."""
    canvas = sheet(210, 148, dpi=90)
    canvas.area(8, 8, 202, 140, None, RED, 1.2)
    canvas.line(105, 24, "荣誉证书", Style(face="sans", size=40, colour=RED), "center")
    canvas.line(30, 62, [own("诸葛晓岚"), "同志："], Style(size=22))
    canvas.line(42, 84, "在2022年度工作中成绩突出，特授予先进个人称号。", Style(size=15))
    canvas.line(180, 118, "二〇二二年十二月", Style(size=14), "right")
    return canvas


def letterhead() -> Canvas:
    canvas = sheet(190, 50)
    red = Style(face="sans", size=26, colour=RED)
    canvas.line(95, 8, [own(OWN.unit, "unit", "letterhead")], red, "center")
    canvas.line(95, 32, own("巴林草〔2024〕12号", "document_number"), Style(size=12), "center")
    return canvas


def single_line() -> Canvas:
    canvas = sheet(120, 160, dpi=90)
    canvas.line(12, 70, ["申报人诸事已毕，", own("诸葛晓岚"), "二〇二三年"], Style(size=14))
    return canvas


PAGES = {
    draw.__name__: draw
    for draw in (
        sentence,
        spaced,
        vertical,
        wrapped_unit,
        numbers,
        form,
        watermark,
        white_on_colour,
        small_print,
        certificate,
        letterhead,
        single_line,
    )
}


def check(outcome: Outcome, lost: int = 0) -> None:
    assert outcome.verdicts, "a page without anything to hide proves nothing"
    assert outcome.wrong() == [], outcome.why()
    assert outcome.lost <= lost, (outcome.lost, outcome.kept, outcome.why())


@pytest.mark.parametrize("name", list(PAGES))
def test_everything_of_the_applicant_is_hidden_and_nothing_else(name: str) -> None:
    check(judged(PAGES[name]()))


@pytest.mark.parametrize("rotation", [90, 180, 270])
@pytest.mark.parametrize("name", ["sentence", "certificate", "single_line"])
def test_a_page_that_arrives_turned(name: str, rotation: int) -> None:
    outcome = judged(PAGES[name](), rotation)
    assert outcome.page.reading.rotation == rotation
    check(outcome)


@pytest.mark.parametrize(
    "written", ["阿布都热合曼·买买提", "阿布都热合曼．买买提", "阿布都热合曼 买买提"]
)
def test_an_interpunct_name(written: str) -> None:
    who = replace(OWN, name="阿布都热合曼·买买提", id_number=None)
    canvas = sheet(150, 40)
    canvas.line(12, 10, ["项目负责人", own(written), "，参加人王五。"], TEXT)
    # The comma's ink begins within the name's margin; no character is lost.
    check(judged(canvas, who=who), lost=1)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("李明", "校园里桃李明年开花，国王一号机组已验收。"),
        ("王一", "国王一号机组已于去年完成验收。"),
    ],
)
def test_ordinary_words_stay(name: str, text: str) -> None:
    canvas = sheet(150, 45)
    canvas.line(12, 10, text, TEXT)
    canvas.line(12, 26, ["姓名：", own(name), "    性别：男"], TEXT)
    check(judged(canvas, who=replace(OWN, name=name, id_number=None)))


def test_the_notice_leaves_numbers_and_masks_names_and_units() -> None:
    canvas = sheet(150, 45)
    canvas.line(12, 10, ["单位：", own(OWN.unit, "unit"), "，", own("诸葛晓岚")], TEXT)
    canvas.line(12, 26, ["联系电话：199-0000-1234"], TEXT)
    check(judged(canvas, profile=NOTICE))


def test_doing_nothing_would_be_seen() -> None:
    """The judge is no rubber stamp: with another person's roster row the name leaks."""
    outcome = judged(sentence(), who=replace(OWN, name="欧阳建国", unit="", id_number=None))
    assert [v.outcome for v in outcome.verdicts] == ["leaked"]


def no_reader() -> Reader:
    raise AssertionError("the cache has this reading")


def test_a_second_run_needs_no_reader_and_masks_the_same(tmp_path: Path) -> None:
    source = SourcePage(pixels_of(sentence()), 120.0)
    cache = ReadingCache(tmp_path)
    who = identity_of(OWN)
    first = redact_page(source, who, STRICT, shared_reader, cache)
    second = redact_page(source, who, STRICT, no_reader, cache)
    assert np.array_equal(first.masked, second.masked)
    assert len(first.findings) == len(second.findings) > 0
    other = redact_page(
        source, identity_of(replace(OWN, name="王五", unit="")), STRICT, no_reader, cache
    )
    assert not any(f.kind is Kind.NAME for f in other.findings)


def test_the_text_of_a_pdf_is_a_second_reading(tmp_path: Path) -> None:
    """What the PDF itself says is found also where the pixels show something unreadable."""
    blank = np.full((300, 900, 3), 255, np.uint8)
    text: Line = line("职工诸葛晓岚同志", 100, 100, layer="text")
    source = SourcePage(blank, 120.0, (text,))
    page = redact_page(source, identity_of(OWN), STRICT, shared_reader)
    (finding,) = (f for f in page.findings if f.kind is Kind.NAME)
    assert finding.text == "诸葛晓岚"
    assert (page.masked[102:138, 182:338] == 0).all()


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_the_text_of_a_turned_pdf_is_turned_with_the_page(tmp_path: Path, rotation: int) -> None:
    pixels = np.full((300, 900, 3), 255, np.uint8)
    source = SourcePage(pixels, 120.0, (line("诸葛晓岚", 100, 100, layer="text"),))
    cache = ReadingCache(tmp_path)
    from redactor.reading import reader_version
    from redactor.reading_cache import reading_key

    kept = replace(reading(), rotation=rotation, size=(900, 300))
    cache.put(reading_key(pixels, reader_version()), kept)
    upright, _ = read(source, no_reader, cache)
    page, found = upright.pixels, upright.reading
    assert page.shape[:2] == ((300, 900) if rotation in (0, 180) else (900, 300))
    (layer,) = found.lines
    expected = geometry.mapped(
        geometry.rectangle(100, 100, 260, 140), geometry.quarter_turn(rotation, (900, 300))
    )
    assert np.allclose(layer.quad, expected)


def test_a_page_that_was_read_badly_goes_to_a_person() -> None:
    text = "一二三四五六七八九十" * 3
    sharp = Quality(0.9, 200)
    assert judge(reading(line(text, score=0.4)), (), (), sharp)[0] is State.REVIEW
    assert judge(reading(line(text, score=0.95)), (), (), sharp)[0] is State.CLEAN
    blurred = Quality(0.2, 200, ("blurred",))
    assert judge(reading(line(text, score=0.95)), (), (), blurred)[0] is State.REVIEW


def test_a_page_without_legible_text_is_clean_only_if_blank_or_a_portrait() -> None:
    sharp = Quality(0.9, 200)
    assert judge(reading(), (), (), sharp)[0] is State.REVIEW
    assert judge(reading(line("一二三", score=0.3)), (), (), sharp)[0] is State.REVIEW
    assert judge(reading(), (), (), Quality(0.9, 200, ("blank",)))[0] is State.CLEAN
    eyes = Finding(Kind.EYES, geometry.rectangle(0, 0, 9, 9), "", 0.9, "face", "faces")
    assert judge(reading(), (eyes,), (), sharp)[0] is State.CLEAN


def stamped() -> Canvas:
    """A red seal over a line of print, and a name elsewhere."""
    canvas = sheet(150, 90, dpi=150)
    canvas.line(12, 8, ["职工", own("诸葛晓岚"), "同志年度考核优秀。"], TEXT)
    canvas.line(30, 48, "经研究同意上报材料真实有效", TEXT)
    seal(canvas, 62, 52, OWN.unit, OWN.number, size=40)
    return canvas


def seal_middle(found: Finding) -> tuple[slice, slice]:
    """Half the seal's box around its middle."""
    x0, y0, x1, y1 = geometry.bounds(geometry.grown(found.quad, -100, -100))
    return slice(int(y0), int(y1)), slice(int(x0), int(x1))


def test_a_seal_is_lifted_only_on_demand_and_its_print_stays_readable() -> None:
    who = identity_of(OWN)
    source = SourcePage(pixels_of(stamped()), 150.0)
    solid = redact_page(source, who, STRICT, shared_reader)
    lifting = replace(STRICT, seals="lift")
    lifted = redact_page(source, who, lifting, shared_reader)
    for page, expected in ((solid, False), (lifted, True)):
        (found,) = (f for f in page.findings if f.kind is Kind.SEAL)
        assert found.lifted is expected
        assert (page.masked[seal_middle(found)] == 0).all() is not expected
        assert page.state is State.CLEAN
    assert not any(
        "研究同意" in line.text
        for line in shared_reader().read_lines(solid.masked, shared_reader().detect(solid.masked))
    )
    again = shared_reader().read_lines(lifted.masked, shared_reader().detect(lifted.masked))
    assert any("研究同意上报" in line.text for line in again)
    assert not any("巴音郭楞" in line.text for line in again)


def test_a_seal_that_cannot_be_lifted_is_painted_over() -> None:
    canvas = stamped()
    grey = np.repeat(pixels_of(canvas).min(axis=2)[:, :, None], 3, axis=2)
    lifting = replace(STRICT, seals="lift")
    page = redact_page(SourcePage(grey, 150.0), identity_of(OWN), lifting, shared_reader)
    (found,) = (f for f in page.findings if f.kind is Kind.SEAL)
    assert not found.lifted
    assert (page.masked[seal_middle(found)] == 0).all()
