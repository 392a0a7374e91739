"""Stores to test on: SQLite always, PostgreSQL when its programs are installed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from models.base import open_store
from models.migration import migrate
from tests.postgresql_server import Server


@pytest.fixture(scope="session")
def postgresql_url(postgresql_server: Server) -> str:
    """The database `postgres` of this test run's server, as its superuser."""
    return postgresql_server.url()


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
