"""What decides: vote, points or rank; anything open in it keeps the decision undetermined."""

from __future__ import annotations

from fractions import Fraction

from scoring.case import Case
from scoring.points import decimal_text, rounded_text
from scoring.policy import Policy
from scoring.result import DefenceOutcome, Outcome, Reason, Review, VoteOutcome


def total_of(review: Review, defence: DefenceOutcome, policy: Policy) -> Fraction | None:
    """Review points plus defence points; None while anything in it is undetermined.

    An unscored defence, or none, adds nothing; an absence that fails leaves no total.
    """
    if review.points is None or defence.basis == "undetermined":
        return None
    if defence.points is not None:
        return review.points + defence.points
    if policy.defence.mode == "scored" and defence.basis != "none":
        return None
    return review.points


def barred(case: Case, defence: DefenceOutcome) -> bool:
    """Whether the application fails whatever the points and votes."""
    return case.candidate.disqualified or defence.bars


def settled(review: Review, defence: DefenceOutcome, policy: Policy) -> bool:
    """Whether nothing about review and defence waits for a ruling."""
    if defence.basis == "undetermined" or defence.veto_open:
        return False
    needs_review = policy.uses_score or policy.aggregate.min_sheets is not None
    return review.points is not None or not needs_review


def decide(
    case: Case,
    review: Review,
    defence: DefenceOutcome,
    total: Fraction | None,
    vote: VoteOutcome | None,
    policy: Policy,
) -> tuple[Outcome, tuple[Reason, ...]]:
    """The decision by the rules vote, score and vote_and_score (rank: see `ranking.allot`)."""
    if case.candidate.disqualified:
        return "fail", (Reason("已被取消资格。", "Disqualified."),)
    if defence.bars:
        return "fail", ()
    parts = []
    if policy.decision.rule in ("vote", "vote_and_score"):
        parts.append(_by_vote(vote))
    if policy.decision.rule in ("score", "vote_and_score"):
        parts.append(_by_score(total, policy))
    outcomes = [outcome for outcome, _ in parts]
    reasons = tuple(reason for _, found in parts for reason in found)
    if "fail" in outcomes:
        return "fail", reasons
    if "undetermined" in outcomes or not settled(review, defence, policy):
        return "undetermined", reasons
    return "pass", reasons


def _by_vote(vote: VoteOutcome | None) -> tuple[Outcome, tuple[Reason, ...]]:
    if vote is None:
        return "undetermined", (Reason("没有投票结果。", "No ballot is recorded."),)
    if not vote.quorum_met:
        return "undetermined", (
            Reason(
                "出席人数未达到法定人数，投票无效，须重新开会表决。",
                "Too few members were present: the ballot is void and must be held again.",
            ),
        )
    verb = ("达到", "reaches") if vote.passed else ("未达到", "does not reach")
    return ("pass" if vote.passed else "fail"), (
        Reason(
            f"同意 {vote.yes} 票，计票基数 {vote.denominator} 人，{verb[0]}规定比例。",
            f"{vote.yes} yes of {vote.denominator}: {verb[1]} the share required.",
        ),
    )


def _by_score(total: Fraction | None, policy: Policy) -> tuple[Outcome, tuple[Reason, ...]]:
    mark = policy.decision.pass_score
    if total is None or mark is None:
        return "undetermined", ()
    passed = total >= mark
    shown, places = rounded_text(total, policy.places), policy.places
    verb = ("达到", "reaches") if passed else ("未达到", "does not reach")
    zh = f"总分 {shown} {verb[0]}合格线 {decimal_text(mark)}。"
    en = f"Total {shown} {verb[1]} the pass mark {decimal_text(mark)}."
    if not passed and Fraction(shown) >= mark:
        zh += f"（以精确值 {total} 比较，{places} 位小数只是显示。）"
        en += f" (Compared exactly as {total}; {places} places are only shown.)"
    return ("pass" if passed else "fail"), (Reason(zh, en),)
