"""Uploads on their way: which file an upload is, what became of it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base import utc_now
from models.errors import RuleError, Sentence
from models.office_log import record_event
from models.vault_rounds import Upload

LARGEST_FILE = 8 * 2**30
"""Bytes: a ZIP of a whole round."""
MOST_AT_ONCE = 500
"""Files that one request may announce."""


@dataclass(frozen=True)
class Announced:
    """A file that a browser wants to send. `modified`: ms since 1970, where it comes from."""

    path: str
    size: int
    modified: int


@dataclass(frozen=True)
class LeftOut:
    """Something of an upload that was not taken, or was taken though it looks odd."""

    path: str
    sentence: Sentence


def size_problem(file: Announced) -> Sentence | None:
    """Why a file of this size is not taken, None when it is."""
    if file.size <= 0:
        return Sentence(
            "文件是空的（0 字节）。请检查原文件后重新上传。",
            "The file is empty. Check the original and upload it again.",
        )
    if file.size > LARGEST_FILE:
        return Sentence(
            f"文件超过 {LARGEST_FILE >> 30} GB。请拆分后上传。",
            f"The file is larger than {LARGEST_FILE >> 30} GB. Upload it in parts.",
        )
    return None


def begin_uploads(session: Session, *, round_id: int, files: Sequence[Announced]) -> list[Upload]:
    """The uploads of files, in their order, at the place where an interrupted one stopped.

    Path, size and time of the last change together tell that it is the same file: of those that
    only look alike, the first half of one would be joined to the second half of the other.
    """
    if len(files) > MOST_AT_ONCE:
        raise RuleError(
            Sentence(
                f"一次最多登记 {MOST_AT_ONCE} 个文件。",
                f"At most {MOST_AT_ONCE} files can be announced at once.",
            )
        )
    known = {
        (upload.path, upload.size, upload.modified): upload
        for upload in session.scalars(
            select(Upload)
            .where(Upload.round_id == round_id, Upload.path.in_({file.path for file in files}))
            .order_by(Upload.started_at)
        )
    }
    found = []
    for file in files:
        upload = known.get((file.path, file.size, file.modified))
        if upload is None:
            upload = Upload(
                id=secrets.token_hex(16),
                round_id=round_id,
                path=file.path,
                size=file.size,
                modified=file.modified,
                received=0,
                state="receiving",
                note="",
                started_at=utc_now(),
            )
            session.add(upload)
            known[file.path, file.size, file.modified] = upload
        found.append(upload)
    session.flush()
    return found


def end_upload(
    session: Session,
    *,
    upload: Upload,
    state: str,
    sha256: str,
    left_out: Sequence[LeftOut],
    by: str,
) -> None:
    """What became of an upload whose bytes are all there."""
    upload.state, upload.sha256 = state, sha256
    upload.note = json.dumps(
        [[item.path, item.sentence.zh, item.sentence.en] for item in left_out], ensure_ascii=False
    )
    record_event(
        session,
        actor=by,
        action=f"upload.{state}",
        round_id=upload.round_id,
        details={"path": upload.path, "size": upload.size, "left_out": len(left_out)},
    )


def start_anew(upload: Upload) -> None:
    """An upload whose bytes were refused or have gone may be sent again from its start."""
    upload.state, upload.received, upload.sha256, upload.note = "receiving", 0, "", ""


def notes_of(upload: Upload) -> list[LeftOut]:
    """What was left out of an upload."""
    return [LeftOut(path, Sentence(zh, en)) for path, zh, en in json.loads(upload.note or "[]")]


def recent_notes(session: Session, *, round_id: int, limit: int = 200) -> list[LeftOut]:
    """What was left out of a round's uploads, newest first."""
    chosen = (
        select(Upload)
        .where(Upload.round_id == round_id, Upload.note.not_in(("", "[]")))
        .order_by(Upload.started_at.desc())
        .limit(limit)
    )
    return [note for upload in session.scalars(chosen) for note in notes_of(upload)][:limit]
