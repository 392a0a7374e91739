"""Each bound of a worker process is met by work that would exceed it."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from redactor.limits import TOOK_TOO_LONG, WorkerLimits, limits_from_environment, within_time
from redactor.vault import Vault
from redactor.workers import run_jobs, worker_pool
from tests.redactor.golden.sets import page_about, save
from tests.redactor.test_file_job import job_for

ROOT = Path(__file__).parents[2]
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="no means for it elsewhere")
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="no such limit on Windows")
BEGIN = """
import sys
from pathlib import Path
from redactor.limits import *
limits = WorkerLimits(memory=2**30, page_seconds=0.2, grace=0.3)
confine(limits, network="network" in sys.argv)
mark = Path(sys.argv[1])
def said(sentence):
    return sentence.en
"""


def worker(work: str, mark: Path = Path("-")) -> tuple[int, str]:
    """(exit code, what it printed) of a confined process."""
    done = subprocess.run(
        [sys.executable, "-c", BEGIN + work, str(mark)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    return done.returncode, done.stdout.strip() or done.stderr[-400:]


@LINUX
def test_memory_beyond_the_limit_is_refused_and_the_process_goes_on() -> None:
    work = """
for size in (2**31, 2**28):
    try:
        print(len(bytearray(size)))
    except MemoryError:
        print("refused")
"""
    assert worker(work) == (0, f"refused\n{2**28}")


@LINUX
def test_a_worker_reaches_no_network() -> None:
    pytest.importorskip("pyseccomp", exc_type=ImportError)
    work = """
import socket, threading
def attempt(family):
    try:
        socket.socket(family).close()
        print("open")
    except OSError as error:
        print(error.errno)
for family in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX):
    attempt(family)
thread = threading.Thread(target=attempt, args=[socket.AF_INET])
thread.start()
thread.join()
"""
    assert worker(work) == (0, "13\n13\nopen\n13")
    assert worker(work, Path("network"))[1] == "open\nopen\nopen\nopen"


def test_a_page_that_takes_too_long_fails_with_a_sentence_and_the_next_does_not() -> None:
    work = """
def spin():
    while True:
        try:
            sum(range(1000))
        except Exception:
            pass
print(within_time(spin, said))
print(within_time(lambda: "fine", said))
"""
    assert worker(work) == (0, f"{TOOK_TOO_LONG.en}\nfine")


def test_work_outside_of_a_page_has_all_the_time_it_wants() -> None:
    work = """
import time
within_time(lambda: None, said)
while time.process_time() < 0.9:
    pass
print("fine")
"""
    assert worker(work) == (0, "fine")


def test_a_decoder_that_never_returns_ends_the_process_and_the_page_is_not_tried_again(
    tmp_path: Path,
) -> None:
    work = """
import hashlib
stuck = lambda: hashlib.pbkdf2_hmac("sha256", b"", b"", 2**31 - 1)
print(within_time(stuck, said, mark))
"""
    mark = tmp_path / "page.slow"
    code, _ = worker(work, mark)
    assert code != 0
    assert mark.exists()
    assert worker(work, mark) == (0, TOOK_TOO_LONG.en)
    # With more time than it had then, it may be tried again.
    mark.write_text("0.1")
    assert worker('print(within_time(lambda: "again", said, mark))', mark) == (0, "again")


@POSIX
def test_even_code_that_lets_no_other_thread_run_is_ended() -> None:
    work = """
import re
within_time(lambda: re.match("(a+)+$", "a" * 60 + "b"), said)
"""
    assert worker(work)[0] == -signal.SIGXCPU


def test_nothing_is_limited_where_nobody_asked() -> None:
    assert within_time(lambda: 1, lambda _: 2) == 1


def test_the_environment_sets_the_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    standard = WorkerLimits()
    for text in ("", "much", "-1", "0"):
        monkeypatch.setenv("MANGPING_WORKER_MEMORY", text)
        monkeypatch.setenv("MANGPING_PAGE_SECONDS", text)
        assert limits_from_environment() == standard
    monkeypatch.setenv("MANGPING_WORKER_MEMORY", "3000")
    monkeypatch.setenv("MANGPING_PAGE_SECONDS", "30")
    found = limits_from_environment()
    assert (found.memory, found.page_seconds) == (3_000_000_000, 30)


@LINUX
def test_the_workers_of_a_run_are_confined() -> None:
    import resource

    with worker_pool(1) as pool:
        memory = pool.submit(resource.getrlimit, resource.RLIMIT_DATA).result()
        assert memory[0] == WorkerLimits().memory
        with pytest.raises(PermissionError):
            pool.submit(socket.create_connection, ("127.0.0.1", 9)).result()


def test_a_slow_page_of_a_run_is_a_record_that_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault = Vault(tmp_path / "vault")
    vault.create(resume=False)
    path = save(page_about("诸葛晓岚"), tmp_path / "a.png")
    monkeypatch.setenv("MANGPING_PAGE_SECONDS", "0.01")
    [(_, [record])] = list(run_jobs([job_for(path, vault)], 1))
    assert (record.state, record.reason) == ("failed", TOOK_TOO_LONG.zh)
