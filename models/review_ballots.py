"""Tables of the secret ballot: the roll of voters and the votes share no key, time or order.

A vote has a random id and nothing else of its voter; one voter's votes on several candidates are
not tied to each other either. In SQLite the vote table has no hidden row number. Closing a ballot
writes the roll and all votes anew in one transaction (ballots.py), so that PostgreSQL's hidden
transaction numbers tie nothing either once it is closed.
"""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import ReviewBase
from models.review import one_of

CHOICES = ("yes", "no", "abstain", "spoiled")


class Ballot(ReviewBase):
    """One secret ballot over some candidates of a round."""

    __tablename__ = "ballot"
    __table_args__ = (one_of("state", ("open", "closed")),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("round.id"))
    present: Mapped[int]
    state: Mapped[str] = mapped_column(String(10), default="open")


class BallotItem(ReviewBase):
    """A candidate on a ballot. Counts are empty until it is closed; `recused` of those present."""

    __tablename__ = "ballot_item"
    __table_args__ = (
        ForeignKeyConstraint(["round_id", "code"], ["candidate.round_id", "candidate.code"]),
        CheckConstraint("recused >= 0", name="recused"),
    )

    ballot_id: Mapped[str] = mapped_column(ForeignKey("ballot.id"), primary_key=True)
    code: Mapped[str] = mapped_column(String(20), primary_key=True)
    round_id: Mapped[int]
    recused: Mapped[int]
    yes: Mapped[int | None]
    no: Mapped[int | None]
    abstain: Mapped[int | None]
    spoiled: Mapped[int | None]


class VoterRoll(ReviewBase):
    """Who may vote and whether the vote was handed in; never when, and never what."""

    __tablename__ = "voter_roll"
    __table_args__ = (
        ForeignKeyConstraint(["round_id", "reviewer"], ["reviewer.round_id", "reviewer.seat"]),
        {"sqlite_with_rowid": False},
    )

    ballot_id: Mapped[str] = mapped_column(ForeignKey("ballot.id"), primary_key=True)
    reviewer: Mapped[str] = mapped_column(String(20), primary_key=True)
    round_id: Mapped[int]
    has_voted: Mapped[bool] = mapped_column(default=False)


class Vote(ReviewBase):
    """One vote on one candidate. The id is random and is no key of anything else."""

    __tablename__ = "vote"
    __table_args__ = (
        ForeignKeyConstraint(["ballot_id", "code"], ["ballot_item.ballot_id", "ballot_item.code"]),
        one_of("choice", CHOICES),
        {"sqlite_with_rowid": False},
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    ballot_id: Mapped[str] = mapped_column(String(32))
    code: Mapped[str] = mapped_column(String(20))
    choice: Mapped[str] = mapped_column(String(10))
