"""The start of a row is masked when the row above ends with the first half of a unit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from redactor import geometry
from redactor.finders.row_starts import find_row_starts
from redactor.page import Finding, Line
from tests.redactor.golden.boxes import identity, line, reading

UNIT = "巴音郭楞蒙古自治州水利工程质量监督站"
WHO = identity("李明", UNIT)
BEFORE = "经办人李明同意上报材料共四十六页所在单位"
START, EM = 100.0, 40.0


def found(*lines: Line) -> list[Finding]:
    return list(find_row_starts(reading(*lines), WHO))


def masked(findings: list[Finding], *points: tuple[float, float]) -> bool:
    boxes = [geometry.bounds(f.quad) for f in findings]
    return all(any(a <= x <= c and b <= y <= d for a, b, c, d in boxes) for x, y in points)


def high(row: Line) -> Line:
    """A row in the box that a seal's strokes made high."""
    stretched = np.array([[1.0, 0.0, 0.0], [0.0, 1.8, -0.8 * geometry.bounds(row.quad)[1]]])
    move = np.vstack([stretched, [0.0, 0.0, 1.0]])
    chars = tuple(replace(c, quad=geometry.mapped(c.quad, move)) for c in row.chars)
    return replace(row, chars=chars, quad=geometry.mapped(row.quad, move))


@given(st.integers(1, len(UNIT) - 1))
def test_both_halves_are_masked_wherever_the_row_parts_them_and_in_whichever_layers(
    size: int,
) -> None:
    above = line(BEFORE + UNIT[:size], START, 100)
    below = line(UNIT[size:] + "复核人张思杰", START, 160, layer="lifted")
    hidden = found(above, below)
    first = START + EM * len(BEFORE)
    for place in range(size):
        assert masked(hidden, (first + EM * (place + 0.5), 120))
    for place in range(len(UNIT) - size):
        assert masked(hidden, (START + EM * (place + 0.5), 180))
    assert not masked(hidden, (START + EM * (len(UNIT) - size + 0.6), 180))


def test_a_rest_in_a_box_that_a_seal_made_high_is_masked_where_it_was_read() -> None:
    below = high(line(UNIT[9:] + "复核人张思杰", START, 160))
    assert masked(found(line(BEFORE + UNIT[:9], START, 100), below), (START + EM / 2, 180))


def test_a_rest_that_was_not_read_is_masked_where_it_must_stand() -> None:
    """The row's right part tells where the row is, another paragraph where the column begins."""
    above = line(BEFORE + UNIT[:11], START + 80, 100)
    seen = line("材料共四十六页", START + 700, 160)
    other = line("本人承诺以上材料均真实有效如有虚假愿意承担责任", START, 600)
    hidden = found(above, seen, other)
    for place in range(len(UNIT) - 11):
        assert masked(hidden, (START + EM * (place + 0.5), 180))
    assert not masked(hidden, (START + EM * (len(UNIT) - 11 + 1), 180))


def test_a_rest_that_was_read_to_a_seals_edge_is_masked_beyond_it() -> None:
    above = line(BEFORE + UNIT[:2], START, 100)
    hidden = found(above, line(UNIT[2:12], START, 160, layer="lifted"))
    assert masked(hidden, *((START + EM * (place + 0.5), 180) for place in range(len(UNIT) - 2)))


def test_a_rest_with_misread_characters_is_masked() -> None:
    misread = UNIT[9:].replace("质量", "贡重")
    hidden = found(line(BEFORE + UNIT[:9], START, 100), line(misread, START, 160, layer="lifted"))
    assert masked(hidden, (START + EM * 4.5, 180))


def test_a_next_row_that_surely_reads_otherwise_stays() -> None:
    above = line(BEFORE + UNIT[:9], START, 100)
    assert found(above, line("项目区位于塔里木盆地东北缘属暖温带", START, 160)) == []


def test_a_rest_that_was_not_read_is_masked_one_row_on_as_other_rows_follow_each_other() -> None:
    above = line(BEFORE + UNIT[:11], START, 100)
    others = (line("本人承诺以上材料均真实有效", START, 600), line("如有虚假愿意承担", START, 670))
    hidden = found(above, *others)
    assert masked(hidden, (START + EM / 2, 190), (START + EM * 6.5, 190))


def test_a_row_that_ends_long_before_its_column_does_not_go_on() -> None:
    """In a form the next row is another field."""
    above = line("单位所在地" + UNIT[:9], START, 100)
    wide = line("本人承诺以上材料均真实有效如有虚假愿意承担责任特此说明", START, 600)
    assert found(above, line("有效期长期", START + 700, 160), wide) == []


def test_nothing_below_and_nothing_of_the_unit_find_nothing() -> None:
    assert found(line(BEFORE + UNIT[:9], START, 100)) == []
    assert found(line("经办人李明", START, 100), line("水利工程质量检查", START, 160)) == []
