"""`mangping serve` that is killed and started anew, and the memory of its processes over time."""

from __future__ import annotations

import statistics
import threading
import time
from collections import Counter
from pathlib import Path

import psutil

from tests.webapp.serving_process import Serving, wait_until
from webapp.settings import Settings

EVERY = 2.0
"""Seconds between two looks at the memory."""
PATIENCE = 900.0


class Installation:
    """A data folder and the `mangping serve` that works on it at present."""

    def __init__(self, data: Path) -> None:
        self.settings = Settings(data=data)
        self.kills: Counter[str] = Counter()
        self.lock = threading.Lock()
        self.serving: Serving | None = None
        self._logs: list[Serving] = []
        self.link = ""

    def start(self) -> None:
        """Starts it, as a service manager does when it has died."""
        port = self.serving.port if self.serving else 0
        until = time.monotonic() + PATIENCE
        while True:
            made = Serving(self.settings.data, port, MANGPING_WORKERS="2")
            try:
                wait_until(made.answers, "healthz", until - time.monotonic())
                break
            except AssertionError:
                # Its predecessor's children may still be ending, and hold the port.
                made.stop()
                if time.monotonic() > until:
                    raise
                time.sleep(1)
        self.serving = made
        self._logs.append(made)
        self.link = self.link or made.link

    def stop(self) -> None:
        if self.serving is not None:
            self.serving.stop()

    @property
    def url(self) -> str:
        assert self.serving is not None
        return self.serving.url

    @property
    def review_url(self) -> str:
        assert self.serving is not None
        return self.serving.review_url

    def kill(self, role: str) -> None:
        """SIGKILL for one process of this role; nothing when none is there at the moment."""
        with self.lock:
            there = [process for process, its in self.processes() if its == role]
            if not there:
                return
            try:
                there[0].kill()
            except psutil.NoSuchProcess:
                return
            self.kills[role] += 1
            if role == "serve":
                assert self.serving is not None
                self.serving.process.wait()
                self.start()

    def processes(self) -> list[tuple[psutil.Process, str]]:
        """(process, role): serve, office, review, runner, worker."""
        assert self.serving is not None
        found: list[tuple[psutil.Process, str]] = []
        try:
            main = psutil.Process(self.serving.process.pid)
            found.append((main, "serve"))
            parts = self.serving.parts()
        except psutil.Error:
            return found
        for process in parts:
            role = self._role(process)
            if role:
                found.append((process, role))
            if role == "runner":
                try:
                    found += [
                        (child, "worker")
                        for child in process.children()
                        if "spawn_main" in " ".join(child.cmdline())
                    ]
                except psutil.Error:
                    continue
        return found

    def _role(self, process: psutil.Process) -> str:
        assert self.serving is not None
        try:
            ports = {c.laddr.port for c in process.net_connections("tcp") if c.status == "LISTEN"}
            if self.serving.port in ports:
                return "office"
            if self.serving.review_port in ports:
                return "review"
            # Young ones listen to nothing yet and are not told apart.
            return "runner" if not ports and time.time() - process.create_time() > 8 else ""
        except psutil.Error:
            return ""

    def tracebacks(self) -> int:
        """How many are in all that was printed."""
        return sum(serving.said().count("Traceback") for serving in self._logs)

    def said(self) -> str:
        return "\n".join(serving.said() for serving in self._logs)


class MemoryWatch:
    """Samples of resident memory. `samples`: at (s), role, pid, MB."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.samples: list[dict[str, float | str]] = []

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        began = time.monotonic()
        while not self._over.wait(EVERY):
            try:
                there = self._installation.processes()
            except AssertionError:
                continue
            for process, role in there:
                try:
                    size = process.memory_info().rss / 2**20
                except psutil.Error:
                    continue
                at = time.monotonic() - began
                self.samples.append({"at": round(at, 1), "role": role, "pid": process.pid,
                                     "MB": round(size, 1)})  # fmt: skip

    def table(self) -> list[tuple[str, ...]]:
        """Of each role: lives, the longest, its memory at its start, its end and most, its growth.

        First and last: medians of a tenth of the longest life. Growth: least squares over the last
        two thirds of it, so that filling caches do not count.
        """
        rows = []
        for role in ("serve", "office", "review", "runner", "worker"):
            lives: dict[float | str, list[tuple[float, float]]] = {}
            for sample in self.samples:
                if sample["role"] == role:
                    lives.setdefault(sample["pid"], []).append(
                        (float(sample["at"]), float(sample["MB"]))
                    )
            if not lives:
                continue
            life = max(lives.values(), key=lambda points: points[-1][0] - points[0][0])
            sizes = [size for _, size in life]
            tenth = max(1, len(life) // 10)
            settled = life[len(life) // 3 :]
            growth = (
                statistics.linear_regression(*zip(*settled, strict=True)).slope * 3600
                if len(settled) > 5
                else 0.0
            )
            most = max(size for points in lives.values() for _, size in points)
            rows.append(
                (role, str(len(lives)), f"{life[-1][0] - life[0][0]:.0f}",
                 f"{statistics.median(sizes[:tenth]):.0f}",
                 f"{statistics.median(sizes[-tenth:]):.0f}", f"{most:.0f}", f"{growth:+.1f}")
            )  # fmt: skip
        return rows
