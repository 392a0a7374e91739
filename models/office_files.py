"""What applicants sent: uploads on their way, files, and whose they are."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base import utc_now
from models.errors import RuleError, Sentence
from models.office_jobs import add_job
from models.office_log import record_event
from models.vault_rounds import Entrant, SourceFile, Upload

LARGEST_FILE = 8 * 2**30
"""Bytes: a ZIP of a whole round."""


@dataclass(frozen=True)
class FoundFile:
    """A scan on disk, below the round's folder of scans. `pages`: its pages, for the progress."""

    path: str
    folder: str
    category: str
    sha256: str
    size: int
    position: int
    pages: int


def begin_upload(session: Session, *, round_id: int, path: str, size: int) -> Upload:
    """The upload of a file, at the place where an interrupted one stopped."""
    if not 0 < size <= LARGEST_FILE:
        raise RuleError(
            Sentence(
                f"文件 {path} 是空的或超过 8 GB，请检查后重新上传。",
                f"The file {path} is empty or larger than 8 GB; check it and upload it again.",
            )
        )
    known = session.scalar(
        select(Upload).where(Upload.round_id == round_id, Upload.path == path, Upload.size == size)
    )
    if known is not None:
        return known
    upload = Upload(
        id=secrets.token_hex(16), round_id=round_id, path=path, size=size, started_at=utc_now()
    )
    session.add(upload)
    session.flush()
    return upload


def file_with(session: Session, *, round_id: int, sha256: str) -> SourceFile | None:
    """A file of the round with the same bytes, None without one."""
    return session.scalar(
        select(SourceFile).where(
            SourceFile.round_id == round_id,
            SourceFile.sha256 == sha256,
            SourceFile.state != "replaced",
        )
    )


def put_files(
    session: Session,
    *,
    round_id: int,
    found: Sequence[FoundFile],
    owners: Mapping[str, int],
    by: str,
) -> list[SourceFile]:
    """The files that are new or whose bytes changed; those that have an owner are queued.

    `owners`: folder -> entrant id. A folder that a person gave to somebody keeps that owner. A
    file that was sent anew replaces the old one; its history stays in the log.
    """
    there = {
        file.path: file
        for file in session.scalars(select(SourceFile).where(SourceFile.round_id == round_id))
    }
    chosen = {file.folder: file.entrant_id for file in there.values() if file.entrant_id}
    fresh = []
    for item in found:
        file = there.get(item.path)
        owner = chosen.get(item.folder) or owners.get(item.folder)
        if file is not None and file.sha256 == item.sha256:
            if file.entrant_id is None and owner is not None:
                give_file(session, file, owner, item.pages)
            continue
        if file is None:
            file = SourceFile(round_id=round_id, path=item.path, received_at=utc_now())
            session.add(file)
        file.folder, file.category, file.position = item.folder, item.category, item.position
        file.sha256, file.size, file.entrant_id = item.sha256, item.size, None
        file.state, file.reason, file.received_at = "unmatched", "", utc_now()
        session.flush()
        if owner is not None:
            give_file(session, file, owner, item.pages)
        fresh.append(file)
    record_event(
        session,
        actor=by,
        action="files.received",
        round_id=round_id,
        details={"found": len(found), "new": len(fresh)},
    )
    return fresh


def give_folder(session: Session, *, round_id: int, folder: str, entrant_id: int, by: str) -> int:
    """Gives all files of an unmatched folder to an applicant; how many."""
    entrant = session.get_one(Entrant, entrant_id)
    if entrant.round_id != round_id:
        raise RuleError(Sentence("申报人不属于此批次。", "The applicant belongs to another round."))
    files = session.scalars(
        select(SourceFile).where(
            SourceFile.round_id == round_id,
            SourceFile.folder == folder,
            SourceFile.entrant_id.is_(None),
        )
    ).all()
    for file in files:
        give_file(session, file, entrant_id, 1)
    record_event(
        session,
        actor=by,
        action="folder.give",
        round_id=round_id,
        details={"folder": folder, "entrant": entrant_id, "files": len(files)},
    )
    return len(files)


def give_file(session: Session, file: SourceFile, entrant_id: int, pages: int) -> None:
    """Makes a file somebody's and queues it."""
    file.entrant_id, file.state = entrant_id, "waiting"
    session.flush()
    add_job(session, round_id=file.round_id, kind="redact", target=file.id, pages=pages)


def redact_again(session: Session, *, entrant_id: int) -> int:
    """Queues all files of an applicant, after the roster row changed; readings are in the cache."""
    files = session.scalars(
        select(SourceFile).where(
            SourceFile.entrant_id == entrant_id, SourceFile.state != "replaced"
        )
    ).all()
    for file in files:
        file.state = "waiting"
        add_job(session, round_id=file.round_id, kind="redact", target=file.id)
    return len(files)
