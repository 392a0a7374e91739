"""A seat's own sheet of a dossier with what its tablet needs to know, in one statement."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.review import PolicySnapshot, Round
from models.review_sheets import Sheet
from models.seat_dossiers import ASSIGNED


@dataclass(frozen=True)
class SeatSheet:
    """Where a seat's sheet stands. `places`: decimals of the round; `policy`: its text as it holds.

    `state`: open, submitted, excluded or recused; `phase`: of the round.
    """

    sheet_id: int
    state: str
    version: int
    phase: str
    places: int
    policy: str

    @property
    def editable(self) -> bool:
        return self.state == "open" and self.phase == "scoring"


def seat_sheet(session: Session, round_id: int, seat: str, code: str) -> SeatSheet | None:
    """The sheet of a dossier that is assigned to the seat, None when it is not."""
    policy = (
        select(PolicySnapshot.text)
        .where(PolicySnapshot.round_id == Sheet.round_id)
        .order_by(PolicySnapshot.number.desc())
        .limit(1)
        .scalar_subquery()
    )
    row = session.execute(
        select(Sheet.id, Sheet.state, Sheet.version, Round.phase, Round.places, policy)
        .join(Round, Round.id == Sheet.round_id)
        .where(
            Sheet.round_id == round_id,
            Sheet.reviewer == seat,
            Sheet.code == code,
            Sheet.state.in_(ASSIGNED),
        )
    ).one_or_none()
    return None if row is None else SeatSheet(*row)
