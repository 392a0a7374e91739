"""Tables of the pages: their masks, every change to them, the runner's jobs, what was released."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import AppendOnly, VaultBase
from models.review import one_of

PAGE_STATES = ("clean", "review", "failed", "checking")
DECISIONS = ("", "accepted", "returned")
JOB_KINDS = ("redact", "consistency", "remask")
JOB_STATES = ("waiting", "running", "done", "failed")
RELEASE_STATES = ("asked", "released", "withdrawn")
ANSWERS = ("yes", "no", "question")
VERDICTS = ("agreed", "declined")
SUBMISSION_KINDS = ("submitted", "returned", "accepted")


class Page(VaultBase):
    """A page of a dossier as it stands now.

    `record`: JSON of redactor.file_job.PageRecord, with its masks. `found`: JSON of the masks that
    the redactor found by itself. `kinds`: JSON of how many masks of each kind there are, so that
    pages are counted without their records. `state`: what the redactor says of the present masks;
    "checking" after an edit until they are proven. `reason`: why a person should look.
    `decision`: what a person said; a page leaves when it is clean, or accepted. `risk`: 0 (sure)
    to 1000, orders the queue. `revision`: number of the newest edit that holds, 0 for the
    redactor's own masks. `seconds`: how long people looked at it. `frozen`: a reviewer reported a
    leak. `faults`: how many flags of its quality the applicant should mend.
    """

    __tablename__ = "page"
    __table_args__ = (
        one_of("state", PAGE_STATES),
        one_of("decision", DECISIONS),
        UniqueConstraint("file_id", "source_page"),
        Index("ix_page_queue", "round_id", "decision", "state", "risk", "id"),
        Index("ix_page_risk", "round_id", "risk", "id"),
        Index("ix_page_entrant", "entrant_id", "position"),
        # 100,000 pages are counted for the dashboard without their records.
        Index("ix_page_frozen", "round_id", "frozen"),
        Index("ix_page_kinds", "round_id", "kinds"),
        Index("ix_page_decided", "round_id", "decision", "decided_by", "decided_at"),
        Index(
            "ix_page_release", "round_id", "entrant_id", "state", "decision", "frozen", "file_id"
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("office_round.id", ondelete="CASCADE"))
    entrant_id: Mapped[int] = mapped_column(ForeignKey("entrant.id", ondelete="CASCADE"))
    file_id: Mapped[int] = mapped_column(ForeignKey("source_file.id", ondelete="CASCADE"))
    source_page: Mapped[int]
    position: Mapped[int]
    category: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(10))
    decision: Mapped[str] = mapped_column(String(10), default="")
    decided_by: Mapped[str] = mapped_column(String(100), default="")
    decided_at: Mapped[str] = mapped_column(String(40), default="")
    decision_reason: Mapped[str] = mapped_column(Text, default="")
    risk: Mapped[int] = mapped_column(default=0)
    revision: Mapped[int] = mapped_column(default=0)
    seconds: Mapped[int] = mapped_column(default=0)
    kinds: Mapped[str] = mapped_column(Text, default="{}")
    reason: Mapped[str] = mapped_column(Text, default="")
    frozen: Mapped[bool] = mapped_column(default=False)
    faults: Mapped[int] = mapped_column(default=0)
    staged_sha256: Mapped[str] = mapped_column(String(64), default="")
    found: Mapped[str] = mapped_column(Text, default="[]")
    record: Mapped[str] = mapped_column(Text)


class PageEdit(AppendOnly, VaultBase):
    """One change of a page's masks. `masks`: JSON of all masks after it, so that undo is a move.

    `previous`: the revision it was made on; undo goes back to it, redo to the newest that has it.
    """

    __tablename__ = "page_edit"

    page_id: Mapped[int] = mapped_column(
        ForeignKey("page.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    previous: Mapped[int]
    what: Mapped[str] = mapped_column(String(50))
    masks: Mapped[str] = mapped_column(Text)
    by: Mapped[str] = mapped_column(String(100))
    at: Mapped[str] = mapped_column(String(40))


class PageLook(VaultBase):
    """How long somebody looked at a page, all looks together, in whole seconds."""

    __tablename__ = "page_look"
    __table_args__ = (Index("ix_page_look_round", "round_id", "login", "seconds"),)

    page_id: Mapped[int] = mapped_column(
        ForeignKey("page.id", ondelete="CASCADE"), primary_key=True
    )
    login: Mapped[str] = mapped_column(String(50), primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("office_round.id", ondelete="CASCADE"))
    seconds: Mapped[int] = mapped_column(default=0)


class Job(VaultBase):
    """Work for the runner. It is leased: when `leased_until` has passed, another may take it.

    `target`: id of the file, entrant or page. `priority`: small first; people wait for edits.
    """

    __tablename__ = "job"
    __table_args__ = (
        one_of("kind", JOB_KINDS),
        one_of("state", JOB_STATES),
        Index("ix_job_queue", "state", "priority", "id"),
        Index("ix_job_round", "round_id", "state", "kind", "pages"),
        Index("ix_job_target", "target", "kind", "state"),
        Index("ix_job_rate", "round_id", "kind", "state", "finished_at", "pages", "target"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("office_round.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(12))
    target: Mapped[int]
    state: Mapped[str] = mapped_column(String(10), default="waiting")
    priority: Mapped[int] = mapped_column(default=100)
    attempts: Mapped[int] = mapped_column(default=0)
    pages: Mapped[int] = mapped_column(default=1)
    worker: Mapped[str] = mapped_column(String(100), default="")
    leased_until: Mapped[str] = mapped_column(String(40), default="")
    error: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[str] = mapped_column(String(40))
    finished_at: Mapped[str] = mapped_column(String(40), default="")


class CheckLink(VaultBase):
    """A link under which one applicant sees the own pages until it expires or is withdrawn.

    `finished_at`: when every page was answered, "" before. `withdrawn_at`: "" while it holds.
    """

    __tablename__ = "check_link"

    token_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    entrant_id: Mapped[int] = mapped_column(
        ForeignKey("entrant.id", ondelete="CASCADE"), index=True
    )
    created_by: Mapped[str] = mapped_column(String(100))
    created_at: Mapped[str] = mapped_column(String(40))
    expires_at: Mapped[str] = mapped_column(String(40))
    finished_at: Mapped[str] = mapped_column(String(40), default="")
    withdrawn_at: Mapped[str] = mapped_column(String(40), default="")


class CheckAnswer(AppendOnly, VaultBase):
    """An applicant's answer to "does this page need masking?", with the places that were marked.

    `places`: JSON list of quads in output pixels. `shown_sha256`: of the picture that was seen. An
    applicant's newest answer to a page holds.
    """

    __tablename__ = "check_answer"
    __table_args__ = (one_of("answer", ANSWERS), Index("ix_check_answer_page", "page_id", "id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    page_id: Mapped[int] = mapped_column(ForeignKey("page.id", ondelete="CASCADE"))
    answer: Mapped[str] = mapped_column(String(10))
    remark: Mapped[str] = mapped_column(Text, default="")
    places: Mapped[str] = mapped_column(Text, default="[]")
    shown_sha256: Mapped[str] = mapped_column(String(64))
    at: Mapped[str] = mapped_column(String(40))


class CheckVerdict(AppendOnly, VaultBase):
    """What the office decided about an applicant's answer."""

    __tablename__ = "check_verdict"
    __table_args__ = (one_of("verdict", VERDICTS),)

    answer_id: Mapped[int] = mapped_column(
        ForeignKey("check_answer.id", ondelete="CASCADE"), primary_key=True
    )
    verdict: Mapped[str] = mapped_column(String(10))
    reason: Mapped[str] = mapped_column(Text, default="")
    by: Mapped[str] = mapped_column(String(100))
    at: Mapped[str] = mapped_column(String(40))


