"""Tables of a round as the office knows it: its settings, its applicants, what they sent."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import VaultBase
from models.review import one_of

FILE_STATES = ("unmatched", "waiting", "done", "failed", "replaced")
UPLOAD_STATES = ("receiving", "received", "duplicate")


class OfficeRound(VaultBase):
    """A review in preparation. `review_round_id`: the same round in the review store, once made.

    `policy`: the TOML text in force. `profile`: strict or notice. `paused`: the runner leaves its
    jobs alone. `two_person_release`: a second account must confirm a release.
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

    `sha256`: of the whole, "" until it is there.
    """

    __tablename__ = "upload"
    __table_args__ = (
        one_of("state", UPLOAD_STATES),
        Index("ix_upload_round_path", "round_id", "path"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("office_round.id", ondelete="CASCADE"))
    path: Mapped[str] = mapped_column(Text)
    size: Mapped[int]
    received: Mapped[int] = mapped_column(default=0)
    sha256: Mapped[str] = mapped_column(String(64), default="")
    state: Mapped[str] = mapped_column(String(10), default="receiving")
    started_at: Mapped[str] = mapped_column(String(40))


class SourceFile(VaultBase):
    """A scan that was sent. `path`: below the round's folder of scans. `reason`: why it failed.

    `entrant_id`: whose it is, None while nobody is found. `position`: its place in the dossier.
    """

    __tablename__ = "source_file"
    __table_args__ = (
        one_of("state", FILE_STATES),
        UniqueConstraint("round_id", "path"),
        Index("ix_source_file_round_sha256", "round_id", "sha256"),
        Index("ix_source_file_entrant", "entrant_id", "position"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("office_round.id", ondelete="CASCADE"))
    entrant_id: Mapped[int | None] = mapped_column(ForeignKey("entrant.id"))
    path: Mapped[str] = mapped_column(Text)
    folder: Mapped[str] = mapped_column(Text)
    category: Mapped[str] = mapped_column(String(20))
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int]
    position: Mapped[int] = mapped_column(default=0)
    state: Mapped[str] = mapped_column(String(10), default="unmatched")
    reason: Mapped[str] = mapped_column(Text, default="")
    received_at: Mapped[str] = mapped_column(String(40))
