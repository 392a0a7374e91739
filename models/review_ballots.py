"""Tables of the secret ballot: the roll of voters and the votes share no key, time or order.

A vote has a random id and nothing else of its voter; one voter's votes on several candidates are
not tied to each other either, nor to the voter's receipt. In SQLite the tables of votes, receipts
and voters have no hidden row number. Closing a ballot writes all three anew in one transaction
(ballots.py), so that PostgreSQL's hidden transaction numbers tie nothing either once it is closed.
What this cannot hide: whoever reads PostgreSQL's files or its write-ahead log, or watches the
database while the ballot is open, can tell which rows came together. Give that to nobody, keep no
archive of the log over a ballot, and VACUUM the three tables afterwards.
"""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import AppendOnly, ReviewBase
from models.review import one_of

CHOICES = ("yes", "no", "abstain", "spoiled")
MEANS = ("tablet", "paper")


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
    """Who may vote, on what, and whether the vote came from a tablet; never when, and never what.

    Whoever votes on paper is marked so before getting the paper, and no tablet may vote for them.
    """

    __tablename__ = "voter_roll"
    __table_args__ = (
        ForeignKeyConstraint(["round_id", "reviewer"], ["reviewer.round_id", "reviewer.seat"]),
        one_of("means", MEANS),
        CheckConstraint("means = 'tablet' OR NOT has_voted", name="paper"),
        {"sqlite_with_rowid": False},
    )

    ballot_id: Mapped[str] = mapped_column(ForeignKey("ballot.id"), primary_key=True)
    reviewer: Mapped[str] = mapped_column(String(20), primary_key=True)
    round_id: Mapped[int]
    has_voted: Mapped[bool] = mapped_column(default=False)
    means: Mapped[str] = mapped_column(String(10), default="tablet", server_default="tablet")


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


class Receipt(ReviewBase):
    """That a ballot with this code is in the box; the code is random and tied to nothing else."""

    __tablename__ = "receipt"
    __table_args__ = ({"sqlite_with_rowid": False},)

    ballot_id: Mapped[str] = mapped_column(ForeignKey("ballot.id"), primary_key=True)
    code: Mapped[str] = mapped_column(String(20), primary_key=True)


class PaperEntry(AppendOnly, ReviewBase):
    """One person's count of the paper ballots. `papers`: how many lay in the box."""

    __tablename__ = "paper_entry"
    __table_args__ = (CheckConstraint("papers >= 0", name="papers"),)

    ballot_id: Mapped[str] = mapped_column(ForeignKey("ballot.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    papers: Mapped[int]
    by: Mapped[str] = mapped_column(String(100))
    at: Mapped[str] = mapped_column(String(40))


class PaperCount(AppendOnly, ReviewBase):
    """The paper votes on one candidate, in one person's count."""

    __tablename__ = "paper_count"
    __table_args__ = (
        ForeignKeyConstraint(
            ["ballot_id", "number"], ["paper_entry.ballot_id", "paper_entry.number"]
        ),
        ForeignKeyConstraint(["ballot_id", "code"], ["ballot_item.ballot_id", "ballot_item.code"]),
        CheckConstraint("yes >= 0 AND no >= 0 AND abstain >= 0 AND spoiled >= 0", name="votes"),
    )

    ballot_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    code: Mapped[str] = mapped_column(String(20), primary_key=True)
    yes: Mapped[int]
    no: Mapped[int]
    abstain: Mapped[int]
    spoiled: Mapped[int]
