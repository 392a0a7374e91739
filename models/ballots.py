"""Writes of a secret ballot: open, cast, close; a vote is never tied to its voter.

Receipts. Each ballot from a tablet leaves a random code in the box, which its voter alone is
shown. When the ballot is closed, the sorted list of codes is published and counted against the
roll. A member who finds the code there knows that the ballot cast with it was in the box when it
was closed, that it was counted once, and, as the list is as long as the roll says, that none was
added. The code is tied to no seat and to no choice: it shows nobody how, or even that, its holder
voted. What it does not prove: that the choices were counted as they were meant. A code that proved
that to its voter would prove it to a buyer of votes as well. It also cannot be shown a second time,
because nothing knows whose it is.
"""

from __future__ import annotations

import hashlib
import secrets
from collections import Counter
from collections.abc import Iterable, Mapping
from fractions import Fraction

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from models.ballot_box import ballots_of, codes_for, codes_of, lock_ballot, recused_pairs
from models.base import forget_after_commit
from models.errors import Sentence
from models.paper_ballots import agreed_papers
from models.review import Reviewer
from models.review_ballots import CHOICES, Ballot, BallotItem, Receipt, Vote, VoterRoll
from models.rounds import (
    InputError,
    OrderError,
    get_candidate,
    get_round,
    record_event,
    require_no_open_ballot,
    require_phase,
)
from models.seat_access import NUMBER_ALPHABET

RECEIPT_LENGTH = 8


def require_one_ballot_each(session: Session, *, round_id: int, codes: Iterable[str]) -> None:
    """OrderError where one tally could not hold another ballot beside those of the round.

    There is no second ballot on a candidate, and one attendance for the whole tally.
    """
    get_round(session, round_id, change=True)
    problems = []
    earlier = ballots_of(session, round_id)
    for code in sorted({item.code for ballot in earlier for item in ballot.items} & {*codes}):
        problems.append(
            Sentence(
                f"{code} 已经投过票，不能再投。",
                f"There was a ballot on {code} already; a second one is not allowed.",
            )
        )
    here = select(Reviewer.seat).filter_by(round_id=round_id, present=True)
    if earlier and set(earlier[0].voters) != set(session.scalars(here)):
        said = "、".join(earlier[0].voters)
        problems.append(
            Sentence(
                f"此前的投票由 {said} 出席；一份汇总只能有一个出席名单。"
                "请按该名单登记出席后再投票。",
                f"The earlier ballot was held by {said}; one tally holds one attendance. Record "
                "the same attendance before another ballot.",
            )
        )
    if problems:
        raise OrderError(problems)


