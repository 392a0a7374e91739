"""Files of a round that are evidence: kept under their hash, never written over."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from sqlalchemy.orm import Session

from models.office_papers import note_roster
from redactor.sealed_files import read_file, write_file
from webapp.office.work import round_folder
from webapp.settings import Settings

ROSTERS, SIGNED = "rosters", "signed"
"""Folders of kept files."""


def keep_imported(
    session: Session,
    settings: Settings,
    *,
    round_id: int,
    path: Path,
    sheet: str,
    name: str,
    by: str,
) -> None:
    """Keeps a roster as it was imported, so that the outcome can be written into the same file."""
    digest = keep_file(settings, round_id, ROSTERS, path.suffix, read_file(path))
    note_roster(
        session, round_id=round_id, sha256=digest, suffix=path.suffix, sheet=sheet,
        name=name or path.name, by=by,
    )  # fmt: skip


def keep_file(settings: Settings, round_id: int, folder: str, suffix: str, data: bytes) -> str:
    """The sha256 under which `data` lies in a folder of the round."""
    digest = sha256(data).hexdigest()
    path = file_path(settings, round_id, folder, digest, suffix)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        write_file(path, data)
    return digest


def file_path(settings: Settings, round_id: int, folder: str, digest: str, suffix: str) -> Path:
    """Where a kept file lies."""
    return round_folder(settings, round_id) / folder / f"{digest}{suffix}"
