"""Copies of a store while others write: a pause of writers, rows as text, one hash of the content.

SQLite is copied with its online backup; PostgreSQL is read in one snapshot. The hash of the content
is over the rows, not over the bytes of a database file, which differ from copy to copy.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import random
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Engine,
    MetaData,
    String,
    Table,
    func,
    insert,
    select,
    text,
)
from sqlalchemy.exc import OperationalError

from models.errors import RuleError, Sentence
from models.migration import Store, upgrade_in

FIRST_TRY, PATIENCE = 0.3, 120.0
"""Seconds that one try to pause the writers waits, and until it is given up."""
BATCH = 1000
REVISIONS = "alembic_version"


@dataclass(frozen=True)
class Content:
    """What a store holds: sha256 over all rows, and how many each table has."""

    sha256: str
    rows: dict[str, int]


@contextlib.contextmanager
def paused(engines: Sequence[Engine]) -> Iterator[None]:
    """Nobody writes to these stores meanwhile; who wants to, waits. Readers go on.

    Tried again and again with short waits, so that a writer who holds one store and wants the
    other is never locked against this. RuleError when the stores stay busy.
    """
    until = time.monotonic() + PATIENCE
    while True:
        with contextlib.ExitStack() as held:
            try:
                for engine in engines:
                    held.enter_context(_locked(engine))
            except (sqlite3.OperationalError, OperationalError) as error:
                if time.monotonic() > until:
                    raise RuleError(
                        Sentence(
                            f"数据库一直忙，无法取得一致的副本（{error}）。请稍后再试。",
                            f"The databases stay busy, no consistent copy can be made ({error}). "
                            "Try again later.",
                        )
                    ) from error
            else:
                yield
                return
        time.sleep(random.uniform(0.05, 0.3))


@contextlib.contextmanager
def _locked(engine: Engine) -> Iterator[None]:
    if engine.dialect.name == "sqlite":
        lock = sqlite3.connect(sqlite_path(engine), isolation_level=None, timeout=FIRST_TRY)
        try:
            lock.execute("BEGIN IMMEDIATE")
            yield
        finally:
            lock.close()
        return
    with engine.begin() as connection:
        # Below deadlock_timeout (1 s): PostgreSQL must not end a user's transaction for a backup.
        connection.execute(text(f"SET LOCAL lock_timeout = {int(FIRST_TRY * 1000)}"))
        names = ", ".join(_quoted(connection, table) for table in tables_of(connection))
        connection.execute(text(f"LOCK TABLE {names} IN SHARE MODE"))
        yield


def sqlite_path(engine: Engine) -> Path:
    """The database file of an SQLite store."""
    return Path(str(engine.url.database))


def copy_sqlite(source: Path, target: Path) -> None:
    """SQLite's online backup of a database file to a new one."""
    with contextlib.ExitStack() as opened:
        there = opened.enter_context(contextlib.closing(sqlite3.connect(source, timeout=30)))
        copy = opened.enter_context(contextlib.closing(sqlite3.connect(target)))
        there.backup(copy)


def tables_of(connection: Connection) -> list[Table]:
    """Every table of a store as the database itself describes it, referred tables first."""
    metadata = MetaData()
    metadata.reflect(connection)
    return metadata.sorted_tables


def row_lines(connection: Connection) -> Iterator[bytes]:
    """Every row of a store as lines of JSON: a table's name and columns, then its rows by key.

    The order is that of the characters' codes, not of a locale, so that it is the same on every
    machine. TypeError for values other than texts, whole numbers and booleans.
    """
    for table in tables_of(connection):
        yield _line({"table": table.name, "columns": [column.name for column in table.columns]})
        key = list(table.primary_key.columns) or list(table.columns)
        ordered = select(table).order_by(*(_plain(column, connection) for column in key))
        for row in connection.execute(ordered, execution_options={"yield_per": BATCH}):
            values = list(row)
            if not all(value is None or isinstance(value, str | int) for value in values):
                raise TypeError(f"{table.name}: a value that no line can hold: {values}")
            yield _line(values)


def content_of(lines: Iterable[bytes]) -> Content:
    """The hash and the counts of a store's lines; reads them once."""
    digest, rows, name = hashlib.sha256(), {}, ""
    for line in lines:
        digest.update(line)
        if line.startswith(b"{"):
            name = json.loads(line)["table"]
            rows[name] = 0
        else:
            rows[name] += 1
    return Content(digest.hexdigest(), rows)


def load_rows(connection: Connection, store: Store, revision: str, lines: Iterable[bytes]) -> None:
    """Fills an empty PostgreSQL database from `row_lines`, in the caller's transaction."""
    upgrade_in(connection, store, revision)
    tables = {table.name: table for table in tables_of(connection)}
    for name, rows in _by_table(lines):
        for batch in _batches(rows) if name != REVISIONS else ():
            connection.execute(insert(tables[name]), batch)
    for table in tables.values():
        for column in table.primary_key.columns:
            sequence = connection.scalar(
                select(func.pg_get_serial_sequence(_quoted(connection, table), column.name))
            )
            if sequence:
                highest = connection.scalar(select(func.max(column)))
                connection.execute(select(func.setval(sequence, highest or 1, highest is not None)))


def revision_of(connection: Connection) -> str:
    """The migration that a store is at; "" for a database without any."""
    if not any(table.name == REVISIONS for table in tables_of(connection)):
        return ""
    return str(connection.scalar(text(f"SELECT version_num FROM {REVISIONS}")) or "")


def _by_table(lines: Iterable[bytes]) -> Iterator[tuple[str, Iterator[dict[str, object]]]]:
    head: dict[str, list[str]] = {}

    def place(line: bytes) -> str:
        if line.startswith(b"{"):
            head.update(json.loads(line))
        return str(head["table"])

    for name, group in itertools.groupby(lines, place):
        columns = list(head["columns"])
        yield (
            name,
            (
                dict(zip(columns, json.loads(line), strict=True))
                for line in group
                if not line.startswith(b"{")
            ),
        )


def _batches(rows: Iterator[dict[str, object]]) -> Iterator[list[dict[str, object]]]:
    while batch := list(itertools.islice(rows, BATCH)):
        yield batch


def _plain(column: Column[Any], connection: Connection) -> ColumnElement[Any]:
    if isinstance(column.type, String) and connection.dialect.name == "postgresql":
        return column.collate("C")
    return column


def _quoted(connection: Connection, table: Table) -> str:
    return connection.dialect.identifier_preparer.format_table(table)


def _line(value: object) -> bytes:
    return (json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n").encode()
