"""The completeness check of a dossier against a notice's list of materials."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.materials import MaterialRule, MaterialRulesError, check_materials

RULES = (
    MaterialRule("身份证", True, "三（一）", note="正反两面"),
    MaterialRule("年度考核表", True, "三（二）", years=(2018, 2019, 2020)),
    MaterialRule("学信网报告", True, "三（三）", instead=("学籍档案",)),
    MaterialRule("继续教育", True, "三（四）", instead=("免试审批表",)),
    MaterialRule("获奖证书", False, "三（五）"),
    MaterialRule("政治审查", True, "三（六）", paper=True),
)
COMPLETE = {
    "身份证": [],
    "年度考核表": [2018, 2019, 2020],
    "学信网报告": [],
    "继续教育": [],
}


def test_complete_dossier() -> None:
    check = check_materials(RULES, COMPLETE)
    assert check.complete
    assert [rule.category for rule in check.due_on_paper] == ["政治审查"]
    assert check.unlisted == ()


def test_everything_missing_is_listed_with_its_clause() -> None:
    gaps = check_materials(RULES, {}).gaps
    assert [(g.category, g.clause) for g in gaps] == [
        ("身份证", "三（一）"),
        ("年度考核表", "三（二）"),
        ("学信网报告", "三（三）"),
        ("继续教育", "三（四）"),
    ]
    assert "正反两面" in gaps[0].sentence.zh
    assert "学籍档案" in gaps[2].sentence.en
    assert all(gap.clause in gap.sentence.zh for gap in gaps)


def test_missing_years_and_unknown_years() -> None:
    one = check_materials(RULES, {**COMPLETE, "年度考核表": [2018, 2020]}).gaps
    assert [(g.shortage, g.years) for g in one] == [("years_missing", (2019,))]
    unknown = check_materials(RULES, {**COMPLETE, "年度考核表": []}).gaps
    assert [g.shortage for g in unknown] == ["years_unknown"]


def test_a_stand_in_counts() -> None:
    present = {k: v for k, v in COMPLETE.items() if k not in ("学信网报告", "继续教育")}
    check = check_materials(RULES, {**present, "学籍档案": [], "免试审批表": []})
    assert check.complete
    assert check.unlisted == ()


def test_names_are_compared_without_width_and_spaces() -> None:
    rules = (MaterialRule("学历证书(含学位)", True, "c"),)
    assert check_materials(rules, {"学历证书（含 学位）": []}).complete


def test_unlisted_categories_are_shown() -> None:
    assert check_materials(RULES, {**COMPLETE, "其他": []}).unlisted == ("其他",)


def test_rules_of_other_levels_do_not_apply() -> None:
    rules = (MaterialRule("论文", True, "c", levels=frozenset({"中级"})),)
    assert check_materials(rules, {}, level="初级").complete
    assert not check_materials(rules, {}, level="中级").complete
    assert not check_materials(rules, {}).complete


def test_doubles_are_refused_all_at_once() -> None:
    rules = (
        MaterialRule("论文", True, "a"),
        MaterialRule("论 文", False, "b"),
        MaterialRule("专利", True, "a"),
        MaterialRule("专利", True, "b"),
    )
    with pytest.raises(MaterialRulesError) as error:
        check_materials(rules, {})
    assert len(error.value.sentences) == 2


@given(st.permutations(list(COMPLETE)), st.sets(st.sampled_from(list(COMPLETE))))
def test_order_of_the_dossier_changes_nothing(order: list[str], left_out: set[str]) -> None:
    present = {name: COMPLETE[name] for name in order if name not in left_out}
    assert {gap.category for gap in check_materials(RULES, present).gaps} == left_out
