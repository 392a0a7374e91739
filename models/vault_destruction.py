"""Table of the rounds whose part of the vault is being destroyed or was; it names nobody."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import VaultBase
from models.review import one_of

DESTRUCTION_STATES = ("begun", "emptied", "done")


class Destruction(VaultBase):
    """A destruction by two persons. `state`: "emptied" when rows are gone and files may be left.

    `office_round_id` is of a round that is gone in the end, and may then be another's;
    `review_round_id` is None of one that was given up before anything was released.
    `certificate`: JSON; `certificate_sha256` is in the audit of the review store, too.
    """

    __tablename__ = "destruction"
    __table_args__ = (
        one_of("state", DESTRUCTION_STATES),
        CheckConstraint("confirmed_by <> asked_by", name="two_persons"),
        Index("ix_destruction_round", "office_round_id", "state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    office_round_id: Mapped[int]
    review_round_id: Mapped[int | None]
    state: Mapped[str] = mapped_column(String(10), default="begun")
    asked_by: Mapped[str] = mapped_column(String(100))
    confirmed_by: Mapped[str] = mapped_column(String(100))
    begun_at: Mapped[str] = mapped_column(String(40))
    done_at: Mapped[str] = mapped_column(String(40), default="")
    certificate: Mapped[str] = mapped_column(Text, default="{}")
    certificate_sha256: Mapped[str] = mapped_column(String(64), default="")
