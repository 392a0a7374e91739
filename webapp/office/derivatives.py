"""Makes the pictures of pages at the sizes that screens show, in the round's vault, once.

The runner's workers make them right after a page was masked, so that a page opens at once and the
web need not decode what applicants sent.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from redactor.errors import RedactorError
from redactor.file_job import FileJob, PageRecord, redact_file, remask
from redactor.kept_pictures import read_picture
from redactor.loading import open_file
from redactor.upright import turn
from webapp.office.work import round_folder
from webapp.page_pictures import keep_pictures, picture_file
from webapp.settings import Settings

MADE_BY_WORKERS = ("thumb", "screen")
"""A page in full is hardly larger than on the screen; it is made when somebody looks closer."""


def pictures_folder(settings: Settings, round_id: int) -> Path:
    """Where a round's pictures are kept."""
    folder = round_folder(settings, round_id) / "pictures"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def source_name(file_sha256: str, source_page: int, rotation: int) -> str:
    """Names the upright source page by what decides its pixels."""
    return f"{file_sha256[:32]}-{source_page:04d}-{rotation}"


def redact_and_picture(job: FileJob, folder: Path, file_sha256: str) -> list[PageRecord]:
    """A worker's job on a file, and the pictures of its pages."""
    records = redact_file(job)
    picture_records(job, folder, file_sha256, records)
    return records


def remask_and_picture(
    job: FileJob, folder: Path, file_sha256: str, number: int, masks: list[dict[str, Any]]
) -> list[PageRecord]:
    """A worker's job on an edited page, and its pictures."""
    records = [remask(job, number, masks)]
    picture_records(job, folder, file_sha256, records)
    return records


def picture_source(
    scan: Path, source_page: int, rotation: int, folder: Path, name: str, size: str
) -> None:
    """Makes one picture of a scan's page as it was sent, upright; UnreadablePage."""
    with open_file(scan) as file:
        keep_pictures(folder, name, turn(file.page(source_page).pixels, rotation), (size,))


def picture_records(
    job: FileJob, folder: Path, file_sha256: str, records: Iterable[PageRecord]
) -> None:
    """Makes the pictures that are missing; a page that cannot be opened gets none."""
    wanted = [
        (record, name)
        for record in records
        if (name := source_name(file_sha256, record.source_page, record.rotation))
        and not all(picture_file(folder, name, size).exists() for size in MADE_BY_WORKERS)
    ]
    try:
        if wanted:
            with open_file(job.path) as file:
                for record, name in wanted:
                    if record.source_page < file.count:
                        upright = turn(file.page(record.source_page).pixels, record.rotation)
                        keep_pictures(folder, name, upright, MADE_BY_WORKERS)
    except RedactorError:
        pass
    for record in records:
        if record.staged is not None:
            name = record.sha256[:32]
            if not all(picture_file(folder, name, size).exists() for size in MADE_BY_WORKERS):
                pixels = read_picture(job.staging / record.staged)
                if pixels is not None:
                    keep_pictures(folder, name, pixels, MADE_BY_WORKERS)
