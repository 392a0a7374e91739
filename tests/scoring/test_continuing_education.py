"""Continuing education by notice, and what grass-roots service frees."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from scoring.continuing_education import (
    EducationRecord,
    EducationRule,
    ServiceExemption,
    check_education,
    education_gaps,
)

MIDDLE = frozenset({"中级"})
JUNIOR = frozenset({"初级"})
# Made as the 2024 science notice words it.
SCIENCE = (
    EducationRule("public", (2023, 2024), 30, "科技 初级公需", JUNIOR),
    EducationRule("specialty", (2023, 2024), 60, "科技 初级专业", JUNIOR),
    EducationRule("public", (2020, 2021, 2022, 2023, 2024), 30, "科技 中级公需", MIDDLE),
    EducationRule("specialty", (2022, 2023, 2024), 60, "科技 中级专业", MIDDLE),
)
FULL = [EducationRecord("public", y, Fraction(30)) for y in range(2020, 2025)] + [
    EducationRecord("specialty", y, Fraction(60)) for y in range(2022, 2025)
]


def test_complete_for_middle_and_junior() -> None:
    middle = check_education(SCIENCE, FULL, level="中级")
    assert len(middle) == 8
    assert education_gaps(middle) == ()
    junior = check_education(SCIENCE, FULL, level="初级")
    assert [(r.kind, r.year) for r in junior] == [
        ("public", 2023),
        ("public", 2024),
        ("specialty", 2023),
        ("specialty", 2024),
    ]


def test_missing_and_short_years_carry_the_clause() -> None:
    records = [r for r in FULL if (r.kind, r.year) != ("public", 2021)]
    records = [r for r in records if (r.kind, r.year) != ("specialty", 2023)]
    records.append(EducationRecord("specialty", 2023, Fraction(119, 2)))
    gaps = education_gaps(check_education(SCIENCE, records, level="中级"))
    assert [(g.year, g.outcome, g.clause) for g in gaps] == [
        (2021, "missing", "科技 中级公需"),
        (2023, "short", "科技 中级专业"),
    ]
    assert "59.5" in gaps[1].sentence.zh


def test_certificates_of_one_year_add_up() -> None:
    rule = (EducationRule("public", (2024,), 30, "c"),)
    halves = [EducationRecord("public", 2024, Fraction(15))] * 2
    assert check_education(rule, halves, level="中级")[0].outcome == "met"


def test_service_frees_only_its_own_years_and_only_with_the_form() -> None:
    served = frozenset({2021, 2022})
    approved = ServiceExemption(served, True, "免试条款")
    results = check_education(SCIENCE, [], level="中级", exemption=approved)
    assert {r.year for r in results if r.outcome == "exempt"} == served
    assert {r.year for r in education_gaps(results)} == {2020, 2023, 2024}
    unapproved = ServiceExemption(served, False, "免试条款")
    results = check_education(SCIENCE, [], level="中级", exemption=unapproved)
    assert len(education_gaps(results)) == 8
    assert "免试审批表尚未批准" in results[1].sentence.zh


def test_a_notice_without_the_clause_frees_nobody() -> None:
    silent = ServiceExemption(frozenset({2021}), True, None)
    results = check_education(SCIENCE, [], level="中级", exemption=silent)
    assert len(education_gaps(results)) == 8
    assert "未规定" in results[1].sentence.zh


def test_own_hours_are_shown_before_the_exemption() -> None:
    approved = ServiceExemption(frozenset({2024}), True, "免试条款")
    results = check_education(SCIENCE, FULL, level="初级", exemption=approved)
    assert {r.outcome for r in results} == {"met"}


def test_certificate_without_hours_or_year() -> None:
    rules = (EducationRule("public", (), None, "水利"), EducationRule("public", (), 30, "文化"))
    none = check_education(rules, [], level="中级")
    assert [r.outcome for r in none] == ["missing", "missing"]
    spread = [
        EducationRecord("public", 2019, Fraction(16)),
        EducationRecord("public", 2020, Fraction(16)),
    ]
    assert [r.outcome for r in check_education(rules, spread, level="中级")] == ["met", "short"]


@given(st.sets(st.integers(2015, 2021)), st.sets(st.integers(2015, 2021)))
def test_gaps_are_the_years_neither_held_nor_freed(held: set[int], served: set[int]) -> None:
    years = tuple(range(2015, 2022))
    results = check_education(
        (EducationRule("public", years, None, "林业"),),
        [EducationRecord("public", year, Fraction(1)) for year in held],
        level="中级",
        exemption=ServiceExemption(frozenset(served), True, "c"),
    )
    assert {r.year for r in education_gaps(results)} == set(years) - held - served
