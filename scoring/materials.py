"""What a dossier lacks, by the list of materials of its notice, each with the clause."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from models.errors import RuleError, Sentence

Shortage = Literal["missing", "years_missing", "years_unknown"]


class MaterialRulesError(RuleError):
    """A list of materials that names one category twice for the same levels."""


@dataclass(frozen=True)
class MaterialRule:
    """One category of attachment that a notice asks for.

    `required` False: only if the applicant has it (awards, patents). `years`: one scan for each.
    `paper`: handed in on paper, so never looked for among the scans. `instead`: categories that
    stand in for this one (the approved exemption form for continuing education, the school file
    for the 学信网 report). `levels` None: every level.
    """

    category: str
    required: bool
    clause: str
    years: tuple[int, ...] = ()
    note: str = ""
    paper: bool = False
    instead: tuple[str, ...] = ()
    levels: frozenset[str] | None = None


@dataclass(frozen=True)
class MaterialGap:
    """One thing that a dossier lacks."""

    category: str
    shortage: Shortage
    years: tuple[int, ...]
    clause: str
    sentence: Sentence


@dataclass(frozen=True)
class MaterialsCheck:
    """What is lacking, what is due on paper, and categories that the notice does not name."""

    gaps: tuple[MaterialGap, ...]
    due_on_paper: tuple[MaterialRule, ...]
    unlisted: tuple[str, ...]

    @property
    def complete(self) -> bool:
        return not self.gaps


def check_materials(
    rules: Iterable[MaterialRule],
    present: Mapping[str, Iterable[int]],
    *,
    level: str | None = None,
) -> MaterialsCheck:
    """Compare a dossier with the notice's list.

    `present` maps each category that the dossier holds to the years of its scans (empty: the years
    are not known; such a category is reported as "years unknown", not taken as complete). Names
    are compared after Unicode NFKC and without spaces. `level` None keeps the rules of every level.
    Raises MaterialRulesError for a list that contradicts itself.
    """
    listed = [
        rule for rule in rules if level is None or rule.levels is None or level in rule.levels
    ]
    _refuse_doubles(listed)
    held: dict[str, set[int]] = {}
    spelled: dict[str, str] = {}
    for category, years in present.items():
        held.setdefault(_key(category), set()).update(years)
        spelled.setdefault(_key(category), category)
    gaps = tuple(
        gap
        for rule in listed
        if rule.required and not rule.paper and (gap := _gap(rule, held)) is not None
    )
    named = {_key(name) for rule in listed for name in (rule.category, *rule.instead)}
    return MaterialsCheck(
        gaps,
        tuple(rule for rule in listed if rule.paper),
        tuple(sorted(name for key, name in spelled.items() if key not in named)),
    )


def _gap(rule: MaterialRule, held: Mapping[str, set[int]]) -> MaterialGap | None:
    if any(_key(name) in held for name in rule.instead):
        return None
    note_zh = f"（{rule.note}）" if rule.note else ""
    note_en = f" ({rule.note})" if rule.note else ""
    basis_zh, basis_en = f"（依据：{rule.clause}）", f" (clause: {rule.clause})"
    instead_zh = f"，或提交：{'、'.join(rule.instead)}" if rule.instead else ""
    instead_en = f", or hand in: {', '.join(rule.instead)}" if rule.instead else ""
    years = held.get(_key(rule.category))
    if years is None:
        return MaterialGap(
            rule.category,
            "missing",
            rule.years,
            rule.clause,
            Sentence(
                f"缺少“{rule.category}”{note_zh}{basis_zh}。请补交{instead_zh}。",
                f"{rule.category} is missing{note_en}{basis_en}. Hand it in{instead_en}.",
            ),
        )
    lacking = tuple(year for year in rule.years if year not in years)
    if not lacking:
        return None
    if not years:
        return MaterialGap(
            rule.category,
            "years_unknown",
            rule.years,
            rule.clause,
            Sentence(
                f"“{rule.category}”应有 {_join(rule.years)} 年各一份{basis_zh}，但看不出年度。"
                f"请逐份注明年度{instead_zh}。",
                f"{rule.category} needs one each for {_join(rule.years)}{basis_en}, but the years "
                f"are not known. Mark the year of each{instead_en}.",
            ),
        )
    return MaterialGap(
        rule.category,
        "years_missing",
        lacking,
        rule.clause,
        Sentence(
            f"“{rule.category}”缺少 {_join(lacking)} 年{note_zh}{basis_zh}。请补交{instead_zh}。",
            f"{rule.category} lacks {_join(lacking)}{note_en}{basis_en}. Hand in the "
            f"missing{instead_en}.",
        ),
    )


def _join(years: Iterable[int]) -> str:
    return ", ".join(str(year) for year in years)


def _key(category: str) -> str:
    return "".join(unicodedata.normalize("NFKC", category).split()).casefold()


def _refuse_doubles(rules: Iterable[MaterialRule]) -> None:
    seen: dict[str, MaterialRule] = {}
    doubles: list[Sentence] = []
    for rule in rules:
        key = _key(rule.category)
        first = seen.setdefault(key, rule)
        shared = first.levels is None or rule.levels is None or first.levels & rule.levels
        if first is not rule and shared:
            doubles.append(
                Sentence(
                    f"材料类别“{rule.category}”列了两次（{first.clause}；{rule.clause}）。"
                    "请在政策文件 [[material]] 中合并。",
                    f"The category {rule.category} is listed twice ({first.clause}; "
                    f"{rule.clause}). Merge the two [[material]] entries of the policy.",
                )
            )
    if doubles:
        raise MaterialRulesError(doubles)
