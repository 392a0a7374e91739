"""Review points: the sheets of one candidate become means, criterion by criterion."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from scoring.points import ZERO, mean, total
from scoring.policy import Policy
from scoring.result import Mean, Reason, Review
from scoring.round import Sheet


def review_of(sheets: Sequence[Sheet], recused: frozenset[str], policy: Policy) -> Review:
    """The review points of one candidate from all sheets on it, in any order.

    Sheets of recused reviewers and excluded sheets are left out. With `per = "criterion"` the
    points are the sum of the criteria's means; with `per = "total"` the mean of the sheets' sums
    (the criteria then show their plain means). Without trimming both are equal.
    """
    valid = [s for s in sheets if not s.excluded and s.reviewer not in recused]
    reasons = _left_out(sheets, recused)
    needed = policy.aggregate.min_sheets or 1
    n = len(valid)
    if n < needed:
        if not policy.criterion:
            return Review({}, None, n, reasons)
        short = Reason(
            f"有效评分表只有 {n} 份，少于要求的 {needed} 份：须补齐评分后重新汇总。",
            f"Only {n} valid score sheets where {needed} are needed: complete them, tally again.",
        )
        return Review({}, None, n, (*reasons, short))
    if n < 3:
        few = Reason(
            f"提醒：有效评分表只有 {n} 份；国家规定每位申报人至少由 3 名专家提出评议意见。",
            f"Note: only {n} valid score sheets; national rules ask for at least 3 experts.",
        )
        reasons = (*reasons, few)
    trims = policy.aggregate.method == "trimmed" and n >= policy.trim_min_n
    by_criterion = policy.aggregate.per != "total"
    criteria = {}
    for criterion in policy.criterion:
        values = [sheet.scores[criterion.id] for sheet in valid]
        kept = trimmed(values) if trims and by_criterion else values
        criteria[criterion.id] = Mean(mean(kept), len(kept))
    if trims and not by_criterion:
        points = mean(trimmed([total(sheet.scores.values()) for sheet in valid]))
    else:
        points = sum((item.value for item in criteria.values()), ZERO)
    if policy.aggregate.method == "trimmed":
        reasons = (*reasons, _trimming(n, policy.trim_min_n))
    return Review(criteria, points, n, reasons)


def trimmed(values: list[Fraction]) -> list[Fraction]:
    """The values without one highest and one lowest, sorted."""
    return sorted(values)[1:-1]


def _trimming(n: int, needed: int) -> Reason:
    if n >= needed:
        return Reason(
            f"共 {n} 份评分，去掉一个最高分和一个最低分后取平均。",
            f"Of {n} scores one highest and one lowest were dropped before the mean.",
        )
    return Reason(
        f"共 {n} 份评分，少于 {needed} 份，不去最高最低分。",
        f"With {n} scores, fewer than {needed}, none was dropped.",
    )


def _left_out(sheets: Sequence[Sheet], recused: frozenset[str]) -> tuple[Reason, ...]:
    reasons = [
        Reason(
            f"评委 {name} 对该申报人回避，不计入平均。",
            f"Reviewer {name} is recused for this candidate and is not in the mean.",
        )
        for name in sorted(recused)
    ]
    reasons += [
        Reason(
            f"评委 {sheet.reviewer} 的评分表被排除：{sheet.reason}",
            f"The sheet of reviewer {sheet.reviewer} was excluded: {sheet.reason}",
        )
        for sheet in sorted(sheets, key=lambda s: s.reviewer)
        if sheet.excluded and sheet.reviewer not in recused
    ]
    return tuple(reasons)
