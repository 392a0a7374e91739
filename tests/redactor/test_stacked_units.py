"""A unit in short rows over each other is masked as a block, with what was not read of it."""

from __future__ import annotations

from redactor import geometry
from redactor.finders.stacked_units import find_stacked_units
from redactor.page import Finding, Line
from tests.redactor.golden.boxes import identity, line, reading

UNIT = "新疆维吾尔自治区地质矿产勘查开发局第三地质大队"
WHO = identity("李明", UNIT)
ROWS = ("疆维吾", "治区地质", "产勘查开", "发局第三地", "质大队")
"""As a fax left them: 新, 尔, 自 and 矿 are gone."""


def found(*lines: Line) -> list[Finding]:
    return list(find_stacked_units(reading(*lines), WHO))


def stack(rows: tuple[str, ...], layer: str = "ink", step: float = 50) -> list[Line]:
    return [line(text, 540, 300 + step * i, layer=layer) for i, text in enumerate(rows)]


def test_the_block_is_masked_as_one_with_the_places_of_what_was_not_read() -> None:
    (block,) = found(*stack(ROWS))
    x0, y0, x1, y1 = geometry.bounds(block.quad)
    assert x0 < 540 and x1 > 540 + 40 * 5
    assert y0 < 300 and y1 > 300 + 50 * 4 + 40


def test_a_row_in_two_pieces_counts_as_one() -> None:
    pieces = stack(ROWS[:1] + ROWS[2:], step=50)
    moved = [pieces[0], *(line(t, 540, 400 + 50 * i) for i, t in enumerate(ROWS[2:]))]
    second = [line("自", 540, 350), line("治区地质", 584, 352)]
    assert len(found(*moved, *second)) == 1


def test_a_block_of_other_words_or_of_few_characters_of_the_unit_stays() -> None:
    assert found(*stack(("地质矿产", "资源储量", "勘查报告", "第三卷"))) == []
    assert found(*stack(ROWS[:2])) == []
    assert found(*stack(("新疆", "大队"))) == []


def test_rows_of_a_paragraph_are_no_block() -> None:
    around = (
        "经核对上述材料与原件相符",
        "同意上报" + UNIT[:9],
        UNIT[9:] + "复核人",
        "材料共四十六页",
    )
    assert found(*stack(around)) == []


def test_rows_far_apart_are_no_block() -> None:
    assert found(*stack(ROWS, step=160)) == []


def test_a_piece_of_another_seal_far_beside_a_row_is_none_of_it() -> None:
    block = stack(ROWS)
    (alone,) = found(*block)
    (beside,) = found(*block, line("大队", 60, 400))
    assert geometry.bounds(beside.quad) == geometry.bounds(alone.quad)


def test_a_block_that_was_read_without_a_mistake_is_left_to_the_text_finders() -> None:
    rows = ("新疆维吾尔", "自治区地质", "矿产勘查开", "发局第三地", "质大队")
    assert found(*stack(rows)) == []
