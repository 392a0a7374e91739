"""The key of a vault whose files are sealed: found at the start, never guessed, never replaced.

Sealed are the files of the rounds (scans, masked pages, pictures, readings, rosters, signed
sheets). Uploads that are still coming are not, nor are the databases and the archives, which name
nobody.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from models.errors import RuleError, Sentence
from redactor.errors import OutputError, UnreadablePage, UsageError
from redactor.sealed_files import (
    MARK,
    Keys,
    LockedError,
    new_secret,
    opened,
    read_keys,
    seal_below,
    sealed,
    secrets_of,
    write_key_file,
)
from redactor.whole_file import write_whole
from webapp.redactor_errors import rule_error
from webapp.settings import Settings

Result = TypeVar("Result")
LEFT_PLAIN = ("uploads", "archive")
"""Folders of a round: what is still coming and made whole bit by bit, and what names nobody."""
TRIES = 3
"""How often a file is read anew that somebody else writes at that very moment."""


@dataclass
class SealedVault:
    """What a pass over a vault did. `unopened`: files that no key of the file opens."""

    done: int = 0
    there: int = 0
    unopened: list[str] = field(default_factory=list)


def unlock(settings: Settings) -> None:
    """Lets this process read and write the vault's files; RuleError, before anything is written.

    Refused are a vault that is sealed when no key is set, a key file that is missing or is not the
    vault's, and one that lies in the data folder, where it would be stolen with the files.
    """
    folder, key_file, name = rounds_folder(settings), settings.vault_key, sealed_for(settings)
    if key_file is None:
        if name is not None:
            raise RuleError(
                Sentence(
                    f"{settings.data} 的文件已加密，但没有设置密钥。没有写入任何内容。"
                    "请用 MANGPING_VAULT_KEY 指定密钥文件。",
                    f"The files of {settings.data} are sealed and no key is set; nothing was "
                    "written. Name the key file with MANGPING_VAULT_KEY.",
                )
            )
        seal_below(folder, None)
        return
    keys = keys_for(settings, key_file)
    if name is None:
        _note(settings, keys)
    seal_below(folder, key_file)


def with_key(folder: Path, key_file: Path, work: Callable[..., Result], *values: Any) -> Result:
    """Does a worker's job in a process that may know nothing of the key yet; or LockedError."""
    try:
        seal_below(folder, key_file)
    except UsageError as error:
        raise LockedError(error.sentence.zh, error.sentence.en) from error
    return work(*values)


def rounds_folder(settings: Settings) -> Path:
    """Below this folder files are sealed."""
    return settings.vault / "rounds"


