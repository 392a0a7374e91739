"""Where a backup is made: nothing of a sealed one is ever plain outside of the vault."""

from __future__ import annotations

import contextlib
import itertools
import secrets
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from models.errors import RuleError, Sentence
from redactor.errors import UsageError
from redactor.sealed_files import Keys, read_keys, seal_stream
from webapp.redactor_errors import rule_error
from webapp.settings import Settings

WORK = "backup"
LEFT_AGE = 3600.0
"""Seconds without a write after which a folder of work is one that a killed backup left."""


@dataclass(frozen=True)
class Places:
    """Where a backup is made. `part`: what becomes the backup. `work`: for lists and databases on
    their way, which a sealed backup never holds as they are. `keys`: to seal with, or None."""

    part: Path
    work: Path
    keys: Keys | None
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def new_name(self) -> dict[str, str]:
        """A sealed file lies under a number, because its own name may be an applicant's."""
        if self.keys is None:
            return {}
        number = next(self._numbers)
        return {"file": f"{number // 1000:06d}/{number:09d}"}

    def held(self, note: dict[str, Any]) -> Path:
        """Where a file of the backup lies."""
        path: str = note.get("file", note["path"])
        return self.part / "files" / path

    def seal(self, name: str) -> None:
        """Seals a database or list of the backup on its way from the folder of work."""
        if self.keys is not None:
            with (self.work / name).open("rb") as plain, (self.part / name).open("wb") as file:
                seal_stream(plain, file, self.keys)
            (self.work / name).unlink()


@contextlib.contextmanager
def places_for(settings: Settings, out: Path, keys: Keys | None) -> Iterator[Places]:
    """Folders to make a backup in; what is not renamed is gone afterwards. OSError."""
    remove_left_work(settings)
    token = secrets.token_hex(4)
    part = out.parent / f".{out.name}.{token}.part"
    work = part if keys is None else settings.vault / f".{WORK}.{token}.part"
    try:
        part.mkdir(mode=0o700)
        work.mkdir(mode=0o700, exist_ok=True)
        yield Places(part, work, keys)
    finally:
        shutil.rmtree(part, ignore_errors=True)
        shutil.rmtree(work, ignore_errors=True)


def remove_left_work(settings: Settings, now: float | None = None) -> int:
    """Removes what sealed backups that were killed left in the vault; how many there were.

    Such a folder may hold a copy of the vault's database. `now`: seconds since 1970.
    """
    before = (time.time() if now is None else now) - LEFT_AGE
    removed = 0
    for folder in settings.vault.glob(f".{WORK}.*.part"):
        with contextlib.suppress(OSError):  # somebody else was faster
            if max(path.stat().st_mtime for path in (folder, *folder.iterdir())) < before:
                shutil.rmtree(folder, ignore_errors=True)
                removed += 1
    return removed


def backup_keys(key_file: Path) -> Keys:
    """The keys of a backup's key file; RuleError."""
    try:
        return read_keys(key_file)
    except UsageError as error:
        raise rule_error(error) from error


def check_places(settings: Settings, out: Path) -> None:
    """RuleError with all that is wrong with the data folder and with where a backup is to be."""
    problems = []
    if not settings.vault.is_dir():
        problems.append(
            Sentence(
                f"{settings.data} 不是数据文件夹（缺少 vault）。请用 --data 指定。",
                f"{settings.data} is no data folder (it has no vault). Name it with --data.",
            )
        )
    if out.exists():
        problems.append(
            Sentence(f"{out} 已存在，不覆盖。", f"{out} exists and is not overwritten.")
        )
    if not out.parent.is_dir():
        problems.append(Sentence(f"没有文件夹 {out.parent}。", f"There is no folder {out.parent}."))
    if out.resolve().is_relative_to(settings.data.resolve()):
        problems.append(
            Sentence(
                "备份不能放在数据文件夹里面。请另选位置，最好是另一块磁盘。",
                "A backup cannot lie in the data folder. Choose another place, best another disk.",
            )
        )
    if problems:
        raise RuleError(problems)
