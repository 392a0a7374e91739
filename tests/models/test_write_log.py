"""SQLite's log of writes: fast for many tablets, and emptied where it would tell who voted how."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from models.ballots import cast_ballot, close_ballot, open_ballot
from models.base import open_store
from models.migration import migrate
from tests.models.rounds_sample import CODES, SEATS, sample_round, to_phase


@pytest.fixture
def logged(tmp_path: Path) -> Engine:
    """A review store as the experts' app opens it."""
    engine = open_store(f"sqlite:///{tmp_path / 'review.db'}", many_writers=True)
    migrate(engine, "review")
    return engine


def log_size(folder: Path) -> int:
    return (folder / "review.db-wal").stat().st_size


def test_the_log_is_on_for_all_who_open_the_file(logged: Engine, tmp_path: Path) -> None:
    for engine in (logged, open_store(f"sqlite:///{tmp_path / 'review.db'}")):
        with engine.connect() as connection:
            assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
            assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2


def test_a_closed_ballot_leaves_no_order_of_votes_in_the_log(
    logged: Engine, tmp_path: Path
) -> None:
    # The office's process closes what the experts' process wrote; each has connections of its own.
    office = open_store(f"sqlite:///{tmp_path / 'review.db'}")
    with Session(office) as session, session.begin():
        round_id = sample_round(session)
        to_phase(session, round_id, "voting")
        ballot = open_ballot(session, round_id=round_id, codes=CODES, by="office")
    for seat in SEATS:
        with Session(logged) as session, session.begin():
            choices = dict.fromkeys(CODES, "yes")
            cast_ballot(session, ballot_id=ballot, reviewer=seat, choices=choices)
    assert log_size(tmp_path) > 0
    with Session(office) as session, session.begin():
        close_ballot(session, ballot_id=ballot, by="office")
        assert log_size(tmp_path) > 0
    assert log_size(tmp_path) == 0
    with Session(logged) as session:
        assert session.connection().exec_driver_sql("SELECT count(*) FROM vote").scalar() == 6
