"""Tables of a round: policies, candidates by code, seats, recusals, rulings and tallies.

Candidates have no running number and, in SQLite, no hidden row number: both would tell the order
of upload. Times are ISO 8601 text in UTC. Seats ("R01") name no person.
"""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import AppendOnly, ReviewBase

PHASES = ("scoring", "locked", "defence", "voting", "closed")
DEFENCE_STANDINGS = ("attended", "exempt", "absent", "waived", "not_required")
GROUNDS = ("service", "remote_county", "below_county", "junior", "non_public")


def one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    """A check that `column` holds one of `values`."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


class Round(ReviewBase):
    """One review. Scores are integers: points times 10 ** `places`."""

    __tablename__ = "round"
    __table_args__ = (
        one_of("phase", PHASES),
        CheckConstraint("places >= 0 AND places <= 6", name="places"),
        CheckConstraint("committee_members >= 1", name="committee_members"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    year: Mapped[int]
    places: Mapped[int]
    committee_members: Mapped[int]
    phase: Mapped[str] = mapped_column(String(10), default="scoring")


class PolicySnapshot(AppendOnly, ReviewBase):
    """The policy's text as it was used, so that a later edit of the file changes no result."""

    __tablename__ = "policy_snapshot"

    round_id: Mapped[int] = mapped_column(ForeignKey("round.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    text: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64))
    by: Mapped[str] = mapped_column(String(100))
    at: Mapped[str] = mapped_column(String(40))


class Candidate(ReviewBase):
    """A candidate as experts may know one: a blind code and what the arithmetic needs."""

    __tablename__ = "candidate"
    __table_args__ = (
        one_of("defence", DEFENCE_STANDINGS),
        CheckConstraint(
            "ground IS NULL OR ground IN (" + ", ".join(f"'{ground}'" for ground in GROUNDS) + ")",
            name="ground",
        ),
        {"sqlite_with_rowid": False},
    )

    round_id: Mapped[int] = mapped_column(ForeignKey("round.id"), primary_key=True)
    code: Mapped[str] = mapped_column(String(20), primary_key=True)
    specialty: Mapped[str] = mapped_column(String(100))
    level: Mapped[str] = mapped_column(String(20))
    defence: Mapped[str] = mapped_column(String(20))
    ground: Mapped[str | None] = mapped_column(String(20))
    disqualified: Mapped[bool] = mapped_column(default=False)


class Reviewer(ReviewBase):
    """A seat on the committee. Who sits there is known to the office alone."""

    __tablename__ = "reviewer"

    round_id: Mapped[int] = mapped_column(ForeignKey("round.id"), primary_key=True)
    seat: Mapped[str] = mapped_column(String(20), primary_key=True)
    present: Mapped[bool] = mapped_column(default=False)


class Recusal(AppendOnly, ReviewBase):
    """A reviewer who must not judge a candidate; `reason` must not name the candidate."""

    __tablename__ = "recusal"
    __table_args__ = (
        ForeignKeyConstraint(["round_id", "reviewer"], ["reviewer.round_id", "reviewer.seat"]),
        ForeignKeyConstraint(["round_id", "code"], ["candidate.round_id", "candidate.code"]),
    )

    round_id: Mapped[int] = mapped_column(primary_key=True)
    reviewer: Mapped[str] = mapped_column(String(20), primary_key=True)
    code: Mapped[str] = mapped_column(String(20), primary_key=True)
    reason: Mapped[str] = mapped_column(Text)
    by: Mapped[str] = mapped_column(String(100))
    at: Mapped[str] = mapped_column(String(40))


WITHDRAWN = "withdrawn"
"""The value of a ruling that takes the one before it back."""


class Ruling(AppendOnly, ReviewBase):
    """The secretary's answer where the rules are silent; a later one on the same subject holds."""

    __tablename__ = "ruling"
    __table_args__ = (
        ForeignKeyConstraint(["round_id", "code"], ["candidate.round_id", "candidate.code"]),
    )

    round_id: Mapped[int] = mapped_column(ForeignKey("round.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    code: Mapped[str] = mapped_column(String(20))
    subject: Mapped[str] = mapped_column(String(50))
    value: Mapped[str] = mapped_column(String(100))
    reason: Mapped[str] = mapped_column(Text)
    by: Mapped[str] = mapped_column(String(100))
    at: Mapped[str] = mapped_column(String(40))


class Tally(AppendOnly, ReviewBase):
    """A frozen result, RESULT.json as it was written; a correction makes the next number."""

    __tablename__ = "tally"

    round_id: Mapped[int] = mapped_column(ForeignKey("round.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    body: Mapped[str] = mapped_column(Text)
    body_sha256: Mapped[str] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(Text)
    by: Mapped[str] = mapped_column(String(100))
    confirmed_by: Mapped[str | None] = mapped_column(String(100))
    at: Mapped[str] = mapped_column(String(40))
