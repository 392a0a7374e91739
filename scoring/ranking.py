"""Who stands before whom: exact totals, the policy's order between equals, quota and draw."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from scoring.points import ZERO
from scoring.policy import Policy
from scoring.result import Outcome, Reason

Group = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """What the ranking needs of one candidate; `eligible` False never takes a place of a quota."""

    code: str
    total: Fraction | None
    eligible: bool
    review: Fraction
    defence: Fraction
    criteria: Mapping[str, Fraction]
    order: int | None = None


def rank_groups(standings: Sequence[Standing], policy: Policy) -> tuple[Group, ...]:
    """Groups from first to last; those whom neither total nor tie-break parts share one group."""
    ranked = [item for item in standings if item.total is not None]
    keyed: dict[tuple[Fraction, ...], list[str]] = {}
    for item in ranked:
        key = (item.total or ZERO, *_tie_values(item, policy))
        keyed.setdefault(key, []).append(item.code)
    return tuple(tuple(sorted(keyed[key])) for key in sorted(keyed, reverse=True))


def tie_break_names(policy: Policy) -> set[str]:
    """Every entry that `decision.tie_break` may have under this policy."""
    criteria = {item.id for item in policy.criterion}
    named = {f"criterion:{name}" for name in criteria}
    return {"defence", "review", "draw", "ask"} | criteria | named


def _tie_values(item: Standing, policy: Policy) -> list[Fraction]:
    values = []
    for name in policy.decision.tie_break or ():
        if name in ("ask", "draw"):
            break
        if name == "defence":
            values.append(item.defence)
        elif name == "review":
            values.append(item.review)
        else:
            values.append(item.criteria.get(name.removeprefix("criterion:"), ZERO))
    return values


def draw_order(codes: Sequence[str], seed: str) -> tuple[str, ...]:
    """The order of a draw: ascending sha256 of "seed:code", so anyone can repeat it by hand."""
    return tuple(sorted(codes, key=lambda c: hashlib.sha256(f"{seed}:{c}".encode()).hexdigest()))


@dataclass(frozen=True)
class Places:
    """Outcome of a quota: an outcome and the reasons by code, and the ranking after a draw."""

    groups: tuple[Group, ...]
    outcomes: Mapping[str, Outcome]
    reasons: Mapping[str, Reason]
    warnings: tuple[Reason, ...]


def allot(standings: Sequence[Standing], groups: tuple[Group, ...], policy: Policy) -> Places:
    """Give the quota's places to the first of those eligible.

    `groups` come from `rank_groups`. A candidate passes only if all who are still undetermined
    could stand before it, and fails only if enough stand before it already; between, it stays
    undetermined. A tie across the last place is parted by rulings (tie_order), then by the draw
    if the policy's tie_break has it and a seed; else the tally stops there and asks.
    """
    by_code = {item.code: item for item in standings}
    quota = policy.decision.quota or 0
    floor = policy.decision.pass_score or ZERO
    open_ = sum(1 for item in standings if item.total is None and item.eligible)
    outcomes: dict[str, Outcome] = {}
    reasons: dict[str, Reason] = {}
    warnings: list[Reason] = []
    shown: list[Group] = []
    before = 0
    for group in groups:
        able = tuple(
            c for c in group if by_code[c].eligible and (by_code[c].total or ZERO) >= floor
        )
        parts: tuple[Group, ...] = (able,)
        if before < quota < before + len(able) and not open_:
            parts, note = _part(able, by_code, policy)
            if note:
                warnings.append(note)
        shown.extend(_reorder(group, parts))
        for code in group:
            if code not in able:
                outcomes[code] = "fail"
        for part in parts:
            _place(part, before, quota, open_, outcomes, reasons)
            before += len(part)
    return Places(tuple(shown), outcomes, reasons, tuple(warnings))


def _place(
    part: Group,
    before: int,
    quota: int,
    open_: int,
    outcomes: dict[str, Outcome],
    reasons: dict[str, Reason],
) -> None:
    end = before + len(part)
    for code in part:
        if end + open_ <= quota:
            outcomes[code] = "pass"
        elif before >= quota:
            outcomes[code] = "fail"
        else:
            outcomes[code] = "undetermined"
            reasons[code] = _why_open(part, quota, end, open_)


def _why_open(part: Group, quota: int, end: int, open_: int) -> Reason:
    if end > quota:
        names = "、".join(part)
        return Reason(
            f"名额 {quota} 个，{names} 总分完全相同且跨过最后一个名额：请按政策裁定（tie_order），"
            "或在政策中规定 tie_break 和 seed。",
            f"Quota {quota}: {', '.join(part)} tie exactly across the last place. Record a ruling "
            "(tie_order), or give tie_break and seed in the policy.",
        )
    return Reason(
        f"还有 {open_} 人待裁定，可能排在前面，名额（{quota}）尚不能确定。",
        f"{open_} candidates are still undetermined and could stand before: the quota ({quota}) "
        "cannot be settled yet.",
    )


def _part(
    able: Group, by_code: Mapping[str, Standing], policy: Policy
) -> tuple[tuple[Group, ...], Reason | None]:
    orders = [by_code[code].order for code in able]
    if None not in orders and len(set(orders)) == len(able):
        ruled = sorted(able, key=lambda code: by_code[code].order or 0)
        return tuple((code,) for code in ruled), None
    if "draw" in (policy.decision.tie_break or ()) and policy.decision.seed:
        drawn = draw_order(able, policy.decision.seed)
        names = " > ".join(drawn)
        note = Reason(
            f"同分抽签：种子“{policy.decision.seed}”，次序 {names}（按 sha256(种子:编码) 升序）。",
            f"Draw between equals: seed '{policy.decision.seed}', order {names} (ascending "
            "sha256 of seed:code).",
        )
        return tuple((code,) for code in drawn), note
    return (able,), None


def _reorder(group: Group, parts: tuple[Group, ...]) -> list[Group]:
    """The group as shown: split only if it was parted; others of the group follow."""
    if len(parts) == 1:
        return [group]
    parted = {code for part in parts for code in part}
    rest = tuple(code for code in group if code not in parted)
    return [*parts, *([rest] if rest else [])]
