"""Complete uploads find their place among the scans: ZIPs become folders, what is none is named.

Hashing and unpacking take long and need no database: they run while no transaction is open.
"""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from models.errors import RuleError, Sentence
from models.office_uploads import LeftOut
from redactor.archive import Budget, Problem, unpack
from redactor.errors import Sentence as Said
from redactor.errors import UnreadablePage
from redactor.file_format import is_pdf, refuse_other_formats
from redactor.intake import SCAN_SUFFIXES
from redactor.sealed_files import content_hash, move_in
from webapp.office.scans import SPARE, not_written, replaced_file, safe_path, sha256_of
from webapp.office.work import scans_folder
from webapp.settings import Settings

MAX_NESTED = 3
MOST_WRAPPERS, MOST_ASKED = 5, 30
"""More folders at the top are the applicants' own; so many in one are asked whose they are."""


@dataclass(frozen=True)
class Placed:
    """What became of a complete upload: state of models.vault_rounds.Upload, hash, remarks.

    `replaced`: paths where other bytes lay before.
    """

    state: str
    sha256: str
    left_out: tuple[LeftOut, ...] = ()
    replaced: tuple[str, ...] = ()


@dataclass(frozen=True)
class Folders:
    """What is known of the folders of a round while their files are placed.

    `owned`: whether a folder's name tells whose it is. `closed`: folders of dossiers in which
    nothing may change, and why.
    """

    owned: Callable[[str], bool]
    closed: Mapping[str, Sentence] = field(default_factory=dict)


def place_upload(
    settings: Settings,
    round_id: int,
    path: PurePosixPath,
    part: Path,
    folders: Folders,
) -> Placed:
    """Puts a complete upload among the scans; what is no scan is named and left out.

    ZIPs are unpacked, also those inside: later work needs files that stay.
    """
    sha256 = sha256_of(part)
    try:
        if path.suffix.lower() == ".zip":
            return _place_archive(settings, round_id, path, part, sha256, folders)
        problem = _problem_of(path, part, folders)
        if problem is not None:
            part.unlink()
            return Placed("refused", sha256, (LeftOut(path.as_posix(), problem),))
        outcome = _move_in(settings, round_id, path, part, sha256)
        if outcome == "same":
            return Placed("duplicate", sha256, (LeftOut(path.as_posix(), _UNCHANGED),))
    except OSError as error:
        raise not_written(error) from error
    return Placed("received", sha256, (), (path.as_posix(),) if outcome == "replaced" else ())


def _place_archive(
    settings: Settings,
    round_id: int,
    path: PurePosixPath,
    part: Path,
    sha256: str,
    folders: Folders,
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
        home = _home_of(path, inside, folders.owned)
        wrapped = () if home else wrapping(inside, folders.owned)
        replaced: list[str] = []
        for name in inside:
            target = PurePosixPath(*home, unwrapped(name, wrapped))
            problem = _place_entry(settings, round_id, target, room / name, folders, replaced)
            left_out += [LeftOut(target.as_posix(), problem)] if problem is not None else []
    finally:
        shutil.rmtree(room, ignore_errors=True)
    part.unlink()
    state = "received" if inside else "refused"
    return Placed(state, sha256, tuple(left_out), tuple(replaced))


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
    settings: Settings,
    round_id: int,
    path: PurePosixPath,
    source: Path,
    folders: Folders,
    replaced: list[str],
) -> Sentence | None:
    """Why an entry is left out, None when it was placed or nobody misses it."""
    if _ignored(path):
        return None
    try:
        target = safe_path(path.as_posix())
    except RuleError as error:
        return error.sentences[0]
    problem = _problem_of(target, source, folders)
    if problem is None and (
        _move_in(settings, round_id, target, source, sha256_of(source)) == "replaced"
    ):
        replaced.append(target.as_posix())
    return problem


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
) -> str:
    """What is there now is "new", "same" or "replaced"; the old bytes are kept under their hash."""
    target = scans_folder(settings, round_id).joinpath(*path.parts)
    if target.is_file():
        before = content_hash(target)
        if before == sha256:
            source.unlink()
            return "same"
        kept = replaced_file(settings, round_id, before)
        kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        target.replace(kept)
        move_in(source, target)
        return "replaced"
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    move_in(source, target)
    return "new"


def _problem_of(path: PurePosixPath, source: Path, folders: Folders) -> Sentence | None:
    """Why a file cannot be a scan, None when it may be one."""
    if len(path.parts) < 2:
        return _NO_FOLDER
    if (closed := folders.closed.get(path.parts[0])) is not None:
        return closed
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


WITH_EXPERTS = Sentence(
    "此申报人的材料已放行或正等待放行，新文件未采用。请先撤回放行，再重新上传。",
    "This applicant's dossier is released or waits to be, so the new file was not taken. Take the "
    "release back, then upload it again.",
)
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
