"""A round's folder of scans: chunks become files, files become rows, folders find their owners."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path, PurePosixPath

from sqlalchemy.orm import Session

from models.errors import RuleError, Sentence
from models.office_files import FoundFile, file_with, put_files
from models.office_rounds import entrants_of
from models.vault_rounds import SourceFile, Upload
from redactor.applicant import Roster
from redactor.archive import Budget, unpack
from redactor.attachment import neutral_category
from redactor.folder_match import match_folders
from redactor.intake import open_scans
from redactor.loading import count_pages
from webapp.office.work import applicant_of, round_folder, scans_folder
from webapp.settings import Settings

BLOCK = 1 << 20


def safe_path(path: str) -> PurePosixPath:
    """A path below the scans as a browser names it; RuleError for one that would lead elsewhere."""
    parts = PurePosixPath(path.replace("\\", "/")).parts
    wrong = not parts or parts[0].startswith("/") or ":" in parts[0]
    if wrong or any(part in ("..", ".") or "\0" in part or len(part) > 200 for part in parts):
        raise RuleError(
            Sentence(
                f"文件路径“{path}”不合规，未接收。请改名后重新上传。",
                f'The path "{path}" cannot be used and was not taken. Rename the file and upload '
                "it again.",
            )
        )
    return PurePosixPath(*parts)


def part_file(settings: Settings, upload: Upload) -> Path:
    """Where the bytes of an upload wait until all have come."""
    folder = round_folder(settings, upload.round_id) / "uploads"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder / f"{upload.id}.part"


def take_chunk(settings: Settings, upload: Upload, offset: int, data: bytes) -> None:
    """Appends a chunk; RuleError when it does not follow what is there.

    The file on disk says how much was received: a chunk whose row was lost in a crash is not
    appended twice.
    """
    path = part_file(settings, upload)
    there = path.stat().st_size if path.exists() else 0
    if offset != there or there + len(data) > upload.size:
        raise RuleError(
            Sentence(
                f"上传位置不一致（应从 {there} 字节继续），请重新上传此文件。",
                f"The upload is out of step (go on at byte {there}); upload this file again.",
            )
        )
    with path.open("ab") as file:
        file.write(data)
    upload.received = there + len(data)


def finish_upload(session: Session, settings: Settings, upload: Upload) -> None:
    """Puts a complete upload among the scans: ZIPs are unpacked, duplicates are named as such."""
    path = part_file(settings, upload)
    upload.sha256 = _sha256(path)
    scans = scans_folder(settings, upload.round_id)
    scans.mkdir(mode=0o700, parents=True, exist_ok=True)
    target = scans.joinpath(*safe_path(upload.path).parts)
    same = file_with(session, round_id=upload.round_id, sha256=upload.sha256)
    if same is not None and scans / same.path != target:
        upload.state = "duplicate"
        path.unlink()
        return
    if target.suffix.lower() == ".zip" and len(safe_path(upload.path).parts) == 1:
        budget = Budget()
        unpack(path, scans, "", budget)
        path.unlink()
    else:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.move(path, target)
    upload.state = "received"


def find_files(
    session: Session, settings: Settings, round_id: int, by: str
) -> tuple[list[SourceFile], list[tuple[str, str]]]:
    """(files that are new, (folder or file, what is wrong with it)) of the round's scans."""
    entrants = entrants_of(session, round_id)
    applicants = tuple(applicant_of(entrant) for entrant in entrants)
    ids = {entrant.number: entrant.id for entrant in entrants}
    roster = Roster(Path(), "", applicants)
    with open_scans(scans_folder(settings, round_id)) as intake:
        matches = match_folders(intake.folders, roster)
        owners = {folder: ids[a.number] for folder, a in matches.owners.items()}
        found = [
            FoundFile(
                path=file.relative,
                folder=file.folder,
                category=neutral_category(file.category),
                sha256=_sha256(file.path),
                size=file.path.stat().st_size,
                position=position,
                pages=_pages(file.path),
            )
            for position, file in enumerate(intake.files)
        ]
        folders = set(intake.folders)
        problems = [(p.source, str(p.sentence)) for p in intake.problems]
        problems += [(p.subject, str(p.sentence)) for p in matches.problems if p.subject in folders]
    return put_files(session, round_id=round_id, found=found, owners=owners, by=by), problems


def _pages(path: Path) -> int:
    try:
        return count_pages(path)
    except Exception:  # its job says what is wrong with it
        return 1


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()
