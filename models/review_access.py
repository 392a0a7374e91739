"""Tables of the experts' keys: a seat's card, signed-in tablets, what happened at the door.

They name seats ("R01"), never persons.
"""

from __future__ import annotations

from sqlalchemy import ForeignKeyConstraint, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import AppendOnly, ReviewBase


class SeatCard(ReviewBase):
    """The card with which a seat signs in: a printed number (also as QR) and a PIN or password.

    `failures`: wrong PINs since the last right one. `locked_until`: "" or a time, before which no
    PIN is looked at.
    """

    __tablename__ = "seat_card"
    __table_args__ = (
        ForeignKeyConstraint(["round_id", "seat"], ["reviewer.round_id", "reviewer.seat"]),
    )

    round_id: Mapped[int] = mapped_column(primary_key=True)
    seat: Mapped[str] = mapped_column(String(20), primary_key=True)
    number: Mapped[str] = mapped_column(String(20), unique=True)
    pin_hash: Mapped[str] = mapped_column(String(200))
    password_hash: Mapped[str] = mapped_column(String(200), default="")
    active: Mapped[bool] = mapped_column(default=True)
    failures: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[str] = mapped_column(String(40), default="")
    issued_at: Mapped[str] = mapped_column(String(40))


class SeatDevice(ReviewBase):
    """A signed-in tablet. Only the sha256 of its cookie is kept; deleting the row signs it out."""

    __tablename__ = "seat_device"
    __table_args__ = (
        ForeignKeyConstraint(["round_id", "seat"], ["reviewer.round_id", "reviewer.seat"]),
        Index("ix_seat_device_seat", "round_id", "seat"),
    )

    token_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    round_id: Mapped[int]
    seat: Mapped[str] = mapped_column(String(20))
    device: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[str] = mapped_column(String(40))
    seen_at: Mapped[str] = mapped_column(String(40))
    expires_at: Mapped[str] = mapped_column(String(40))


class AccessEvent(AppendOnly, ReviewBase):
    """What happened at the experts' door: signed in, refused, revoked. `details`: JSON."""

    __tablename__ = "access_event"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[str] = mapped_column(String(40))
    round_id: Mapped[int | None] = mapped_column(index=True)
    seat: Mapped[str] = mapped_column(String(20))
    by: Mapped[str] = mapped_column(String(100))
    action: Mapped[str] = mapped_column(String(50))
    details: Mapped[str] = mapped_column(Text, default="{}")
