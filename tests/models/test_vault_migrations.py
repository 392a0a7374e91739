"""The vault's migrations make what the models say, up and down, with rows in the tables."""

from __future__ import annotations

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Double, Engine, Float, Numeric, insert, inspect
from sqlalchemy.exc import IntegrityError
from sqlalchemy.schema import CheckConstraint

from models.base import VaultBase
from models.migration import migrate, migrate_down
from models.schema import VAULT_TABLES, Account, Entrant, OfficeRound, Release

ROUND = {"id": 1, "name": "甲", "year": 2024, "policy_name": "x", "policy": "", "profile": "strict",
         "committee_members": 9, "created_at": ""}  # fmt: skip
ENTRANT = {"id": 1, "round_id": 1, "number": 1, "name": "李明", "unit": "局", "row": "{}",
           "code": "K7QF-3M"}  # fmt: skip


def tables(engine: Engine) -> set[str]:
    return set(inspect(engine).get_table_names()) - {"alembic_version"}


@pytest.fixture
def vault(empty_store: Engine) -> Engine:
    migrate(empty_store, "vault")
    return empty_store


def test_migrations_equal_the_models(vault: Engine) -> None:
    with vault.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, VaultBase.metadata) == []
    found = inspect(vault)
    for table in VaultBase.metadata.sorted_tables:
        wanted = {str(c.name) for c in table.constraints if isinstance(c, CheckConstraint)}
        assert {c["name"] for c in found.get_check_constraints(table.name)} == wanted


def test_every_model_is_listed() -> None:
    assert {t.__tablename__ for t in VAULT_TABLES} == set(VaultBase.metadata.tables)


def test_up_and_down_leave_nothing(vault: Engine) -> None:
    with vault.begin() as connection:
        connection.execute(insert(OfficeRound), ROUND)
        connection.execute(insert(Entrant), ENTRANT)
    migrate_down(vault, "vault", "base")
    assert tables(vault) == set()
    migrate(vault, "vault")
    assert tables(vault) == set(VaultBase.metadata.tables)


def test_no_column_holds_a_float() -> None:
    columns = [c for t in VaultBase.metadata.tables.values() for c in t.columns]
    assert [str(c) for c in columns if isinstance(c.type, (Float, Numeric, Double))] == []


def test_a_role_that_does_not_exist_is_refused(vault: Engine) -> None:
    row = {"login": "a", "name": "甲", "role": "reviewer", "password_hash": "", "created_at": ""}
    with pytest.raises(IntegrityError, match="role"), vault.begin() as connection:
        connection.execute(insert(Account), row)


def test_nobody_confirms_the_own_release(vault: Engine) -> None:
    row = {"round_id": 1, "entrant_id": 1, "hashes": "[]", "salt": "", "asked_by": "a",
           "asked_at": "", "state": "released"}  # fmt: skip
    with vault.begin() as connection:
        connection.execute(insert(OfficeRound), ROUND)
        connection.execute(insert(Entrant), ENTRANT)
    with pytest.raises(IntegrityError, match="two_persons"), vault.begin() as connection:
        connection.execute(insert(Release), {**row, "confirmed_by": "a"})
    with vault.begin() as connection:
        connection.execute(insert(Release), {**row, "confirmed_by": "b"})
