"""Half a unit at a line's end is masked unless the next line reads on with something else."""

from __future__ import annotations

from redactor.finders.cut_units import find_cut_units
from redactor.page import Line
from redactor.streams import streams
from tests.redactor.golden.boxes import identity, line, reading, texts

UNIT = "和静县巴音布鲁克镇农牧业发展服务中心"
WHO = identity("李明", UNIT)


def found(*lines: Line) -> list[str]:
    return texts([f for s in streams(reading(*lines)) for f in find_cut_units(s, WHO)])


def test_a_half_whose_other_half_was_not_read_is_masked() -> None:
    assert found(line("经办人，所在单位和静县巴音布鲁")) == ["和静县巴音布鲁"]


def test_a_half_before_something_that_was_read_badly_is_masked() -> None:
    below = line("充镇", 100, 160, scores={0: 0.4})
    assert found(line("所在单位和静县巴音布鲁"), below) == ["和静县巴音布鲁"]


def test_a_place_in_a_text_that_reads_on_stays() -> None:
    below = line("草原推广良种", 100, 160)
    assert found(line("该技术在和静县巴音布鲁"), below) == []
    assert found(line("和静县巴音布鲁克草原")) == []
    assert found(line("位于和静县巴")) == []


def test_what_stands_further_right_is_not_the_beginning_of_the_next_row() -> None:
    above = line("经办人，所在单位和静县巴音布鲁")
    assert found(above, line("加盖印章", 500, 160)) == ["和静县巴音布鲁"]
