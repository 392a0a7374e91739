"""A round's folder of scans: paths that lead nowhere else, chunks that survive a crash."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import shutil
import threading
import unicodedata
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from models.errors import RuleError, Sentence
from webapp.office.work import round_folder
from webapp.settings import Settings

BLOCK = 1 << 20
LARGEST_CHUNK = 16 << 20
SPARE = 1 << 30
"""Bytes that stay free on the disk: the masked pages and readings need room, too."""
LONGEST_PART, LONGEST_PATH = 240, 3000
"""Bytes of a name in UTF-8, as file systems count."""


class OutOfStepError(RuleError):
    """A chunk that does not follow what is there; `received` says where to go on."""

    def __init__(self, received: int) -> None:
        super().__init__(
            Sentence(
                f"上传位置不一致，应从第 {received} 字节继续。",
                f"The upload is out of step; go on at byte {received}.",
            )
        )
        self.received = received


class NoRoomError(RuleError):
    """The disk is full."""


def safe_path(path: str) -> PurePosixPath:
    """A path below the scans as a browser names it; RuleError for one that would lead elsewhere."""
    posix = unicodedata.normalize("NFC", path.replace("\\", "/"))
    parts = PurePosixPath(posix).parts
    wrong = not parts or len(posix.encode(errors="replace")) > LONGEST_PATH
    if wrong or any(_bad_part(part) for part in parts):
        raise RuleError(
            Sentence(
                f"文件路径“{path[:200]}”含有不能使用的字符或过长，未接收。请改名后重新上传。",
                f'The path "{path[:200]}" is too long or holds characters that cannot be used; it '
                "was not taken. Rename the file and upload it again.",
            )
        )
    return PurePosixPath(*parts)


def _bad_part(part: str) -> bool:
    # A colon leads to another drive on Windows, a last point or space is dropped there.
    return (
        part in ("..", ".", "/", "//")
        or re.search(r"[\x00-\x1f\x7f:\ud800-\udfff]", part) is not None
        or part != part.rstrip(". ")
        or len(part.encode(errors="replace")) > LONGEST_PART
    )


def part_file(settings: Settings, round_id: int, upload_id: str) -> Path:
    """Where the bytes of an upload wait until all have come."""
    folder = round_folder(settings, round_id) / "uploads"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder / f"{upload_id}.part"


def bytes_there(settings: Settings, round_id: int, upload_id: str) -> int:
    """How much of an upload is on disk; its row may say less after a crash."""
    try:
        return part_file(settings, round_id, upload_id).stat().st_size
    except FileNotFoundError:
        return 0


def refuse_without_room(settings: Settings, wanted: int) -> None:
    """NoRoomError when `wanted` bytes more would leave too little of the disk."""
    free = shutil.disk_usage(settings.vault).free
    if wanted + SPARE > free:
        raise NoRoomError(
            Sentence(
                f"服务器磁盘空间不足：还需 {_size(wanted)}，只剩 {_size(free)}"
                f"（须保留 {_size(SPARE)}）。"
                "请管理员清理磁盘后继续，已上传的部分不会丢失。",
                f"The server's disk is too full: {_size(wanted)} are to come, {_size(free)} are "
                f"left and {_size(SPARE)} must stay free. Let an administrator make room, then go "
                "on; what was uploaded is kept.",
            )
        )


def _size(number: int) -> str:
    return f"{number / 2**30:.1f} GB" if number >= 2**30 else f"{number / 2**20:.0f} MB"


_locks: dict[str, threading.Lock] = {}
_locks_guard = threading.Lock()


@contextlib.contextmanager
def only_one(key: str) -> Iterator[None]:
    """Two browsers that send the same file take turns; this process is the only writer."""
    with _locks_guard:
        lock = _locks.setdefault(key, threading.Lock())
    with lock:
        yield


def take_chunk(path: Path, size: int, offset: int, data: bytes) -> int:
    """Appends a chunk to `path`; how much is there now. OutOfStepError when it does not follow.

    The file on disk says how much was received: a chunk whose row was lost in a crash is not
    appended twice. One that cannot be written in full leaves nothing of itself.
    """
    there = path.stat().st_size if path.exists() else 0
    if offset != there or there + len(data) > size:
        raise OutOfStepError(there)
    try:
        with path.open("ab") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        with contextlib.suppress(OSError):
            os.truncate(path, there)
        raise not_written(error) from error
    return there + len(data)


def not_written(error: OSError) -> RuleError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return NoRoomError(
            Sentence(
                "服务器磁盘已满，上传暂停。请管理员清理磁盘后继续，已上传的部分不会丢失。",
                "The server's disk is full and the upload stopped. Let an administrator make room, "
                "then go on; what was uploaded is kept.",
            )
        )
    return RuleError(
        Sentence(
            f"服务器无法保存文件（{error.strerror}）。请改短文件名，或请管理员检查数据文件夹的权限。",
            f"The server cannot keep the file ({error.strerror}). Shorten its name, or let an "
            "administrator check the permissions of the data folder.",
        )
    )


def replaced_file(settings: Settings, round_id: int, sha256: str) -> Path:
    """Where the bytes of a file that was replaced are kept."""
    return round_folder(settings, round_id) / "replaced" / sha256


def sha256_of(path: Path) -> str:
    """The hash of a file's bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()
