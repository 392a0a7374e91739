"""The books of a soak: what was sent against the vault, the experts' store and every file."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from benchmarks.soak_pages import Sent
from models.base import open_store
from models.review_pages import ReleasedPage
from models.vault_pages import Job, Page, Release
from models.vault_rounds import SourceFile
from webapp.office.work import round_vault, scans_folder
from webapp.settings import Settings

FLAT = 12.0
"""Standard deviation of grey levels below which nothing can be read; a name in print has 60."""
SHRINK = 2
"""Pixels by which a name's box is made smaller, because a mask's edge may be soft in a JPEG."""


@dataclass(frozen=True)
class Books:
    """`sent`: pages; `counts`: of everything that was counted; `problems`: what does not agree."""

    sent: int
    counts: dict[str, object]
    problems: list[str]


def balance(settings: Settings, round_id: int, sent: Sequence[Sent]) -> Books:
    """Every page exactly once, everywhere, and nothing unmasked where the experts look."""
    problems: list[str] = []
    counts: dict[str, object] = {}
    by_path = {scan.path: scan for scan in sent}
    vault, review = (
        open_store(url).execution_options(read_only=True)
        for url in (settings.vault_url, settings.review_url)
    )
    with Session(vault) as session, Session(review) as experts:
        problems += _files(session, settings, round_id, by_path, counts)
        problems += _pages(session, settings, round_id, counts)
        problems += _jobs(session, counts)
        problems += _blind(session, experts, settings, round_id, by_path, counts)
    return Books(len(sent), counts, problems)


def _files(
    session: Session,
    settings: Settings,
    round_id: int,
    sent: dict[str, Sent],
    counts: dict[str, object],
) -> Iterator[str]:
    """Each file that was acknowledged stands once in the vault and lies on the disk as it was."""
    chosen = select(SourceFile).where(SourceFile.round_id == round_id)
    rows = list(session.scalars(chosen))
    counts["file rows"] = dict(Counter(row.state for row in rows))
    seen = Counter(row.path for row in rows)
    yield from (f"file twice: {path}" for path, times in seen.items() if times > 1)
    yield from (f"file lost: {path}" for path in sent if path not in seen)
    yield from (f"file that nobody sent: {path}" for path in seen if path not in sent)
    folder = scans_folder(settings, round_id)
    for row in rows:
        if row.path in sent and row.sha256 != sent[row.path].sha256:
            yield f"file differs from what was sent: {row.path}"
        if _sha256(folder / row.path) != row.sha256:
            yield f"file on the disk differs: {row.path}"
        if row.state != "done":
            yield f"file is {row.state}: {row.path} ({row.reason})"


def _pages(
    session: Session, settings: Settings, round_id: int, counts: dict[str, object]
) -> Iterator[str]:
    """Each file of one page has one page, whose picture is the one that was proven."""
    pages = list(session.scalars(select(Page).where(Page.round_id == round_id)))
    counts["pages"] = dict(Counter(page.state for page in pages))
    by_file = Counter(page.file_id for page in pages)
    for file_id in session.scalars(select(SourceFile.id).where(SourceFile.round_id == round_id)):
        if by_file[file_id] != 1:
            yield f"file {file_id} has {by_file[file_id]} pages"
    staging = round_vault(settings, round_id).staging
    staged = set()
    for page in pages:
        name = json.loads(page.record)["staged"]
        staged.add(name)
        if page.state == "clean" and _sha256(staging / name) != page.staged_sha256:
            yield f"page {page.id}: its picture is not the one that was proven"
    there = {path.name for path in staging.rglob("*") if path.is_file()}
    counts["staged pictures"] = len(there)
    counts["staged pictures that no page has"] = len(there - staged)


def _jobs(session: Session, counts: dict[str, object]) -> Iterator[str]:
    states = session.execute(
        select(Job.kind, Job.state, func.count()).group_by(Job.kind, Job.state)
    )
    counts["jobs"] = {f"{kind} {state}": number for kind, state, number in states}
    counts["attempts of jobs"] = {
        str(attempts): number
        for attempts, number in session.execute(
            select(Job.attempts, func.count()).group_by(Job.attempts)
        )
    }
    left = session.scalar(select(func.count()).where(Job.state.in_(("waiting", "running"))))
    if left:
        yield f"{left} jobs are not done"


def _blind(
    session: Session,
    experts: Session,
    settings: Settings,
    round_id: int,
    sent: dict[str, Sent],
    counts: dict[str, object],
) -> Iterator[str]:
    """The experts' rows, their files and the vault's record agree, and no name can be seen."""
    rows = list(experts.scalars(select(ReleasedPage)))
    files = [path for path in settings.blind.rglob("*") if path.is_file()]
    counts["released pages"], counts["files in BLIND"] = len(rows), len(files)
    twice = Counter((row.code, row.number) for row in rows)
    yield from (f"released twice: {key}" for key, times in twice.items() if times > 1)
    by_name = {f"{row.code}/{row.number:03d}": row.sha256 for row in rows}
    owned = select(Page.id, SourceFile.path).join(SourceFile, SourceFile.id == Page.file_id)
    paths = {row.id: row.path for row in session.execute(owned)}
    source_of: dict[str, str] = {}
    outs: Counter[int] = Counter()
    for release in session.scalars(select(Release).where(Release.round_id == round_id)):
        outs[release.entrant_id] += release.state == "released"
        if release.state == "released":
            for page_id, _name, sha256 in json.loads(release.hashes):
                source_of[sha256] = paths[page_id]
    counts["dossiers released"] = sum(1 for times in outs.values() if times)
    yield from (f"dossier {who} released {times} times" for who, times in outs.items() if times > 1)
    clean = session.scalar(select(func.count(Page.id)).where(Page.state == "clean"))
    counts["clean pages not released"] = (clean or 0) - len(rows)
    checked = 0
    for path in files:
        key, digest = f"{path.parent.name}/{path.stem}", _sha256(path)
        if by_name.pop(key, None) != digest or digest not in source_of:
            yield f"file in BLIND that was not released: {path}"
            continue
        scan = sent[source_of[digest]]
        if not scan.boxes or not all(_is_flat(path, box) for box in scan.boxes):
            yield f"UNMASKED: {path} shows the name of {scan.path}"
        checked += 1
    counts["files in BLIND whose name was looked for"] = checked
    yield from (f"released page without a file: {key}" for key in by_name)


def _is_flat(path: Path, box: tuple[int, int, int, int]) -> bool:
    """Whether nothing can be read in that place of a picture."""
    x0, y0, x1, y1 = box
    with Image.open(path) as picture:
        grey = np.asarray(picture.convert("L"), np.float64)
    inside = grey[y0 + SHRINK : y1 - SHRINK, x0 + SHRINK : x1 - SHRINK]
    return inside.size > 0 and float(inside.std()) < FLAT


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
