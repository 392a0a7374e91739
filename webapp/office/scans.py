"""A round's folder of scans: chunks become files, ZIPs become folders; all of it survives a crash.

Hashing and unpacking take long and need no database: they run while no transaction is open.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import shutil
import threading
import unicodedata
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from models.errors import RuleError, Sentence
from models.office_uploads import LeftOut
from redactor.archive import Budget, Problem, unpack
from redactor.errors import Sentence as Said
from redactor.errors import UnreadablePage
from redactor.file_format import is_pdf, refuse_other_formats
from redactor.intake import SCAN_SUFFIXES
from webapp.office.work import round_folder, scans_folder
from webapp.settings import Settings

BLOCK = 1 << 20
LARGEST_CHUNK = 16 << 20
SPARE = 1 << 30
"""Bytes that stay free on the disk: the masked pages and readings need room, too."""
MAX_NESTED = 3
MOST_WRAPPERS, MOST_ASKED = 5, 30
"""More folders at the top are the applicants' own; so many in one are asked whose they are."""
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


@dataclass(frozen=True)
class Placed:
    """What became of a complete upload: state of models.vault_rounds.Upload, hash, remarks."""

    state: str
    sha256: str
    left_out: tuple[LeftOut, ...] = ()


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
        raise _not_written(error) from error
    return there + len(data)


def _not_written(error: OSError) -> RuleError:
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


def place_upload(
    settings: Settings,
    round_id: int,
    path: PurePosixPath,
    part: Path,
    owned: Callable[[str], bool],
) -> Placed:
    """Puts a complete upload among the scans; what is no scan is named and left out.

    ZIPs are unpacked, also those inside: later work needs files that stay. `owned`: whether a
    folder's name tells whose it is.
    """
    sha256 = sha256_of(part)
    try:
        if path.suffix.lower() == ".zip":
            return _place_archive(settings, round_id, path, part, sha256, owned)
        problem = _problem_of(path, part)
        if problem is not None:
            part.unlink()
            return Placed("refused", sha256, (LeftOut(path.as_posix(), problem),))
        if not _move_in(settings, round_id, path, part, sha256):
            return Placed("duplicate", sha256, (LeftOut(path.as_posix(), _UNCHANGED),))
    except OSError as error:
        raise _not_written(error) from error
    return Placed("received", sha256)


def _place_archive(
    settings: Settings,
    round_id: int,
    path: PurePosixPath,
    part: Path,
    sha256: str,
    owned: Callable[[str], bool],
) -> Placed:
    """An archive at the top may hold a round or one applicant; one inside is an attachment."""
    room = part.parent / f"{part.stem}.unpacked"
    shutil.rmtree(room, ignore_errors=True)  # of a crash
    room.mkdir(mode=0o700)
    free = shutil.disk_usage(part.parent).free
    budget = Budget(total_bytes=max(0, min(Budget.total_bytes, free - SPARE)))
    try:
        try:
            unpack(part, room, "", budget)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
            part.unlink()
            return Placed("refused", sha256, (LeftOut(path.as_posix(), _both(_NO_ARCHIVE)),))
        _unpack_nested(room, budget)
        left_out = [LeftOut(p.source, _both(p.sentence)) for p in budget.problems]
        inside = sorted(p.relative_to(room).as_posix() for p in room.rglob("*") if p.is_file())
        home = _home_of(path, inside, owned)
        wrapped = () if home else wrapping(inside, owned)
        for name in inside:
            source = room / name
            target = PurePosixPath(*home, unwrapped(name, wrapped))
            left_out += _place_entry(settings, round_id, target, source)
    finally:
        shutil.rmtree(room, ignore_errors=True)
    part.unlink()
    return Placed("received" if inside else "refused", sha256, tuple(left_out))


def _home_of(
    path: PurePosixPath, inside: Sequence[str], owned: Callable[[str], bool]
) -> tuple[str, ...]:
    """Below which folder an archive's content goes: () when it holds applicants' folders.

    03张三.zip at the top is the folder 03张三; one with loose files can only be one person's.
    """
    if len(path.parts) > 1:
        return path.parts
    tops = _tops(inside)
    loose = any("/" not in name for name in inside)
    if loose or (len(tops) <= MOST_WRAPPERS and owned(path.stem) and not any(map(owned, tops))):
        return (path.stem,)
    return ()


def wrapping(paths: Sequence[str], owned: Callable[[str], bool]) -> tuple[str, ...]:
    """The top folders that only wrap the applicants' folders: nobody's, with somebody's inside."""
    tops = _tops(paths)
    if len(tops) > MOST_WRAPPERS:
        return ()
    return tuple(
        top
        for top, children in tops.items()
        if not owned(top) and any(map(owned, sorted(children)[:MOST_ASKED]))
    )


