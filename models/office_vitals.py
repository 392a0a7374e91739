"""How the office's work stands as a whole, in counts that name nobody; and runners' signs of life.

For /healthz and /metrics: no round, no applicant, no file.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from models.base import utc_now
from models.vault_pages import Job, Page
from models.vault_rounds import OfficeRound
from models.vault_runners import RunnerBeat

BEAT_SECONDS = 10
FORGOTTEN_SECONDS = 3600
"""After which a runner that says nothing is no longer counted as one."""


@dataclass(frozen=True)
class Vitals:
    """`jobs`: (kind, state) -> how many; `pages`: state -> how many.

    `queue_age`: seconds since the oldest job came that could be taken, 0 when none waits.
    `runner_age`: seconds since a runner last said that it works, None when there is none.
    """

    jobs: dict[tuple[str, str], int]
    pages: dict[str, int]
    queue_age: float
    runner_age: float | None


def beat(session: Session, *, name: str) -> None:
    """Notes that a runner works, and forgets those that have long been silent."""
    row = session.get(RunnerBeat, name)
    if row is None:
        session.add(RunnerBeat(name=name, at=utc_now()))
    else:
        row.at = utc_now()
    long_ago = datetime.now(UTC) - timedelta(seconds=FORGOTTEN_SECONDS)
    session.execute(
        delete(RunnerBeat).where(RunnerBeat.at < long_ago.isoformat(timespec="microseconds"))
    )


def end_beat(session: Session, *, name: str) -> None:
    """A runner that ends says so."""
    session.execute(delete(RunnerBeat).where(RunnerBeat.name == name))


def runner_age(session: Session) -> float | None:
    """Seconds since any runner last said that it works; None when there is none."""
    return _age(session.scalar(select(func.max(RunnerBeat.at))))


def vitals(session: Session) -> Vitals:
    """Four statements over indexes."""
    jobs = session.execute(
        select(Job.kind, Job.state, func.count()).group_by(Job.kind, Job.state)
    ).all()
    pages = session.execute(select(Page.state, func.count()).group_by(Page.state)).all()
    oldest = session.scalar(
        select(func.min(Job.created_at))
        .join(OfficeRound, OfficeRound.id == Job.round_id)
        .where(Job.state == "waiting", OfficeRound.paused.is_(False))
    )
    return Vitals(
        jobs={(kind, state): int(number) for kind, state, number in jobs},
        pages={state: int(number) for state, number in pages},
        queue_age=_age(oldest) or 0.0,
        runner_age=runner_age(session),
    )


def _age(moment: str | None) -> float | None:
    if not moment:
        return None
    passed = datetime.now(UTC) - datetime.fromisoformat(moment)
    return max(0.0, passed.total_seconds())