class Submission(AppendOnly, VaultBase):
    """An entry of an applicant's log: sent, returned with a reason, accepted.

    `details`: JSON of what was sent, [path, sha256] of each file, or of what was found wanting.
    """

    __tablename__ = "submission"
    __table_args__ = (
        one_of("kind", SUBMISSION_KINDS),
        Index("ix_submission_entrant", "entrant_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    entrant_id: Mapped[int] = mapped_column(ForeignKey("entrant.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(10))
    reason: Mapped[str] = mapped_column(Text, default="")
    details: Mapped[str] = mapped_column(Text, default="[]")
    by: Mapped[str] = mapped_column(String(100))
    at: Mapped[str] = mapped_column(String(40))


class Release(VaultBase):
    """A dossier on its way out. `hashes`: JSON list of [page id, file name, sha256].

    `salt`: with it and the hashes the office can say which entry of the review store's audit is
    this release; without it nobody can tell from that entry whose dossier went out when.
    """

    __tablename__ = "release"
    __table_args__ = (
        one_of("state", RELEASE_STATES),
        CheckConstraint("confirmed_by IS NULL OR confirmed_by <> asked_by", name="two_persons"),
        Index("ix_release_entrant", "entrant_id", "id"),
        Index("ix_release_round", "round_id", "state", "entrant_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("office_round.id", ondelete="CASCADE"))
    entrant_id: Mapped[int] = mapped_column(ForeignKey("entrant.id", ondelete="CASCADE"))
    state: Mapped[str] = mapped_column(String(10), default="asked")
    hashes: Mapped[str] = mapped_column(Text)
    salt: Mapped[str] = mapped_column(String(64))
    asked_by: Mapped[str] = mapped_column(String(100))
    asked_at: Mapped[str] = mapped_column(String(40))
    confirmed_by: Mapped[str | None] = mapped_column(String(100))
    released_at: Mapped[str] = mapped_column(String(40), default="")
    withdrawn_by: Mapped[str] = mapped_column(String(100), default="")
    withdrawn_at: Mapped[str] = mapped_column(String(40), default="")
    reason: Mapped[str] = mapped_column(Text, default="")
