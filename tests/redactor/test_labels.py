"""What stands behind a form's label is masked: read, unread, in cells and in running lines."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from redactor import geometry
from redactor.finders.labels import find_labels
from redactor.page import Finding, Image, Kind, Line, Quad
from redactor.profile import STRICT
from tests.redactor.golden.boxes import PAGE, line, reading, texts


def paper() -> Image:
    return np.full((PAGE[1], PAGE[0], 3), 250, np.uint8)


def scribbled(x: int, y: int, pixels: Image | None = None) -> Image:
    """Paper with pen strokes from (x, y) to (x + 120, y + 30)."""
    page = paper() if pixels is None else pixels
    points = [[x, y + 25], [x + 20, y], [x + 45, y + 30], [x + 70, y + 2], [x + 120, y + 28]]
    cv2.polylines(page, [np.array(points, np.int32)], False, (90, 40, 30), 4)
    return page


def found(
    *lines: Line,
    pixels: Image | None = None,
    cells: tuple[Quad, ...] = (),
    kinds: frozenset[Kind] = STRICT.kinds,
) -> list[Finding]:
    page = paper() if pixels is None else pixels
    return list(find_labels(page, reading(*lines, cells=cells), kinds))


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("姓名：李明", Kind.NAME, "李明"),
        ("姓　名：李明", Kind.NAME, "李明"),
        ("申报人：王秀英", Kind.NAME, "王秀英"),
        ("工作单位：库尔勒市第三中学", Kind.UNIT, "库尔勒市第三中学"),
        ("身份证号：652899198501014510", Kind.ID_NUMBER, "652899198501014510"),
        ("联系电话：0996-2012345", Kind.PHONE, "0996-2012345"),
        ("证书编号：ABC20210001", Kind.CERT_NUMBER, "ABC20210001"),
        ("家庭住址：库尔勒市人民东路1号", Kind.ADDRESS, "库尔勒市人民东路1号"),
    ],
)
def test_the_rest_of_the_line(text: str, kind: Kind, value: str) -> None:
    (finding,) = found(line(text))
    assert finding.kind is kind
    assert finding.text == value
    assert "label" in finding.why


def test_the_value_ends_where_the_next_field_begins() -> None:
    findings = found(line("姓名：李明 性别：男 工作单位：三中"))
    assert texts(findings) == ["三中", "李明"] or sorted(t.strip() for t in texts(findings)) == [
        "三中",
        "李明",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "性别：男",
        "现任职务：工程师",
        "本单位姓名笔画排序如下",
        "编号规则见附件",
        "项目名称：胡杨林更新",
        "联系电话簿",
    ],
)
def test_other_fields_and_sentences_stay(text: str) -> None:
    assert found(line(text)) == []


def test_a_number_field_that_holds_words_is_no_number() -> None:
    assert found(line("编号：见附件")) == []


def test_handwriting_beside_a_label_is_masked_by_its_ink() -> None:
    (finding,) = found(line("姓名：", 100, 100), pixels=scribbled(260, 105))
    x0, y0, x1, y1 = geometry.bounds(finding.quad)
    assert x0 <= 258
    assert x1 >= 382
    assert y0 <= 103
    assert y1 >= 137
    assert finding.kind is Kind.NAME


def test_an_empty_field_is_left_alone() -> None:
    assert found(line("姓名：", 100, 100)) == []


CELLS = (
    geometry.rectangle(90, 90, 250, 150),
    geometry.rectangle(252, 90, 500, 150),
    geometry.rectangle(502, 90, 660, 150),
    geometry.rectangle(662, 90, 900, 150),
)


def test_a_name_in_the_cell_to_the_right() -> None:
    row = (line("姓名", 110, 100), line("李明", 300, 100), line("性别", 540, 100))
    (finding,) = found(*row, cells=CELLS)
    assert finding.text == "李明"


def test_handwriting_in_the_cell_to_the_right() -> None:
    row = (line("姓名", 110, 100), line("性别", 540, 100), line("女", 700, 100))
    (finding,) = found(*row, cells=CELLS, pixels=scribbled(300, 105))
    x0, _, x1, _ = geometry.bounds(finding.quad)
    assert 252 <= x0 <= 298
    assert 422 <= x1 <= 500


BILINGUAL = (geometry.rectangle(90, 90, 480, 150), geometry.rectangle(482, 90, 1200, 150))
"""A label's cell with room for the label in another script, and the value's."""


@pytest.mark.parametrize("other", [(), (line(" ", 300, 100, score=0.4),)])
@pytest.mark.parametrize(
    ("label", "value"), [("家庭住址", "库尔勒市人民东路1号"), ("联系电话", "19900001234")]
)
def test_a_value_beside_a_label_in_two_scripts(
    label: str, value: str, other: tuple[Line, ...]
) -> None:
    row = (line(label, 110, 100), *other, line(value, 500, 100))
    findings = found(*row, cells=BILINGUAL, pixels=scribbled(290, 105))
    assert texts(f for f in findings if f.text.strip()) == [value]
    assert len(findings) == 2


def test_a_value_beside_a_cell_whose_neighbour_is_not_closed() -> None:
    """In the shadow of a hand the rules of the value's cell are lost; its row is asked instead."""
    label, value = line("证书编号", 110, 100), line("731155994555008024", 270, 100)
    below = line("2015年06月30日", 270, 180)
    assert texts(found(label, value, below, cells=CELLS[:1])) == ["731155994555008024"]


