"""Everything that a round holds on one candidate, gathered in one pass over the round."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from scoring.round import Ballot, Candidate, DefenceScore, Round, Ruling, Sheet


@dataclass(frozen=True, slots=True)
class Case:
    """One candidate with its sheets, defence, ballot and rulings (by subject).

    `scores` leaves out recused judges and is sorted by judge.
    """

    candidate: Candidate
    sheets: tuple[Sheet, ...]
    recused: frozenset[str]
    scores: tuple[DefenceScore, ...]
    passed: bool | None
    ballot: Ballot | None
    rulings: Mapping[str, Ruling]


def cases(round_: Round) -> tuple[Case, ...]:
    """One case per candidate, sorted by code, so that no input order can show in a result."""
    sheets: dict[str, list[Sheet]] = defaultdict(list)
    scores: dict[str, list[DefenceScore]] = defaultdict(list)
    recused: dict[str, set[str]] = defaultdict(set)
    rulings: dict[str, dict[str, Ruling]] = defaultdict(dict)
    for sheet in round_.sheets:
        sheets[sheet.code].append(sheet)
    for score in round_.defence_scores:
        scores[score.code].append(score)
    for recusal in round_.recusals:
        recused[recusal.code].add(recusal.reviewer)
    for ruling in round_.rulings:
        rulings[ruling.code][ruling.subject] = ruling
    return tuple(
        Case(
            candidate,
            tuple(sheets.get(candidate.code, ())),
            frozenset(recused.get(candidate.code, ())),
            tuple(
                sorted(
                    (
                        score
                        for score in scores.get(candidate.code, ())
                        if score.judge not in recused.get(candidate.code, ())
                    ),
                    key=lambda score: score.judge,
                )
            ),
            round_.defence_results.get(candidate.code),
            round_.ballots.get(candidate.code),
            rulings.get(candidate.code, {}),
        )
        for candidate in sorted(round_.candidates, key=lambda item: item.code)
    )
