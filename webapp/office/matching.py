"""Whose scans are whose: the folders of a round are matched to its roster and become rows."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.errors import Sentence
from models.office_files import FoundFile, live_files, put_files
from models.office_rounds import entrants_of
from models.office_uploads import LeftOut
from models.vault_rounds import Entrant, SourceFile
from redactor.applicant import Roster
from redactor.attachment import neutral_category
from redactor.folder_match import FolderOwners, match_folders
from redactor.intake import SourceFile as Scan
from redactor.intake import open_scans
from redactor.loading import count_pages
from redactor.sealed_files import content_hash
from webapp.office.placing import WITH_EXPERTS
from webapp.office.reader_process import read_apart
from webapp.office.scans import only_one
from webapp.office.work import applicant_of, scans_folder
from webapp.settings import Settings


@dataclass(frozen=True)
class Known:
    """What a row says of a file: enough to leave it alone while it has not changed."""

    size: int
    modified: int
    sha256: str
    pages: int


def roster_of(session: Session, round_id: int) -> Roster:
    """The applicants of a round as the redactor knows them."""
    entrants = entrants_of(session, round_id)
    return Roster(Path(), "", tuple(applicant_of(entrant) for entrant in entrants))


def owned_by(roster: Roster) -> Callable[[str], bool]:
    """Whether a folder's name tells which applicant of the roster it belongs to."""

    owners = FolderOwners(roster)
    return cache(lambda name: owners.owner(name) is not None)


def default_folder(session: Session, entrant: Entrant) -> str:
    """Where an applicant's further files go: the folder that is theirs, else one by their name."""
    row = applicant_of(entrant)
    there = session.scalar(
        select(SourceFile.folder)
        .where(SourceFile.entrant_id == entrant.id, SourceFile.state != "replaced")
        .order_by(SourceFile.id)
        .limit(1)
    )
    plain = re.sub(r'[\\/:*?"<>|\x00-\x1f]', " ", f"{entrant.number:03d}{entrant.name}")
    return there or row.folder or plain.strip(" .")


def find_files(
    session: Session, settings: Settings, round_id: int, by: str
) -> tuple[list[SourceFile], list[LeftOut]]:
    """(files that are new, what lies among the scans and cannot be used).

    The session's transaction is ended while the files are read: hashing some gigabytes must not
    keep the runner from writing.
    """
    with only_one(f"find {round_id}"):
        roster = roster_of(session, round_id)
        ids = {entrant.number: entrant.id for entrant in entrants_of(session, round_id)}
        known = {
            path: Known(file.size, file.modified, file.sha256, file.pages)
            for path, file in live_files(session, round_id).items()
        }
        session.commit()
        folder = scans_folder(settings, round_id)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open_scans(folder) as intake:
            matches = match_folders(intake.folders, roster)
            found = _found(settings, intake.files, known)
            folders = set(intake.folders)
            left_out = [
                LeftOut(p.source, Sentence(p.sentence.zh, p.sentence.en)) for p in intake.problems
            ]
        fresh, held = put_files(
            session,
            round_id=round_id,
            found=found,
            owners={name: ids[owner.number] for name, owner in matches.owners.items()},
            reasons={
                p.subject: Sentence(p.sentence.zh, p.sentence.en)
                for p in matches.problems
                if p.subject in folders
            },
            by=by,
        )
    return fresh, left_out + [LeftOut(path, WITH_EXPERTS) for path in held]


def _found(
    settings: Settings, files: tuple[Scan, ...], known: Mapping[str, Known]
) -> list[FoundFile]:
    places: dict[str, int] = defaultdict(int)
    found = []
    for file in files:
        stat = file.path.stat()
        row = known.get(file.relative)
        same = row is not None and (row.size, row.modified) == (stat.st_size, stat.st_mtime_ns)
        found.append(
            FoundFile(
                path=file.relative,
                folder=file.folder,
                category=neutral_category(file.category),
                sha256=row.sha256 if row is not None and same else content_hash(file.path),
                size=stat.st_size,
                modified=stat.st_mtime_ns,
                position=places[file.folder],
                pages=row.pages if row is not None and same else _pages(settings, file.path),
            )
        )
        places[file.folder] += 1
    return found


def _pages(settings: Settings, path: Path) -> int:
    try:
        return read_apart(settings, count_pages, path)
    except Exception:  # its job says what is wrong with it
        return 1
