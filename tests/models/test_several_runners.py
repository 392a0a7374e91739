"""Several runners at once take jobs: each exactly once, and on PostgreSQL nobody waits."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, select, text, update
from sqlalchemy.orm import Session

from models.base import open_store, utc_now
from models.migration import migrate
from models.office_jobs import MOST_ATTEMPTS, finish, lease, renew
from models.office_rounds import make_round
from models.vault_pages import Job
from tests.models.races import PATIENCE, pools, url_of, workers
from tests.postgresql_server import Server

__all__ = ["pools", "workers"]  # fixtures
JOBS, RUNNERS = 90, 3
AT_ONCE = "SET LOCAL lock_timeout = '3s'"
LONG_AGO = "2001-01-01T00:00:00+00:00"


@pytest.fixture(params=["sqlite", "postgresql"])
def vault(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A vault with jobs that wait."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'vault.db'}"
    else:
        server: Server = request.getfixturevalue("postgresql_server")
        server.create("jobs")
        url = server.url("jobs")
    engine = open_store(url)
    migrate(engine, "vault")
    with Session(engine) as session, session.begin():
        made = make_round(
            session, name="甲", year=2024, policy_name="x", policy="", profile="strict",
            committee_members=9, by="t",
        )  # fmt: skip
        rows = [
            {"round_id": made.id, "kind": "remask", "target": n, "pages": 1, "priority": 100,
             "created_at": utc_now()}
            for n in range(JOBS)
        ]  # fmt: skip
        session.execute(insert(Job), rows)
    yield engine
    engine.dispose()


@pytest.fixture
def on_postgresql(vault: Engine) -> Engine:
    if vault.dialect.name != "postgresql":
        pytest.skip("SQLite's writers stand in line")
    return vault


def take_all(url: str) -> list[int]:
    """What a runner does until nothing waits; the ids of the jobs it took, finished at once."""
    engine, took = open_store(url), list[int]()
    worker = f"test-{os.getpid()}-{threading.get_ident()}"
    while True:
        with Session(engine) as session, session.begin():
            job = lease(session, worker=worker)
        if job is None:
            engine.dispose()
            return took
        took.append(job.id)
        with Session(engine) as session, session.begin():
            renew(session, job_ids=[job.id], worker=worker)
            assert finish(session, job_id=job.id, worker=worker)


def test_every_job_is_taken_exactly_once(vault: Engine, workers: Executor) -> None:
    taken = list(workers.map(take_all, [url_of(vault)] * RUNNERS, timeout=PATIENCE))
    with Session(vault) as session:
        jobs = session.execute(select(Job.id, Job.state, Job.attempts)).all()
    assert sorted(job for one in taken for job in one) == sorted(job.id for job in jobs)
    assert {(job.state, job.attempts) for job in jobs} == {("done", 1)}


Take = Callable[[Session], object]


def impatient(engine: Engine, take: Take) -> object:
    """What it answers in a transaction that would rather fail than wait for another."""
    with Session(engine) as session, session.begin():
        session.execute(text(AT_ONCE))
        return take(session)


def test_nobody_waits_for_one_who_is_just_taking_a_job(on_postgresql: Engine) -> None:
    with Session(on_postgresql) as first, Session(on_postgresql) as second:
        one = lease(first, worker="a")
        second.execute(text(AT_ONCE))
        two = lease(second, worker="b")
        three = impatient(on_postgresql, lambda session: lease(session, worker="c"))
        first.rollback()
        second.commit()
    assert [getattr(job, "target", None) for job in (one, two, three)] == [0, 1, 2]
    with Session(on_postgresql) as session, session.begin():
        again = lease(session, worker="d")
    assert again is not None
    assert again.target == 0


def test_nobody_waits_for_one_who_gives_a_deadly_job_up(on_postgresql: Engine) -> None:
    with Session(on_postgresql) as session, session.begin():
        session.execute(
            update(Job)
            .where(Job.target < 2)
            .values(state="running", leased_until=LONG_AGO, attempts=MOST_ATTEMPTS)
        )
    with Session(on_postgresql) as first:
        assert lease(first, worker="a") is not None
        taken = impatient(on_postgresql, lambda session: lease(session, worker="b"))
        first.commit()
    assert getattr(taken, "target", None) == 3
    with Session(on_postgresql) as session:
        states = session.scalars(select(Job.state).where(Job.target < 2)).all()
    assert states == ["failed", "failed"]
