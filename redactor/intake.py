"""Lists the scans of all applicants in a folder or ZIP, and names all that cannot be used."""

from __future__ import annotations

import contextlib
import re
import shutil
import tempfile
import unicodedata
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from redactor.archive import Budget, Problem, unpack
from redactor.attachment import neutral_category, without_counter
from redactor.errors import Sentence, UnreadablePage, UsageError
from redactor.file_format import is_pdf, refuse_other_formats
from redactor.sealed_files import head_of

__all__ = ["Intake", "Problem", "SourceFile", "natural_key", "neutral_category", "open_scans"]

SCAN_SUFFIXES = frozenset(
    [
        ".jpg",
        ".jpeg",
        ".jpe",
        ".jfif",
        ".png",
        ".tif",
        ".tiff",
        ".bmp",
        ".webp",
        ".gif",
        ".heic",
        ".heif",
        ".pdf",
    ]
)
MAX_NESTED_ARCHIVES = 3
MAX_DEPTH = 20

_IGNORED = frozenset({"thumbs.db", "desktop.ini", "__macosx", "$recycle.bin"})
_SNIFFED_BYTES = 65_536


@dataclass(frozen=True)
class SourceFile:
    """One file to load.

    `folder`: the applicant's folder. `relative`: posix path relative to SCANS. `category`: the
    attachment's name as the applicant wrote it; may identify, see `neutral_category`. `path`:
    where the bytes are while the scans are open.
    """

    folder: str
    relative: str
    category: str
    path: Path


@dataclass(frozen=True)
class Intake:
    """`folders`: all applicant folders in natural order, also empty ones. `files` likewise."""

    folders: tuple[str, ...]
    files: tuple[SourceFile, ...]
    problems: tuple[Problem, ...]


@contextmanager
def open_scans(
    path: Path, budget: Budget | None = None, unpacked: Path | None = None
) -> Iterator[Intake]:
    """Lists SCANS; unpacked archives live in a private folder that is removed on leaving.

    `unpacked`: that folder, made anew; default: one in the system's temporary folder, where scans
    would stay when the process is killed.
    Raises UsageError when SCANS is neither a folder nor a readable ZIP. Everything less is a
    Problem and the rest goes on.
    """
    budget = budget or Budget()
    with _private_folder(unpacked) as folder:
        listing = _Listing(folder, budget)
        listing.add_root(_root(path, listing))
        yield listing.intake()


@contextmanager
def _private_folder(place: Path | None) -> Iterator[Path]:
    """An empty folder of mode 0700, removed with those of its parents that were made for it."""
    if place is None:
        with tempfile.TemporaryDirectory(prefix="mangping-", ignore_cleanup_errors=True) as name:
            yield Path(name)
        return
    made = [folder for folder in place.parents if not folder.exists()]
    shutil.rmtree(place, ignore_errors=True)  # of a run that was killed
    try:
        place.mkdir(mode=0o700, parents=True)
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)
        with contextlib.suppress(OSError):  # where the run went on, they are no longer empty
            for folder in made:
                folder.rmdir()


