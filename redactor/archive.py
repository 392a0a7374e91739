"""Unpacks ZIP files that strangers made: nothing may land outside, fill the disk or lie hidden."""

from __future__ import annotations

import re
import stat
import zipfile
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO

from redactor.errors import Sentence

_ENCRYPTED, _UTF8 = 0x1, 0x800
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Problem:
    """Something that was left out. `source`: posix path relative to SCANS."""

    source: str
    sentence: Sentence


@dataclass
class Budget:
    """What may still be unpacked, shared by all archives of one run. Sizes in bytes.

    An entry larger than `suspicious_bytes` that was packed more than `ratio` to 1 is a bomb: a
    scan of that size never packs so well.
    """

    total_bytes: int = 20_000_000_000
    entries: int = 200_000
    entry_bytes: int = 500_000_000
    suspicious_bytes: int = 100_000_000
    ratio: int = 100
    problems: list[Problem] = field(default_factory=list)


def unpack(archive: Path, target: Path, name: str, budget: Budget) -> None:
    """Unpacks what is safe below `target`; what is not goes to `budget.problems`.

    `name`: the archive's own posix path for messages, '' when it is SCANS itself.
    Raises zipfile.BadZipFile or OSError when the archive as a whole cannot be read.
    """
    with zipfile.ZipFile(archive) as packed:
        for info in packed.infolist():
            inside = entry_name(info)
            source = f"{name}/{inside}" if name else inside
            if (sentence := _refusal(info, inside, budget)) is not None:
                budget.problems.append(Problem(source, sentence))
                if budget.entries <= 0 or budget.total_bytes <= 0:
                    return
                continue
            budget.entries -= 1
            place = target.joinpath(*PurePosixPath(inside).parts)
            try:
                if inside.endswith("/"):
                    place.mkdir(parents=True, exist_ok=True)
                    continue
                place.parent.mkdir(parents=True, exist_ok=True)
                with packed.open(info) as packed_file:
                    _copy(packed_file, place, budget)
            except _TooMuchError:
                place.unlink(missing_ok=True)
                budget.problems.append(Problem(source, _BOMB))
            except FileExistsError:
                budget.problems.append(Problem(source, _TWICE))
            except Exception as error:  # zipfile lets zlib, struct and OS errors through
                place.unlink(missing_ok=True)
                budget.problems.append(Problem(source, _broken(error)))


def entry_name(info: zipfile.ZipInfo) -> str:
    """An entry's posix path. Chinese Windows writes GB18030 without saying so, macOS UTF-8."""
    name = info.orig_filename
    if not info.flag_bits & _UTF8:
        raw = name.encode("cp437", errors="replace")
        name = _decoded(raw)
    return name.replace("\\", "/")


def _decoded(raw: bytes) -> str:
    try:
        text = raw.decode("utf-8")
        # Short GB18030 names can be valid two-byte UTF-8; a Chinese one needs three bytes each.
        if all(ord(c) < 0x80 or ord(c) >= 0x800 or 0x600 <= ord(c) <= 0x6FF for c in text):
            return text
    except UnicodeDecodeError:
        pass
    try:
        return raw.decode("gb18030")
    except UnicodeDecodeError:
        return raw.decode("cp437")


class _TooMuchError(Exception):
    pass


def _copy(packed: IO[bytes], place: Path, budget: Budget) -> None:
    """Counts what really comes out, since an archive's own figures can lie."""
    size = 0
    with place.open("xb") as out:
        while block := packed.read(_BLOCK):
            size += len(block)
            if size > budget.entry_bytes or len(block) > budget.total_bytes:
                raise _TooMuchError
            budget.total_bytes -= len(block)
            out.write(block)


def _refusal(info: zipfile.ZipInfo, inside: str, budget: Budget) -> Sentence | None:
    parts = inside.split("/")
    if inside.startswith("/") or ".." in parts or re.match(r"[A-Za-z]:", inside) or "\0" in inside:
        return Sentence(
            "压缩包内的路径指向包外，已跳过。请重新打包。",
            "The path in the archive points outside of it, so it was left out. Pack it again.",
        )
    if stat.S_ISLNK(info.external_attr >> 16):
        return Sentence(
            "压缩包内是链接而不是文件，已跳过。请放入文件本身。",
            "The archive holds a link instead of the file, so it was left out. Pack the file.",
        )
    if info.flag_bits & _ENCRYPTED:
        return Sentence(
            "压缩包内的文件已加密，打不开。请去掉密码后重新打包。",
            "The file in the archive is encrypted. Pack it again without a password.",
        )
    packed_well = info.file_size > budget.ratio * max(1, info.compress_size)
    bomb = info.file_size > budget.suspicious_bytes and packed_well
    if bomb or info.file_size > min(budget.entry_bytes, budget.total_bytes) or budget.entries <= 0:
        return _BOMB
    return None


_BOMB = Sentence(
    "压缩包展开后过大，已跳过。请检查压缩包，或改用文件夹。",
    "The archive unpacks to too much data, so this was left out. Check it or use a folder.",
)
_TWICE = Sentence(
    "压缩包内有同名文件，已跳过后一个。请改名后重新打包。",
    "The archive holds this name twice; the second was left out. Rename it and pack again.",
)


def _broken(error: Exception) -> Sentence:
    return Sentence(
        f"压缩包内的文件无法展开（{error}）。请重新打包。",
        f"The file in the archive cannot be unpacked ({error}). Pack it again.",
    )
