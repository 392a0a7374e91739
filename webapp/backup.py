"""A backup of a running installation: both stores and all files, as one folder with hashes.

Files are copied first, while everybody works. Then writers of both stores are paused for as long as
it takes to copy the databases and the few files that came or went meanwhile. A file is on the disk
before the row that tells of it, so no row of the backup is without its file.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Connection, Engine

from models.base import looking, open_store
from models.errors import RuleError, Sentence
from models.store_copy import (
    Content,
    content_of,
    copy_sqlite,
    paused,
    revision_of,
    row_lines,
    sqlite_path,
)
from redactor.sealed_files import Keys, seal_stream
from webapp.backup_places import Places, backup_keys, check_places, places_for
from webapp.settings import Settings

FORMAT, VERSION = "mangping-backup", 1
MANIFEST = "manifest.jsonl"
FOLDERS = ("blind", "review", "vault")
STORES = ("vault", "review")
"""In the order in which the office locks them where it needs both."""
BLOCK = 1 << 20
Tell = Callable[[int, int], None]


@dataclass(frozen=True)
class KeptFile:
    """A file of a backup. `path`: below the data folder. `modified`: ns since 1970."""

    path: str
    size: int
    modified: int
    sha256: str


@dataclass(frozen=True)
class BackedUp:
    """What a backup holds. `content`: hash of all files and rows, equal for equal installations.

    `paused`: seconds for which writers had to wait.
    """

    content: str
    files: int
    bytes: int
    stores: dict[str, Content]
    paused: float


def back_up(
    settings: Settings,
    out: Path,
    tell: Tell = lambda _files, _bytes: None,
    key_file: Path | None = None,
) -> BackedUp:
    """Makes a backup in a new folder `out`, which is there when it is whole, or not at all.

    `tell` is called with the files and bytes copied so far. `key_file`: seals every part of the
    backup, the list of its files too; a public key is enough. RuleError when `out` exists or lies
    in the data folder, when there is no installation, or a file cannot be read or written.
    """
    check_places(settings, out)
    keys = None if key_file is None else backup_keys(key_file)
    engines = [open_store(url) for url in (settings.vault_url, settings.review_url)]
    try:
        with places_for(settings, out, keys) as to:
            made = _copy_all(settings, engines, to, tell)
            if hasattr(os, "sync"):
                os.sync()
            to.part.rename(out)
            return made
    except OSError as error:
        raise _not_copied(error) from error
    finally:
        for engine in engines:
            engine.dispose()


def _copy_all(settings: Settings, engines: list[Engine], to: Places, tell: Tell) -> BackedUp:
    first, second, final = (to.work / f"{name}.jsonl" for name in ("first", "second", "final"))
    with first.open("wb") as listing:
        _copy_files(settings, to, (), listing, tell)
    # The first round may take hours; what came in those hours is copied without a pause, too.
    with first.open("rb") as before, second.open("wb") as listing:
        _copy_files(settings, to, map(_noted, before), listing, tell)
    snapshots: dict[str, Connection] = {}
    with contextlib.ExitStack() as opened:
        with paused(engines):
            began = time.monotonic()
            with second.open("rb") as before, final.open("wb") as listing:
                _copy_files(settings, to, map(_noted, before), listing, tell)
            for name, engine in zip(STORES, engines, strict=True):
                if engine.dialect.name == "sqlite":
                    copy_sqlite(sqlite_path(engine), to.work / f"{name}.sqlite")
                else:
                    snapshots[name] = opened.enter_context(_snapshot(engine))
            waited = time.monotonic() - began
        stores = {name: _store(to.work, name, snapshots.get(name)) for name in STORES}
    made = _write_manifest(to.work, final, stores, waited)
    for name in (*(str(entry["file"]) for entry in stores.values()), MANIFEST):
        to.seal(name)
    for path in (first, second, final):
        path.unlink()
    return made


def _copy_files(
    settings: Settings, to: Places, before: Any, listing: IO[bytes], tell: Tell
) -> None:
    """Makes the copy equal to what is there now; `before`: what was copied earlier, in order."""
    earlier = iter(before)
    known = next(earlier, None)
    files = size = 0
    for path, stat in _files(settings):
        while known is not None and known["path"].split("/") < path.split("/"):
            to.held(known).unlink()
            known = next(earlier, None)
        same = known is not None and known["path"] == path
        if same and known is not None and known["state"] == _state(stat):
            note = known
        else:
            name = to.new_name()
            target = to.held({"path": path, **name})
            copied = _copy_file(settings.data / path, target, stat, to.keys)
            if same and known is not None and to.held(known) != target:
                to.held(known).unlink()
            if copied is None:
                if same:
                    target.unlink(missing_ok=True)
                    known = next(earlier, None)
                continue
            note = {"path": path, "state": _state(stat), "modified": stat.st_mtime_ns, **copied}
            note.update(name)
        if same:
            known = next(earlier, None)
        listing.write(json.dumps(note).encode() + b"\n")
        files, size = files + 1, size + note["size"]
        tell(files, size)
    while known is not None:
        to.held(known).unlink()
        known = next(earlier, None)


def _noted(line: bytes) -> dict[str, Any]:
    note: dict[str, Any] = json.loads(line)
    return note


def _state(stat: os.stat_result) -> list[int]:
    """What changes when a file does; released pages all have one time of modification."""
    return [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino]


def _files(settings: Settings) -> Iterator[tuple[str, os.stat_result]]:
    """(path below the data folder, state) of every file to keep, in the order of their parts."""
    databases = {
        f"{sqlite_path(engine)}{ending}"
        for engine in map(open_store, (settings.vault_url, settings.review_url))
        if engine.dialect.name == "sqlite"
        for ending in ("", "-journal", "-wal", "-shm")
    }
    skipped = {str(Path(path).resolve()) for path in databases}
    for name in FOLDERS:
        if (settings.data / name).is_dir():
            for path, stat in _walk(settings.data / name, name):
                if str((settings.data / path).resolve()) not in skipped:
                    yield path, stat


def _walk(folder: Path, path: str) -> Iterator[tuple[str, os.stat_result]]:
    try:
        with os.scandir(folder) as entries:
            listed = sorted(entries, key=lambda entry: entry.name)
    except FileNotFoundError:  # it was removed meanwhile
        return
    for entry in listed:
        below = f"{path}/{entry.name}"
        if _unfinished(below, entry.name):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(folder / entry.name, below)
        elif entry.is_file(follow_symlinks=False):
            with contextlib.suppress(FileNotFoundError):
                yield below, entry.stat(follow_symlinks=False)
        elif entry.is_symlink():
            raise RuleError(
                Sentence(
                    f"{below} 是链接，备份不会跟随它。请把数据放回数据文件夹，或去掉这个链接。",
                    f"{below} is a link, which a backup does not follow. Put the data back into "
                    "the data folder, or remove the link.",
                )
            )


def _unfinished(path: str, name: str) -> bool:
    """A file that is being written under a name of its own, or copies on their way out."""
    return path == "blind/.parts" or (name.startswith(".") and name.endswith(".part"))


def _copy_file(
    source: Path, target: Path, stat: os.stat_result, keys: Keys | None
) -> dict[str, Any] | None:
    """{"size", "sha256"} of what was copied; None when the file is gone."""
    digest, size = hashlib.sha256(), 0
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with source.open("rb") as there, target.open("wb") as copy:
            if keys is not None:
                size, sha256 = seal_stream(there, copy, keys)
                return {"size": size, "sha256": sha256}
            while block := there.read(BLOCK):
                digest.update(block)
                size += copy.write(block)
    except FileNotFoundError:
        target.unlink(missing_ok=True)
        return None
    os.utime(target, ns=(stat.st_mtime_ns, stat.st_mtime_ns))
    return {"size": size, "sha256": digest.hexdigest()}


@contextlib.contextmanager
def _snapshot(engine: Engine) -> Iterator[Connection]:
    """A connection that goes on to see the store as it is now."""
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        revision_of(connection)  # the first query fixes what is seen
        yield connection


def _store(part: Path, name: str, snapshot: Connection | None) -> dict[str, Any]:
    """The manifest's entry of a store; writes the rows of one that is no file."""
    if snapshot is not None:
        path = part / f"{name}.rows"
        with path.open("wb") as file:
            for line in row_lines(snapshot):
                file.write(line)
        with path.open("rb") as file:
            content = content_of(file)
        revision = revision_of(snapshot)
    else:
        path = part / f"{name}.sqlite"
        content, revision = sqlite_content(path)
    digest, size = hash_file(path)
    return {
        "store": name,
        "file": path.name,
        "size": size,
        "sha256": digest,
        "content": content.sha256,
        "rows": content.rows,
        "revision": revision,
    }


