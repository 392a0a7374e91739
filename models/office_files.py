"""What applicants sent: files, whose they are, and what they replaced."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from models.base import utc_now
from models.errors import RuleError, Sentence
from models.kept_sentence import keep_sentence
from models.office_jobs import EDIT, add_job, drop_jobs
from models.office_log import record_event
from models.release_lock import require_not_released
from models.vault_pages import Page, PageEdit, Release
from models.vault_rounds import Entrant, OfficeRound, SourceFile

FILE_JOBS = ("redact", "consistency")
PAGES_OF_A_FILE = 10_000
"""A page's place in its dossier is its file's place times this, plus its number."""


@dataclass(frozen=True)
class FoundFile:
    """A scan on disk, below the round's folder of scans. `pages`: its pages, for the progress.

    `position`: its place in its folder. `modified`: ns since 1970.
    """

    path: str
    folder: str
    category: str
    sha256: str
    size: int
    modified: int
    position: int
    pages: int


def live_files(session: Session, round_id: int) -> dict[str, SourceFile]:
    """Path -> file of a round, without those that were replaced."""
    chosen = select(SourceFile).where(
        SourceFile.round_id == round_id, SourceFile.state != "replaced"
    )
    return {file.path: file for file in session.scalars(chosen)}


def file_at(session: Session, *, round_id: int, path: str) -> SourceFile | None:
    """The file that holds a path now."""
    return session.scalar(
        select(SourceFile).where(
            SourceFile.round_id == round_id,
            SourceFile.path == path,
            SourceFile.state != "replaced",
        )
    )


def hashes_at(session: Session, *, round_id: int, paths: Collection[str]) -> dict[str, str]:
    """Path -> hash of the file that holds it now, for those of `paths` that are held."""
    chosen = select(SourceFile.path, SourceFile.sha256).where(
        SourceFile.round_id == round_id,
        SourceFile.path.in_(paths),
        SourceFile.state != "replaced",
    )
    return {row[0]: row[1] for row in session.execute(chosen)}


def put_files(
    session: Session,
    *,
    round_id: int,
    found: Sequence[FoundFile],
    owners: Mapping[str, int],
    reasons: Mapping[str, Sentence],
    by: str,
) -> tuple[list[SourceFile], list[str]]:
    """(files that are new or whose bytes changed, paths that have to wait for a release's end).

    Files that have an owner are queued.

    `owners`: folder -> entrant id. A folder that a person gave to somebody keeps that owner.
    `reasons`: folder -> why it is nobody's. Bytes that the same folder holds already make a
    duplicate, which waits for nothing; the same bytes in another folder are another's material. A
    file that was sent anew stands beside the one that it replaced, whose pages go into the log.
    """
    # Two finds at once would make rows twice; SQLite's transactions are in line by themselves.
    session.get_one(OfficeRound, round_id, with_for_update=True)
    everything = session.scalars(
        select(SourceFile).where(SourceFile.round_id == round_id).order_by(SourceFile.id)
    ).all()
    newest = {file.path: file for file in everything}
    there = {path: file for path, file in newest.items() if file.state != "replaced"}
    chosen = {file.folder: file.entrant_id for file in everything if file.entrant_id}
    twins = {
        (file.folder, file.sha256): file.path
        for file in there.values()
        if file.state != "duplicate"
    }
    with_experts = _with_experts(session, round_id)
    fresh, held = [], []
    for item in found:
        file = there.get(item.path)
        owner = chosen.get(item.folder) or owners.get(item.folder)
        if owner in with_experts:
            if file is None or file.sha256 != item.sha256:
                held.append(item.path)
            continue
        if file is None or file.sha256 != item.sha256:
            if file is not None:
                twins.pop((file.folder, file.sha256), None)
                _replace(session, file, by)
            file = _put_file(session, round_id, item, newest.get(item.path), twins)
            fresh.append(file)
        elif file.state == "duplicate" and (item.folder, item.sha256) not in twins:
            file.state = "unmatched"  # its twin was replaced by something else
        _place(session, file, item)
        if file.state == "unmatched" and owner is not None:
            give_file(session, file, owner)
        elif file.state == "unmatched" and item.folder in reasons:
            file.reason = keep_sentence(reasons[item.folder])
        if file.state != "duplicate":
            twins.setdefault((item.folder, item.sha256), item.path)
    session.flush()
    record_event(
        session,
        actor=by,
        action="files.received",
        round_id=round_id,
        details={"found": len(found), "new": len(fresh), "held": len(held)},
    )
    return fresh, held


def closed_folders(session: Session, round_id: int) -> frozenset[str]:
    """Folders of dossiers that are released or wait to be."""
    chosen = select(SourceFile.folder).where(
        SourceFile.round_id == round_id,
        SourceFile.entrant_id.in_(_with_experts(session, round_id)),
    )
    return frozenset(session.scalars(chosen.distinct()))


def _with_experts(session: Session, round_id: int) -> set[int]:
    """Entrants whose dossier is released or waits to be: it must not change under the experts."""
    chosen = select(Release.entrant_id).where(
        Release.round_id == round_id, Release.state.in_(("asked", "released"))
    )
    return set(session.scalars(chosen))


def _put_file(
    session: Session,
    round_id: int,
    item: FoundFile,
    before: SourceFile | None,
    twins: dict[tuple[str, str], str],
) -> SourceFile:
    twin = twins.get((item.folder, item.sha256))
    file = SourceFile(
        round_id=round_id,
        path=item.path,
        folder=item.folder,
        # What a person said of the place holds for what is put there anew.
        category=before.category if before is not None else item.category,
        sha256=item.sha256,
        size=item.size,
        modified=item.modified,
        pages=item.pages,
        position=item.position,
        state="unmatched" if twin is None else "duplicate",
        reason=twin or "",
        received_at=utc_now(),
    )
    session.add(file)
    session.flush()
    return file


def _place(session: Session, file: SourceFile, item: FoundFile) -> None:
    """Files that came in between move those behind them."""
    file.size, file.modified = item.size, item.modified
    if file.position == item.position:
        return
    file.position = item.position
    session.execute(
        update(Page)
        .where(Page.file_id == file.id)
        .values(position=item.position * PAGES_OF_A_FILE + Page.source_page)
    )


def replace_files(session: Session, *, round_id: int, paths: Collection[str], by: str) -> None:
    """Other bytes lie at these paths now: what was made of the old ones must not go on."""
    held = session.scalars(
        select(SourceFile).where(
            SourceFile.round_id == round_id,
            SourceFile.path.in_(paths),
            SourceFile.state != "replaced",
        )
    ).all()
    for file in held:
        _replace(session, file, by)


def _replace(session: Session, file: SourceFile, by: str) -> None:
    """Takes a file out of its dossier; its pages are written down before they go."""
    forget_pages(session, file, "file.replace", by=by)
    file.state = "replaced"
    session.flush()


def forget_pages(session: Session, file: SourceFile, action: str, *, by: str) -> None:
    """Removes a file's pages and stops its work; what was known of them stays in the log."""
    drop_jobs(session, targets=[file.id], kinds=FILE_JOBS, states=("waiting", "running"))
    pages = session.scalars(select(Page).where(Page.file_id == file.id)).all()
    drop_jobs(
        session,
        targets=[page.id for page in pages],
        kinds=("remask",),
        states=("waiting", "running"),
    )
    edits: dict[int, int] = {
        row[0]: row[1]
        for row in session.execute(
            select(PageEdit.page_id, func.count())
            .where(PageEdit.page_id.in_([page.id for page in pages]))
            .group_by(PageEdit.page_id)
        )
    }
    record_event(
        session,
        actor=by,
        action=action,
        round_id=file.round_id,
        details={
            "file": file.id,
            "path": file.path,
            "sha256": file.sha256,
            "entrant": file.entrant_id,
            "received_at": file.received_at,
            "pages": [
                {
                    "page": page.source_page + 1,
                    "state": page.state,
                    "decision": page.decision,
                    "decided_by": page.decided_by,
                    "decided_at": page.decided_at,
                    "reason": page.decision_reason,
                    "masked_sha256": page.staged_sha256,
                    "edits": edits.get(page.id, 0),
                }
                for page in pages
            ],
        },
    )
    for page in pages:
        session.delete(page)
    session.flush()


def give_folder(session: Session, *, round_id: int, folder: str, entrant_id: int, by: str) -> int:
    """Gives all files of a folder to an applicant, also those that were another's; how many.

    Pages that were masked for another person are thrown away: they hide the wrong name.
    """
    entrant = session.get(Entrant, entrant_id)
    if entrant is None or entrant.round_id != round_id:
        raise RuleError(Sentence("申报人不属于此批次。", "The applicant belongs to another round."))
    files = session.scalars(
        select(SourceFile).where(
            SourceFile.round_id == round_id,
            SourceFile.folder == folder,
            SourceFile.state.not_in(("replaced", "duplicate")),
            SourceFile.entrant_id.is_distinct_from(entrant_id),
        )
    ).all()
    if not files:
        raise RuleError(
            Sentence(
                f"文件夹“{folder}”中没有可以交给此申报人的文件，可能刚被他人处理。请刷新页面。",
                f'The folder "{folder}" holds no file to give to this applicant; somebody else may '
                "just have done it. Reload the page.",
            )
        )
    losers = {file.entrant_id for file in files if file.entrant_id is not None}
    require_not_released(session, [entrant_id, *losers])
    for file in files:
        if file.entrant_id is not None:
            forget_pages(session, file, "file.take_away", by=by)
        give_file(session, file, entrant_id)
    record_event(
        session,
        actor=by,
        action="folder.give",
        round_id=round_id,
        details={"folder": folder, "entrant": entrant_id, "files": len(files)},
    )
    return len(files)


def give_file(session: Session, file: SourceFile, entrant_id: int) -> None:
    """Makes a file somebody's and queues it."""
    file.entrant_id, file.state, file.reason = entrant_id, "waiting", ""
    session.flush()
    add_job(session, round_id=file.round_id, kind="redact", target=file.id, pages=file.pages)


def set_category(
    session: Session, *, file_id: int, category: str, known: Collection[str], by: str
) -> None:
    """Another attachment category for a file and its pages; RuleError for one not in `known`."""
    if category not in known:
        raise RuleError(
            Sentence(f"没有材料类别“{category}”。", f'There is no category "{category}".')
        )
    file = session.get_one(SourceFile, file_id)
    if file.category == category:
        return
    if file.entrant_id is not None:
        require_not_released(session, [file.entrant_id])
    before, file.category = file.category, category
    session.execute(update(Page).where(Page.file_id == file_id).values(category=category))
    record_event(
        session,
        actor=by,
        action="file.category",
        round_id=file.round_id,
        details={"file": file_id, "before": before, "now": category},
    )


def redact_again(session: Session, *, entrant_ids: Collection[int]) -> int:
    """Queues all files of applicants whose rows changed; how many. Readings are in the cache.

    Results of work that is under way were made for the old row and do not count. No page is clean
    until it was looked at under the new one: a person's masks are proven again, too. RuleError for
    a dossier that is with the experts.
    """
    require_not_released(session, list(entrant_ids))
    files = session.scalars(
        select(SourceFile)
        .where(
            SourceFile.entrant_id.in_(entrant_ids),
            SourceFile.state.in_(("waiting", "done", "failed")),
        )
        .order_by(SourceFile.entrant_id, SourceFile.position)
    ).all()
    ids = [file.id for file in files]
    drop_jobs(session, targets=ids, kinds=FILE_JOBS, states=("running",))
    for file in files:
        file.state, file.reason = "waiting", ""
        add_job(session, round_id=file.round_id, kind="redact", target=file.id, pages=file.pages)
    edited = session.execute(
        select(Page.id, Page.round_id).where(Page.file_id.in_(ids), Page.revision > 0)
    ).all()
    drop_jobs(session, targets=[i for i, _ in edited], kinds=("remask",), states=("running",))
    for page_id, round_id in edited:
        add_job(session, round_id=round_id, kind="remask", target=page_id, priority=EDIT)
    session.execute(update(Page).where(Page.file_id.in_(ids)).values(state="checking"))
    return len(files)


def unmatched_folders(
    session: Session, *, round_id: int, limit: int = 200
) -> list[tuple[str, int, int, str]]:
    """(folder, files, pages, reason) of what is nobody's yet, in the order of names."""
    chosen = (
        select(
            SourceFile.folder, func.count(), func.sum(SourceFile.pages), func.max(SourceFile.reason)
        )
        .where(SourceFile.round_id == round_id, SourceFile.state == "unmatched")
        .group_by(SourceFile.folder)
        .order_by(SourceFile.folder)
        .limit(limit)
    )
    return [(folder, n, int(pages or 0), reason) for folder, n, pages, reason in
            session.execute(chosen)]  # fmt: skip