def test_a_value_beside_a_label_on_a_slanted_page() -> None:
    """Far behind its label it stands higher by more than a row."""
    turn = np.deg2rad(-8)
    matrix = np.array(
        [[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 90], [0, 0, 1]]
    )

    def slanted(row: Line) -> Line:
        chars = tuple(replace(c, quad=geometry.mapped(c.quad, matrix)) for c in row.chars)
        return replace(row, chars=chars, quad=geometry.mapped(row.quad, matrix))

    rows = (
        line("证书编号", 110, 100),
        line("731155994555008024", 510, 100),
        line("说明", 510, 155),
    )
    assert texts(found(*map(slanted, rows))) == ["731155994555008024"]


def test_a_splinter_between_two_cells_holds_no_value() -> None:
    """A crease beside a rule closes in a narrow cell."""
    cells = (geometry.rectangle(478, 90, 498, 150), *BILINGUAL[:1],
             geometry.rectangle(500, 90, 1200, 150))  # fmt: skip
    row = (line("家庭住址", 110, 100), line("库尔勒市人民东路1号", 520, 100))
    assert texts(found(*row, cells=cells)) == ["库尔勒市人民东路1号"]


def test_a_heading_beside_a_label_with_room_behind_it_stays() -> None:
    row = (line("姓名", 110, 100), line("第一债务人", 500, 100))
    assert found(*row, cells=BILINGUAL) == []


def test_a_value_in_the_cell_of_its_label_is_the_only_one() -> None:
    row = (line("签名：", 110, 100), line("李明", 290, 100), line("王强", 500, 100))
    assert texts(found(*row, cells=BILINGUAL)) == ["李明"]
    signed = (line("签名：", 110, 100), line("王强", 500, 100))
    (ink,) = found(*signed, cells=BILINGUAL, pixels=scribbled(290, 105))
    assert ink.text == ""


def test_a_header_row_has_no_values() -> None:
    assert found(line("姓名", 110, 100), line("性别", 300, 100), cells=CELLS) == []


def test_only_kinds_that_were_asked_for() -> None:
    assert found(line("姓名：李明"), kinds=frozenset({Kind.UNIT})) == []


def test_who_is_assessed_signs_for_himself_and_who_assesses_for_another() -> None:
    """A signature by hand may be read surely and wrongly."""
    assert texts(found(line("被考核人签名：李朋"))) == ["李朋"]
    assert found(line("考核人签名：王强")) == []


def test_a_watermark_or_a_stamp_has_no_labels() -> None:
    assert found(line("姓名：李明", layer="pale")) == []


def test_an_address_after_a_lost_gap_is_told_by_its_place() -> None:
    (finding,) = found(line("住址 湖南省长沙市开福区巡道街"))
    assert finding.kind is Kind.ADDRESS
    assert finding.text.strip() == "湖南省长沙市开福区巡道街"
    assert found(line("住址变更须在三十日内申报")) == []


def test_an_address_goes_on_at_the_left_edge_of_its_paragraph() -> None:
    first = line("将继续做好示范推广。通讯地址：新疆库尔勒市", 100, 100)
    second = line("人民东路131号8栋4单元101室；电子邮箱：", 100, 160)
    hidden = [f.text for f in found(first, second) if f.kind is Kind.ADDRESS]
    assert hidden == ["新疆库尔勒市", "人民东路131号8栋4单元101室"]
    other = line("本项目共栽植红枣30亩，成活率良好", 100, 160)
    assert [f.text for f in found(first, other)] == ["新疆库尔勒市"]


@pytest.mark.parametrize(
    ("value", "below", "rest"),
    [
        ("yanli8@examp1", "e.org", ["e.org"]),
        ("yanli98", "@example.org；地址不详", ["@example.org"]),
        ("yanli98@example.org", "example", []),
        ("yanli98@examp", "成活率良好", []),
    ],
)
def test_an_email_address_goes_on_in_the_next_row(value: str, below: str, rest: list[str]) -> None:
    """Also where a misread character keeps it from being known as the applicant's."""
    first = line("主要从事群众文化工作多年。E-mail：" + value, 100, 100)
    hidden = [f.text for f in found(first, line(below, 100, 160)) if f.kind is Kind.EMAIL]
    assert hidden == [value, *rest]


def test_an_address_goes_on_in_the_next_row_of_a_slanted_page() -> None:
    turn = np.deg2rad(5)
    matrix = np.array(
        [[np.cos(turn), -np.sin(turn), 60], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]]
    )

    def slanted(row: Line) -> Line:
        chars = tuple(replace(c, quad=geometry.mapped(c.quad, matrix)) for c in row.chars)
        return replace(row, chars=chars, quad=geometry.mapped(row.quad, matrix))

    label, first = line("住址", 100), line("新疆库尔勒市萨依巴格", 260)
    second = line("路116号6栋1单元301室", 260, 152)
    findings = found(slanted(label), slanted(first), slanted(second))
    assert sorted(texts(findings)) == sorted(["新疆库尔勒市萨依巴格", "路116号6栋1单元301室"])
