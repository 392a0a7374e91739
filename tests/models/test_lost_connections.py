"""A PostgreSQL that restarts: dead connections are not used, and a loss is known as one."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from models.base import open_store
from models.lost_connections import connection_times, store_is_away
from tests.postgresql_server import Server


@pytest.fixture
def engine(postgresql_server: Server) -> Iterator[Engine]:
    made = open_store(postgresql_server.url())
    yield made
    made.dispose()


def ask(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.scalar(text("SELECT 1")) or 0)


def test_connections_that_a_restart_broke_are_not_used(
    engine: Engine, postgresql_server: Server
) -> None:
    several = [engine.connect() for _ in range(3)]
    assert [c.scalar(text("SELECT 1")) for c in several] == [1, 1, 1]
    for connection in several:
        connection.close()
    postgresql_server.restart()
    assert [ask(engine) for _ in range(4)] == [1, 1, 1, 1]


def test_a_living_connection_is_kept_and_the_server_is_asked_nothing_more(engine: Engine) -> None:
    made: list[object] = []
    event.listen(engine, "connect", lambda *_: made.append(1))
    with engine.connect() as connection:
        connection.execute(text("SET application_name = 'kept'"))
        connection.commit()
    said = []
    for _ in range(3):
        with engine.connect() as connection:
            said.append(connection.scalar(text("SHOW application_name")))
    assert said == ["kept"] * 3
    assert len(made) == 1


def test_a_loss_in_the_middle_is_known_and_the_next_transaction_works(
    engine: Engine, postgresql_server: Server
) -> None:
    with pytest.raises(DBAPIError) as broke, Session(engine) as session:
        session.execute(text("SELECT 1"))
        postgresql_server.restart()
        session.execute(text("SELECT 1"))
    assert store_is_away(broke.value)
    assert ask(engine) == 1


def test_a_server_that_is_down_is_away(engine: Engine, postgresql_server: Server) -> None:
    postgresql_server.stop()
    try:
        with pytest.raises(DBAPIError) as refused:
            ask(engine)
    finally:
        postgresql_server.start()
    assert store_is_away(refused.value)
    assert ask(engine) == 1


@pytest.mark.parametrize(
    "statement", ["SELECT nothing", "SELECT 1/0", "SELECT 'x'::int", "SELECT pg_sleep(1)"]
)
def test_what_a_statement_did_wrong_is_no_loss(engine: Engine, statement: str) -> None:
    with pytest.raises(DBAPIError) as wrong, engine.connect() as connection:
        connection.execute(text("SET statement_timeout = 20"))
        connection.execute(text(statement))
    assert not store_is_away(wrong.value)


def test_sqlites_errors_are_no_loss() -> None:
    with pytest.raises(DBAPIError) as wrong, create_engine("sqlite://").connect() as connection:
        connection.execute(text("SELECT nothing"))
    assert isinstance(wrong.value.orig, sqlite3.OperationalError)
    assert not store_is_away(wrong.value)
    assert not store_is_away(ValueError())
    assert not store_is_away(None)


def test_the_url_decides_how_long_is_waited() -> None:
    assert connection_times("sqlite://") == {}
    told = connection_times("postgresql+psycopg://a@b/c?connect_timeout=3")
    assert "connect_timeout" not in told
    assert told["tcp_user_timeout"] == 30_000
