"""What was read whole is masked whole, whatever else is surmised of the same place."""

from __future__ import annotations

from redactor.page import Kind
from redactor.profile import STRICT
from redactor.search import distinct, find_text
from tests.redactor.golden.boxes import identity, line, reading

UNIT = "新疆维吾尔自治区地质矿产勘查开发局第三地质大队"


def test_a_unit_in_one_row_is_not_given_up_for_a_surmised_half_of_it() -> None:
    """All but one of its many characters cover nearly the same place."""
    page = reading(line("工作单位：", 100, 100), line(UNIT, 340, 100), line("男", 340, 40))
    found = distinct(find_text(page, identity("徐建海", UNIT), STRICT))
    whole = [f for f in found if f.kind is Kind.UNIT and f.text == UNIT]
    assert [f.why for f in whole] == ["unit"]
