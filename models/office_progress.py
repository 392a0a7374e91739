"""How far a round is: its pages, its dossiers, its files, what failed and how to go on.

Every view is a fixed number of statements, whatever the number of rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from models.office_jobs import add_job
from models.office_log import record_event
from models.vault_pages import Job, Page
from models.vault_rounds import Entrant, SourceFile

RATE_MINUTES = 10
"""Pages a minute are counted over this long."""
LEAST_MINUTES = 0.5
"""A rate over less says nothing."""
ROWS = 100
LISTED_FAILURES = 200


@dataclass(frozen=True)
class Progress:
    """Pages of a round by the state of their files. `minutes_left`: None while unknown.

    `total`: without files that are nobody's (`unmatched`). `other_jobs`: edits and second looks
    that still wait.
    """

    done: int
    total: int
    running: int
    failed: int
    unmatched: int
    other_jobs: int
    failed_jobs: int
    per_minute: float
    minutes_left: float | None

    @property
    def at_work(self) -> bool:
        return self.running > 0 or self.other_jobs > 0 or self.done + self.failed < self.total


@dataclass(frozen=True)
class Count:
    """Of one dossier: `files`, and pages by the state of their files."""

    files: int = 0
    total: int = 0
    done: int = 0
    failed: int = 0


@dataclass(frozen=True)
class Failure:
    """A file or page without a result. `page`: its number from 1, None for the whole file."""

    file_id: int
    entrant_id: int | None
    path: str
    page: int | None
    reason: str


def progress(session: Session, *, round_id: int) -> Progress:
    """Three statements over indexes that hold all they need."""
    pages = {
        state: int(count or 0)
        for state, count in session.execute(
            select(SourceFile.state, func.sum(SourceFile.pages))
            .where(SourceFile.round_id == round_id)
            .group_by(SourceFile.state)
        )
    }
    jobs = {
        (kind, state): (int(count), int(sum_ or 0))
        for kind, state, count, sum_ in session.execute(
            select(Job.kind, Job.state, func.count(), func.sum(Job.pages))
            .where(Job.round_id == round_id, Job.state.in_(("waiting", "running", "failed")))
            .group_by(Job.kind, Job.state)
        )
    }
    done, waiting = pages.get("done", 0), pages.get("waiting", 0)
    failed = pages.get("failed", 0)
    rate = _rate(session, round_id)
    left = waiting / rate if rate and waiting else (None if waiting else 0.0)
    return Progress(
        done=done,
        total=done + waiting + failed,
        running=jobs.get(("redact", "running"), (0, 0))[1],
        failed=failed,
        unmatched=pages.get("unmatched", 0),
        other_jobs=sum(
            jobs.get((kind, state), (0, 0))[0]
            for kind in ("consistency", "remask")
            for state in ("waiting", "running")
        ),
        failed_jobs=sum(number for (_, state), (number, _) in jobs.items() if state == "failed"),
        per_minute=rate,
        minutes_left=left,
    )


def _rate(session: Session, round_id: int) -> float:
    """Pages a minute over the last RATE_MINUTES, from the first page that was done in them."""
    now = datetime.now(UTC)
    since = (now - timedelta(minutes=RATE_MINUTES)).isoformat(timespec="microseconds")
    recent, first = session.execute(
        select(func.sum(Job.pages), func.min(Job.finished_at)).where(
            Job.round_id == round_id,
            Job.kind == "redact",
            Job.finished_at > since,
            Job.state == "done",
        )
    ).one()
    if not recent or not first:
        return 0.0
    minutes = (now - datetime.fromisoformat(first)).total_seconds() / 60
    return int(recent) / max(minutes, LEAST_MINUTES)


def counts_of(session: Session, entrant_ids: Iterable[int]) -> dict[int, Count]:
    """Entrant id -> the count of the dossier, in one statement; nothing sent is an empty Count."""
    ids = list(entrant_ids)
    found: dict[int, dict[str, tuple[int, int]]] = {entrant_id: {} for entrant_id in ids}
    for entrant_id, state, files, pages in session.execute(
        select(SourceFile.entrant_id, SourceFile.state, func.count(), func.sum(SourceFile.pages))
        .where(SourceFile.entrant_id.in_(ids), SourceFile.state.in_(("waiting", "done", "failed")))
        .group_by(SourceFile.entrant_id, SourceFile.state)
    ):
        found[entrant_id or 0][state] = (int(files), int(pages or 0))
    return {
        entrant_id: Count(
            files=sum(files for files, _ in states.values()),
            total=sum(pages for _, pages in states.values()),
            done=states.get("done", (0, 0))[1],
            failed=states.get("failed", (0, 0))[1],
        )
        for entrant_id, states in found.items()
    }


def some_entrants(
    session: Session, *, round_id: int, after: int = 0, wanted: str = ""
) -> tuple[list[Entrant], int | None]:
    """(up to ROWS applicants with numbers above `after`, the number to go on behind or None).

    `wanted`: part of a name or unit, a code, or a number.
    """
    chosen = select(Entrant).where(Entrant.round_id == round_id, Entrant.number > after)
    if wanted:
        like = Entrant.name.contains(wanted, autoescape=True)
        like |= Entrant.unit.contains(wanted, autoescape=True) | (Entrant.code == wanted.upper())
        if wanted.isdecimal() and len(wanted) < 8:
            like |= Entrant.number == int(wanted)
        chosen = chosen.where(like)
    found = list(session.scalars(chosen.order_by(Entrant.number).limit(ROWS + 1)))
    more = found[ROWS - 1].number if len(found) > ROWS else None
    return found[:ROWS], more


def failures(session: Session, *, round_id: int) -> list[Failure]:
    """Up to LISTED_FAILURES files and pages that failed, the oldest, ordered by path."""
    files = session.execute(
        select(SourceFile.id, SourceFile.entrant_id, SourceFile.path, SourceFile.reason)
        .where(SourceFile.round_id == round_id, SourceFile.state == "failed")
        .order_by(SourceFile.path)
        .limit(LISTED_FAILURES)
    )
    found = [Failure(id_, owner, path, None, reason) for id_, owner, path, reason in files]
    # With the decision the index of the queue holds all that is asked for, and nothing is sorted
    # but ids. A failed page cannot be accepted.
    first = (
        select(Page.id)
        .where(
            Page.round_id == round_id,
            Page.decision.in_(("", "returned")),
            Page.state == "failed",
        )
        .order_by(Page.id)
        .limit(LISTED_FAILURES)
    )
    pages = session.execute(
        select(SourceFile.id, Page.entrant_id, SourceFile.path, Page.source_page, Page.reason)
        .join(SourceFile, SourceFile.id == Page.file_id)
        .where(Page.id.in_(first), SourceFile.state == "done")
    )
    found += [
        Failure(id_, owner, path, number + 1, reason) for id_, owner, path, number, reason in pages
    ]
    return sorted(found, key=lambda failure: (failure.path, failure.page or 0))[:LISTED_FAILURES]


def retry_failed(session: Session, *, round_id: int, file_id: int | None = None, by: str) -> int:
    """Puts what failed back in line, of a round or of one file; how many files and edits.

    A file all of whose pages failed, or one of them, has a job that is done: it gets a new one.
    """
    jobs = select(Job).where(Job.round_id == round_id, Job.state == "failed")
    files = select(SourceFile).where(
        SourceFile.round_id == round_id,
        SourceFile.entrant_id.is_not(None),
        SourceFile.state.in_(("failed", "done")),
        (SourceFile.state == "failed")
        | SourceFile.id.in_(
            select(Page.file_id).where(Page.round_id == round_id, Page.state == "failed")
        ),
    )
    if file_id is not None:
        pages = select(Page.id).where(Page.file_id == file_id)
        of_file = Job.kind.in_(("redact", "consistency")) & (Job.target == file_id)
        jobs = jobs.where(of_file | ((Job.kind == "remask") & Job.target.in_(pages)))
        files = files.where(SourceFile.id == file_id)
    edits = 0
    for job in session.scalars(jobs).all():
        if job.kind == "remask":
            add_job(
                session, round_id=round_id, kind="remask", target=job.target, priority=job.priority
            )
            edits += 1
        # Its successor stands beside it: a job that failed is kept as it ended.
        session.execute(update(Job).where(Job.id == job.id).values(state="done", finished_at=""))
    again = session.scalars(files).all()
    for file in again:
        file.state, file.reason = "waiting", ""
        add_job(session, round_id=round_id, kind="redact", target=file.id, pages=file.pages)
    record_event(
        session,
        actor=by,
        action="jobs.retry",
        round_id=round_id,
        details={"files": len(again), "edits": edits},
    )
    return len(again) + edits
