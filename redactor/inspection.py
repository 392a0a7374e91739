"""Proves a folder of blind dossiers again, later and elsewhere, with nothing but the folder."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from redactor.assembly import FIXED_TIME
from redactor.errors import Sentence, UsageError
from redactor.manifest import MANIFEST, PAGE_NAME, Entry, Problem, read_manifest
from redactor.proof import decoded, stray_parts

Progress = Callable[[int, int], None]
"""Called with (files inspected, files in all)."""
_SIGNATURES = {".jpg": b"\xff\xd8", ".png": b"\x89PNG"}
_FORBIDDEN_MODES = stat.S_IWOTH | stat.S_ISUID | stat.S_ISGID


@dataclass(frozen=True)
class Inspection:
    """What came of it: numbers of dossiers and of pages inspected, and everything that is wrong."""

    dossiers: int
    pages: int
    problems: tuple[Problem, ...]

    @property
    def ok(self) -> bool:
        """Whether all that the manifest promises holds and nothing else is in the folder."""
        return not self.problems


def inspect(folder: Path, progress: Progress = lambda done, total: None) -> Inspection:
    """Checks manifest, names, hashes, pixels, metadata, times, links and rights of a folder.

    Holds one page in memory at a time. Raises UsageError when `folder` is no folder of blind
    dossiers at all: not a folder, not readable, or without a manifest.
    """
    _check_usable(folder)
    try:
        manifest = read_manifest(folder / MANIFEST)
        found = dict(_walk(folder, ""))
    except OSError as error:
        raise UsageError(
            f"无法读取 {error.filename or folder}：{error.strerror}。请检查读取权限。",
            f"{error.filename or folder} cannot be read: {error.strerror}. Check that you may read "
            "it.",
        ) from error
    problems = [*manifest.problems]
    files = {name: entry for name, entry in found.items() if not stat.S_ISDIR(entry.st_mode)}
    pages = sorted(name for name in files if name != MANIFEST)
    for done, name in enumerate(pages, 1):
        if manifest.whole and name not in manifest.named:
            problems.append(_unlisted(name))
        else:
            problems += _page_problems(folder, name, files[name], manifest.entries.get(name))
        progress(done, len(pages))
    for name in sorted(manifest.named - set(files)):
        problems.append(_missing(name))
    # A dossier of which no page may be shown yet has no folder, or an empty one.
    folders = manifest.codes
    for name in sorted(set(found) - set(files) - {""}):
        if manifest.whole and name not in folders:
            problems.append(_unlisted(name))
    problems += _time_problems(found)
    problems += _mode_problems(found)
    problems += _attribute_problems(folder, found)
    return Inspection(len(manifest.codes), len(pages), tuple(problems))


def _check_usable(folder: Path) -> None:
    if not folder.is_dir():
        raise UsageError(
            f"{folder} 不是文件夹。请给出盲评材料文件夹（其中有 {MANIFEST}）。",
            f"{folder} is not a folder. Name a folder of blind dossiers (with {MANIFEST}).",
        )
    manifest = folder / MANIFEST
    if manifest.is_symlink() or not manifest.is_file():
        raise UsageError(
            f"{folder} 中没有 {MANIFEST}，不是完整的盲评材料。请核对路径；若遮盖曾被中断，"
            "请加 --resume 把它做完。",
            f"{folder} has no {MANIFEST}, so it is no complete set of blind dossiers. Check the "
            "path; if redact was interrupted there, finish it with --resume.",
        )


def _walk(folder: Path, below: str) -> Iterator[tuple[str, os.stat_result]]:
    """(posix path below the folder, its own stat) of everything, "" for the folder itself."""
    if not below:
        yield "", folder.stat()
    for entry in sorted(os.scandir(folder / below), key=lambda e: e.name):
        name = f"{below}/{entry.name}" if below else entry.name
        yield name, entry.stat(follow_symlinks=False)
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(folder, name)


def _page_problems(
    folder: Path, name: str, status: os.stat_result, entry: Entry | None
) -> Iterator[Problem]:
    """Everything wrong with one file; nothing but a regular file of a page's name is opened."""
    if not stat.S_ISREG(status.st_mode):
        yield Problem(
            name,
            Sentence(
                "这是链接或特殊文件，不是页面本身。请删除它，并重新领取这一页。",
                "This is a link or a special file, not a page itself. Remove it and have the page "
                "handed out again.",
            ),
        )
        return
    if PAGE_NAME.fullmatch(name) is None:
        yield Problem(
            name,
            Sentence(
                "文件名不是“编号/三位页号.jpg 或 .png”，可能透露来源。请删除此文件。",
                "The name is not <code>/<three digits>.jpg or .png and may tell where it is from. "
                "Remove the file.",
            ),
        )
        return
    try:
        data = (folder / name).read_bytes()
    except OSError as error:
        yield _bad(name, f"无法读取（{error.strerror}）", f"cannot be read ({error.strerror})")
        return
    if entry is not None and hashlib.sha256(data).hexdigest() != entry.sha256:
        yield _bad(name, "与清单中的校验值不符，已被改动", "was changed: its sha256 is another one")
    if not data.startswith(_SIGNATURES[Path(name).suffix]):
        yield _bad(name, "内容与扩展名不符", "is of another format than its name says")
    if stray := stray_parts(data):
        told = ", ".join(dict.fromkeys(stray))
        yield _bad(name, f"除画面外还含有：{told}", f"holds more than pixels: {told}")
    pixels = decoded(data)
    if pixels is None:
        yield _bad(name, "无法完整解码", "cannot be decoded as a whole")
        return
    height, width = pixels.shape[:2]
    if entry is not None and (width, height) != entry.size:
        yield _bad(
            name,
            f"为 {width} × {height} 像素，与清单不符",
            f"has {width} x {height} pixels, which is not what the manifest says",
        )


