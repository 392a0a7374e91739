"""The runner: scans become pages, edits are masked and looked at again, a killed runner is taken
over."""

from __future__ import annotations

import json
import time
from concurrent.futures import ProcessPoolExecutor, wait
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, delete, select, update
from sqlalchemy.orm import Session

from models.office_jobs import MOST_ATTEMPTS, add_job, finish, lease
from models.office_pages import decide, edit_masks, masks_of, undo
from models.office_progress import progress
from models.vault_pages import Job, Page
from models.vault_rounds import Entrant, OfficeRound
from tests.redactor.golden.sets import page_about, save
from tests.webapp.conftest import PEOPLE, add_scan
from tests.webapp.page_rows import FORMER_UNIT, mask, read_page
from webapp.runner import IN_HAND, Runner
from webapp.settings import Settings

LONG_AGO = "2001-01-01T00:00:00+00:00"


def add_page(
    settings: Settings, vault: Engine, round_id: int, tmp_path: Path, name: str = "证书.jpg"
) -> None:
    """A scan, waiting to be redacted."""
    data = save(page_about(PEOPLE[0].name), tmp_path / name).read_bytes()
    with Session(vault) as session, session.begin():
        entrant = session.scalars(select(Entrant).where(Entrant.number == 1)).one()
        file = add_scan(session, settings, entrant, name, data)
        add_job(session, round_id=round_id, kind="redact", target=file.id)


@pytest.fixture
def scanned(settings: Settings, vault: Engine, round_id: int, tmp_path: Path) -> int:
    """A round with one page."""
    add_page(settings, vault, round_id, tmp_path)
    return round_id


def work(runner: Runner, vault: Engine) -> None:
    """Lets the runner work until nothing waits."""
    for _ in range(400):
        busy = runner.step(0.2)
        with Session(vault) as session:
            waiting = session.scalar(select(Job.id).where(Job.state.in_(("waiting", "running"))))
        if not busy and waiting is None:
            return
    raise AssertionError("the runner did not finish")


def test_a_scan_becomes_a_page_and_an_edit_is_looked_at_again(
    settings: Settings, vault: Engine, scanned: int
) -> None:
    runner = Runner(settings)
    work(runner, vault)
    with Session(vault) as session, session.begin():
        (page,) = session.scalars(select(Page)).all()
        assert page.state == "clean"
        (mask,) = masks_of(session, page)
        assert mask["text"] == PEOPLE[0].name
        first, page_id = page.staged_sha256, page.id
        decide(session, page_id=page_id, decision="accepted", reason="", by="clerk")
        edit_masks(session, page_id=page_id, masks=[], what="delete", on=0, by="clerk")
        assert (page.state, page.decision) == ("checking", "")
    work(runner, vault)
    with Session(vault) as session, session.begin():
        page = session.get_one(Page, page_id)
        assert page.state == "review"
        assert json.loads(page.record)["verify"]["hits"]
        assert page.risk > 800
        undo(session, page_id=page_id, by="clerk")
    work(runner, vault)
    with Session(vault) as session:
        page = session.get_one(Page, page_id)
        assert (page.state, page.revision) == ("clean", 0)
        assert page.staged_sha256 == first
        assert progress(session, round_id=scanned).done == 1


@pytest.mark.parametrize(
    ("masks", "again"), [([mask(0, 0)], 0), ([mask(0, 0), FORMER_UNIT], 1)], ids=["known", "new"]
)
def test_a_dossier_is_looked_through_again_only_for_what_the_roster_does_not_know(
    settings: Settings, vault: Engine, scanned: int, masks: list[dict[str, Any]], again: int
) -> None:
    runner = Runner(settings)
    job = runner.take(("redact",))
    assert job is not None and runner.keep(job, [read_page(masks)])
    with Session(vault) as session:
        kinds = session.scalars(select(Job.kind).where(Job.state == "waiting")).all()
    assert kinds == ["consistency"] * again


def test_a_lease_that_ran_out_is_taken_over_and_its_late_result_does_not_count(
    vault: Engine, scanned: int
) -> None:
    with Session(vault) as session, session.begin():
        job = lease(session, worker="a")
        assert job is not None
        assert lease(session, worker="b") is None
    with Session(vault) as session, session.begin():
        session.execute(update(Job).values(leased_until=LONG_AGO))
        again = lease(session, worker="b")
        assert again is not None
        assert again.id == job.id
        assert not finish(session, job_id=job.id, worker="a")
        assert finish(session, job_id=job.id, worker="b")


def test_a_job_that_kills_every_worker_fails_in_the_end(vault: Engine, scanned: int) -> None:
    with Session(vault) as session, session.begin():
        for _ in range(MOST_ATTEMPTS):
            assert lease(session, worker="a") is not None
            session.execute(update(Job).values(leased_until=LONG_AGO))
        assert lease(session, worker="a") is None
        assert session.scalars(select(Job.state)).one() == "failed"


def test_a_file_in_hand_is_not_charged_with_the_death_of_a_worker(
    settings: Settings, vault: Engine, scanned: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_page(settings, vault, scanned, tmp_path, "论文.jpg")
    runner = Runner(settings)
    monkeypatch.setattr(runner, "work_of", lambda job: (time.sleep, 600))
    _, line = runner._lines
    line.fill()
    assert len(line.running) == settings.workers + IN_HAND == 2
    assert isinstance(line._pool, ProcessPoolExecutor)
    for process in line._pool._processes.values():
        process.kill()
    wait(line.running, timeout=60)
    line.collect()
    with Session(vault) as session:
        jobs = session.execute(select(Job.state, Job.attempts).order_by(Job.id)).all()
    assert jobs == [("waiting", 1), ("waiting", 0)]


def test_the_jobs_of_a_paused_round_wait(vault: Engine, scanned: int) -> None:
    with Session(vault) as session, session.begin():
        session.execute(update(OfficeRound).values(paused=True))
        assert lease(session, worker="a") is None
        session.execute(update(OfficeRound).values(paused=False))
        assert lease(session, worker="a") is not None


def test_an_edit_goes_before_the_files(vault: Engine, scanned: int) -> None:
    with Session(vault) as session, session.begin():
        add_job(session, round_id=scanned, kind="remask", target=77, priority=10)
        first = lease(session, worker="a")
        assert first is not None
        assert first.kind == "remask"


def test_a_job_whose_round_was_destroyed_while_it_ran_does_not_end_the_runner(
    settings: Settings, vault: Engine, scanned: int
) -> None:
    runner = Runner(settings)
    job = runner.take(("redact",))
    assert job is not None
    with Session(vault) as session, session.begin():
        session.execute(delete(Job))
    runner.broke(job, "the worker process died")
    assert not runner.keep(job, [])
