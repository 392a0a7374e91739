"""`mangping serve`: it starts, says where it is, comes back after a kill, and leaves nothing."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from models.office_jobs import add_job, finish, lease, release_leases
from tests.webapp.serving_process import ROOT, Serving, free_port, wait_until
from webapp.serving import _addresses
from webapp.settings import Settings

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="uses POSIX signals")


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Serving]:
    made = Serving(tmp_path / "data")
    yield made
    made.stop(signal.SIGKILL)


def gone(processes: list[psutil.Process]) -> bool:
    return not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in processes)


def test_it_comes_back_after_a_kill_and_ends_cleanly(serving: Serving) -> None:
    serving.wait()
    assert serving.said().count("/setup/") == 1
    assert f"{serving.url}/" in serving.said()
    wait_until(lambda: len(serving.parts()) == 3, "office, experts, runner")
    first = serving.parts()
    for process in first:
        process.kill()
    wait_until(lambda: gone(first) and len(serving.parts()) == 3, "three new processes")
    wait_until(serving.answers, "the office after a kill")
    assert not {p.pid for p in first} & {p.pid for p in serving.parts()}
    everything = serving.children()
    assert serving.stop() == 0
    wait_until(lambda: gone(everything), "the end of every process", 20)
    assert "Traceback" not in serving.said()


def test_more_tablets_than_a_system_s_first_thousand_files(
    serving: Serving,
) -> None:
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 3000:
        pytest.skip(f"this system allows a process {hard} open files at most")
    serving.wait()
    resource.setrlimit(resource.RLIMIT_NOFILE, (3000, hard))
    held: list[socket.socket] = []
    try:
        for _ in range(1200):
            held.append(socket.create_connection(("127.0.0.1", serving.review_port), timeout=60))
            held[-1].sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert b" 200 " in held[-1].recv(4096)
        # All of them are still open, and the next visitor is let in as well.
        assert serving.answers()
    finally:
        for one in held:
            one.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def healthz_asked(serving: Serving) -> float:
    """How often, by what whichever of the experts' processes tells."""
    with urllib.request.urlopen(f"{serving.review_url}/metrics", timeout=60) as answer:
        lines = answer.read().decode().splitlines()
    found = [line for line in lines if line.startswith("mangping_requests_total{")]
    return sum(float(line.split()[-1]) for line in found if '"/healthz"' in line)


def test_several_of_the_experts_processes_share_a_port_and_count_together(tmp_path: Path) -> None:
    serving = Serving(tmp_path / "data", MANGPING_REVIEW_PROCESSES="2")
    try:
        serving.wait()
        wait_until(lambda: len(serving.experts()) == 2, "two processes for the experts")
        began = healthz_asked(serving)
        for asked in range(1, 31):
            urllib.request.urlopen(f"{serving.review_url}/healthz", timeout=60).close()
            assert healthz_asked(serving) == began + asked
        # One of them is enough to answer, and the other comes back.
        first, second = serving.experts()
        first.kill()
        wait_until(lambda: gone([first]), "the end of one")
        wait_until(serving.answers, "the other one")
        wait_until(lambda: len(serving.experts()) == 2, "two again")
        assert second in serving.experts()
        assert healthz_asked(serving) >= began + 31
        # What keeps them dies: they end as well, and all are started again.
        keeper, old = serving.parts()[1], serving.experts()
        keeper.kill()
        wait_until(lambda: gone([keeper, *old]), "the end of all of them")
        wait_until(lambda: len(serving.parts()) == 3 and len(serving.experts()) == 2, "all anew")
        wait_until(serving.answers, "the experts' pages after a kill")
        everything = serving.children()
        assert serving.stop() == 0
        wait_until(lambda: gone(everything), "the end of every process")
        assert "Traceback" not in serving.said()
    finally:
        serving.stop(signal.SIGKILL)


def test_its_processes_end_when_it_is_killed_itself(serving: Serving) -> None:
    serving.wait()
    everything = serving.children()
    assert len(everything) >= 3
    serving.stop(signal.SIGKILL)
    wait_until(lambda: gone(everything), "the end of orphans", 20)


def test_a_taken_port_is_said_before_anything_is_made(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        command = [sys.executable, "-m", "webapp.cli", "serve", "--port", str(port)]
        done = subprocess.run(
            [*command, "--data", str(tmp_path / "data")],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 2
    assert f"127.0.0.1:{port}" in done.stderr
    assert "--port" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "data").exists()


def test_the_printed_addresses_are_ones_that_a_browser_can_open() -> None:
    assert _addresses("127.0.0.1", 81) == ["http://127.0.0.1:81"]
    assert _addresses("::1", 81) == ["http://[::1]:81"]
    everywhere = _addresses("0.0.0.0", 81)
    assert everywhere[0] == "http://127.0.0.1:81"
    assert not any("0.0.0.0" in address for address in everywhere)


def test_tablets_are_let_in_when_the_host_says_so(tmp_path: Path) -> None:
    made = Serving(tmp_path / "data", free_port(), "0.0.0.0")
    try:
        made.wait()
        for app in made.parts()[:2]:
            listening = {c.laddr.ip for c in app.net_connections("tcp") if c.status == "LISTEN"}
            assert listening == {"0.0.0.0"}
    finally:
        made.stop()


def test_what_a_dead_runner_held_waits_again_at_once(
    vault: Engine, settings: Settings, round_id: int
) -> None:
    with Session(vault) as session, session.begin():
        add_job(session, round_id=round_id, kind="redact", target=1)
        add_job(session, round_id=round_id, kind="redact", target=2)
        held = lease(session, worker="desk-77")
        other = lease(session, worker="desk2-77")
        assert held and other
        release_leases(session, host="desk")
        again = lease(session, worker="desk-78")
        assert again is not None
        assert again.id == held.id
        assert not finish(session, job_id=held.id, worker="desk-77")
        assert finish(session, job_id=other.id, worker="desk2-77")
