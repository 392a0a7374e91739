"""What casting, counting paper and closing share: the ballot under its lock, and who may vote."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.audit import AuditEvent
from models.errors import Sentence
from models.review import Recusal, Round
from models.review_ballots import Ballot, BallotItem, Receipt, VoterRoll
from models.rounds import InputError

RollState = Literal["waiting", "voted", "paper", "stranger"]


@dataclass(frozen=True)
class BallotFacts:
    """A ballot as pages show it: nothing in it tells how or when anybody voted.

    `number`: in the order of opening, from 1. `voters`, `paper`: seats on the roll, and those of
    them who vote on paper. `voted`: how many tablets' ballots are in the box. `items`: by code.
    """

    id: str
    number: int
    state: str
    present: int
    voters: tuple[str, ...]
    paper: tuple[str, ...]
    voted: int
    items: tuple[BallotItem, ...]

    @property
    def tablets(self) -> int:
        return len(self.voters) - len(self.paper)


def lock_ballot(session: Session, ballot_id: str, *, change: bool) -> Ballot:
    """The ballot, locked so that nobody closes it meanwhile; with `change`, so that nobody votes.

    Raises InputError when there is none.
    """
    ballot = session.scalars(
        select(Ballot)
        .where(Ballot.id == ballot_id)
        .with_for_update(read=not change)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if ballot is None:
        raise InputError(Sentence("没有这次投票。", "There is no such ballot."))
    return ballot


def codes_of(session: Session, ballot_id: str) -> set[str]:
    """The candidates on a ballot."""
    return set(session.scalars(select(BallotItem.code).filter_by(ballot_id=ballot_id)))


def recused_pairs(session: Session, round_id: int) -> set[tuple[str, str]]:
    """(seat, code) of every recusal of a round."""
    rows = session.execute(select(Recusal.reviewer, Recusal.code).filter_by(round_id=round_id))
    return {(row.reviewer, row.code) for row in rows}


def codes_for(session: Session, ballot: Ballot, seat: str) -> tuple[list[str], list[str]]:
    """(codes on which a seat votes, codes from which it is recused), both sorted."""
    codes = codes_of(session, ballot.id)
    away = {code for who, code in recused_pairs(session, ballot.round_id) if who == seat}
    return sorted(codes - away), sorted(codes & away)


def open_ballot_of(session: Session, round_id: int) -> Ballot | None:
    """The ballot that is open in a round; there is never more than one."""
    return session.scalars(select(Ballot).filter_by(round_id=round_id, state="open")).first()


def roll_state(session: Session, ballot_id: str, seat: str) -> RollState:
    """Whether a seat may vote on its tablet, has done so, votes on paper, or is no voter."""
    row = session.get(VoterRoll, (ballot_id, seat))
    if row is None:
        return "stranger"
    if row.means == "paper":
        return "paper"
    return "voted" if row.has_voted else "waiting"


def meeting_of(session: Session, round_id: int, seat: str) -> tuple[str, bool]:
    """(phase of the round, whether a ballot is open that waits for this seat's tablet)."""
    waiting = (
        select(VoterRoll.reviewer)
        .join(Ballot, Ballot.id == VoterRoll.ballot_id)
        .where(
            Ballot.round_id == round_id,
            Ballot.state == "open",
            VoterRoll.reviewer == seat,
            VoterRoll.means != "paper",
            VoterRoll.has_voted.is_(False),
        )
        .exists()
    )
    # One question: every tablet asks every few seconds.
    found = session.execute(select(Round.phase, waiting).where(Round.id == round_id)).first()
    phase, waits = found or ("", False)
    return phase, bool(waits)


def ballots_of(session: Session, round_id: int) -> list[BallotFacts]:
    """Every ballot of a round, in the order of opening."""
    found = session.scalars(select(Ballot).filter_by(round_id=round_id)).all()
    ids = [ballot.id for ballot in found]
    roll = session.scalars(
        select(VoterRoll).where(VoterRoll.ballot_id.in_(ids)).order_by(VoterRoll.reviewer)
    ).all()
    items = session.scalars(
        select(BallotItem).where(BallotItem.ballot_id.in_(ids)).order_by(BallotItem.code)
    ).all()
    numbers = {ballot_id: n for n, ballot_id in enumerate(_in_order(session, round_id), 1)}
    facts = [
        BallotFacts(
            id=ballot.id,
            number=numbers.get(ballot.id, 0),
            state=ballot.state,
            present=ballot.present,
            voters=tuple(row.reviewer for row in roll if row.ballot_id == ballot.id),
            paper=tuple(
                row.reviewer for row in roll if row.ballot_id == ballot.id and row.means == "paper"
            ),
            voted=sum(row.has_voted for row in roll if row.ballot_id == ballot.id),
            items=tuple(item for item in items if item.ballot_id == ballot.id),
        )
        for ballot in found
    ]
    return sorted(facts, key=lambda ballot: (ballot.number, ballot.id))


def receipts_of(session: Session, ballot_id: str) -> Sequence[str]:
    """The sorted receipts of a closed ballot; none while it is open.

    An open list would grow by one whenever somebody votes, and whoever watches the room would
    see whose it is.
    """
    return session.scalars(
        select(Receipt.code)
        .join(Ballot, Ballot.id == Receipt.ballot_id)
        .where(Ballot.id == ballot_id, Ballot.state == "closed")
        .order_by(Receipt.code)
    ).all()


def _in_order(session: Session, round_id: int) -> list[str]:
    events = session.scalars(
        select(AuditEvent.details).filter_by(action="open_ballot").order_by(AuditEvent.number)
    )
    details = (json.loads(text) for text in events)
    return [said["ballot"] for said in details if said.get("round") == round_id]
