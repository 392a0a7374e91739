"""The migrations make what the models say, up and down, with rows in the tables."""

from __future__ import annotations

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Double, Engine, Float, Numeric, insert, inspect, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.schema import CheckConstraint

from models.base import ReviewBase, VaultBase
from models.migration import migrate, migrate_down
from models.schema import (
    REVIEW_TABLES,
    Candidate,
    Receipt,
    ReleasedPage,
    Round,
    SheetVersion,
    Vote,
    VoterRoll,
)
from tests.models.rounds_sample import CODES, sample_round, sheet_id

LATE = {
    "ballot",
    "ballot_item",
    "voter_roll",
    "vote",
    "tally",
    "ruling",
    "audit_head",
    "audit_event",
    "released_page",
    "page_report",
    "page_settlement",
    "seat_card",
    "seat_device",
    "access_event",
    "receipt",
    "paper_entry",
    "paper_count",
    "sheet_note",
}


def tables(engine: Engine) -> set[str]:
    return set(inspect(engine).get_table_names()) - {"alembic_version"}


def test_migrations_equal_the_models(store: Engine) -> None:
    with store.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, ReviewBase.metadata) == []
    # Alembic compares neither checks nor "without rowid"; these do.
    found = inspect(store)
    for table in ReviewBase.metadata.sorted_tables:
        wanted = {str(c.name) for c in table.constraints if isinstance(c, CheckConstraint)}
        assert {c["name"] for c in found.get_check_constraints(table.name)} == wanted
    if store.dialect.name == "sqlite":
        with store.connect() as connection:
            rows = connection.execute(
                text("SELECT name, sql FROM sqlite_master WHERE type='table'")
            )
            bare = {row.name for row in rows if "WITHOUT ROWID" in row.sql}
        secret = (Candidate, ReleasedPage, Receipt, Vote, VoterRoll)
        assert bare == {table.__tablename__ for table in secret}


def test_every_model_is_listed() -> None:
    assert {t.__tablename__ for t in REVIEW_TABLES} == set(ReviewBase.metadata.tables)
    assert set(ReviewBase.metadata.tables).isdisjoint(VaultBase.metadata.tables)


def test_up_and_down_leave_nothing(empty_store: Engine) -> None:
    migrate(empty_store, "review", "0001")
    assert tables(empty_store) == set(ReviewBase.metadata.tables) - LATE
    migrate(empty_store, "review")
    assert tables(empty_store) == set(ReviewBase.metadata.tables)
    migrate_down(empty_store, "review", "base")
    assert tables(empty_store) == set()
    migrate(empty_store, "review")
    assert tables(empty_store) == set(ReviewBase.metadata.tables)


def test_rows_survive_a_step_up_and_a_step_down(empty_store: Engine) -> None:
    migrate(empty_store, "review", "0001")
    with empty_store.begin() as connection:
        connection.execute(
            insert(Round),
            {"id": 1, "name": "甲", "year": 2024, "places": 2, "committee_members": 9},
        )
        row = {
            "round_id": 1,
            "specialty": "实验",
            "level": "中级",
            "defence": "exempt",
            "ground": "junior",
        }
        connection.execute(insert(Candidate), [{**row, "code": "A"}, {**row, "code": "B"}])
    with empty_store.connect() as connection:
        before = connection.execute(select(Candidate.__table__).order_by("code")).all()
    migrate(empty_store, "review")
    migrate_down(empty_store, "review", "0001")
    with empty_store.connect() as connection:
        assert connection.execute(select(Candidate.__table__).order_by("code")).all() == before
        assert len(before) == 2


def test_no_column_holds_a_float() -> None:
    columns = [c for t in ReviewBase.metadata.tables.values() for c in t.columns]
    assert len(columns) > 60
    inexact = [str(c) for c in columns if isinstance(c.type, (Float, Numeric, Double))]
    assert inexact == []


def test_nothing_links_a_vote_to_its_voter() -> None:
    roll, vote = VoterRoll.__table__, Vote.__table__
    known = {"ballot_id", "reviewer", "round_id", "has_voted", "means"}
    assert {c.name for c in roll.columns} == known
    assert {c.name for c in Receipt.__table__.columns} == {"ballot_id", "code"}
    assert {c.name for c in vote.columns} == {"id", "ballot_id", "code", "choice"}


def test_the_models_forbid_a_sheet_version_by_one_person(store: Engine) -> None:
    row = {"sheet_id": 1, "number": 1, "kind": "correction", "comment": "", "reason": "r",
           "by": "a", "confirmed_by": "a", "at": ""}  # fmt: skip
    with Session(store) as session, session.begin():
        row["sheet_id"] = sheet_id(session, sample_round(session), "R01", CODES[0])
    with pytest.raises(IntegrityError, match="two_persons"), store.begin() as connection:
        connection.execute(insert(SheetVersion), row)
    with store.begin() as connection:
        connection.execute(insert(SheetVersion), {**row, "confirmed_by": "b"})
