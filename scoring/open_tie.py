"""Equals across the last place of a quota whom nothing parts: where the tally stops and asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from scoring.errors import InputError, problem
from scoring.policy import Policy
from scoring.result import Result


@dataclass(frozen=True, slots=True)
class OpenTie:
    """Those who tie for the last `places` of the quota. `waiting`: candidates who are still
    undetermined for other reasons and must be settled first, because they could stand before."""

    codes: tuple[str, ...]
    places: int
    waiting: tuple[str, ...]


def open_tie(result: Result, policy: Policy) -> OpenTie | None:
    """The group that ties across the last place, None where the quota parts nobody."""
    quota = policy.decision.quota or 0
    if policy.decision.rule != "rank" or not quota:
        return None
    found = {item.code: item for item in result.candidates}
    waiting = tuple(
        item.code for item in result.candidates
        if item.total is None and item.decision == "undetermined"
    )  # fmt: skip
    before = 0
    for group in result.ranking:
        standing = tuple(code for code in group if found[code].decision != "fail")
        if len(standing) > 1 and before < quota < before + len(standing):
            return OpenTie(standing, quota - before, waiting)
        before += len(standing)
    return None


def check_order(tie: OpenTie, order: Mapping[str, int]) -> None:
    """InputError unless `order` gives each of them one place from 1 on, no two the same."""
    wanted = set(range(1, len(tie.codes) + 1))
    if set(order) != set(tie.codes) or set(order.values()) != wanted:
        names = "、".join(tie.codes)
        raise InputError(
            problem(
                f"请给 {names} 各排一个不同的名次（1 至 {len(tie.codes)}）。",
                f"Give each of {', '.join(tie.codes)} another place from 1 to {len(tie.codes)}.",
            )
        )
