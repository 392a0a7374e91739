"""The engine of a store: what a lock that somebody else holds leaves behind."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from models.base import open_store


def test_a_commit_that_was_kept_out_spoils_no_later_one(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    engine = open_store(url)
    event.listen(engine, "connect", lambda made, _: made.execute("PRAGMA busy_timeout=50"))
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE kept (value INTEGER)"))
    looking = open_store(url).execution_options(read_only=True).connect()
    with looking.begin():
        looking.execute(text("SELECT * FROM kept")).all()
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