def sqlite_content(path: Path) -> tuple[Content, str]:
    """What an SQLite copy holds, and its revision."""
    engine = looking(open_store(f"sqlite:///{path}"))
    try:
        with engine.connect() as connection:
            return content_of(row_lines(connection)), revision_of(connection)
    finally:
        engine.dispose()


def hash_file(path: Path) -> tuple[str, int]:
    """(sha256, size) of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest(), file.tell()


def _write_manifest(
    part: Path, listing: Path, stores: dict[str, dict[str, Any]], waited: float
) -> BackedUp:
    """Lines of JSON: head, stores, files, and the hash of all lines before the last."""
    whole, content = hashlib.sha256(), hashlib.sha256()
    files = size = 0
    with (part / MANIFEST).open("wb") as manifest, listing.open("rb") as notes:

        def write(value: dict[str, Any]) -> None:
            line = json.dumps(value).encode() + b"\n"
            whole.update(line)
            manifest.write(line)

        write({"format": FORMAT, "version": VERSION})
        for entry in stores.values():
            content.update(f"{entry['store']} {entry['content']}\n".encode())
            write(entry)
        for line in notes:
            note = _noted(line)
            del note["state"]
            content.update(json.dumps([note["path"], note["size"], note["sha256"]]).encode())
            write(note)
            files, size = files + 1, size + note["size"]
        manifest.write(json.dumps({"sha256": whole.hexdigest()}).encode() + b"\n")
    held = {name: Content(entry["content"], entry["rows"]) for name, entry in stores.items()}
    return BackedUp(content.hexdigest(), files, size, held, waited)


def _not_copied(error: OSError) -> RuleError:
    where = error.filename or ""
    return RuleError(
        Sentence(
            f"无法完成备份：{where} {error.strerror}。没有留下备份。请检查磁盘空间和权限后重试。",
            f"The backup could not be made: {where} {error.strerror}. Nothing was left of it. "
            "Check disk space and rights, then try again.",
        )
    )
