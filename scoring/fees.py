"""Review fees by notice, in whole yuan; where a notice is silent no amount is made up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from models.errors import RuleError, Sentence

FeeKind = Literal["middle", "junior", "first_fixed_junior", "first_fixed_middle"]

_NAMES: dict[FeeKind, tuple[str, str]] = {
    "middle": ("中级评审", "middle-level review"),
    "junior": ("初级评审", "junior-level review"),
    "first_fixed_junior": ("初次认定（初定）初级", "first-fixed junior title"),
    "first_fixed_middle": ("初定或认定中级", "first-fixed or granted middle title"),
}


class FeeUnknownError(RuleError):
    """A fee kind that does not exist, or an amount that is not a whole number of yuan."""


@dataclass(frozen=True)
class FeeTable:
    """The fees of one notice: kind -> yuan (> 0); a missing kind means the notice is silent."""

    notice: str
    amounts: Mapping[FeeKind, int]
    clause: str = ""


@dataclass(frozen=True)
class Fee:
    """The fee in yuan, or None where the notice is silent, with the reason in words."""

    kind: FeeKind
    yuan: int | None
    sentence: Sentence


def fee_table(notice: str, amounts: Mapping[str, object], clause: str = "") -> FeeTable:
    """A checked table from a policy's [fees]; FeeUnknownError names every bad entry at once."""
    problems: list[Sentence] = []
    good: dict[FeeKind, int] = {}
    for name, yuan in amounts.items():
        kind = _known_kind(name)
        if kind is None:
            problems.append(_unknown_kind(name))
        elif isinstance(yuan, bool) or not isinstance(yuan, int) or yuan < 1:
            problems.append(
                Sentence(
                    f"费用 {name} = {yuan!r} 不是正整数（元）。请改正政策文件 [fees]。",
                    f"The fee {name} = {yuan!r} is not a positive whole number of yuan. "
                    "Correct [fees] in the policy.",
                )
            )
        else:
            good[kind] = yuan
    if problems:
        raise FeeUnknownError(problems)
    return FeeTable(notice, good, clause)


def fee(table: FeeTable, kind: str) -> Fee:
    """The fee of `kind`; yuan is None and the sentence says so where the notice is silent."""
    known = _known_kind(kind)
    if known is None:
        raise FeeUnknownError(_unknown_kind(kind))
    zh, en = _NAMES[known]
    yuan = table.amounts.get(known)
    if yuan is None:
        return Fee(
            known,
            None,
            Sentence(
                f"《{table.notice}》未规定{zh}的费用，请按收费主管部门的文件确定。",
                f"{table.notice} states no fee for the {en}; the office must take it from the "
                "document of the pricing authority.",
            ),
        )
    clause_zh = f"（依据：{table.clause}）" if table.clause else ""
    clause_en = f" (clause: {table.clause})" if table.clause else ""
    return Fee(
        known, yuan, Sentence(f"{zh} {yuan} 元{clause_zh}。", f"{en}: {yuan} yuan{clause_en}.")
    )


def _known_kind(kind: str) -> FeeKind | None:
    return next((known for known in _NAMES if known == kind), None)


def _unknown_kind(kind: str) -> Sentence:
    kinds = ", ".join(get_args(FeeKind))
    return Sentence(
        f"没有名为 {kind!r} 的费用类别。可用：{kinds}。",
        f"There is no fee kind {kind!r}. Use one of: {kinds}.",
    )
