"""Puts a backup back into an empty data folder, only when every byte of it is proven."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from sqlalchemy import Engine

from models.base import open_store
from models.errors import RuleError, Sentence
from models.store_copy import content_of, load_rows, row_lines, sqlite_path, tables_of
from redactor.assembly import FIXED_TIME
from redactor.errors import RedactorError
from redactor.sealed_files import MARK, Keys, open_stream, opened
from webapp.backup import (
    BLOCK,
    FOLDERS,
    FORMAT,
    MANIFEST,
    STORES,
    VERSION,
    sqlite_content,
)
from webapp.backup_places import backup_keys
from webapp.redactor_errors import rule_error, sentence_of
from webapp.settings import Settings, prepare_folders

MOST_TOLD = 50
"""Problems that are named; a backup on a broken disk has thousands."""
Entry = dict[str, Any]


@dataclass(frozen=True)
class _Backup:
    """A backup's folder. `keys`: of a sealed one. `manifest`: as it was before it was sealed."""

    folder: Path
    keys: Keys | None
    manifest: bytes | None

    def lines(self) -> IO[bytes]:
        """The manifest."""
        return (
            (self.folder / MANIFEST).open("rb")
            if self.manifest is None
            else io.BytesIO(self.manifest)
        )


def restore(folder: Path, settings: Settings, key_file: Path | None = None) -> int:
    """Restores a backup into the empty or missing folder `settings.data`; how many files.

    `key_file`: of a sealed backup.
    Everything is copied and proven beside it first. RuleError with every problem, and then
    nothing is left: the backup is incomplete or damaged, the folder or a database is not empty,
    or the databases are of another kind than those of the backup.
    """
    backup = _opened(folder, key_file)
    stores = _checked_manifest(backup)
    _check_target(settings, stores)
    data = settings.data
    part = data.parent / f".{data.name}.{secrets.token_hex(4)}.part"
    engines = {
        name: open_store(url)
        for name, url in zip(STORES, (settings.vault_url, settings.review_url), strict=True)
    }
    try:
        part.mkdir(mode=0o700)
        count = _bring_files(backup, part)
        with contextlib.ExitStack() as opened:
            for name, entry in stores.items():
                _bring_store(backup, settings, engines[name], entry, part, opened)
            if data.is_dir():
                data.rmdir()
            part.rename(data)
        prepare_folders(settings)
        _set_blind_times(settings.blind)
        return count
    except OSError as error:
        raise RuleError(
            Sentence(
                f"无法恢复：{error.filename or ''} {error.strerror}。没有恢复任何内容。",
                f"It cannot be restored: {error.filename or ''} {error.strerror}. Nothing was put "
                "in place.",
            )
        ) from error
    finally:
        for engine in engines.values():
            engine.dispose()
        shutil.rmtree(part, ignore_errors=True)


def _opened(folder: Path, key_file: Path | None) -> _Backup:
    """The backup with its manifest opened; RuleError when it is sealed with another key or none."""
    try:
        with (folder / MANIFEST).open("rb") as file:
            is_sealed = file.read(len(MARK)) == MARK
        if not is_sealed:
            return _Backup(folder, None, None)
        if key_file is None:
            raise RuleError(
                Sentence(
                    f"备份 {folder} 已加密。请用 --key 指定密钥文件。没有恢复任何内容。",
                    f"The backup {folder} is sealed; name its key file with --key. Nothing was "
                    "restored.",
                )
            )
        keys = backup_keys(key_file)
        return _Backup(folder, keys, opened((folder / MANIFEST).read_bytes(), keys, folder))
    except OSError:
        return _Backup(folder, None, None)  # the check says what is missing
    except RedactorError as error:
        raise rule_error(error) from error


def _checked_manifest(backup: _Backup) -> dict[str, Entry]:
    """The stores of a manifest that is whole, of this version, and leads nowhere else."""
    stores: dict[str, Entry] = {}
    digest, last, head = hashlib.sha256(), b"", b""
    try:
        with backup.lines() as manifest:
            for line in manifest:
                digest.update(last)
                last, head = line, head or line
        whole = last == json.dumps({"sha256": digest.hexdigest()}).encode() + b"\n"
        ours = json.loads(head) == {"format": FORMAT, "version": VERSION}
        for entry in _entries(backup) if whole and ours else ():
            if "store" in entry:
                stores[entry["store"]] = entry
            elif not _safe(entry["path"]) or not _safe_name(entry):
                whole = False
    except FileNotFoundError as error:
        raise RuleError(
            Sentence(
                f"{backup.folder} 不是备份：没有 {MANIFEST}。",
                f"{backup.folder} is no backup: it has no {MANIFEST}.",
            )
        ) from error
    except (OSError, ValueError):
        whole = ours = False
    if not whole or not ours or tuple(stores) != STORES:
        raise RuleError(
            Sentence(
                f"备份清单 {backup.folder / MANIFEST} 不完整、被改动过，或出自其他版本，"
                "未恢复任何内容。请改用另一份备份。",
                f"The manifest {backup.folder / MANIFEST} is incomplete, was changed, or is of "
                "another version. Nothing was restored; use another backup.",
            )
        )
    return stores


def _entries(backup: _Backup) -> Iterator[Entry]:
    """The manifest's stores and files, without its head and its last line."""
    with backup.lines() as manifest:
        next(manifest)
        for line in manifest:
            entry: Entry = json.loads(line)
            if "store" in entry or "path" in entry:
                yield entry


