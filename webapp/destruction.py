"""Destroys a round's part of the vault: rows, files and what is left of them in the database.

It may be cut short at any time and is gone on with by calling it again: rows go first, so that
nothing is made anew for them, then files, then the certificate is completed.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from models.errors import RuleError, Sentence
from models.office_destruction import (
    begin_destruction,
    bound_tables,
    empty_rows,
    finish_destruction,
)
from models.vault_destruction import Destruction
from webapp.office.work import round_folder
from webapp.settings import Settings

BLOCK = 1 << 20
PATIENCE = 60.0
"""Seconds that the log of the database is waited for."""


def destroy_vault(
    settings: Settings,
    vault: Engine,
    review: Engine,
    *,
    round_id: int,
    reason: str,
    by: str,
    confirmed_by: str,
    today: date | None = None,
) -> Destruction:
    """Destroys what the vault holds of a closed or abandoned round whose period is over.

    Gives its certificate. `round_id`: of the vault. Originals, readings, masked pages, pictures,
    the key and the log go; the review store and the released pages stay. Runs long for large
    rounds: no transaction is open while files are overwritten. RuleError before anything is
    touched when something is in the way, and afterwards when a file cannot be removed; then remove
    what keeps it and call again.
    """
    folder = round_folder(settings, round_id)
    with Session(review) as reading, _writing(vault) as session:
        begun = begin_destruction(
            session,
            reading,
            round_id=round_id,
            reason=reason,
            by=by,
            confirmed_by=confirmed_by,
            today=today or datetime.now(UTC).date(),
        )
    if begun.state == "begun":
        found = {"files": _inventory(folder)}
        with _writing(vault) as session:
            begun = session.get_one(Destruction, begun.id, with_for_update=True)
            if begun.state == "begun":  # else another process was faster
                empty_rows(session, begun, found)
    first = _remove(folder)
    _compact(vault)
    # A page that was being shown while the rows went may have written a picture since.
    second = _remove(folder)
    done = {
        "overwritten": first[0] + second[0],
        "removed_without_overwriting": first[1] + second[1],
        "database": vault.dialect.name,
    }
    with _writing(vault) as session:
        begun = session.get_one(Destruction, begun.id, with_for_update=True)
        if begun.state == "done":
            return begun
        with Session(review) as other, other.begin():
            finish_destruction(session, other, begun, done)
    return begun


@contextlib.contextmanager
def _writing(vault: Engine) -> Iterator[Session]:
    """A transaction whose rows can still be read when it is over."""
    with Session(vault, expire_on_commit=False) as session, session.begin():
        yield session


def _inventory(folder: Path) -> dict[str, Any]:
    """Kind of file -> how many, their bytes, and one hash over all their hashes in order."""
    found: dict[str, Any] = {}
    digests: dict[str, list[str]] = {}
    for path in _files(folder):
        kind = path.relative_to(folder).parts[0] if path.parent != folder else "."
        entry = found.setdefault(kind, {"files": 0, "bytes": 0})
        entry["files"] += 1
        entry["bytes"] += path.stat().st_size
        with path.open("rb") as file:
            digests.setdefault(kind, []).append(hashlib.file_digest(file, "sha256").hexdigest())
    for kind, known in digests.items():
        lines = "".join(f"{digest}\n" for digest in sorted(known))
        found[kind]["sha256"] = hashlib.sha256(lines.encode()).hexdigest()
    return found


def _files(folder: Path) -> Iterator[Path]:
    for place, _folders, names in os.walk(folder):
        for name in names:
            yield Path(place) / name


def _remove(folder: Path) -> tuple[int, int]:
    """(files overwritten and removed, files that could only be removed)."""
    overwritten = only_removed = 0
    for path in _files(folder):
        if path.is_symlink() or not _overwrite(path):
            only_removed += 1
        else:
            overwritten += 1
        path.unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        left = next(iter(_files(folder)), folder)
        raise RuleError(
            Sentence(
                f"有文件无法删除（在 {left.parent}）。请关闭使用它的程序、检查权限后再执行一次。",
                f"A file cannot be removed (in {left.parent}). Close what uses it, check the "
                "rights, and carry out the destruction once more.",
            )
        )
    return overwritten, only_removed


def _overwrite(path: Path) -> bool:
    """Zeros over a file's bytes, on the disk; False where the file cannot be written.

    Flash disks and file systems that copy on write may keep the old blocks nevertheless.
    """
    try:
        with path.open("r+b", buffering=0) as file:
            left = path.stat().st_size
            while left > 0:
                left -= file.write(bytes(min(left, BLOCK))) or 0
            os.fsync(file.fileno())
    except OSError:
        return False
    return True


def _compact(vault: Engine) -> None:
    """Writes the database anew, without the pages and rows that were freed, and empties its log."""
    if vault.dialect.name == "sqlite":
        connection = vault.raw_connection()
        try:
            cursor = connection.cursor()
            cursor.execute("VACUUM")
            _empty_log(cursor)
        finally:
            connection.close()
        return
    with vault.connect().execution_options(isolation_level="AUTOCOMMIT") as plain:
        for table in bound_tables():
            plain.exec_driver_sql(f'VACUUM FULL "{table.name}"')


def _empty_log(cursor: Any) -> None:
    """Takes earlier states of rows out of SQLite's log of writes, once no reader needs them."""
    until = time.monotonic() + PATIENCE
    while True:
        busy = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        if not busy:
            return
        if time.monotonic() > until:
            raise RuleError(
                Sentence(
                    "数据库一直有人在读，日志未能清空。请稍后再执行一次销毁。",
                    "The database is being read all the time and its log could not be emptied. "
                    "Carry out the destruction once more later.",
                )
            )
        time.sleep(0.2)


def certificate_of(done: Destruction) -> dict[str, Any]:
    """The certificate as it was written; RuleError when it is not what its hash says."""
    if hashlib.sha256(done.certificate.encode()).hexdigest() != done.certificate_sha256:
        raise RuleError(
            Sentence("销毁证明与登记的校验码不符。", "The certificate is not what its hash says.")
        )
    certificate: dict[str, Any] = json.loads(done.certificate)
    return certificate
