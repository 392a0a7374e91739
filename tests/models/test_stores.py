"""The engine of a store: what a lock that somebody else holds leaves behind, and who only looks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from models.base import looking, open_store


def test_a_commit_that_was_kept_out_spoils_no_later_one(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    engine = open_store(url)
    event.listen(engine, "connect", lambda made, _: made.execute("PRAGMA busy_timeout=50"))
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE kept (value INTEGER)"))
    other = looking(open_store(url)).connect()
    with other.begin():
        other.execute(text("SELECT * FROM kept")).all()
        with Session(engine) as session:
            session.execute(text("INSERT INTO kept VALUES (1)"))
            with pytest.raises(OperationalError, match="locked"):
                session.commit()
    with Session(engine) as session:
        assert session.execute(text("SELECT * FROM kept")).all() == []
        session.execute(text("INSERT INTO kept VALUES (2)"))
        session.commit()
    with Session(engine) as session:
        assert session.scalars(text("SELECT value FROM kept")).all() == [2]


def test_looking_takes_no_transaction_on_postgresql_and_leaves_none_out(store: Engine) -> None:
    engine = open_store(store.url.render_as_string(hide_password=False))
    is_server = engine.dialect.name == "postgresql"
    with looking(engine).connect() as connection:
        connection.execute(text("SELECT 1"))
        made: Any = connection.connection.driver_connection
        assert not is_server or made.info.transaction_status.name == "IDLE"
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
        assert connection.connection.driver_connection is made, "the same one, used again"
        assert not is_server or made.info.transaction_status.name == "INTRANS"
    engine.dispose()
