"""Writes of the seats of an open review round: added while it is scored, removed while untouched.

A round is opened at the first release, when nobody may be on the committee yet.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Table, and_, delete, exists, select
from sqlalchemy.orm import Session

from models.base import ReviewBase
from models.errors import Sentence
from models.review import Reviewer
from models.review_access import SeatCard, SeatDevice
from models.review_sheets import Sheet
from models.rounds import OrderError, get_round, get_seat, record_event, require_phase

_OPEN = ("scoring", "locked", "defence", "voting")


def seats_of(session: Session, round_id: int) -> list[str]:
    """The seats of a round."""
    return sorted(session.scalars(select(Reviewer.seat).where(Reviewer.round_id == round_id)))


def add_seats(session: Session, *, round_id: int, seats: Iterable[str], by: str) -> list[str]:
    """Adds the seats that are not there yet, and tells which; OrderError once it is closed.

    A seat that is added late takes part in defence and votes; sheets need the phase `scoring`.
    """
    require_phase(get_round(session, round_id, change=True), *_OPEN)
    new = sorted(set(seats) - set(seats_of(session, round_id)))
    if new:
        session.add_all(Reviewer(round_id=round_id, seat=seat) for seat in new)
        record_event(session, by=by, action="add_seats", round_id=round_id, details={"seats": new})
        session.flush()
    return new


def remove_seat(session: Session, *, round_id: int, seat: str, by: str) -> None:
    """Removes a seat with its card, its tablets and its untouched sheets.

    OrderError once anything was done from the seat or written down about it: that is evidence.
    """
    require_phase(get_round(session, round_id, change=True), "scoring")
    row = get_seat(session, round_id, seat)
    if _left_traces(session, round_id, seat):
        raise OrderError(
            Sentence(
                f"{seat} 已有评分、回避或报告等记录，不能删除席位。可收回其卡片，"
                "排除或撤回其评分表，再改派他人。",
                f"{seat} has scores, recusals or reports already, so the seat stays. Revoke its "
                "card, exclude or withdraw its sheets and give them to others.",
            )
        )
    of_sheets = {"round_id": round_id, "reviewer": seat}
    session.execute(delete(Sheet).filter_by(**of_sheets))
    for table in (SeatDevice, SeatCard):
        session.execute(delete(table).filter_by(round_id=round_id, seat=seat))
    session.delete(row)
    record_event(session, by=by, action="remove_seat", round_id=round_id, details={"seat": seat})
    session.flush()


def _left_traces(session: Session, round_id: int, seat: str) -> bool:
    """Whether any table refers to the seat, or to one of its sheets, beyond what may go."""
    sheets = Sheet.__table__
    assert isinstance(sheets, Table)
    mine = and_(sheets.c.round_id == round_id, sheets.c.reviewer == seat)
    found = [exists().where(mine, ~sheets.c.state.in_(("open", "withdrawn")))]
    may_go = {sheets, SeatCard.__table__, SeatDevice.__table__}
    for table in ReviewBase.metadata.sorted_tables:
        for key in table.foreign_key_constraints:
            if key.referred_table is Reviewer.__table__ and table not in may_go:
                columns = {e.column.name: e.parent for e in key.elements}
                found.append(
                    exists().where(columns["round_id"] == round_id, columns["seat"] == seat)
                )
            elif key.referred_table is sheets:
                own = [e.parent == e.column for e in key.elements]
                found.append(exists().where(and_(mine, *own)))
    return any(session.scalar(select(one)) for one in found)
