"""What a result would be if one thing were different: read beside the result, never kept as one."""

from __future__ import annotations

from dataclasses import dataclass, replace

from scoring.errors import InputError, problem
from scoring.policy import Policy
from scoring.result import CandidateResult, Result
from scoring.round import Round
from scoring.tally import tally


@dataclass(frozen=True, slots=True)
class Beside:
    """A candidate as the round stands and as it would be."""

    now: CandidateResult
    then: CandidateResult

    @property
    def differs(self) -> bool:
        """Whether points, rank or decision would be others."""
        one, other = self.now, self.then
        return (one.total, one.review.points, one.defence.points, one.rank, one.decision) != (
            other.total,
            other.review.points,
            other.defence.points,
            other.rank,
            other.decision,
        )


def other_trimming(policy: Policy) -> Policy:
    """The policy with its trimming of review scores switched: on where it is off, and back.

    Trimming goes by criterion where the policy does not say how; for plain means it is the same.
    """
    trimmed = policy.aggregate.method == "trimmed"
    per = policy.aggregate.per or "criterion"
    changed = {"method": "mean" if trimmed else "trimmed", "per": per}
    aggregate = policy.aggregate.model_copy(update=changed)
    return policy.model_copy(update={"aggregate": aggregate})


def without_sheet(round_: Round, reviewer: str, code: str) -> Round:
    """The round with one valid sheet left out; InputError where there is no such sheet."""
    recused = reviewer in round_.recused(code)
    kept = tuple(
        replace(sheet, excluded=True, reason="试算 what-if")
        if (sheet.reviewer, sheet.code) == (reviewer, code) and not (sheet.excluded or recused)
        else sheet
        for sheet in round_.sheets
    )
    if kept == round_.sheets:
        raise InputError(
            problem(
                f"{reviewer} 对 {code} 没有有效的评分表，无法试算。",
                f"There is no valid sheet of {reviewer} for {code} to leave out.",
            )
        )
    return replace(round_, sheets=kept)


def beside(result: Result, round_: Round, policy: Policy) -> tuple[Beside, ...]:
    """Each candidate of `result` beside a tally of a changed round or policy, by code."""
    then = {item.code: item for item in tally(round_, policy).candidates}
    return tuple(Beside(item, then[item.code]) for item in result.candidates)
