"""Pausing writers, and the hash of a store's content, on both kinds of database."""

from __future__ import annotations

import threading
import time

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from models import store_copy
from models.audit import append_event
from models.errors import RuleError
from models.migration import migrate
from models.store_copy import content_of, load_rows, paused, revision_of, row_lines
from tests.models.rounds_sample import sample_round, submit_all


def test_who_wants_to_write_waits(store: Engine) -> None:
    done = threading.Event()

    def write() -> None:
        with Session(store) as session, session.begin():
            append_event(session, actor="o", action="act", details={})
        done.set()

    with paused([store]):
        writer = threading.Thread(target=write)
        writer.start()
        assert not done.wait(0.5)
        with Session(store.execution_options(read_only=True)) as session:
            assert session.scalar(text("SELECT count(*) FROM audit_event")) == 0
    assert done.wait(10)
    writer.join()


def test_a_writer_is_waited_for_and_loses_nothing(store: Engine) -> None:
    """It holds its transaction for longer than a deadlock is given on PostgreSQL."""
    began, order = threading.Event(), []

    def write() -> None:
        with Session(store) as session, session.begin():
            append_event(session, actor="o", action="act", details={"n": 1})
            began.set()
            time.sleep(1.5)
            append_event(session, actor="o", action="act", details={"n": 2})
            order.append("written")

    writer = threading.Thread(target=write)
    writer.start()
    assert began.wait(10)
    with paused([store]):
        order.append("paused")
        with Session(store.execution_options(read_only=True)) as session:
            assert session.scalar(text("SELECT count(*) FROM audit_event")) == 2
    writer.join()
    assert order == ["written", "paused"]


def test_stores_that_stay_busy_are_told(store: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_copy, "PATIENCE", 0.5)
    with Session(store) as session, session.begin():
        append_event(session, actor="o", action="act", details={})
        with pytest.raises(RuleError, match="一直忙"), paused([store]):
            pass
    with paused([store]):
        pass


def test_rows_come_back_as_they_were(empty_store: Engine) -> None:
    if empty_store.dialect.name == "sqlite":
        pytest.skip("SQLite is copied as a file")
    migrate(empty_store, "review")
    with Session(empty_store) as session, session.begin():
        submit_all(session, sample_round(session))
    with empty_store.begin() as connection:
        lines, revision = list(row_lines(connection)), revision_of(connection)
    before = content_of(lines)
    assert before.rows["sheet_version"] == 6 and before.rows["alembic_version"] == 1
    with empty_store.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
        load_rows(connection, "review", revision, lines)
    with empty_store.begin() as connection:
        assert content_of(row_lines(connection)) == before
        connection.execute(text("UPDATE sheet SET reason = 'x' WHERE id = 1"))
        assert content_of(row_lines(connection)).sha256 != before.sha256


def test_both_databases_give_one_content(store: Engine) -> None:
    """The same rows have the same hash wherever they are, so that an office may change over."""
    with Session(store) as session, session.begin():
        sample_round(session)
        session.execute(text("UPDATE audit_event SET at = '', hash = '', previous = ''"))
        session.execute(text("UPDATE audit_head SET hash = ''"))
        session.execute(text("UPDATE policy_snapshot SET at = ''"))
    with store.connect() as connection:
        found = content_of(row_lines(connection)).sha256
    assert SAME.setdefault("sha256", found) == found


SAME: dict[str, str] = {}
