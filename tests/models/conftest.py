"""Stores to test on: SQLite always, PostgreSQL when its programs are installed."""

from __future__ import annotations

import getpass
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from models.base import open_store
from models.migration import migrate


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


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """A PostgreSQL server of this test run's own, on a socket in a temporary folder."""
    programs, user = _programs(), _ordinary_user()
    if programs is None:
        pytest.skip(
            "PostgreSQL is not installed (no initdb and pg_ctl found), so its tests were "
            "left out. On Debian: apt-get install postgresql."
        )
    if user is None:
        pytest.skip("PostgreSQL refuses root and there is no user postgres or nobody to run it as.")
    home = Path(tempfile.mkdtemp(prefix="mangping-pg-"))
    data = home / "data"
    runs_as = user if os.geteuid() == 0 else None
    if runs_as:
        shutil.chown(home, runs_as)
    control = [str(programs / "pg_ctl"), "-D", str(data), "-w"]
    options = f"-k {home} -c listen_addresses= -c fsync=off"
    try:
        for command in (
            [str(programs / "initdb"), "-D", str(data), "-A", "trust", "-U", "mangping",
             "--no-locale", "-E", "UTF8"],
            [*control, "-o", options, "-l", str(home / "log"), "start"],
        ):  # fmt: skip
            subprocess.run(command, check=True, cwd=home, user=runs_as, stdout=subprocess.DEVNULL)
        yield f"postgresql+psycopg://mangping@/postgres?host={home}"
    finally:
        subprocess.run(
            [*control, "-m", "immediate", "stop"],
            cwd="/",
            user=runs_as,
            stdout=subprocess.DEVNULL,
            check=False,
        )
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A database without any table."""
    if request.param == "sqlite":
        engine = open_store(f"sqlite:///{tmp_path / 'review.db'}")
    else:
        engine = open_store(request.getfixturevalue("postgresql_url"))
        with engine.begin() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
    yield engine
    engine.dispose()


@pytest.fixture
def store(empty_store: Engine) -> Engine:
    """A review store made by the migrations, as an office gets it."""
    migrate(empty_store, "review")
    return empty_store
