"""The runner's jobs: rows that are leased, so that a killed runner's work is taken by the next.

On PostgreSQL several runners take jobs at once (FOR UPDATE SKIP LOCKED); SQLite's transactions
take the write lock at their start, which puts them in line.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.orm import Session

from models.base import utc_now
from models.vault_pages import Job
from models.vault_rounds import OfficeRound

LEASE_SECONDS = 120
"""Renewed while the work goes on; a page takes seconds, a long file minutes."""
MOST_ATTEMPTS = 3
EDIT, NORMAL = 10, 100
"""Priorities: somebody waits for an edit."""
RATE_MINUTES = 10
"""Pages a minute are counted over this long."""


@dataclass(frozen=True)
class LeasedJob:
    """A job in the hands of a runner."""

    id: int
    round_id: int
    kind: str
    target: int
    attempts: int


@dataclass(frozen=True)
class Progress:
    """Of a round: pages by the state of their jobs; `minutes_left` None while unknown."""

    done: int
    total: int
    running: int
    failed: int
    per_minute: float
    minutes_left: float | None


def add_job(
    session: Session,
    *,
    round_id: int,
    kind: str,
    target: int,
    pages: int = 1,
    priority: int = NORMAL,
) -> Job:
    """A waiting job; one that waits for the same already is used, so that nothing is done twice."""
    waiting = session.scalar(
        select(Job).where(Job.kind == kind, Job.target == target, Job.state == "waiting")
    )
    if waiting is not None:
        waiting.priority = min(waiting.priority, priority)
        return waiting
    job = Job(
        round_id=round_id,
        kind=kind,
        target=target,
        pages=pages,
        priority=priority,
        created_at=utc_now(),
    )
    session.add(job)
    session.flush()
    return job


def lease(
    session: Session, *, worker: str, kinds: Iterable[str] = ("redact", "consistency", "remask")
) -> LeasedJob | None:
    """The next job, now this worker's for LEASE_SECONDS; None when nothing waits.

    Jobs of paused rounds wait. One whose lease ran out is taken over; after MOST_ATTEMPTS it has
    failed, because it kills whoever touches it.
    """
    now = utc_now()
    free = or_(Job.state == "waiting", and_(Job.state == "running", Job.leased_until < now))
    session.execute(
        update(Job)
        .where(Job.state == "running", Job.leased_until < now, Job.attempts >= MOST_ATTEMPTS)
        .values(state="failed", finished_at=now, error="lease")
    )
    job = session.scalar(
        select(Job)
        .join(OfficeRound, OfficeRound.id == Job.round_id)
        .where(free, Job.kind.in_(tuple(kinds)), OfficeRound.paused.is_(False))
        .order_by(Job.priority, Job.id)
        .limit(1)
        .with_for_update(skip_locked=True, of=Job)
    )
    if job is None:
        return None
    job.state, job.worker, job.attempts = "running", worker, job.attempts + 1
    job.leased_until = _in(LEASE_SECONDS)
    session.flush()
    return LeasedJob(job.id, job.round_id, job.kind, job.target, job.attempts)


def renew(session: Session, *, job_ids: Iterable[int], worker: str) -> None:
    """Prolongs the leases of a worker's jobs."""
    session.execute(
        update(Job)
        .where(Job.id.in_(tuple(job_ids)), Job.worker == worker, Job.state == "running")
        .values(leased_until=_in(LEASE_SECONDS))
    )


def finish(session: Session, *, job_id: int, worker: str) -> bool:
    """Whether the job was still this worker's; its results count only then."""
    done = session.execute(
        update(Job)
        .where(Job.id == job_id, Job.worker == worker, Job.state == "running")
        .values(state="done", finished_at=utc_now(), error="", leased_until="")
    )
    return bool(done.rowcount)  # type: ignore[attr-defined]


def give_back(session: Session, *, job_id: int, worker: str, error: str) -> None:
    """A job that broke: it waits again, or has failed after MOST_ATTEMPTS."""
    job = session.get_one(Job, job_id)
    if job.worker != worker or job.state != "running":
        return
    job.error, job.leased_until = error, ""
    if job.attempts >= MOST_ATTEMPTS:
        job.state, job.finished_at = "failed", utc_now()
    else:
        job.state = "waiting"


def retry_failed(session: Session, *, round_id: int) -> int:
    """Puts a round's failed jobs back in line; how many."""
    done = session.execute(
        update(Job)
        .where(Job.round_id == round_id, Job.state == "failed")
        .values(state="waiting", attempts=0, error="")
    )
    return int(done.rowcount)  # type: ignore[attr-defined]


def progress(session: Session, *, round_id: int) -> Progress:
    """Counts of a round's pages in three statements, whatever the number of jobs."""
    rows = session.execute(
        select(Job.state, func.sum(Job.pages))
        .where(Job.round_id == round_id, Job.kind == "redact")
        .group_by(Job.state)
    )
    pages = {state: int(count or 0) for state, count in rows}
    since = _in(-60 * RATE_MINUTES)
    recent, first = session.execute(
        select(func.sum(Job.pages), func.min(Job.finished_at)).where(
            Job.round_id == round_id,
            Job.kind == "redact",
            Job.state == "done",
            Job.finished_at > since,
        )
    ).one()
    waiting = pages.get("waiting", 0) + pages.get("running", 0)
    rate = 0.0
    if recent and first:
        minutes = (datetime.now(UTC) - datetime.fromisoformat(first)).total_seconds() / 60
        rate = int(recent) / max(minutes, 1 / 6)
    left = waiting / rate if rate and waiting else (0.0 if not waiting else None)
    return Progress(
        done=pages.get("done", 0),
        total=sum(pages.values()),
        running=pages.get("running", 0),
        failed=pages.get("failed", 0),
        per_minute=rate,
        minutes_left=left,
    )


def _in(seconds: float) -> str:
    moment = datetime.now(UTC) + timedelta(seconds=seconds)
    return moment.isoformat(timespec="microseconds")
