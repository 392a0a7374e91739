"""Tables of the scores: sheets with all their versions, and defence scores. Integers only."""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from models.base import AppendOnly, ReviewBase
from models.review import one_of

SHEET_STATES = ("open", "submitted", "excluded", "recused", "withdrawn")
VERSION_KINDS = ("draft", "submitted", "correction")


class Sheet(ReviewBase):
    """A dossier assigned to a reviewer. `version` is the newest version's number, 0 for none."""

    __tablename__ = "sheet"
    __table_args__ = (
        ForeignKeyConstraint(["round_id", "reviewer"], ["reviewer.round_id", "reviewer.seat"]),
        ForeignKeyConstraint(["round_id", "code"], ["candidate.round_id", "candidate.code"]),
        UniqueConstraint("round_id", "reviewer", "code"),
        one_of("state", SHEET_STATES),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    round_id: Mapped[int]
    reviewer: Mapped[str] = mapped_column(String(20))
    code: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(10), default="open")
    version: Mapped[int] = mapped_column(default=0)
    reason: Mapped[str] = mapped_column(Text, default="")


class SheetVersion(AppendOnly, ReviewBase):
    """One saved state of a sheet. A correction carries its reason and two persons.

    `save_id`: what the tablet called this save, so that one whose answer was lost is not saved
    again.
    """

    __tablename__ = "sheet_version"
    __table_args__ = (
        one_of("kind", VERSION_KINDS),
        CheckConstraint(
            "kind <> 'correction' OR (reason <> '' AND confirmed_by IS NOT NULL "
            'AND confirmed_by <> "by")',
            name="two_persons",
        ),
        Index("uq_sheet_version_save", "sheet_id", "save_id", unique=True),
    )

    sheet_id: Mapped[int] = mapped_column(ForeignKey("sheet.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(10))
    comment: Mapped[str] = mapped_column(Text, default="")
    reason: Mapped[str] = mapped_column(Text, default="")
    by: Mapped[str] = mapped_column(String(100))
    confirmed_by: Mapped[str | None] = mapped_column(String(100))
    at: Mapped[str] = mapped_column(String(40))
    save_id: Mapped[str | None] = mapped_column(String(40))


class SheetScore(AppendOnly, ReviewBase):
    """A criterion's points in one version, times 10 ** the round's places."""

    __tablename__ = "sheet_score"
    __table_args__ = (
        ForeignKeyConstraint(
            ["sheet_id", "number"], ["sheet_version.sheet_id", "sheet_version.number"]
        ),
        CheckConstraint("points >= 0", name="points"),
    )

    sheet_id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    criterion: Mapped[str] = mapped_column(String(50), primary_key=True)
    points: Mapped[int]


class SheetNote(AppendOnly, ReviewBase):
    """The note on a page as version `number` changed it; "" took it away.

    A version's notes are, for each page, those of the highest number up to it.
    """

    __tablename__ = "sheet_note"
    __table_args__ = (
        ForeignKeyConstraint(
            ["sheet_id", "number"], ["sheet_version.sheet_id", "sheet_version.number"]
        ),
        CheckConstraint("page >= 1", name="page"),
    )

    sheet_id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    page: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    text: Mapped[str] = mapped_column(Text)


class DefenceScore(AppendOnly, ReviewBase):
    """A judge's points for a defence; the highest number holds, older ones are its history."""

    __tablename__ = "defence_score"
    __table_args__ = (
        ForeignKeyConstraint(["round_id", "judge"], ["reviewer.round_id", "reviewer.seat"]),
        ForeignKeyConstraint(["round_id", "code"], ["candidate.round_id", "candidate.code"]),
        CheckConstraint("points >= 0", name="points"),
    )

    round_id: Mapped[int] = mapped_column(primary_key=True)
    judge: Mapped[str] = mapped_column(String(20), primary_key=True)
    code: Mapped[str] = mapped_column(String(20), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    points: Mapped[int]
    reason: Mapped[str] = mapped_column(Text, default="")
    by: Mapped[str] = mapped_column(String(100))
    confirmed_by: Mapped[str | None] = mapped_column(String(100))


class DefenceResult(AppendOnly, ReviewBase):
    """Pass or fail of a defence that is not scored; the highest number holds."""

    __tablename__ = "defence_result"
    __table_args__ = (
        ForeignKeyConstraint(["round_id", "code"], ["candidate.round_id", "candidate.code"]),
    )

    round_id: Mapped[int] = mapped_column(ForeignKey("round.id"), primary_key=True)
    code: Mapped[str] = mapped_column(String(20), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    passed: Mapped[bool]
    reason: Mapped[str] = mapped_column(Text, default="")
    by: Mapped[str] = mapped_column(String(100))
    confirmed_by: Mapped[str | None] = mapped_column(String(100))
