"""The end of a row is masked when the next row begins with the rest of a unit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from redactor import geometry
from redactor.finders.row_ends import find_row_ends
from redactor.page import Finding, Line
from tests.redactor.golden.boxes import identity, line, reading

UNIT = "巴音郭楞蒙古自治州水利工程质量监督站"
WHO = identity("李明", UNIT)
REST = "州水利工程质量监督站。复核人张思杰，材料共四十六页装订成册"
START = 100.0


def found(*lines: Line) -> list[Finding]:
    return list(find_row_ends(reading(*lines), WHO))


def test_the_end_above_the_rest_is_masked_as_wide_as_what_is_missing() -> None:
    below = line(REST, START, 160)
    hidden, rest = found(line("经核对同意上报经办人李明", START, 100), below)
    _, _, right, _ = geometry.bounds(below.quad)
    pitch = geometry.width(below.quad) / len(REST)
    x0, y0, x1, y1 = geometry.bounds(hidden.quad)
    assert abs(x1 - right) < 2
    assert abs((x1 - x0) - pitch * len("巴音郭楞蒙古自治")) < pitch
    assert y0 < 100 + geometry.height(below.quad) / 2 < y1 < 160 + geometry.height(below.quad) / 2
    assert rest.text == "州水利工程质量监督站"
    assert geometry.bounds(rest.quad)[2] == geometry.bounds(below.chars[9].quad)[2]


def test_a_first_half_that_was_read_is_masked_where_it_was_read_in_whichever_layer() -> None:
    above = line("经办人李明同意上报材料共四十六页所在单位巴音郭楞蒙古自治", START, 100)
    worse = line("经办人李明同意上报材料共四十六页所在单位巴音人巾", START, 100, layer="lifted")
    hidden, _ = found(above, worse, line(REST, START, 160, layer="lifted"))
    x0, _, x1, _ = geometry.bounds(hidden.quad)
    assert x0 == geometry.bounds(above.chars[-8].quad)[0]
    assert x1 == geometry.bounds(above.quad)[2]


def test_a_row_that_surely_reads_otherwise_stays() -> None:
    above = line("项目区位于塔里木盆地东北缘属暖温带大陆性干旱气候年均降水量", START, 100)
    assert found(above, line(REST, START, 160)) == []


def test_rows_of_a_seal_in_which_every_piece_was_read_stay() -> None:
    pieces = (line("自治", START, 100), line("州水利工程质量监督站", START - 40, 160))
    assert found(*pieces) == []


def test_nothing_above_and_nothing_of_the_unit_find_nothing() -> None:
    assert found(line(REST, START, 160)) == []
    assert found(line("经办人李明", START, 100), line("水利工程质量检查记录", START, 160)) == []


def test_a_first_half_in_a_box_that_a_seal_made_high_is_masked_where_it_was_read() -> None:
    above = line("经办人李明同意上报材料共四十六页所在单位巴音郭楞蒙古自治", START, 100)
    stretched = np.array([[1.0, 0.0, 0.0], [0.0, 1.8, -100.0], [0.0, 0.0, 1.0]])
    chars = tuple(replace(c, quad=geometry.mapped(c.quad, stretched)) for c in above.chars)
    high = replace(above, chars=chars, quad=geometry.mapped(above.quad, stretched))
    hidden, _ = found(high, line(REST, START, 160, layer="lifted"))
    assert geometry.bounds(hidden.quad)[0] == geometry.bounds(above.chars[-8].quad)[0]
