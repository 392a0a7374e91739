"""A dask scheduler and workers in processes of their own, as an office starts them."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from distributed import Client

ROOT = Path(__file__).parents[1]
PATIENCE = 120
"""Seconds; a machine under load takes its time."""


def until(happened: Callable[[], object], what: str) -> None:
    """Waits until something happened."""
    end = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.05)


@dataclass
class Dask:
    """A scheduler and its workers; `environment`: what is added to that of the workers."""

    folder: Path
    environment: dict[str, str]
    address: str = ""
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, *command: str, name: str, **environment: str) -> subprocess.Popen[bytes]:
        """Starts a dask program; its log goes to a file."""
        paths = [environment.pop("PYTHONPATH", ""), str(ROOT)]
        with (self.folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "distributed.cli." + command[0], *command[1:]],
                cwd=self.folder,
                env={
                    **os.environ,
                    **self.environment,
                    "PYTHONPATH": os.pathsep.join(filter(None, paths)),
                    "OMP_NUM_THREADS": "1",
                    "MANGPING_LANG": "en",
                    **environment,
                },
                stdout=log,
                stderr=log,
            )
        self.processes.append(process)
        return process

    def add_worker(self, name: str, **environment: str) -> subprocess.Popen[bytes]:
        """A worker with one thread and no nanny; it has joined when this returns."""
        process = self.start(
            *("dask_worker", self.address, "--nthreads", "1", "--no-nanny", "--no-dashboard"),
            *("--name", name, "--local-directory", str(self.folder / name)),
            *("--death-timeout", str(PATIENCE), "--dashboard-address", "127.0.0.1:0"),
            name=name,
            **environment,
        )
        until(lambda: name in self.workers() or process.poll() is not None, "the worker")
        assert process.poll() is None, (self.folder / f"{name}.log").read_text()
        return process

    def workers(self) -> list[str]:
        """Names of the workers that the scheduler knows."""
        names: list[str] = self.client.run_on_scheduler(_names)
        return names

    @functools.cached_property
    def client(self) -> Client:
        return Client(self.address, timeout=PATIENCE, set_as_default=False)

    def logs(self) -> str:
        """What scheduler and workers have said."""
        return "".join(p.read_text("utf-8", "replace") for p in self.folder.glob("*.log"))

    def stop(self) -> None:
        if "client" in vars(self):
            self.client.close(timeout=PATIENCE)
        for process in reversed(self.processes):
            process.kill()
        for process in self.processes:
            process.wait(PATIENCE)


def _names(dask_scheduler: Any) -> list[str]:
    return [worker.name for worker in dask_scheduler.workers.values()]


@contextmanager
def running(folder: Path, **environment: str) -> Iterator[Dask]:
    """A scheduler without workers, below an empty folder."""
    folder.mkdir(parents=True, exist_ok=True)
    dask = Dask(folder, environment)
    try:
        told = folder / "scheduler.json"
        scheduler = dask.start(
            *("dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"),
            *("--dashboard-address", "127.0.0.1:0", "--scheduler-file", str(told)),
            name="scheduler",
            DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES="1",
        )
        until(lambda: told.exists() and told.read_text().endswith("}"), "the scheduler")
        assert scheduler.poll() is None
        dask.address = json.loads(told.read_text())["address"]
        yield dask
    finally:
        dask.stop()


@contextmanager
def s3_server(bucket: str) -> Iterator[dict[str, str]]:
    """An S3 server with an empty bucket: the environment that leads clients to it."""
    import logging

    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        url = "http://{}:{}".format(*server.get_host_and_port())
        urllib.request.urlopen(
            urllib.request.Request(f"{url}/{bucket}", method="PUT"), timeout=PATIENCE
        ).close()
        yield {
            "AWS_ENDPOINT_URL": url,
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": "office",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_REGION": "us-east-1",
        }
    finally:
        server.stop()
