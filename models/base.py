"""Two declarative bases, one per store, so that no table can stand in both by accident."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine, MetaData, create_engine, event
from sqlalchemy.orm import DeclarativeBase

from models.errors import RuleError, Sentence

# Alembic can only drop or alter constraints that have names, on SQLite and PostgreSQL alike.
_NAMES = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class VaultBase(DeclarativeBase):
    """Tables of the vault: who. Only the office's process opens this store."""

    metadata = MetaData(naming_convention=_NAMES)


class ReviewBase(DeclarativeBase):
    """Tables of the review store: what experts may know. Nothing here names an applicant."""

    metadata = MetaData(naming_convention=_NAMES)


class AppendOnlyError(RuleError):
    """An attempt to change or delete a row that may only be added to."""


class AppendOnly:
    """Mixin of tables whose rows are evidence: the session refuses to change or delete them."""


@event.listens_for(AppendOnly, "before_update", propagate=True)
@event.listens_for(AppendOnly, "before_delete", propagate=True)
def _refuse(_mapper: Any, _connection: Any, target: Any) -> None:
    table = target.__tablename__
    raise AppendOnlyError(
        Sentence(
            f"表 {table} 的记录只能追加，不能修改或删除。请另加一条新记录。",
            f"Rows of {table} can only be added, never changed or deleted. Add a new row instead.",
        )
    )


def open_store(url: str) -> Engine:
    """An engine for a store's database.

    SQLite gets foreign keys, overwritten deletions and transactions that take the write lock at
    their start, so that a check and the write that rests on it cannot be parted by another writer.
    A connection with the execution option `read_only` starts without that lock.
    """
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _configure_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        event.listen(engine, "reset", _end_sqlite)
    return engine


def _configure_sqlite(connection: Any, _record: Any) -> None:
    # The driver's own transaction handling starts too late; "begin" below takes over.
    connection.isolation_level = None
    for pragma in ("foreign_keys=ON", "secure_delete=ON", "busy_timeout=30000"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Any) -> None:
    read_only = connection.get_execution_options().get("read_only", False)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


def _end_sqlite(connection: Any, _record: Any, _state: Any) -> None:
    # A commit that somebody else's long look kept out leaves the transaction open; the pool thinks
    # that it has ended, and the next request would be refused with this connection.
    if connection is not None and connection.in_transaction:
        connection.execute("ROLLBACK")


def utc_now() -> str:
    """Now as ISO 8601 text in UTC: sorts by time and hashes alike in every database."""
    return datetime.now(UTC).isoformat(timespec="microseconds")
