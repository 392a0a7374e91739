"""Secret ballots counted in whole numbers: quorum of the committee, two thirds of those present."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from scoring.policy import Policy
from scoring.result import VoteOutcome
from scoring.round import Ballot, Committee


def reaches(part: int, whole: int, share: Fraction) -> bool:
    """Whether part / whole >= share, without any division: 6 of 9 reaches 2/3 exactly."""
    return share.denominator * part >= share.numerator * whole


def present_at(ballot: Ballot, committee: Committee) -> Committee:
    """The committee as it was present at a ballot."""
    if not ballot.attendance:
        return committee
    return replace(committee, present=len(ballot.attendance), attendance=ballot.attendance)


def recused_present(committee: Committee, recused: frozenset[str], cast: int) -> int:
    """How many of those present are recused.

    Without an attendance list all recused reviewers are taken to be present members, unless all
    present members cast a ballot: then none of them was recused (a blind reviewer need not sit in
    the meeting).
    """
    if committee.attendance:
        return len(recused & set(committee.attendance))
    return 0 if cast == committee.present else len(recused)


def denominator(committee: Committee, recused: frozenset[str], policy: Policy, cast: int) -> int:
    """Those whose votes count: present, or present minus recused (the default)."""
    if policy.denominator == "present":
        return committee.present
    return max(0, committee.present - recused_present(committee, recused, cast))


def count_votes(
    ballot: Ballot, committee: Committee, recused: frozenset[str], policy: Policy
) -> VoteOutcome:
    """The outcome of one ballot. Abstentions and spoiled ballots stay in the denominator.

    Without a quorum of the committee the ballot is void: `passed` is False and `quorum_met` says
    why. National rule: at least 2/3 of the committee present, at least 2/3 of those present yes.
    """
    committee = present_at(ballot, committee)
    whole = denominator(committee, recused, policy, ballot.cast)
    quorum = reaches(committee.present, committee.members, policy.quorum)
    passed = quorum and whole > 0 and reaches(ballot.yes, whole, policy.approve)
    return VoteOutcome(ballot.yes, ballot.no, ballot.abstain, ballot.spoiled, whole, quorum, passed)
