"""Gives every dossier to k reviewers with even loads, as a minimum-cost flow.

Each reviewer's n-th dossier costs 2n - 1, so the flow minimises the sum of squared loads. The load
vectors of all valid assignments form an M-convex set, in which a minimiser of the sum of squares
also has the smallest maximum and the largest minimum (Frank and Murota, Mathematical Programming,
2022), so the difference of the loads is as small as conflicts allow.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from ortools.graph.python import min_cost_flow

from models.errors import RuleError, Sentence
from scoring.assignment_conflicts import (
    Dossier,
    Reason,
    Reviewer,
    allowed_reviewers,
    why_not,
)
from scoring.assignment_shortage import (
    DossierShortage,
    GroupShortage,
    ShortageError,
    check_supply,
)

__all__ = [
    "Dossier",
    "DossierShortage",
    "GroupShortage",
    "Plan",
    "Reason",
    "Reviewer",
    "ShortageError",
    "assign",
    "why_not",
]


class AssignmentInputError(RuleError):
    """Doubled codes or ids, or numbers out of range; all of them at once."""


@dataclass(frozen=True)
class Plan:
    """Code -> sorted reviewer ids; `loads` counts dossiers per reviewer.

    `added` and `removed` are the (reviewer, code) pairs that differ from the assignment given.
    """

    reviewers: Mapping[str, tuple[str, ...]]
    loads: Mapping[str, int]
    added: frozenset[tuple[str, str]]
    removed: frozenset[tuple[str, str]]
    seed: int


def assign(
    dossiers: Sequence[Dossier],
    reviewers: Sequence[Reviewer],
    k: int,
    *,
    seed: int,
    existing: Mapping[str, Iterable[str]] | None = None,
    begun: Iterable[tuple[str, str]] = (),
) -> Plan:
    """Assign every dossier to exactly `k` (>= 1) reviewers who may see it.

    With `existing` (code -> reviewer ids), as many existing pairs as possible are kept, and even
    loads come second: a late recusal moves as little as can be. `begun` are (reviewer, code) pairs
    whose sheet has been started; they stay unless the reviewer may no longer see the dossier.
    The same input and seed give the same plan, in whatever order the input comes (for one version
    of OR-Tools). Raises AssignmentInputError or ShortageError.
    """
    _check_input(dossiers, reviewers, k)
    by_code = {dossier.code: dossier for dossier in sorted(dossiers, key=lambda d: d.code)}
    by_id = {reviewer.id: reviewer for reviewer in sorted(reviewers, key=lambda r: r.id)}
    allowed = allowed_reviewers(by_id.values(), by_code.values())
    before = _pairs(existing or {})
    open_pairs = {(person, code) for code, people in allowed.items() for person in people}
    fixed = set(begun) & open_pairs
    given: Counter[str] = Counter(code for _, code in fixed)
    taken: Counter[str] = Counter(person for person, _ in fixed)
    needs = {code: max(k - given[code], 0) for code in by_code}
    room = {
        person: max(_limit(reviewer, len(by_code)) - taken[person], 0)
        for person, reviewer in by_id.items()
    }
    free = {code: [p for p in allowed[code] if (p, code) not in fixed] for code in by_code}
    check_supply(by_code, by_id, free, needs, room)
    chosen = fixed | _flow(free, needs, room, taken, before, seed)
    plan: dict[str, list[str]] = {code: [] for code in by_code}
    for person, code in sorted(chosen):
        plan[code].append(person)
    loads = Counter(person for person, _ in chosen)
    return Plan(
        {code: tuple(people) for code, people in plan.items()},
        {person: loads[person] for person in by_id},
        frozenset(chosen - before),
        frozenset(before - chosen),
        seed,
    )


def _flow(
    free: Mapping[str, list[str]],
    needs: Mapping[str, int],
    room: Mapping[str, int],
    taken: Mapping[str, int],
    before: set[tuple[str, str]],
    seed: int,
) -> set[tuple[str, str]]:
    """Solve the flow: dossiers -> reviewers -> sink; a solution is known to exist."""
    codes, people = list(needs), list(room)
    # The seed only breaks ties: it decides the order in which the solver meets equal choices.
    shuffle = random.Random(seed)
    shuffle.shuffle(codes)
    shuffle.shuffle(people)
    person_node = {person: len(codes) + i for i, person in enumerate(people)}
    sink = len(codes) + len(people)
    pairs = [
        (i, person)
        for i, code in enumerate(codes)
        for person in shuffle.sample(free[code], len(free[code]))
    ]
    # A simple cycle of the residual graph meets the sink once, so it changes the load costs by
    # less than two of the dearest steps; one pair kept or lost outweighs that.
    top = max((room[p] + taken.get(p, 0) for p in people), default=0)
    keep = 4 * top + 1
    tails = [i for i, _ in pairs]
    heads = [person_node[person] for _, person in pairs]
    costs = [0 if (person, codes[i]) in before else keep for i, person in pairs]
    most = Counter(heads)
    for person in people:
        steps = min(room[person], most[person_node[person]])
        base = taken.get(person, 0)
        tails.extend([person_node[person]] * steps)
        heads.extend([sink] * steps)
        costs.extend(2 * (base + step) - 1 for step in range(1, steps + 1))
    solver = min_cost_flow.SimpleMinCostFlow()
    arcs = solver.add_arcs_with_capacity_and_unit_cost(
        np.array(tails, dtype=np.int64),
        np.array(heads, dtype=np.int64),
        np.ones(len(tails), dtype=np.int64),
        np.array(costs, dtype=np.int64),
    )
    for i, code in enumerate(codes):
        solver.set_node_supply(i, needs[code])
    solver.set_node_supply(sink, -sum(needs.values()))
    status = solver.solve()
    if status != solver.OPTIMAL:
        raise RuntimeError(f"the minimum-cost-flow solver ended with status {status}")
    used = solver.flows(arcs[: len(pairs)])
    return {(person, codes[i]) for (i, person), flow in zip(pairs, used, strict=True) if flow}


def _limit(reviewer: Reviewer, dossiers: int) -> int:
    return dossiers if reviewer.capacity is None else min(reviewer.capacity, dossiers)


def _pairs(existing: Mapping[str, Iterable[str]]) -> set[tuple[str, str]]:
    return {(person, code) for code, people in existing.items() for person in people}


def _check_input(dossiers: Sequence[Dossier], reviewers: Sequence[Reviewer], k: int) -> None:
    problems: list[Sentence] = []
    if k < 1:
        problems.append(
            Sentence(
                f"每份材料的评委数必须至少为 1，现为 {k}。请改正。",
                f"The number of reviewers per dossier must be at least 1, not {k}. Correct it.",
            )
        )
    for zh, en, names in (
        ("材料编号", "dossier code", [d.code for d in dossiers]),
        ("评委编号", "reviewer id", [r.id for r in reviewers]),
    ):
        problems.extend(
            Sentence(
                f"{zh} {name} 出现 {count} 次。请删去重复。",
                f"The {en} {name} is given {count} times. Remove the doubles.",
            )
            for name, count in sorted(Counter(names).items())
            if count > 1
        )
    problems.extend(
        Sentence(
            f"评委 {reviewer.id} 的上限 {reviewer.capacity} 小于 0。请改正。",
            f"The limit of reviewer {reviewer.id} is {reviewer.capacity}, below 0. Correct it.",
        )
        for reviewer in reviewers
        if reviewer.capacity is not None and reviewer.capacity < 0
    )
    if problems:
        raise AssignmentInputError(problems)
