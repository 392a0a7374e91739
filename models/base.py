"""Two declarative bases, one per store, so that no table can stand in both by accident."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine, MetaData, create_engine, event
from sqlalchemy.orm import DeclarativeBase, Session

from models.errors import RuleError, Sentence
from models.lost_connections import connection_times, leave_dead_connections

# Alembic can only drop or alter constraints that have names, on SQLite and PostgreSQL alike.
_NAMES = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


LONGEST_WAIT = 30
"""Seconds that a writer waits for the others."""
_IN_LINE = "in_line"


KEPT_OPEN = 10
"""Connections kept for the threads of a server; each one more would be made anew every time."""


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


def open_store(url: str, *, many_writers: bool = False) -> Engine:
    """An engine for a store's database.

    SQLite gets foreign keys, overwritten deletions and transactions that take the write lock at
    their start, so that a check and the write that rests on it cannot be parted by another writer.
    A connection with the execution option `read_only` starts without that lock.

    `many_writers`: turns SQLite's log of writes (WAL) on, for good and for everybody who opens
    the file: people read while one writes, and a commit waits for the disk once. What was deleted
    may stay in that log: `forget_after_commit`. Writers of this process stand in line.
    """
    engine = create_engine(url, pool_size=KEPT_OPEN, connect_args=connection_times(url))
    if engine.dialect.name == "postgresql":
        leave_dead_connections(engine)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _configure_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        event.listen(engine, "reset", _end_sqlite)
        if many_writers:
            event.listen(engine, "connect", _log_writes)
            _put_in_line(engine)
    return engine


def looking(engine: Engine) -> Engine:
    """The same store for who only looks: without SQLite's write lock, and on PostgreSQL without a
    transaction, whose begin and end would be two more ways to the server and back.

    There each statement sees what is kept when it begins, as it does in a transaction, too.
    """
    if engine.dialect.name == "postgresql":
        return engine.execution_options(read_only=True, isolation_level="AUTOCOMMIT")
    return engine.execution_options(read_only=True)


def forget_after_commit(session: Session) -> None:
    """Empties SQLite's log of writes once this transaction is kept.

    So that no earlier state of a row, such as the order in which votes came, can be read from it.
    """
    engine = session.get_bind()

    @event.listens_for(session, "after_commit", once=True)
    def forget(_session: Session) -> None:
        if engine.dialect.name == "sqlite":
            with looking(engine.engine).connect() as connection:
                raw: Any = connection.connection.driver_connection
                # Waits for those who read (busy_timeout); without a log there is nothing to empty.
                raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def forget_order(engine: Engine) -> None:
    """Writes SQLite's file anew, row by row in the order of keys, with nothing committed lost.

    A page of the file keeps its rows in the order in which they came, so that whoever reads the
    bytes could tell it. OperationalError when somebody writes for too long; it may be repeated.
    PostgreSQL keeps such an order as well and is left alone: give its files to nobody.
    """
    if engine.dialect.name != "sqlite":
        return
    with looking(engine.engine).connect() as connection:
        raw: Any = connection.connection.driver_connection
        raw.execute("VACUUM")
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _configure_sqlite(connection: Any, _record: Any) -> None:
    # The driver's own transaction handling starts too late; "begin" below takes over.
    connection.isolation_level = None
    # FULL: what was answered survives a power cut, with a log of writes as without.
    for pragma in (
        "foreign_keys=ON",
        "secure_delete=ON",
        f"busy_timeout={1000 * LONGEST_WAIT}",
        "synchronous=FULL",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _log_writes(connection: Any, _record: Any) -> None:
    # While somebody holds the file it stays as it is, until a later connection.
    with suppress(sqlite3.OperationalError):
        connection.execute("PRAGMA journal_mode=WAL")


def _put_in_line(engine: Engine) -> None:
    """Lets one thread write at a time and wakes the next when it is done.

    SQLite has no such line: whoever finds the file locked sleeps, up to 100 ms at a time, and
    under a committee's load some sleep over and over while others pass.
    """
    gate = threading.Lock()

    def wait(connection: Connection) -> None:
        if connection.get_execution_options().get("read_only") or connection.info.get(_IN_LINE):
            return
        # Who holds it for longer is another process's business too: SQLite decides then.
        connection.info[_IN_LINE] = gate.acquire(timeout=LONGEST_WAIT)

    def leave(_connection: Any, record: Any, *_error: Any) -> None:
        if record.info.pop(_IN_LINE, False):
            gate.release()

    # Before the transaction begins, and only when its commit or rollback is done.
    event.listen(engine, "begin", wait, insert=True)
    event.listen(engine, "checkin", leave)
    event.listen(engine, "invalidate", leave)


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
