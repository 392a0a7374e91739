"""`mangping serve` as users run it: a process of its own on a free port, in a temporary folder."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]
PATIENCE = 180.0
"""Seconds; a machine may be busy."""


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


def wait_until(happened: Callable[[], bool], what: str, patience: float = PATIENCE) -> None:
    """Waits; fails with `what` when it does not happen."""
    until = time.monotonic() + patience
    while not happened():
        assert time.monotonic() < until, f"not within {patience:.0f} s: {what}"
        time.sleep(0.1)


class Serving:
    """A running `mangping serve`. `link`: path of the one-time link, "" when none was printed."""

    def __init__(
        self, data: Path, port: int = 0, host: str = "127.0.0.1", **environment: str
    ) -> None:
        self.data, self.port = data, port or free_port()
        self.review_port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.review_url = f"http://127.0.0.1:{self.review_port}"
        self._log = data.parent / f"serve-{self.port}-{time.monotonic_ns()}.log"
        command = [sys.executable, "-m", "webapp.cli", "serve", "--data", str(data)]
        command += ["--port", str(self.port), "--host", host]
        command += ["--review-port", str(self.review_port)]
        environment = {
            **os.environ,
            "MANGPING_LANG": "zh",
            "MANGPING_WORKERS": "1",
            "PYTHONIOENCODING": "utf-8",
            "OMP_NUM_THREADS": "1",
            **environment,
        }
        with self._log.open("w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT
            )

    def said(self) -> str:
        """Everything printed so far."""
        return self._log.read_text("utf-8")

    @property
    def link(self) -> str:
        found = re.findall(r"/setup/\S+", self.said())
        return str(found[0]) if found else ""

    def answers(self) -> bool:
        """Whether /healthz of both apps says ok."""
        assert self.process.poll() is None, self.said()
        return _is_healthy(self.url) and _is_healthy(self.review_url)

    def wait(self) -> Serving:
        """Until it answers."""
        wait_until(self.answers, f"healthz; it said: {self.said()}")
        return self

    def children(self) -> list[psutil.Process]:
        """All its processes."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def parts(self) -> list[psutil.Process]:
        """[the office's process, the experts', the runner's], without workers and helpers."""
        direct = psutil.Process(self.process.pid).children()
        places = (self.port, self.review_port)
        return sorted(
            (p for p in direct if _spawned(p)),
            key=lambda p: ([port not in _listens(p) for port in places], p.pid),
        )

    def experts(self) -> list[psutil.Process]:
        """The processes that share the experts' port, without the one that keeps them."""
        found = [p for part in self.parts() for p in _children(part) if _spawned(p)]
        return [p for p in found if self.review_port in _listens(p)]

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Tells it to end; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(timeout=60)


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return list(process.children())
    except psutil.Error:  # it died meanwhile
        return []


def _spawned(process: psutil.Process) -> bool:
    try:
        return "spawn_main" in " ".join(process.cmdline())
    except psutil.Error:  # it died meanwhile
        return False


def _listens(process: psutil.Process) -> set[int]:
    try:
        found = process.net_connections("tcp")
    except psutil.Error:
        return set()
    return {c.laddr.port for c in found if c.status == psutil.CONN_LISTEN}


def _is_healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/healthz", timeout=5) as answer:
            return bool(answer.read().startswith(b"ok\n"))
    except (urllib.error.URLError, OSError):
        return False
