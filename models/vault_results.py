"""Tables from the locked tally to the notice: rosters, unsealing, complaints, signed sheets.

They name persons, or papers that do, so they stand in the vault.
"""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import AppendOnly, VaultBase


class RosterFile(AppendOnly, VaultBase):
    """A roster as it was imported. Its bytes lie in the round's folder under `sha256` + `suffix`.

    `sheet`: the name of the sheet that was read. `name`: what the file was called.
    """

    __tablename__ = "roster_file"
    __table_args__ = (UniqueConstraint("round_id", "sha256"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("office_round.id", ondelete="CASCADE"))
    sha256: Mapped[str] = mapped_column(String(64))
    suffix: Mapped[str] = mapped_column(String(10))
    sheet: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    by: Mapped[str] = mapped_column(String(100))
    at: Mapped[str] = mapped_column(String(40))


class Unsealing(VaultBase):
    """Two persons open the key of a round after tally `tally`. `confirmed_by` "": only asked."""

    __tablename__ = "unsealing"
    __table_args__ = (CheckConstraint("confirmed_by <> asked_by", name="two_persons"),)

    round_id: Mapped[int] = mapped_column(
        ForeignKey("office_round.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    tally: Mapped[int]
    asked_by: Mapped[str] = mapped_column(String(100))
    asked_at: Mapped[str] = mapped_column(String(40))
    confirmed_by: Mapped[str] = mapped_column(String(100), default="")
    confirmed_at: Mapped[str] = mapped_column(String(40), default="")


class ResultNotice(AppendOnly, VaultBase):
    """A public notice of the result. Dates are ISO. A new one with the next number replaces it."""

    __tablename__ = "result_notice"
    __table_args__ = (CheckConstraint("working_days >= 5", name="working_days"),)

    round_id: Mapped[int] = mapped_column(
        ForeignKey("office_round.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    tally: Mapped[int]
    posted: Mapped[str] = mapped_column(String(10))
    working_days: Mapped[int]
    place: Mapped[str] = mapped_column(Text)
    contact: Mapped[str] = mapped_column(Text)
    by: Mapped[str] = mapped_column(String(100))
    at: Mapped[str] = mapped_column(String(40))


class OfficeDay(VaultBase):
    """A day that the office's calendar knows better than the published one."""

    __tablename__ = "office_day"

    round_id: Mapped[int] = mapped_column(
        ForeignKey("office_round.id", ondelete="CASCADE"), primary_key=True
    )
    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    working: Mapped[bool]


class Complaint(VaultBase):
    """Something that was said against the notice. `answer` "": not answered yet."""

    __tablename__ = "complaint"

    round_id: Mapped[int] = mapped_column(
        ForeignKey("office_round.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    received: Mapped[str] = mapped_column(String(10))
    sender: Mapped[str] = mapped_column(String(200))
    text: Mapped[str] = mapped_column(Text)
    by: Mapped[str] = mapped_column(String(100))
    at: Mapped[str] = mapped_column(String(40))
    answer: Mapped[str] = mapped_column(Text, default="")
    answered_by: Mapped[str] = mapped_column(String(100), default="")
    answered_at: Mapped[str] = mapped_column(String(40), default="")


class SignedScan(AppendOnly, VaultBase):
    """A scan of signed sheets; its bytes lie in the round's folder under `sha256` + `suffix`.

    `codes`: JSON list of what the bar codes on its pages say.
    """

    __tablename__ = "signed_scan"
    __table_args__ = (UniqueConstraint("round_id", "sha256"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("office_round.id", ondelete="CASCADE"))
    sha256: Mapped[str] = mapped_column(String(64))
    suffix: Mapped[str] = mapped_column(String(10))
    name: Mapped[str] = mapped_column(Text)
    pages: Mapped[int]
    codes: Mapped[str] = mapped_column(Text)
    by: Mapped[str] = mapped_column(String(100))
    at: Mapped[str] = mapped_column(String(40))


class AuditDraw(AppendOnly, VaultBase):
    """A seeded draw of signed sheets to key again. `sheets`: JSON list of "seat|code", as drawn."""

    __tablename__ = "audit_draw"

    round_id: Mapped[int] = mapped_column(
        ForeignKey("office_round.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seed: Mapped[str] = mapped_column(String(200))
    of: Mapped[int]
    sheets: Mapped[str] = mapped_column(Text)
    by: Mapped[str] = mapped_column(String(100))
    at: Mapped[str] = mapped_column(String(40))


class RekeyedTotal(AppendOnly, VaultBase):
    """A total as somebody read it from the signed paper; the newest of a sheet holds."""

    __tablename__ = "rekeyed_total"
    __table_args__ = (Index("ix_rekeyed_total_draw", "round_id", "draw"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("office_round.id", ondelete="CASCADE"))
    draw: Mapped[int]
    sheet: Mapped[str] = mapped_column(String(50))
    total: Mapped[str] = mapped_column(String(20))
    by: Mapped[str] = mapped_column(String(100))
    at: Mapped[str] = mapped_column(String(40))