def _safe(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return len(parts) > 1 and parts[0] in FOLDERS and ".." not in parts


def _safe_name(entry: Entry) -> bool:
    return "file" not in entry or re.fullmatch(r"\d{6}/\d{9}", str(entry["file"])) is not None


def _check_target(settings: Settings, stores: dict[str, Entry]) -> None:
    problems = []
    data = settings.data
    if data.exists() and (not data.is_dir() or any(data.iterdir())):
        problems.append(
            Sentence(
                f"{data} 不是空文件夹，未恢复。请另选一个空的文件夹。",
                f"{data} is not an empty folder; nothing was restored. Choose an empty one.",
            )
        )
    if not data.parent.is_dir():
        problems.append(
            Sentence(f"没有文件夹 {data.parent}。", f"There is no folder {data.parent}.")
        )
    for name, url in zip(STORES, (settings.vault_url, settings.review_url), strict=True):
        problems += _store_problems(settings, name, open_store(url), stores[name])
    if problems:
        raise RuleError(problems)


def _store_problems(
    settings: Settings, name: str, engine: Engine, entry: Entry
) -> Iterator[Sentence]:
    is_file = engine.dialect.name == "sqlite"
    if is_file != entry["file"].endswith(".sqlite"):
        yield Sentence(
            f"备份中的 {name} 库与设置的数据库种类不同（SQLite / PostgreSQL）。请改设置后再恢复。",
            f"The store {name} of the backup is of another kind (SQLite, PostgreSQL) than the "
            "database in the settings. Change the settings, then restore.",
        )
    elif is_file and not _inside(sqlite_path(engine), settings.data):
        yield Sentence(
            f"{name} 库的数据库文件设在数据文件夹之外，无法恢复到那里。请先取消该设置。",
            f"The database file of {name} is set to be outside of the data folder. Unset it first.",
        )
    elif not is_file:
        try:
            with engine.connect() as connection:
                if tables_of(connection):
                    yield Sentence(
                        f"{name} 库的数据库不是空的，未恢复。",
                        f"The database of {name} is not empty; nothing was restored.",
                    )
        finally:
            engine.dispose()


def _inside(path: Path, folder: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())


def _bring_files(backup: _Backup, part: Path) -> int:
    """Copies every file of the manifest, proving it on the way."""
    problems: list[Sentence] = []
    count = 0
    for entry in _entries(backup):
        own = "path" not in entry
        name = entry["file"] if own else f"files/{entry.get('file', entry['path'])}"
        target = part / (entry["path"] if "path" in entry else entry["file"])
        problem = _copy_proven(backup.folder / name, target, entry, backup.keys)
        if problem is not None:
            problems.append(problem)
            if len(problems) == MOST_TOLD:
                break
        elif "path" in entry:
            os.utime(target, ns=(entry["modified"], entry["modified"]))
            count += 1
    if problems:
        raise RuleError(
            [
                *problems,
                Sentence(
                    "备份已损坏，未恢复任何内容。请改用另一份备份。",
                    "The backup is damaged and nothing was restored. Use another backup.",
                ),
            ]
        )
    return count


def _copy_proven(source: Path, target: Path, entry: Entry, keys: Keys | None) -> Sentence | None:
    """Copies a file; what is wrong with it when it is not what the manifest says."""
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        there = source.open("rb")
    except FileNotFoundError:
        return Sentence(f"备份中缺少 {source.name}（{source}）。", f"{source} is missing.")
    with there, target.open("wb") as file:
        copy = _Hashed(file)
        try:
            if keys is None:
                shutil.copyfileobj(there, copy, BLOCK)
            else:
                open_stream(there, copy, keys, source)
        except RedactorError as error:
            return sentence_of(error)
    target.chmod(0o600)
    if (copy.size, copy.digest.hexdigest()) == (entry["size"], entry["sha256"]):
        return None
    return Sentence(
        f"{source} 与备份时的校验码不符。", f"{source} is not what was backed up (sha256 differs)."
    )


class _Hashed:
    """A file that tells what was written to it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self.size, self.digest = file, 0, hashlib.sha256()

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        self.size += len(data)
        return self._file.write(data)

    def flush(self) -> None:
        self._file.flush()


def _bring_store(
    backup: _Backup,
    settings: Settings,
    engine: Engine,
    entry: Entry,
    part: Path,
    opened: contextlib.ExitStack,
) -> None:
    """Puts a store's database among the files, or fills one; that is kept when `opened` ends."""
    brought = part / entry["file"]
    if engine.dialect.name == "sqlite":
        content, _revision = sqlite_content(brought)
        target = part / sqlite_path(engine).resolve().relative_to(settings.data.resolve())
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        brought.rename(target)
    else:
        connection = opened.enter_context(engine.begin())
        with brought.open("rb") as lines:
            load_rows(connection, entry["store"], entry["revision"], lines)
        content = content_of(row_lines(connection))
        brought.unlink()
    if content.sha256 != entry["content"]:
        name = entry["store"]
        raise RuleError(
            Sentence(
                f"{name} 库恢复后的内容与备份时不同，未恢复任何内容。",
                f"The restored content of {name} is not what was backed up; nothing was restored.",
            )
        )


def _set_blind_times(blind: Path) -> None:
    """Released folders tell no time, as when they were released."""
    for folder, _folders, _files in os.walk(blind, topdown=False):
        os.utime(folder, (FIXED_TIME, FIXED_TIME))