def natural_key(text: str) -> tuple[tuple[int, int, str], ...]:
    """Sort key in which 学历证书2 comes before 学历证书10; full-width digits count as digits."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    parts = re.split(r"([0-9]+)", plain)
    return tuple((0, int(p), "") if p.isdigit() else (1, 0, p) for p in parts if p)


def _root(path: Path, listing: _Listing) -> Path:
    if path.is_dir():
        return path.resolve()
    if not path.exists():
        raise UsageError(
            f"找不到扫描件：{path}。请检查路径。", f"There are no scans at {path}. Check the path."
        )
    try:
        unpacked = listing.unpacked(path, "")
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise UsageError(
            f"{path} 既不是文件夹，也不是能打开的 ZIP 压缩包。请重新打包，或改用文件夹。",
            f"{path} is neither a folder nor a readable ZIP. Pack it again or use a folder.",
        ) from error
    # "Compress this folder" puts everything into one folder that is called like the archive.
    entries = [entry for entry in unpacked.iterdir() if not _ignored(entry.name)]
    if len(entries) == 1 and entries[0].is_dir() and entries[0].name == path.stem:
        return entries[0]
    return unpacked


class _Listing:
    """Collects files and problems over one walk through SCANS."""

    def __init__(self, scratch: Path, budget: Budget) -> None:
        self._scratch = scratch
        self._budget = budget
        self._archives = 0
        self._folders: set[str] = set()
        self._files: list[SourceFile] = []

    def intake(self) -> Intake:
        def order(relative: str) -> tuple[object, ...]:
            return tuple(natural_key(part) for part in PurePosixPath(relative).parts)

        return Intake(
            tuple(sorted(self._folders, key=natural_key)),
            tuple(sorted(self._files, key=lambda f: (natural_key(f.folder), order(f.relative)))),
            tuple(sorted(self._budget.problems, key=lambda p: order(p.source))),
        )

    def unpacked(self, archive: Path, name: str) -> Path:
        self._archives += 1
        target = self._scratch / str(self._archives)
        target.mkdir(mode=0o700)
        unpack(archive, target, name, self._budget)
        return target

    def add_root(self, root: Path) -> None:
        for entry in self._entries(root, ""):
            if entry.is_symlink():
                self._refuse_link(entry.name)
            elif entry.is_dir():
                self._folders.add(entry.name)
                self._add_folder(entry, entry.name, entry.name, (), 0, entry.resolve())
            elif entry.suffix.lower() == ".zip":
                self._folders.add(entry.stem)
                self._add_archive(entry, entry.stem, entry.name, (), 0)
            else:
                self._problem(
                    entry.name,
                    "文件不在任何申报人的文件夹内，无法确定属于谁。请移入该申报人的文件夹。",
                    "The file lies in no applicant's folder. Move it into the folder of its owner.",
                )

    def _add_folder(
        self,
        directory: Path,
        folder: str,
        relative: str,
        nested: tuple[str, ...],
        archives: int,
        home: Path,
    ) -> None:
        """`home`: the folder that no link may lead out of."""
        if len(PurePosixPath(relative).parts) > MAX_DEPTH:
            self._problem(
                relative,
                f"文件夹嵌套超过 {MAX_DEPTH} 层，已跳过。请减少层数。",
                f"The folders are nested more than {MAX_DEPTH} deep. Use fewer levels.",
            )
            return
        for entry in self._entries(directory, relative):
            name = f"{relative}/{entry.name}"
            if entry.is_symlink() and not _stays_inside(entry, home):
                self._refuse_link(name)
            elif entry.is_dir():
                self._add_folder(entry, folder, name, (*nested, entry.name), archives, home)
            elif not entry.is_file():
                self._problem(
                    name,
                    "这不是普通文件，已跳过。请换成扫描件。",
                    "This is not a regular file. Replace it by a scan.",
                )
            elif entry.suffix.lower() == ".zip":
                self._add_archive(entry, folder, name, (*nested, entry.stem), archives)
            else:
                self._add_file(entry, folder, name, nested)

    def _add_archive(
        self, archive: Path, folder: str, name: str, nested: tuple[str, ...], archives: int
    ) -> None:
        if archives >= MAX_NESTED_ARCHIVES:
            self._problem(
                name,
                f"压缩包套压缩包超过 {MAX_NESTED_ARCHIVES} 层，已跳过。请先解压。",
                f"Archives are nested more than {MAX_NESTED_ARCHIVES} deep. Unpack them first.",
            )
            return
        try:
            unpacked = self.unpacked(archive, name)
        except (zipfile.BadZipFile, OSError, ValueError) as error:
            self._problem(
                name,
                f"压缩包打不开（{error}）。请重新打包，或放入解压后的文件。",
                f"The archive cannot be opened ({error}). Pack it again or put in its files.",
            )
            return
        self._add_folder(unpacked, folder, name, nested, archives + 1, unpacked.resolve())

    def _add_file(self, path: Path, folder: str, name: str, nested: tuple[str, ...]) -> None:
        if path.suffix.lower() not in SCAN_SUFFIXES:
            # A scan without or with an odd suffix is still a scan; anything else is named.
            try:
                _refuse_if_no_scan(path)
            except UnreadablePage as error:
                self._budget.problems.append(Problem(name, error.sentence))
                return
        category = "/".join(nested) if nested else without_counter(path.stem)
        self._files.append(SourceFile(folder, name, category, path))

    def _entries(self, directory: Path, relative: str) -> list[Path]:
        try:
            return [entry for entry in directory.iterdir() if not _ignored(entry.name)]
        except OSError as error:
            self._problem(
                relative or ".",
                f"文件夹打不开（{error.strerror}）。请检查读取权限。",
                f"The folder cannot be opened ({error.strerror}). Check that it may be read.",
            )
            return []

    def _refuse_link(self, name: str) -> None:
        self._problem(
            name,
            "这是链接，会指向申报人文件夹以外的内容，已跳过。请放入文件本身。",
            "This is a link that leads out of the applicant's folder. Put in the file itself.",
        )

    def _problem(self, source: str, zh: str, en: str) -> None:
        self._budget.problems.append(Problem(source, Sentence(zh, en)))


def _ignored(name: str) -> bool:
    """What systems and office programs leave behind; never an applicant's material."""
    return name.startswith((".", "~$")) or name.lower() in _IGNORED


def _stays_inside(link: Path, home: Path) -> bool:
    """Whether a link leads to a file in the applicant's own folder; folders could run in rings."""
    try:
        target = link.resolve(strict=True)
    except (OSError, RuntimeError):
        return False
    return target.is_file() and target.is_relative_to(home)


def _refuse_if_no_scan(path: Path) -> None:
    try:
        head = head_of(path, _SNIFFED_BYTES)
    except OSError as error:
        raise UnreadablePage(
            f"文件打不开（{error.strerror}）。请检查读取权限。",
            f"The file cannot be opened ({error.strerror}). Check that it may be read.",
        ) from error
    if not is_pdf(head):
        refuse_other_formats(head)
