"""Table of the pages that experts may see: blind names, sizes and hashes, no times, no sources."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import ReviewBase


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
