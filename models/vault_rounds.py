"""Tables of a round as the office knows it: its settings, its applicants, what they sent."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import VaultBase
from models.review import one_of

FILE_STATES = ("unmatched", "waiting", "done", "failed", "duplicate", "replaced")
UPLOAD_STATES = ("receiving", "received", "duplicate", "refused")
LIVE = text("state <> 'replaced'")
"""A path holds one file; those that it replaced stay in the table beside it."""


class OfficeRound(VaultBase):
    """A review in preparation. `review_round_id`: the same round in the review store, once made.

    `policy`: the TOML text in force. `profile`: strict or notice. `paused`: the runner leaves its
    jobs alone. `two_person_release`: a second account must confirm a release. `retention_days`: how
    long its part of the vault is kept after it is closed or given up, None while no period is
    set. `given_up_on`: the day on which it was declared abandoned, None while it goes on.
    """

    __tablename__ = "office_round"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    year: Mapped[int]
    policy_name: Mapped[str] = mapped_column(String(100))
    policy: Mapped[str] = mapped_column(Text)
    profile: Mapped[str] = mapped_column(String(10), default="strict")
    committee_members: Mapped[int]
    submit_until: Mapped[str] = mapped_column(String(40), default="")
    two_person_release: Mapped[bool] = mapped_column(default=False)
    paused: Mapped[bool] = mapped_column(default=False)
    review_round_id: Mapped[int | None]
    retention_days: Mapped[int | None]
    given_up_on: Mapped[str | None] = mapped_column(String(10))
    created_at: Mapped[str] = mapped_column(String(40))


class Entrant(VaultBase):
    """An applicant of a round. `row`: the roster row as JSON (redactor.applicant.Applicant).

    `code`: the blind code. `submissions`: how often material was sent, counted against the
    policy's `max_times`. `returned_at`: when it was last sent back, "" if never or sent again.
    """

    __tablename__ = "entrant"
    __table_args__ = (
        UniqueConstraint("round_id", "number"),
        UniqueConstraint("round_id", "code"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("office_round.id", ondelete="CASCADE"))
    number: Mapped[int]
    name: Mapped[str] = mapped_column(String(100))
    unit: Mapped[str] = mapped_column(String(200))
    specialty: Mapped[str] = mapped_column(String(100), default="")
    level: Mapped[str] = mapped_column(String(20), default="")
    row: Mapped[str] = mapped_column(Text)
    code: Mapped[str] = mapped_column(String(20))
    submissions: Mapped[int] = mapped_column(default=1)
    returned_at: Mapped[str] = mapped_column(String(40), default="")


class Upload(VaultBase):
    """A file on its way: `received` of `size` bytes are on disk. `path`: relative, as it was sent.

    `modified`: when it was last changed where it came from, ms since 1970; with path and size it
    tells whether two uploads are one. `sha256`: of the whole, "" until it is there. `note`: JSON
    list of [path, Chinese, English]: what was left out, and why.
    """

    __tablename__ = "upload"
    __table_args__ = (
        one_of("state", UPLOAD_STATES),
        Index("ix_upload_round_path", "round_id", "path"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("office_round.id", ondelete="CASCADE"))
    path: Mapped[str] = mapped_column(Text)
    size: Mapped[int] = mapped_column(BigInteger)
    modified: Mapped[int] = mapped_column(BigInteger, default=0)
    received: Mapped[int] = mapped_column(BigInteger, default=0)
    sha256: Mapped[str] = mapped_column(String(64), default="")
    state: Mapped[str] = mapped_column(String(10), default="receiving")
    note: Mapped[str] = mapped_column(Text, default="")
    started_at: Mapped[str] = mapped_column(String(40))


class SourceFile(VaultBase):
    """A scan that was sent. `path`: below the round's folder of scans.

    `entrant_id`: whose it is, None while nobody is found. `position`: its place in its folder.
    `reason`: why it failed or is nobody's, of a duplicate the path of its twin. `modified`: ns
    since 1970 of the file whose hash was taken, so that it is not taken again.
    """

    __tablename__ = "source_file"
    __table_args__ = (
        one_of("state", FILE_STATES),
        Index(
            "ix_source_file_live_path",
            "round_id",
            "path",
            unique=True,
            sqlite_where=LIVE,
            postgresql_where=LIVE,
        ),
        Index("ix_source_file_round_state", "round_id", "state", "pages"),
        Index("ix_source_file_round_sha256", "round_id", "sha256"),
        Index("ix_source_file_entrant", "entrant_id", "position", "state", "pages"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("office_round.id", ondelete="CASCADE"))
    entrant_id: Mapped[int | None] = mapped_column(ForeignKey("entrant.id"))
    path: Mapped[str] = mapped_column(Text)
    folder: Mapped[str] = mapped_column(Text)
    category: Mapped[str] = mapped_column(String(20))
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(BigInteger)
    modified: Mapped[int] = mapped_column(BigInteger, default=0)
    pages: Mapped[int] = mapped_column(default=1)
    position: Mapped[int] = mapped_column(default=0)
    state: Mapped[str] = mapped_column(String(10), default="unmatched")
    reason: Mapped[str] = mapped_column(Text, default="")
    received_at: Mapped[str] = mapped_column(String(40))
