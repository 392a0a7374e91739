"""What the office sees of the experts' keys: cards, signed-in tablets, refusals at the door."""

from __future__ import annotations

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from models.base import utc_now
from models.review_access import AccessEvent, SeatCard, SeatDevice

REFUSED = "sign_in.refused"
SHOWN_EVENTS = 100


def cards_of(session: Session, round_id: int) -> dict[str, SeatCard]:
    """Seat -> its card; seats that never had one are left out."""
    return {
        card.seat: card for card in session.scalars(select(SeatCard).filter_by(round_id=round_id))
    }


def tablets_of(session: Session, round_id: int) -> list[SeatDevice]:
    """Every tablet that is signed in, by seat, newest first."""
    chosen = select(SeatDevice).filter_by(round_id=round_id)
    chosen = chosen.where(SeatDevice.expires_at > utc_now())
    return list(session.scalars(chosen.order_by(SeatDevice.seat, SeatDevice.created_at.desc())))


def door_events(session: Session, round_id: int) -> list[AccessEvent]:
    """What happened at the door, newest first, at most SHOWN_EVENTS.

    Refusals of a number that no card has belong to no round and are shown with every one.
    """
    chosen = select(AccessEvent).where(
        or_(AccessEvent.round_id == round_id, AccessEvent.round_id.is_(None))
    )
    return list(session.scalars(chosen.order_by(AccessEvent.id.desc()).limit(SHOWN_EVENTS)))
