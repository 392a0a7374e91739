"""Files that nobody needs any more: pictures of pages that are gone, uploads that nobody ended,
work of backups that were killed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.vault_pages import Page
from models.vault_rounds import OfficeRound, SourceFile
from webapp.backup_places import remove_left_work
from webapp.office.work import round_folder
from webapp.settings import Settings

DAY = 86_400
PICTURE_AGE = DAY
"""Seconds; a worker makes pictures before the page has its row."""
UPLOAD_AGE = 7 * DAY
"""Seconds without a new chunk; who comes back later sends the file from its start."""
NAME = 32
"""Characters of a hash with which a picture's name begins."""


def sweep(session: Session, settings: Settings, now: float | None = None) -> int:
    """Removes what is left over; how many files and folders. `now`: seconds since 1970.

    Nothing is lost when it removes too much: a picture is made again from the page, an upload or a
    backup that goes on is told to begin anew. Only what it knows by place, name and age is touched.
    """
    at = time.time() if now is None else now
    removed = remove_left_work(settings, at)
    for round_id in session.scalars(select(OfficeRound.id)).all():
        folder = round_folder(settings, round_id)
        removed += _remove(folder.glob("uploads/*.part"), before=at - UPLOAD_AGE)
        removed += _remove(_orphans(session, folder, round_id), before=at - PICTURE_AGE)
    return removed


def _orphans(session: Session, folder: Path, round_id: int) -> Iterator[Path]:
    """Pictures of neither a file nor a page that the round has."""
    files = select(SourceFile.sha256).where(
        SourceFile.round_id == round_id, SourceFile.state != "replaced"
    )
    pages = select(Page.staged_sha256).where(Page.round_id == round_id)
    known = {sha256[:NAME] for chosen in (files, pages) for sha256 in session.scalars(chosen)}
    for path in folder.glob("pictures/??/*.jpg"):
        if path.name[:NAME] not in known:
            yield path


def _remove(paths: Iterator[Path], *, before: float) -> int:
    removed = 0
    for path in paths:
        try:
            if path.is_file() and path.stat().st_mtime < before:
                path.unlink()
                removed += 1
        except OSError:
            # Somebody else was faster, or has it open; the next sweep comes.
            continue
    return removed
