"""A worker's death costs no other file, and a file that kills every worker ends the waiting."""

from __future__ import annotations

import threading
from pathlib import Path

import psutil
import pytest

from redactor.errors import OutputError
from redactor.file_job import FileJob
from redactor.identity import Identity
from redactor.page import State
from redactor.profile import STRICT
from redactor.vault import Vault
from redactor.workers import run_jobs


def jobs(tmp_path: Path, count: int) -> list[FileJob]:
    """Files that are quick to do: each is a web page, which no worker has to read."""
    vault = Vault(tmp_path / "vault")
    vault.create(resume=False)
    made = []
    for number in range(count):
        path = tmp_path / f"{number}.jpg"
        path.write_text("<html></html>")
        made.append(
            FileJob(
                path, path.name, "论文", 1, "K7QF-3M", Identity(1, ()), STRICT, "jpg",
                vault.staging, vault.thumbnails, vault.cache, vault.copies, f"{number}",
            )
        )  # fmt: skip
    return made


_others: set[int] = set()
"""Pool workers that another test has left to this process."""


@pytest.fixture(autouse=True)
def _only_what_this_test_starts() -> None:
    _others.clear()
    _others.update(worker.pid for worker in own_workers())


def own_workers() -> list[psutil.Process]:
    """Pool workers of this very process that the test has started."""
    found = []
    for child in psutil.Process().children():
        try:
            if child.pid in _others:
                continue
            if any("spawn_main" in part for part in child.cmdline()):
                found.append(child)
        except psutil.Error:
            continue
    return found


class Killer(threading.Thread):
    """Kills the first `limit` workers that this process starts, as long as its context lasts."""

    def __init__(self, limit: int) -> None:
        super().__init__(daemon=True)
        self.killed: set[int] = set()
        self.over = threading.Event()
        self._limit = limit

    def __enter__(self) -> Killer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.join()

    def run(self) -> None:
        while not self.over.wait(0.005) and len(self.killed) < self._limit:
            for worker in own_workers()[: self._limit - len(self.killed)]:
                if worker.pid not in self.killed:
                    self.killed.add(worker.pid)
                    worker.kill()


@pytest.mark.parametrize("workers", [1, 2])
def test_every_job_comes_back_once_with_its_records(tmp_path: Path, workers: int) -> None:
    work = jobs(tmp_path, 3)
    results = list(run_jobs(work, workers))
    assert sorted(job.name for job, _ in results) == ["0", "1", "2"]
    for job, (record,) in results:
        assert record.source == job.relative
        assert record.state == State.FAILED
    assert own_workers() == []


def test_no_jobs_need_no_workers() -> None:
    assert list(run_jobs([], 2)) == []


def test_a_killed_worker_costs_no_job(tmp_path: Path) -> None:
    with Killer(1) as killer:
        results = list(run_jobs(jobs(tmp_path, 4), 2))
    assert len(killer.killed) == 1
    assert sorted(job.name for job, _ in results) == ["0", "1", "2", "3"]


def test_jobs_whose_workers_always_die_are_left_out_and_the_rest_goes_on(tmp_path: Path) -> None:
    """Two workers die, then those of the three files that they may have had; two files remain."""
    with Killer(5) as killer:
        results = list(run_jobs(jobs(tmp_path, 5), 2))
    done = {job.name for job, _ in results}
    assert len(killer.killed) == 5
    assert {"3", "4"} <= done
    assert len(done) < 5
    assert own_workers() == []


def test_a_disk_that_is_full_ends_the_run_and_its_workers(tmp_path: Path) -> None:
    from dataclasses import replace

    from tests.redactor.golden.sets import page_about, save

    (job,) = jobs(tmp_path, 1)
    (tmp_path / "file").write_text("")
    path = save(page_about("诸葛晓岚"), tmp_path / "a.jpg")
    with pytest.raises(OutputError, match="--resume"):
        list(run_jobs([replace(job, path=path, staging=tmp_path / "file")], 1))
    assert own_workers() == []
