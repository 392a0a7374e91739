"""Writes of a secret ballot: open, cast, close; a vote is never tied to its voter."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterable, Mapping

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from models.errors import Sentence
from models.review import Recusal, Reviewer
from models.review_ballots import CHOICES, Ballot, BallotItem, Vote, VoterRoll
from models.rounds import (
    InputError,
    OrderError,
    get_candidate,
    get_round,
    record_event,
    require_no_open_ballot,
    require_phase,
)


def open_ballot(session: Session, *, round_id: int, codes: Iterable[str], by: str) -> str:
    """Open a ballot over `codes` for the seats that are present; returns its id.

    Who is present is fixed here: no proxy can vote and nobody can join later. Refused below an
    attendance of 2/3 of the committee (3 * present >= 2 * members).
    """
    found = get_round(session, round_id, change=True)
    require_phase(found, "voting")
    require_no_open_ballot(session, round_id)
    wanted = sorted(set(codes))
    if not wanted:
        raise InputError(
            Sentence("投票须至少有一名候选人。", "A ballot needs at least one candidate.")
        )
    for code in wanted:
        get_candidate(session, round_id, code)
    voters = session.scalars(
        select(Reviewer.seat).filter_by(round_id=round_id, present=True).order_by("seat")
    ).all()
    if 3 * len(voters) < 2 * found.committee_members:
        raise OrderError(
            Sentence(
                f"出席 {len(voters)} 人，不足评委会 {found.committee_members} 人的三分之二，"
                "不能投票。",
                f"{len(voters)} of {found.committee_members} members are present, fewer than two "
                "thirds: no ballot can be held.",
            )
        )
    ballot = Ballot(id=secrets.token_hex(16), round_id=round_id, present=len(voters))
    session.add(ballot)
    session.flush()
    recused = _recused(session, round_id)
    session.add_all(
        BallotItem(
            ballot_id=ballot.id,
            code=code,
            round_id=round_id,
            recused=sum((seat, code) in recused for seat in voters),
        )
        for code in wanted
    )
    session.add_all(
        VoterRoll(ballot_id=ballot.id, reviewer=seat, round_id=round_id) for seat in voters
    )
    record_event(
        session,
        by=by,
        action="open_ballot",
        round_id=round_id,
        details={"ballot": ballot.id, "codes": wanted, "present": list(voters)},
    )
    session.flush()
    return ballot.id


def cast_ballot(
    session: Session, *, ballot_id: str, reviewer: str, choices: Mapping[str, str]
) -> None:
    """Cast one voter's choices: one for every candidate that the voter is not recused from.

    Writes no audit event and no time: either would tie the vote to the voter. Raises OrderError
    for a closed ballot or a second vote, InputError for a stranger or wrong choices.
    """
    ballot = _lock(session, ballot_id, read=True)
    if ballot.state != "open":
        raise OrderError(
            Sentence("投票已结束，不接受补投。", "The ballot is closed; late votes are refused.")
        )
    seat = session.get(VoterRoll, (ballot_id, reviewer))
    if seat is None:
        raise InputError(
            Sentence(
                f"{reviewer} 不在本次投票的出席名单上，不能投票，也不能由他人代投。",
                f"{reviewer} is not on the roll of this ballot and cannot vote, nor by proxy.",
            )
        )
    expected = _codes(session, ballot_id) - {
        code for who, code in _recused(session, ballot.round_id) if who == reviewer
    }
    problems = [
        Sentence(f"缺少对 {code} 的选择。请补选。", f"There is no choice for {code}. Add it.")
        for code in sorted(expected - choices.keys())
    ]
    problems += [
        Sentence(
            f"{code} 不在您的选票上。请删去。", f"{code} is not on your ballot paper. Remove it."
        )
        for code in sorted(choices.keys() - expected)
    ]
    problems += [
        Sentence(
            f"对 {code} 的选择 {choice!r} 无效。请在 {'、'.join(CHOICES)} 中选择。",
            f"The choice {choice!r} for {code} is not valid. Use one of {', '.join(CHOICES)}.",
        )
        for code, choice in sorted(choices.items())
        if choice not in CHOICES
    ]
    if problems:
        raise InputError(problems)
    # One atomic update, so that two tablets of one voter cannot both be counted.
    first = session.execute(
        update(VoterRoll)
        .filter_by(ballot_id=ballot_id, reviewer=reviewer, has_voted=False)
        .values(has_voted=True)
        .returning(VoterRoll.reviewer)
        .execution_options(synchronize_session=False)
    ).scalar()
    if first is None:
        raise OrderError(Sentence(f"{reviewer} 已投过票。", f"{reviewer} has already voted."))
    _insert_votes(session, ballot_id, list(choices.items()))


def close_ballot(session: Session, *, ballot_id: str, by: str) -> dict[str, Counter[str]]:
    """Close a ballot for good and return the counts by code.

    In one transaction: late votes are shut out, counts are fixed, and the roll and all votes are
    written anew with new ids in random order, so that no row's place or transaction number tells
    who cast it.
    """
    ballot = _lock(session, ballot_id, read=False)
    if ballot.state != "open":
        raise OrderError(Sentence("投票已经结束。", "The ballot is already closed."))
    ballot.state = "closed"
    votes = [
        (code, choice)
        for code, choice in session.execute(
            select(Vote.code, Vote.choice).filter_by(ballot_id=ballot_id)
        )
    ]
    counts = {code: Counter[str]() for code in sorted(_codes(session, ballot_id))}
    for code, choice in votes:
        counts[code][choice] += 1
    for code, count in counts.items():
        item = session.get_one(BallotItem, (ballot_id, code))
        item.yes, item.no = count["yes"], count["no"]
        item.abstain, item.spoiled = count["abstain"], count["spoiled"]
    session.execute(delete(Vote).filter_by(ballot_id=ballot_id))
    _insert_votes(session, ballot_id, votes)
    roll = session.execute(
        select(VoterRoll.reviewer, VoterRoll.round_id, VoterRoll.has_voted)
        .filter_by(ballot_id=ballot_id)
        .order_by(VoterRoll.reviewer)
    ).all()
    session.execute(delete(VoterRoll).filter_by(ballot_id=ballot_id))
    session.execute(insert(VoterRoll), [{"ballot_id": ballot_id, **row._mapping} for row in roll])
    record_event(
        session,
        by=by,
        action="close_ballot",
        round_id=ballot.round_id,
        details={
            "ballot": ballot_id,
            "counts": {code: dict(sorted(count.items())) for code, count in counts.items()},
            "voted": sum(row.has_voted for row in roll),
        },
    )
    session.flush()
    session.expire_all()
    return counts


def _insert_votes(session: Session, ballot_id: str, votes: list[tuple[str, str]]) -> None:
    rows = [
        {"id": secrets.token_hex(16), "ballot_id": ballot_id, "code": code, "choice": choice}
        for code, choice in votes
    ]
    if rows:
        # By id, which is random, so that the order of insertion says nothing.
        session.execute(insert(Vote), sorted(rows, key=lambda row: row["id"]))


def _lock(session: Session, ballot_id: str, *, read: bool) -> Ballot:
    """The ballot, locked so that no vote is cast while it closes."""
    ballot = session.scalars(
        select(Ballot)
        .where(Ballot.id == ballot_id)
        .with_for_update(read=read)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if ballot is None:
        raise InputError(Sentence("没有这次投票。", "There is no such ballot."))
    return ballot


def _codes(session: Session, ballot_id: str) -> set[str]:
    return set(session.scalars(select(BallotItem.code).filter_by(ballot_id=ballot_id)))


def _recused(session: Session, round_id: int) -> set[tuple[str, str]]:
    rows = session.execute(select(Recusal.reviewer, Recusal.code).filter_by(round_id=round_id))
    return {(row.reviewer, row.code) for row in rows}
