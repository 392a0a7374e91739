"""Tables of the pages that experts may see: blind names, sizes, hashes, reports; no sources."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import AppendOnly, ReviewBase
from models.review import one_of

SETTLEMENTS = ("not_identifying", "replaced", "withdrawn")
"""withdrawn: the whole dossier was taken back, and the page with it."""


class ReleasedPage(ReviewBase):
    """A page of a released dossier, `blind/<code>/<number>.<suffix>`. Its order tells nothing: no
    running number and, in SQLite, no hidden row number. `frozen`: reported to show who it is; no
    expert gets it until the office has decided.
    """

    __tablename__ = "released_page"
    __table_args__ = (
        ForeignKeyConstraint(["round_id", "code"], ["candidate.round_id", "candidate.code"]),
        CheckConstraint("number >= 1", name="number"),
        {"sqlite_with_rowid": False},
    )

    round_id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(20), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    category: Mapped[str] = mapped_column(String(20))
    suffix: Mapped[str] = mapped_column(String(4))
    width: Mapped[int]
    height: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    frozen: Mapped[bool] = mapped_column(default=False)


class PageReport(AppendOnly, ReviewBase):
    """A seat's word that a released page shows who it is. `reason` must not repeat what it shows.

    It is open until a PageSettlement refers to it.
    """

    __tablename__ = "page_report"
    __table_args__ = (
        ForeignKeyConstraint(["round_id", "code"], ["candidate.round_id", "candidate.code"]),
        ForeignKeyConstraint(["round_id", "reported_by"], ["reviewer.round_id", "reviewer.seat"]),
        Index("ix_page_report_page", "round_id", "code", "number"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    round_id: Mapped[int]
    code: Mapped[str] = mapped_column(String(20))
    number: Mapped[int]
    reason: Mapped[str] = mapped_column(Text)
    reported_by: Mapped[str] = mapped_column(String(20))
    at: Mapped[str] = mapped_column(String(40))


class PageSettlement(AppendOnly, ReviewBase):
    """What the office decided about a report.

    `before_sha256`, `after_sha256`: of the released page; alike unless it was replaced.
    """

    __tablename__ = "page_settlement"
    __table_args__ = (
        one_of("decision", SETTLEMENTS),
        CheckConstraint(
            "(decision = 'replaced') = (before_sha256 <> after_sha256)", name="replaced"
        ),
    )

    report_id: Mapped[int] = mapped_column(ForeignKey("page_report.id"), primary_key=True)
    decision: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(Text)
    before_sha256: Mapped[str] = mapped_column(String(64))
    after_sha256: Mapped[str] = mapped_column(String(64))
    by: Mapped[str] = mapped_column(String(100))
    at: Mapped[str] = mapped_column(String(40))
