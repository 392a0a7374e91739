"""The applicant's name and unit in Uyghur script are masked, by their text or by their place."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redactor import geometry
from redactor.arabic_reading import ArabicReader, line_of
from redactor.finders.arabic_script import FINDER, find_arabic_script, logical_lines
from redactor.page import Char, Finding, Image, Kind, Line, Quad, Reading
from tests.redactor.golden.boxes import identity, line, reading
from tests.redactor.golden.uyghur import LABEL, NAME, SEX, TEXT, UNIT, UNIT_LABEL, Sheet

HAN = "阿布都热合曼·买买提"
PERSON = identity(HAN, "巴州林草局", native_names=(NAME,), native_units=(UNIT,))
PLAIN = identity(HAN, "巴州林草局")


def written(*places: tuple[str, Quad]) -> ArabicReader:
    """A reader that knows what was written where."""

    def read(pixels: Image, quad: Quad) -> Line | None:
        for text, box in places:
            if geometry.overlap(box, quad) > 0.4:
                x0, y0, x1, y1 = (round(v) for v in geometry.bounds(box))
                words, left = [], x0
                for word in reversed(text.split()):
                    right = left + round((x1 - x0) * len(word) / len(text))
                    words.append(((left, y0, right, y1), word[::-1], 0.9))
                    left = right + 8
                return line_of(words[::-1], (0, 0), 1.0)
        return None

    return read


def han(text: str, x: float, y: float, kind: Kind = Kind.NAME) -> tuple[Line, Finding]:
    """A line of Chinese that was read, and the finding that covers all of it."""
    own = line(text, x, y)
    return own, Finding(kind, own.quad, text, 1.0, "roster name", "known")


def kinds(findings: tuple[Finding, ...], quad: Quad) -> set[Kind]:
    """What the masks over a place are for."""
    x, y = quad.mean(axis=0)
    found = set()
    for finding in findings:
        x0, y0, x1, y1 = geometry.bounds(finding.quad)
        if x0 <= x <= x1 and y0 <= y <= y1:
            found.add(finding.kind)
    return found


def test_the_name_is_found_wherever_it_can_be_read() -> None:
    sheet = Sheet()
    alone = sheet.write(NAME, 300, 500)
    text = sheet.write(TEXT, 300, 900)
    page, read = sheet.pixels, written((NAME, alone), (TEXT, text))
    findings, doubt = find_arabic_script(page, reading(), PERSON, (), read)
    assert kinds(findings, alone) == {Kind.NAME} and doubt == ()
    assert kinds(findings, text) == set()
    assert {finding.finder for finding in findings} == {FINDER}
    assert find_arabic_script(page, reading(), PLAIN, (), read) == ((), ())


@pytest.mark.parametrize(
    ("dx", "dy"),
    [(0, -60), (0, 60), (40, -55), (440, 0)],
    ids=["above", "below", "above, shifted", "beside"],
)
def test_the_translation_of_a_name_is_masked_unread(dx: int, dy: int) -> None:
    sheet = Sheet()
    own, finding = han(HAN, 300, 500)
    quad = sheet.write(NAME, 300 + dx, 490 + dy)
    findings, doubt = find_arabic_script(sheet.pixels, reading(own), PLAIN, (finding,), None)
    assert kinds(findings, quad) == {Kind.NAME}
    assert doubt == ()


def test_the_letterhead_in_two_scripts() -> None:
    sheet = Sheet()
    own, finding = han("巴音郭楞蒙古自治州林业和草原局", 300, 200, Kind.UNIT)
    quad = sheet.write(UNIT, 320, 120)
    findings, _ = find_arabic_script(sheet.pixels, reading(own), PLAIN, (finding,), None)
    assert kinds(findings, quad) == {Kind.UNIT}


def test_other_fields_and_running_text_beside_a_name_stay() -> None:
    sheet = Sheet()
    own, finding = han(HAN, 300, 500)
    sex = sheet.write(SEX, 320, 570, 34)
    far = sheet.write(NAME, 300, 700)
    places = (SEX, sex), (NAME, far)
    findings, doubt = find_arabic_script(
        sheet.pixels, reading(own), PLAIN, (finding,), written(*places)
    )
    assert kinds(findings, sex) == set() and kinds(findings, far) == set()
    assert doubt == ()
    sentence = line("一年来在" + HAN + "同志的带领下完成造林任务", 100, 500)
    inside = Finding(Kind.NAME, sentence.quad, HAN, 1.0, "roster name", "known")
    sheet = Sheet()
    below = sheet.write(TEXT, 120, 560)
    findings, _ = find_arabic_script(sheet.pixels, reading(sentence), PLAIN, (inside,), None)
    assert kinds(findings, below) == set()


@pytest.mark.parametrize(("label", "kind"), [("姓名：", Kind.NAME), ("工作单位", Kind.UNIT)])
def test_behind_a_chinese_label(label: str, kind: Kind) -> None:
    sheet = Sheet()
    quad = sheet.write(NAME, 330, 495)
    known = reading(line(label, 100, 500))
    findings, _ = find_arabic_script(sheet.pixels, known, PLAIN, (), None)
    assert kinds(findings, quad) == {kind}
    other = reading(line("备注：", 100, 500))
    assert find_arabic_script(sheet.pixels, other, PLAIN, (), None) == ((), ())


@pytest.mark.parametrize(
    ("read", "kind"), [("名：", Kind.NAME), ("作单位", Kind.UNIT), ("作位", Kind.UNIT)]
)
def test_behind_a_label_of_which_a_part_was_read(read: str, kind: Kind) -> None:
    """One box holds label and script, and the reader loses characters of the label."""
    sheet = Sheet()
    quad = sheet.write(NAME, 330, 495)
    part = line(read, 150, 500)
    whole = geometry.rectangle(100, 495, geometry.bounds(quad)[2], 545)
    merged = Line(part.chars, whole, 0.8)
    findings, _ = find_arabic_script(sheet.pixels, reading(merged), PLAIN, (), None)
    assert kinds(findings, quad) == {kind}
    # In a box of its own it is a word.
    assert find_arabic_script(sheet.pixels, reading(part), PLAIN, (), None) == ((), ())


def test_beside_a_name_far_off_only_where_nothing_stands_between() -> None:
    sheet = Sheet()
    own, finding = han(HAN, 100, 500)
    quad = sheet.write(NAME, 800, 490)
    between = line("民族", 600, 500)
    alone = find_arabic_script(sheet.pixels, reading(own), PLAIN, (finding,), None)[0]
    assert kinds(alone, quad) == {Kind.NAME}
    other = find_arabic_script(sheet.pixels, reading(own, between), PLAIN, (finding,), None)[0]
    assert kinds(other, quad) == set()


def test_in_the_cell_behind_a_label_that_is_printed_twice() -> None:
    sheet = Sheet()
    cells = [geometry.rectangle(100, 460, 460, 560), geometry.rectangle(460, 460, 1500, 560)]
    for cell in cells:
        sheet.rule(*geometry.bounds(cell))
    label = sheet.write(LABEL, 340, 490, 36)
    value = sheet.write(NAME, 1100, 485)
    known = reading(line("姓名", 120, 490), cells=cells)
    findings, _ = find_arabic_script(
        sheet.pixels, known, PLAIN, (), written((LABEL, label), (NAME, value))
    )
    assert kinds(findings, value) == {Kind.NAME}
    assert kinds(findings, label) == set()


def test_behind_a_uyghur_label() -> None:
    sheet = Sheet()
    label = sheet.write(LABEL, 1200, 500)
    value = sheet.write(NAME, 800, 500)
    line_quad = sheet.write(f"{UNIT_LABEL}: {UNIT}", 300, 700)
    read = written((LABEL, label), (NAME, value), (f"{UNIT_LABEL}: {UNIT}", line_quad))
    findings, _ = find_arabic_script(sheet.pixels, reading(), PLAIN, (), read)
    assert kinds(findings, value) == {Kind.NAME}
    assert kinds(findings, label) == set()
    (unit,) = (f for f in findings if f.kind is Kind.UNIT)
    x0, _, x1, _ = geometry.bounds(line_quad)
    left, _, right, _ = geometry.bounds(unit.quad)
    assert left <= x0 + 4 and x1 - 0.2 * (x1 - x0) < right < x1 - 0.05 * (x1 - x0)


def test_a_row_of_uyghur_labels_hides_none_of_them() -> None:
    sheet = Sheet()
    label = sheet.write(LABEL, 700, 500)
    next_label = sheet.write(UNIT_LABEL, 500, 500)
    read = written((LABEL, label), (UNIT_LABEL, next_label))
    assert find_arabic_script(sheet.pixels, reading(), PLAIN, (), read) == ((), ())


def test_unread_script_near_a_label_is_reported() -> None:
    sheet = Sheet()
    quad = sheet.write(NAME, 200, 590)
    known = reading(line("姓名：", 100, 500))
    findings, doubt = find_arabic_script(sheet.pixels, known, PLAIN, (), None)
    assert findings == ()
    (place,) = doubt
    assert place.kind is Kind.NAME and place.finder == FINDER
    assert geometry.overlap(place.quad, quad) > 0.6
    # Once it is read it is known to be something else.
    assert find_arabic_script(
        sheet.pixels, known, PLAIN, (), written((TEXT[:20], quad))
    ) == ((), ())  # fmt: skip


def reads(text: str, score: float) -> ArabicReader:
    """A reader that makes the same of everything."""

    def read(pixels: Image, quad: Quad) -> Line | None:
        x0, y0, x1, y1 = (round(v) for v in geometry.bounds(quad))
        return line_of([((x0, y0, x1, y1), text, score)], (0, 0), 1.0)

    return read


@pytest.mark.parametrize(
    ("text", "score", "doubts"),
    [
        (NAME.replace(" ", ""), 0.11, 1),  # all letters, however badly read
        (NAME[:8].replace(" ", "") + "=4‰,_-*", 0.14, 0),  # ink of something else
        (NAME[:3], 0.3, 0),  # a slanted rule or the edge of the sheet: too few for its length
        ("ىن", 0.0, 0),
        ("808", 0.44, 0),
    ],
)
def test_what_the_reader_takes_for_other_ink_is_not_reported(
    text: str, score: float, doubts: int
) -> None:
    sheet = Sheet()
    sheet.write(NAME, 200, 590)
    known = reading(line("姓名：", 100, 500))
    found, doubt = find_arabic_script(sheet.pixels, known, PLAIN, (), reads(text, score))
    assert found == ()
    assert len(doubt) == doubts


@pytest.mark.parametrize(("score", "masked"), [(0.45, {Kind.NAME}), (0.3, set())])
def test_small_script_that_hardly_looks_so_is_told_by_what_was_half_read(
    score: float, masked: set[Kind]
) -> None:
    small = "پاتىگۈل تۇرسۇن"
    sheet = Sheet()
    quad = sheet.write(small, 300, 300, 14)
    own = line("努尔买买提", 300, 330, 20)
    finding = Finding(Kind.NAME, own.quad, own.text, 1.0, "roster name", "known")
    read = reads(small.replace(" ", ""), score)
    findings, _ = find_arabic_script(sheet.pixels, reading(own), PLAIN, (finding,), read)
    assert kinds(findings, quad) == masked


def letters(text: str, x1: float, y: float, em: float = 20) -> list[Char]:
    """Letters of a text layer, the first one rightmost."""
    boxes = [
        geometry.rectangle(x1 - (i + 1) * em, y, x1 - i * em, y + 2 * em) for i in range(len(text))
    ]
    return [Char(c, box, 1.0) for c, box in zip(text, boxes, strict=True) if c != " "]


@given(st.randoms(use_true_random=False), st.booleans())
def test_a_text_layer_may_hold_letters_in_any_order(rng: Random, dots: bool) -> None:
    chars = letters(f"بۇ {NAME}نىڭ", 1000, 300) + letters(TEXT, 1000, 380)
    if dots:
        chars += [Char(c.text, c.quad[[0, 0, 3, 3]] * 0.5 + c.quad * 0.5, 1.0) for c in chars[::3]]
    rng.shuffle(chars)
    pieces = tuple(Line((c,), c.quad, 1.0) for c in chars)
    assert [x.text for x in logical_lines(pieces)] == [f"بۇ {NAME}نىڭ", TEXT]


def test_the_name_in_a_text_layer_is_masked_as_whole_words() -> None:
    chars = letters(f"بۇ {NAME}نىڭ", 1000, 300)
    page = Sheet().pixels
    known = Reading(tuple(Line((c,), c.quad, 1.0) for c in chars), (), (1600, 2200), 0, "test")
    findings, _ = find_arabic_script(page, known, PERSON, (), None)
    (mask,) = findings
    assert geometry.bounds(mask.quad) == pytest.approx((1000 - 20 * 23, 300, 1000 - 60, 340))
