"""Continuing-education hours that a notice asks for, and the years that service frees."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from models.errors import Sentence

CourseKind = Literal["public", "specialty"]
Outcome = Literal["met", "exempt", "short", "missing"]

_NAMES: dict[CourseKind, tuple[str, str]] = {
    "public": ("公需科目", "public courses"),
    "specialty": ("专业科目", "specialty courses"),
}


@dataclass(frozen=True)
class EducationRule:
    """One requirement of a notice: courses of `kind` in each of `years`.

    `hours` per year, or None where the notice asks for the certificate only. `years` is empty
    where the notice names no year: one certificate of any year then meets it. `levels` is None
    when the rule holds for every level.
    """

    kind: CourseKind
    years: tuple[int, ...]
    hours: int | None
    clause: str
    levels: frozenset[str] | None = None


@dataclass(frozen=True)
class EducationRecord:
    """Hours on one certificate; several of one kind and year add up."""

    kind: CourseKind
    year: int
    hours: Fraction


@dataclass(frozen=True)
class ServiceExemption:
    """Grass-roots service, ground (a): frees from continuing education of the service years.

    It holds only with the approved form (免试审批表). `clause` is None where the notice has no such
    rule; then nothing is freed.
    """

    years: frozenset[int]
    form_approved: bool
    clause: str | None


@dataclass(frozen=True)
class EducationResult:
    """How one requirement stands for one year (None: the rule names no year)."""

    kind: CourseKind
    year: int | None
    outcome: Outcome
    required: int | None
    held: Fraction
    clause: str
    sentence: Sentence


def check_education(
    rules: Iterable[EducationRule],
    records: Sequence[EducationRecord],
    *,
    level: str,
    exemption: ServiceExemption | None = None,
) -> tuple[EducationResult, ...]:
    """Every requirement that holds for `level`, year by year, in the order of the rules."""
    freed = _freed_years(exemption)
    results: list[EducationResult] = []
    for rule in rules:
        if rule.levels is not None and level not in rule.levels:
            continue
        years: tuple[int | None, ...] = rule.years or (None,)
        results.extend(_check_year(rule, year, records, freed, exemption) for year in years)
    return tuple(results)


def education_gaps(results: Iterable[EducationResult]) -> tuple[EducationResult, ...]:
    """The results that keep a dossier from being complete."""
    return tuple(result for result in results if result.outcome in ("short", "missing"))


def _freed_years(exemption: ServiceExemption | None) -> frozenset[int]:
    if exemption is None or exemption.clause is None or not exemption.form_approved:
        return frozenset()
    return exemption.years


def _check_year(
    rule: EducationRule,
    year: int | None,
    records: Sequence[EducationRecord],
    freed: frozenset[int],
    exemption: ServiceExemption | None,
) -> EducationResult:
    zh, en = _NAMES[rule.kind]
    found = [r for r in records if r.kind == rule.kind and year in (None, r.year)]
    by_year: dict[int, Fraction] = {}
    for record in found:
        by_year[record.year] = by_year.get(record.year, Fraction(0)) + record.hours
    # A rule without years is met by any one year, so the best year decides, not the sum of all.
    held = max(by_year.values(), default=Fraction(0))
    when_zh, when_en = ("", "") if year is None else (f"{year} 年", f" of {year}")
    basis_zh, basis_en = f"（依据：{rule.clause}）", f" (clause: {rule.clause})"

    def result(outcome: Outcome, sentence: Sentence) -> EducationResult:
        return EducationResult(rule.kind, year, outcome, rule.hours, held, rule.clause, sentence)

    if found and (rule.hours is None or held >= rule.hours):
        return result("met", Sentence(f"{when_zh}{zh}已具备。", f"{en}{when_en}: complete."))
    if year in freed and exemption is not None:
        return result(
            "exempt",
            Sentence(
                f"{when_zh}{zh}免予继续教育：基层服务，免试审批表已批准（依据：{exemption.clause}）。",
                f"{en}{when_en}: freed by grass-roots service with the approved form "
                f"(clause: {exemption.clause}).",
            ),
        )
    hint_zh, hint_en = _form_hint(year, exemption)
    if not found:
        return result(
            "missing",
            Sentence(
                f"缺少{when_zh}{zh}继续教育证书{basis_zh}。请补交。{hint_zh}",
                f"No certificate for the {en}{when_en}{basis_en}. Hand it in.{hint_en}",
            ),
        )
    return result(
        "short",
        Sentence(
            f"{when_zh}{zh}只有 {_plain(held)} 学时，要求 {rule.hours} 学时{basis_zh}。"
            f"请补足。{hint_zh}",
            f"{en}{when_en}: {_plain(held)} hours of {rule.hours}{basis_en}. "
            f"Complete them.{hint_en}",
        ),
    )


def _form_hint(year: int | None, exemption: ServiceExemption | None) -> tuple[str, str]:
    """Say so when service would free the year but something is lacking."""
    if exemption is None or year not in exemption.years:
        return "", ""
    if exemption.clause is None:
        return (
            "该年度虽有基层服务，但本通知未规定可免继续教育。",
            " The year has grass-roots service, but this notice does not free it from courses.",
        )
    return (
        "该年度有基层服务，但免试审批表尚未批准。",
        " The year has grass-roots service, but its exemption form is not approved.",
    )


def _plain(hours: Fraction) -> str:
    """Hours as a plain number; a fraction that has no short decimal is shown as it is."""
    return str(hours) if hours.denominator == 1 else f"{float(hours):g}"