def unwrapped(path: str, wrapped: Sequence[str]) -> str:
    """A path without the top folder that only wraps."""
    top, _, rest = path.partition("/")
    return rest if rest and top in wrapped else path


def _tops(paths: Sequence[str]) -> dict[str, set[str]]:
    """Top folder -> folders and archives in it, by their names."""
    tops: dict[str, set[str]] = {}
    for path in paths:
        top, _, rest = path.partition("/")
        child, deeper, _ = rest.partition("/")
        if rest:
            found = tops.setdefault(top, set())
            if deeper:
                found.add(child)
            elif child.lower().endswith(".zip"):
                found.add(child[:-4])
    return tops


def _place_entry(
    settings: Settings, round_id: int, path: PurePosixPath, source: Path
) -> list[LeftOut]:
    if _ignored(path):
        return []
    try:
        target = safe_path(path.as_posix())
    except RuleError as error:
        return [LeftOut(path.as_posix(), error.sentences[0])]
    problem = _problem_of(target, source)
    if problem is not None:
        return [LeftOut(target.as_posix(), problem)]
    _move_in(settings, round_id, target, source, sha256_of(source))
    return []


def _unpack_nested(room: Path, budget: Budget) -> None:
    """Archives inside an archive become folders of their name; odd ones are named and left out."""
    for depth in range(MAX_NESTED + 1):
        archives = [p for p in room.rglob("*") if p.is_file() and p.suffix.lower() == ".zip"]
        if not archives:
            return
        for archive in archives:
            name = archive.relative_to(room).as_posix()
            packed = archive.with_name(f"{archive.name}.packed")
            archive.rename(packed)
            if depth == MAX_NESTED:
                budget.problems.append(Problem(name, _TOO_DEEP))
            else:
                # An applicant's own archive is the applicant's folder.
                folder = archive.with_suffix("") if archive.parent == room else archive
                try:
                    folder.mkdir(exist_ok=True)
                    unpack(packed, folder, name, budget)
                except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
                    budget.problems.append(Problem(name, _NO_ARCHIVE))
            packed.unlink()


def _move_in(
    settings: Settings, round_id: int, path: PurePosixPath, source: Path, sha256: str
) -> bool:
    """Whether the file is new at its place; one that it replaces is kept aside under its hash."""
    target = scans_folder(settings, round_id).joinpath(*path.parts)
    if target.is_file():
        before = sha256_of(target)
        if before == sha256:
            source.unlink()
            return False
        kept = replaced_file(settings, round_id, before)
        kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        target.replace(kept)
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    source.replace(target)
    return True


def replaced_file(settings: Settings, round_id: int, sha256: str) -> Path:
    """Where the bytes of a file that was replaced are kept."""
    return round_folder(settings, round_id) / "replaced" / sha256


def _problem_of(path: PurePosixPath, source: Path) -> Sentence | None:
    """Why a file cannot be a scan, None when it may be one."""
    if len(path.parts) < 2:
        return _NO_FOLDER
    if path.suffix.lower() in SCAN_SUFFIXES:
        return None  # a damaged one fails in its dossier, where everybody sees it
    with source.open("rb") as file:
        head = file.read(1 << 16)
    try:
        if not is_pdf(head):
            refuse_other_formats(head)
    except UnreadablePage as error:
        return _both(error.sentence)
    return None


def _both(said: Said) -> Sentence:
    return Sentence(said.zh, said.en)


def _ignored(path: PurePosixPath) -> bool:
    """What systems and office programs leave behind; never an applicant's material."""
    return any(
        part.startswith((".", "~$")) or part.lower() in ("thumbs.db", "desktop.ini", "__macosx")
        for part in path.parts
    )


def sha256_of(path: Path) -> str:
    """The hash of a file's bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


_UNCHANGED = Sentence(
    "同一位置已有完全相同的文件，未重复保存。",
    "The very same file is there already; it was not kept twice.",
)
_NO_FOLDER = Sentence(
    "文件不在任何申报人的文件夹内，无法确定属于谁，未接收。请把它放进该申报人的文件夹后上传。",
    "The file lies in no applicant's folder, so nobody knows whose it is; it was not taken. Put it "
    "into its owner's folder and upload that.",
)
_NO_ARCHIVE = Said(
    "压缩包打不开，可能已损坏、加密或不是 ZIP 格式。请重新打包为 ZIP，或改用文件夹。",
    "The archive cannot be opened; it may be damaged, encrypted or no ZIP. Pack it again as ZIP, "
    "or use a folder.",
)
_TOO_DEEP = Said(
    f"压缩包套压缩包超过 {MAX_NESTED} 层，已跳过。请先解压。",
    f"Archives are nested more than {MAX_NESTED} deep. Unpack them first.",
)
