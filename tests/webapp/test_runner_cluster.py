"""The runner on a cluster: what comes back enters a sealed vault, whose key stays here."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from models.vault_pages import Job, Page
from redactor import cluster
from redactor.sealed_files import MARK, new_secret, read_file, write_key_file
from tests.dask_processes import running
from tests.webapp.test_runner import add_page, work
from webapp.office.derivatives import pictures_folder
from webapp.office.work import round_vault
from webapp.runner import Runner
from webapp.settings import Settings


def test_a_page_comes_back_sealed_with_its_pictures(
    settings: Settings, vault: Engine, round_id: int, tmp_path: Path
) -> None:
    key = tmp_path / "key.txt"
    write_key_file(key, [new_secret()])
    add_page(settings, vault, round_id, tmp_path)
    with running(tmp_path / "dask") as dask:
        dask.add_worker("worker")
        there = settings.model_copy(update={"executor": dask.address, "vault_key": key})
        runner = Runner(there)
        try:
            work(runner, vault)
            with Session(vault) as session:
                (page,) = session.scalars(select(Page)).all()
                assert page.state == "clean"
                staged = sorted(round_vault(settings, round_id).staging.iterdir())
                (path,) = [p for p in staged if p.suffix == ".jpg"]
                assert path.read_bytes().startswith(MARK)
                assert hashlib.sha256(read_file(path)).hexdigest() == page.staged_sha256
            made = [p for p in pictures_folder(settings, round_id).rglob("*") if p.is_file()]
            assert len(made) == 4  # the source and the masked page, each at two sizes
        finally:
            for line in runner._lines:
                line.stop()
    assert not (settings.vault / "exchange").exists()


def test_no_job_is_taken_while_there_is_no_scheduler(
    settings: Settings,
    vault: Engine,
    round_id: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 1)
    add_page(settings, vault, round_id, tmp_path)
    runner = Runner(settings.model_copy(update={"executor": "tcp://127.0.0.1:9"}))
    assert not runner.step(0.0)
    with Session(vault) as session:
        job = session.scalars(select(Job)).one()
        assert (job.state, job.attempts) == ("waiting", 0)