def open_ballot(
    session: Session,
    *,
    round_id: int,
    codes: Iterable[str],
    by: str,
    quorum: Fraction = Fraction(2, 3),
) -> str:
    """Open a ballot over `codes` for the seats that are present; returns its id.

    Who is present is fixed here: no proxy can vote and nobody can join later. Refused below an
    attendance of `quorum`, the policy's share of the committee: of 2/3, 3 * present >= 2 * members.
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
    if quorum.denominator * len(voters) < quorum.numerator * found.committee_members:
        raise OrderError(
            Sentence(
                f"出席 {len(voters)} 人，不足评委会 {found.committee_members} 人的 {quorum}，"
                "不能投票。",
                f"{len(voters)} of {found.committee_members} members are present, fewer than "
                f"{quorum}: no ballot can be held.",
            )
        )
    ballot = Ballot(id=secrets.token_hex(16), round_id=round_id, present=len(voters))
    session.add(ballot)
    session.flush()
    recused = recused_pairs(session, round_id)
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


def new_receipt() -> str:
    """A code that means nothing, for one ballot paper."""
    return "".join(secrets.choice(NUMBER_ALPHABET) for _ in range(RECEIPT_LENGTH))


def cast_ballot(
    session: Session,
    *,
    ballot_id: str,
    reviewer: str,
    choices: Mapping[str, str],
    receipt: str | None = None,
) -> str:
    """Cast one voter's choices: one for every candidate that the voter is not recused from.

    Returns the receipt. A ballot that is sent again with the same receipt, because its answer was
    lost, counts once and gets the same answer, even after the close. Writes no audit event and no
    time: either would tie the vote to the voter. Raises OrderError for a closed ballot or a second
    vote, InputError for a stranger or wrong choices.
    """
    code = receipt or new_receipt()
    ballot = lock_ballot(session, ballot_id, change=False)
    seat = session.get(VoterRoll, (ballot_id, reviewer), populate_existing=True)
    if seat is None:
        raise InputError(
            Sentence(
                f"{reviewer} 不在本次投票的出席名单上，不能投票，也不能由他人代投。",
                f"{reviewer} is not on the roll of this ballot and cannot vote, nor by proxy.",
            )
        )
    if seat.has_voted and _in_box(session, ballot_id, code):
        return code
    if ballot.state != "open":
        raise OrderError(
            Sentence("投票已结束，不接受补投。", "The ballot is closed; late votes are refused.")
        )
    if seat.means == "paper":
        raise OrderError(
            Sentence(
                f"{reviewer} 已登记使用纸质选票，不能再用平板投票。如需改用平板，请找秘书。",
                f"{reviewer} is marked to vote on paper and cannot vote on a tablet. Ask the "
                "secretary to change that.",
            )
        )
    _check_choices(session, ballot, reviewer, choices, code)
    # One atomic update, so that two tablets of one voter cannot both be counted.
    first = session.execute(
        update(VoterRoll)
        .filter_by(ballot_id=ballot_id, reviewer=reviewer, has_voted=False, means="tablet")
        .values(has_voted=True)
        .returning(VoterRoll.reviewer)
        .execution_options(synchronize_session=False)
    ).scalar()
    if first is None:
        # The same ballot may have arrived twice at once.
        if _in_box(session, ballot_id, code):
            return code
        raise OrderError(Sentence(f"{reviewer} 已投过票。", f"{reviewer} has already voted."))
    if _in_box(session, ballot_id, code):
        raise InputError(
            Sentence(
                "这个回执码已被使用。请重新打开选票，取得新的回执码。",
                "This receipt is taken. Open the ballot paper again for a new one.",
            )
        )
    _insert_votes(session, ballot_id, list(choices.items()))
    session.execute(insert(Receipt), {"ballot_id": ballot_id, "code": code})
    return code


def _check_choices(
    session: Session, ballot: Ballot, reviewer: str, choices: Mapping[str, str], receipt: str
) -> None:
    expected = set(codes_for(session, ballot, reviewer)[0])
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
    # Anything longer could carry a message out of the booth.
    if len(receipt) != RECEIPT_LENGTH or not set(receipt) <= set(NUMBER_ALPHABET):
        problems.append(
            Sentence(
                "回执码不完整。请重新打开选票。", "The receipt is damaged. Open the paper again."
            )
        )
    if problems:
        raise InputError(problems)


def close_ballot(session: Session, *, ballot_id: str, by: str) -> dict[str, Counter[str]]:
    """Close a ballot for good and return the counts by code.

    In one transaction: late votes are shut out, counts are fixed, paper votes that two persons
    counted alike are added, and the roll, all receipts and all votes are written anew, votes with
    new ids in random order, so that no row's place or transaction number tells who cast it.
    Raises OrderError when it is closed already, or while the paper votes are not settled.
    """
    ballot = lock_ballot(session, ballot_id, change=True)
    if ballot.state != "open":
        raise OrderError(Sentence("投票已经结束。", "The ballot is already closed."))
    papers = agreed_papers(session, ballot)
    ballot.state = "closed"
    votes = [
        (code, choice)
        for code, choice in session.execute(
            select(Vote.code, Vote.choice).filter_by(ballot_id=ballot_id)
        )
    ]
    counts = {code: Counter[str]() for code in sorted(codes_of(session, ballot_id))}
    for code, choice in votes:
        counts[code][choice] += 1
    for code, said in papers.counts.items() if papers else ():
        counts[code].update({choice: count for choice, count in said.items() if count})
    for code, count in counts.items():
        item = session.get_one(BallotItem, (ballot_id, code))
        item.yes, item.no = count["yes"], count["no"]
        item.abstain, item.spoiled = count["abstain"], count["spoiled"]
    session.execute(delete(Vote).filter_by(ballot_id=ballot_id))
    _insert_votes(session, ballot_id, votes)
    receipts = sorted(session.scalars(select(Receipt.code).filter_by(ballot_id=ballot_id)))
    session.execute(delete(Receipt).filter_by(ballot_id=ballot_id))
    if receipts:
        rows = [{"ballot_id": ballot_id, "code": code} for code in receipts]
        session.execute(insert(Receipt), rows)
    roll = session.execute(
        select(VoterRoll.reviewer, VoterRoll.round_id, VoterRoll.has_voted, VoterRoll.means)
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
            "papers": papers.papers if papers else 0,
            "receipts": hashlib.sha256("\n".join(receipts).encode()).hexdigest(),
        },
    )
    # The log of writes has the votes in the order in which they came.
    forget_after_commit(session)
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


def _in_box(session: Session, ballot_id: str, receipt: str) -> bool:
    found = select(Receipt.code).filter_by(ballot_id=ballot_id, code=receipt)
    return session.scalars(found).first() is not None