def sealed_for(settings: Settings) -> str | None:
    """The public half of the key that a vault is sealed with, None for a plain one."""
    try:
        noted: Any = json.loads(_note_file(settings).read_text("utf-8"))
        return str(noted["public_key"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RuleError(
            Sentence(
                f"{_note_file(settings)} 已损坏。请从备份恢复它。没有写入任何内容。",
                f"{_note_file(settings)} is damaged; restore it from a backup. Nothing was "
                "written.",
            )
        ) from error


def keys_for(settings: Settings, key_file: Path) -> Keys:
    """The keys of a file that are the vault's; RuleError."""
    _refuse_inside(settings, key_file)
    keys = _said(read_keys, key_file)
    name = sealed_for(settings)
    if not keys.secret or (name is not None and name not in keys.names):
        raise RuleError(
            Sentence(
                f"{key_file} 不是此保险库的密钥。没有写入任何内容。"
                "请用加密时的密钥文件；密钥遗失则加密的文件无法恢复。",
                f"{key_file} does not hold this vault's key; nothing was written. Use the key file "
                "that it was sealed with. Without it, what is sealed cannot be recovered.",
            )
        )
    return keys


def seal_vault(
    settings: Settings, key_file: Path, tell: Callable[[int], None] = lambda _done: None
) -> SealedVault:
    """Seals every file of the rounds with the key in use; makes the key at the first time.

    May be cut short and called again: plain files and files of older keys are read all the time.
    """
    _refuse_inside(settings, key_file)
    if not key_file.exists() and sealed_for(settings) is None:
        _said(write_key_file, key_file, [new_secret()])
    keys = keys_for(settings, key_file)
    _note(settings, keys)
    made = SealedVault()
    for path in sealed_places(settings):
        try:
            done = _seal_one(path, keys)
        except (LockedError, UnreadablePage):
            made.unopened.append(str(path))
        else:
            made.done, made.there = made.done + done, made.there + (not done)
            tell(made.done)
    return made


def rotate(
    settings: Settings,
    key_file: Path,
    *,
    forget_old: bool = False,
    tell: Callable[[int], None] = lambda _done: None,
) -> SealedVault:
    """Puts a new key before the others of a key file and seals everything anew with it.

    `forget_old`: the older keys are taken out of the file once nothing in the vault needs them;
    backups of before need them still.
    """
    if sealed_for(settings) is None:
        raise RuleError(
            Sentence(
                "保险库尚未加密，没有可更换的密钥。请先运行 mangping seal-vault。",
                "The vault is not sealed, so there is no key to replace. Run mangping seal-vault.",
            )
        )
    keys_for(settings, key_file)
    secrets = [new_secret(), *_said(secrets_of, key_file)]
    _said(write_key_file, key_file, secrets)
    made = seal_vault(settings, key_file, tell)
    if forget_old and not made.unopened:
        _said(write_key_file, key_file, secrets[:1])
    return made


def sealed_places(settings: Settings) -> Iterator[Path]:
    """The files of a vault that are sealed, or are to be."""
    for place, folders, names in os.walk(rounds_folder(settings)):
        depth = len(Path(place).relative_to(rounds_folder(settings)).parts)
        folders[:] = sorted(f for f in folders if depth != 1 or f not in LEFT_PLAIN)
        for name in sorted(names):
            path = Path(place, name)
            if not (name.startswith(".") and name.endswith(".part")) and not path.is_symlink():
                yield path


def _seal_one(path: Path, keys: Keys) -> bool:
    """Whether a file had to be sealed; its time stays, so that nobody takes it for a new one."""
    for _ in range(TRIES):
        try:
            stat, data = path.stat(), path.read_bytes()
        except FileNotFoundError:  # it was removed meanwhile
            return False
        if data.startswith(MARK):
            newest = Keys(keys.secret[:1], keys.public, keys.names[:1])
            with contextlib.suppress(LockedError):
                opened(data, newest, path)
                return False
            data = opened(data, keys, path)
        made = sealed(data, keys)
        now = path.stat()
        if (now.st_ino, now.st_mtime_ns, now.st_size) == (
            stat.st_ino,
            stat.st_mtime_ns,
            stat.st_size,
        ):
            write_whole(path, made)
            os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
            return True
    raise OutputError(
        f"{path} 一直在被改写。请先停止 mangping serve，再运行一次。",
        f"{path} is being written all the time. Stop mangping serve, then run this once more.",
    )


def _note_file(settings: Settings) -> Path:
    return settings.vault / "sealed.json"


def _note(settings: Settings, keys: Keys) -> None:
    """Notes that the vault is sealed, and with which key, so that another is refused."""
    if sealed_for(settings) != keys.name:
        settings.vault.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(_note_file(settings), json.dumps({"public_key": keys.name}).encode())


def _refuse_inside(settings: Settings, key_file: Path) -> None:
    if key_file.resolve().is_relative_to(settings.data.resolve()):
        raise RuleError(
            Sentence(
                "密钥文件不能放在数据文件夹里，否则会与文件一起被偷走。请另选位置。",
                "The key file cannot lie in the data folder, where it would be stolen together "
                "with the files. Choose another place.",
            )
        )


def _said(work: Callable[..., Result], *values: Any) -> Result:
    try:
        return work(*values)
    except (UsageError, OutputError) as error:
        raise rule_error(error) from error
