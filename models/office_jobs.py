"""The runner's jobs: rows that are leased, so that a killed runner's work is taken by the next.

On PostgreSQL several runners take jobs at once (FOR UPDATE SKIP LOCKED); SQLite's transactions
take the write lock at their start, which puts them in line.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import and_, or_, select, update
from sqlalchemy.orm import Session

from models.base import utc_now
from models.errors import Sentence
from models.kept_sentence import keep_sentence
from models.vault_pages import Job
from models.vault_rounds import OfficeRound, SourceFile

LEASE_SECONDS = 120
"""Renewed while the work goes on; a page takes seconds, a long file minutes."""
MOST_ATTEMPTS = 3
EDIT, NORMAL = 10, 100
"""Priorities: somebody waits for an edit."""
LEASE_RAN_OUT = "lease"
_KILLED = Sentence(
    "处理此文件时后台进程多次中断，可能内存不足或文件异常。请关闭其他程序后重试；仍失败的，请让申报人重新扫描此文件。",
    "The worker stopped several times on this file: memory may be short, or the file is odd. Close "
    "other programs and try again; if it fails again, ask for a new scan.",
)


@dataclass(frozen=True)
class LeasedJob:
    """A job in the hands of a runner."""

    id: int
    round_id: int
    kind: str
    target: int
    attempts: int


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
    late = and_(Job.state == "running", Job.leased_until < now)
    free = or_(Job.state == "waiting", late)
    given_up = select(Job).where(late, Job.attempts >= MOST_ATTEMPTS)
    for dead in session.scalars(given_up.with_for_update(skip_locked=True)).all():
        _fail(session, dead, LEASE_RAN_OUT)
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


def give_back(
    session: Session, *, job_id: int, worker: str, error: str, tried: bool = True
) -> None:
    """A job that broke: it waits again, or has failed after MOST_ATTEMPTS.

    `tried`: whether anybody had begun it; one that was only in hand is not charged with an attempt.
    One whose round was destroyed meanwhile is left alone, as is one that is another's now.
    """
    job = session.get(Job, job_id)
    if job is None or job.worker != worker or job.state != "running":
        return
    if not tried:
        job.attempts -= 1
    if job.attempts >= MOST_ATTEMPTS:
        _fail(session, job, error)
    else:
        job.error, job.leased_until, job.state = error, "", "waiting"


def release_leases(session: Session, *, host: str) -> None:
    """Jobs that a host's dead runners held wait again, without the rest of their leases."""
    session.execute(
        update(Job)
        .where(Job.state == "running", Job.worker.startswith(f"{host}-", autoescape=True))
        .values(state="waiting", worker="", leased_until="")
    )


def drop_jobs(
    session: Session, *, targets: Collection[int], kinds: Iterable[str], states: Iterable[str]
) -> None:
    """Ends jobs whose results must not count any more; `finish` tells their workers so.

    They are done, not waiting again: the worker that still has one must not be handed it anew.
    """
    session.execute(
        update(Job)
        .where(Job.target.in_(targets), Job.kind.in_(tuple(kinds)), Job.state.in_(tuple(states)))
        .values(state="done", finished_at="", worker="", leased_until="")
    )


def _fail(session: Session, job: Job, error: str) -> None:
    """Nobody tries it again by itself; a file whose work failed says so and cannot leave."""
    job.state, job.error, job.finished_at, job.leased_until = "failed", error, utc_now(), ""
    if job.kind == "remask":
        return
    file = session.get(SourceFile, job.target)
    if file is not None and file.state != "replaced":
        file.state, file.reason = "failed", keep_sentence(failure(error))


def failure(error: str) -> Sentence:
    """What a job's error means for the people at the desk, and the remedy."""
    if error in (LEASE_RAN_OUT, "the worker process died"):
        return _KILLED
    if " " in error or len(error) > 60:
        return Sentence(error, error)  # a sentence of the redactor, in the runner's language
    return Sentence(
        f"处理时程序出错（{error}）。请重试；仍失败的，请报告此问题。",
        f"The program failed ({error}). Try again; if it fails again, report the problem.",
    )


def _in(seconds: float) -> str:
    moment = datetime.now(UTC) + timedelta(seconds=seconds)
    return moment.isoformat(timespec="microseconds")
