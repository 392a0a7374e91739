"""Whose average an exempt candidate is given: the pools of those who really defended."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from scoring.case import Case
from scoring.exemption import defended
from scoring.points import mean, mean_formula
from scoring.policy import Policy
from scoring.round import Candidate

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pool:
    """Those who defended, by code, with each one's final defence score once.

    `open_members` are disqualified defenders on whom nobody ruled: the average without and with
    them differs, so there is none until the secretary rules.
    """

    members: tuple[str, ...]
    points: tuple[Fraction, ...]
    open_members: tuple[str, ...] = ()
    open_points: tuple[Fraction, ...] = ()

    @property
    def mean(self) -> Fraction | None:
        """The average without the open members; None if there is nobody."""
        return mean(list(self.points)) if self.points else None

    @property
    def mean_with_open(self) -> Fraction | None:
        everyone = [*self.points, *self.open_points]
        return mean(everyone) if everyone else None

    @property
    def formula(self) -> str:
        return mean_formula(list(self.points)) if self.points else ""


EMPTY = Pool((), ())


def own_points(case: Case, policy: Policy) -> Fraction | None:
    """The final defence score of one who defended: the mean of the judges' scores, exact."""
    values = sorted(score.score for score in case.scores)
    if not values:
        return None
    if policy.defence.method == "trimmed" and len(values) >= policy.defence_trim_min_n:
        values = values[1:-1]
    return mean(values)


def pool_key(candidate: Candidate, policy: Policy) -> Key:
    """What must agree; a round is of one year, so the year itself is always equal."""
    fields = policy.defence.substitution.pool if policy.defence.substitution else ()
    level = candidate.level if "level" in fields else ""
    return (candidate.specialty if "specialty" in fields else "", level)


def pools(
    all_cases: Iterable[Case], points: dict[str, Fraction | None], policy: Policy
) -> dict[Key, Pool]:
    """The pool of each key. `points` are the own points of those who defended, by code.

    A defender with 0 points counts. One disqualified before lock is left open unless a ruling
    keeps or drops the score; one disqualified after lock stays, as locked, unless dropped.
    """
    kept: dict[Key, list[tuple[str, Fraction]]] = defaultdict(list)
    unruled: dict[Key, list[tuple[str, Fraction]]] = defaultdict(list)
    for case in all_cases:
        value = points.get(case.candidate.code)
        if value is None or not defended(case):
            continue
        key = pool_key(case.candidate, policy)
        entry = (case.candidate.code, value)
        ruling = case.rulings.get("pool_member")
        if ruling:
            if ruling.value == "keep":
                kept[key].append(entry)
        elif case.candidate.disqualified and not case.candidate.disqualified_after_lock:
            unruled[key].append(entry)
        else:
            kept[key].append(entry)
    return {
        key: Pool(
            tuple(code for code, _ in sorted(kept[key])),
            tuple(value for _, value in sorted(kept[key])),
            tuple(code for code, _ in sorted(unruled[key])),
            tuple(value for _, value in sorted(unruled[key])),
        )
        for key in {*kept, *unruled}
    }