def _time_problems(found: dict[str, os.stat_result]) -> Iterator[Problem]:
    """One sentence for all: a careless copy changes every time at once."""
    late = [name for name, status in found.items() if status.st_mtime_ns != FIXED_TIME * 10**9]
    if late:
        yield Problem(
            late[0] or ".",
            Sentence(
                f"有 {len(late)} 个文件或文件夹的修改时间不是统一的固定值，可能透露处理先后。"
                "请用保留时间的方式重新复制（cp -a、robocopy /COPY:DAT /DCOPY:T 或 zip 打包）。",
                f"{len(late)} files or folders bear another time than the fixed one, which may "
                "tell their order. Copy them again in a way that keeps times (cp -a, robocopy "
                "/COPY:DAT /DCOPY:T, or a zip).",
            ),
        )


def _mode_problems(found: dict[str, os.stat_result]) -> Iterator[Problem]:
    """POSIX only: elsewhere the bits say nothing."""
    open_to_all = [
        name
        for name, status in found.items()
        if status.st_mode & _FORBIDDEN_MODES and not stat.S_ISLNK(status.st_mode)
    ]
    if os.name == "posix" and open_to_all:
        yield Problem(
            open_to_all[0] or ".",
            Sentence(
                f"有 {len(open_to_all)} 个文件或文件夹任何人都能改写。请运行 chmod -R o-w,ug-s "
                "收回权限（U 盘请先复制到本机硬盘）。",
                f"{len(open_to_all)} files or folders may be changed by anyone. Take the right "
                "away with chmod -R o-w,ug-s (from a stick, copy them to a disk first).",
            ),
        )


def _attribute_problems(folder: Path, found: dict[str, os.stat_result]) -> Iterator[Problem]:
    """Browsers and desktops note origins and tags there; other systems cannot be asked."""
    if not hasattr(os, "listxattr"):
        return
    for name, status in found.items():
        if stat.S_ISLNK(status.st_mode):
            continue
        try:
            names = os.listxattr(folder / name, follow_symlinks=False)
        except OSError:  # a file system without attributes
            continue
        if own := [attribute for attribute in names if attribute.startswith("user.")]:
            told = ", ".join(own)
            yield Problem(
                name or ".",
                Sentence(
                    f"带有扩展属性 {told}，可能透露来源。请用 setfattr -x 去除，"
                    "或不带属性重新复制。",
                    f"It bears the extended attributes {told}, which may tell where it is from. "
                    "Remove them with setfattr -x, or copy it again without them.",
                ),
            )


def _bad(name: str, zh: str, en: str) -> Problem:
    return Problem(
        name,
        Sentence(
            f"此页{zh}，请勿使用。请重新向办公室领取；若在办公室，请加 --resume 重新运行遮盖。",
            f"The page {en}; do not use it. Have it handed out again by the office; in the office, "
            "run redact again with --resume.",
        ),
    )


def _unlisted(name: str) -> Problem:
    return Problem(
        name,
        Sentence(
            f"{MANIFEST} 没有列出它。未经核验的内容不得留在盲评材料中，请删除。",
            f"{MANIFEST} does not list it. Nothing unproven may stay among blind dossiers: remove "
            "it.",
        ),
    )


def _missing(name: str) -> Problem:
    return Problem(
        name,
        Sentence(
            f"{MANIFEST} 列出了它，但文件不在。请重新复制整个文件夹。",
            f"{MANIFEST} lists it, but it is not there. Copy the whole folder again.",
        ),
    )
