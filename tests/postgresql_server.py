"""A PostgreSQL server of a test run's own, in a temporary folder, that tests may restart."""

from __future__ import annotations

import getpass
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

PATIENCE = "120"
"""Seconds that pg_ctl waits; a machine may be busy."""


def _programs() -> Path | None:
    """The folder that holds initdb and pg_ctl, on the PATH or where Debian puts them."""
    found = shutil.which("pg_ctl")
    folders = [Path(found).parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((f for f in folders if (f / "initdb").exists() and (f / "pg_ctl").exists()), None)


def _ordinary_user() -> str | None:
    """PostgreSQL refuses to run as root; None when there is nobody else to run it as."""
    if os.geteuid() != 0:
        return getpass.getuser()
    names = {entry.pw_name for entry in pwd.getpwall()}
    return next((name for name in ("postgres", "nobody") if name in names), None)


class Server:
    """Superuser `mangping`, reached by a socket in the folder; everybody is trusted.

    `durable`: every commit waits for the disk, as on a real server; tests need not.
    """

    def __init__(self, *, durable: bool = False) -> None:
        self._durable = durable
        programs, user = _programs(), _ordinary_user()
        if programs is None:
            pytest.skip(
                "PostgreSQL is not installed (no initdb and pg_ctl found), so its tests were "
                "left out. On Debian: apt-get install postgresql."
            )
        if user is None:
            pytest.skip(
                "PostgreSQL refuses root and there is no user postgres or nobody to run it as."
            )
        self._programs = programs
        self._user = user if os.geteuid() == 0 else None
        self._home = Path(tempfile.mkdtemp(prefix="mangping-pg-"))
        if self._user:
            shutil.chown(self._home, self._user)
        self._run(
            "initdb", "-A", "trust", "-U", "mangping", "--no-locale", "-E", "UTF8", "--no-sync"
        )
        self.start()

    def url(self, database: str = "postgres", role: str = "mangping") -> str:
        """SQLAlchemy's address of a database for a role."""
        return f"postgresql+psycopg://{role}@/{database}?host={self._home}"

    def create(self, *names: str) -> None:
        """New databases that only their owner may enter: the experts' role is checked for that."""
        for name in names:
            self.run(
                f"DROP DATABASE IF EXISTS {name} WITH (FORCE)",
                f"CREATE DATABASE {name}",
                f"REVOKE CONNECT ON DATABASE {name} FROM PUBLIC",
            )

    def run(self, *statements: str, database: str = "postgres") -> None:
        """SQL as the superuser, each statement by itself."""
        engine = create_engine(self.url(database), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for statement in statements:
                connection.execute(text(statement))
        engine.dispose()

    def start(self) -> None:
        """Starts it and waits until it answers."""
        options = f"-k {self._home} -c listen_addresses="
        options += "" if self._durable else " -c fsync=off"
        self._control("-o", options, "-l", str(self._home / "log"), "start")

    def stop(self) -> None:
        """Breaks every connection off at once, as a machine that fails does."""
        self._control("-m", "immediate", "stop")

    def restart(self) -> None:
        self.stop()
        self.start()

    def remove(self) -> None:
        """Ends it and leaves nothing behind."""
        with suppress(subprocess.CalledProcessError):  # a test had stopped it
            self.stop()
        shutil.rmtree(self._home, ignore_errors=True)

    def _control(self, *arguments: str) -> None:
        self._run("pg_ctl", "-w", "-t", PATIENCE, *arguments)

    def _run(self, program: str, *arguments: str) -> None:
        command: Sequence[str] = (
            str(self._programs / program),
            "-D",
            str(self._home / "data"),
            *arguments,
        )
        subprocess.run(
            command, check=True, cwd=self._home, user=self._user, stdout=subprocess.DEVNULL
        )
