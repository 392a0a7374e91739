"""What holds for every test: no network, one language, one thread, quick examples."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings

from tests.postgresql_server import Server

# Before numpy or onnxruntime start their pools: several test processes share few cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Messages are compared in Chinese; a test of the English ones sets its own.
os.environ["MANGPING_LANG"] = "zh"

# No deadline: a machine that is busy is not a bug. CI tries the same examples each time, so that
# a change answers for itself; at a desk they are new in each run.
settings.register_profile(
    "mangping", deadline=None, max_examples=60, derandomize="CI" in os.environ
)
settings.load_profile("mangping")


@pytest.fixture(autouse=True)
def _only_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Offices are offline: a test that reaches beyond the machine fails."""
    connect = socket.socket.connect

    def local_connect(self: socket.socket, address: Any) -> None:
        remote = self.family in (socket.AF_INET, socket.AF_INET6)
        if remote and address[0] not in ("127.0.0.1", "::1", "localhost"):
            pytest.fail(f"a test tried to reach {address[0]}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", local_connect)


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[Server]:
    """PostgreSQL, when its programs are installed; the test is left out otherwise."""
    server = Server()
    yield server
    server.remove()
