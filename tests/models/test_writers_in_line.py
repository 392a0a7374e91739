"""Writers of one process stand in line before SQLite's file; whoever only looks does not."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from models.base import open_store

SOON = 10.0
"""Seconds; a machine may be busy."""


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    made = open_store(f"sqlite:///{tmp_path / 'review.db'}", many_writers=True)
    with made.begin() as connection:
        connection.execute(text("CREATE TABLE line (who INTEGER)"))
    return made


def write(engine: Engine, who: int) -> None:
    with Session(engine) as session, session.begin():
        session.execute(text("INSERT INTO line VALUES (:who)"), {"who": who})


def written(engine: Engine) -> list[int]:
    with Session(engine.execution_options(read_only=True)) as session:
        return list(session.scalars(text("SELECT who FROM line ORDER BY rowid")))


def test_a_writer_waits_for_the_one_before_and_readers_for_nobody(engine: Engine) -> None:
    first = Session(engine)
    first.execute(text("INSERT INTO line VALUES (1)"))
    second = threading.Thread(target=write, args=(engine, 2))
    second.start()
    second.join(0.3)
    assert second.is_alive()
    assert written(engine) == []
    first.commit()
    second.join(SOON)
    assert written(engine) == [1, 2]
    first.close()


@pytest.mark.parametrize("end", ["rollback", "close", "error", "invalidate"])
def test_however_a_writer_ends_the_next_one_follows(engine: Engine, end: str) -> None:
    session = Session(engine)
    session.execute(text("INSERT INTO line VALUES (1)"))
    if end == "error":
        with pytest.raises(Exception, match="no such table"):
            session.execute(text("INSERT INTO nowhere VALUES (1)"))
        session.close()
    else:
        getattr(session, end)()
    next_one = threading.Thread(target=write, args=(engine, 2), daemon=True)
    next_one.start()
    next_one.join(SOON)
    assert written(engine) == [2]


def test_one_connection_may_write_several_times(engine: Engine) -> None:
    with engine.connect() as connection:
        for who in (1, 2):
            with connection.begin():
                connection.execute(text("INSERT INTO line VALUES (:who)"), {"who": who})
    write(engine, 3)
    assert written(engine) == [1, 2, 3]


def test_many_at_once_are_all_kept(engine: Engine) -> None:
    def often(who: int) -> None:
        for _ in range(20):
            write(engine, who)

    threads = [threading.Thread(target=often, args=(who,)) for who in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(written(engine)) == sorted(list(range(8)) * 20)
