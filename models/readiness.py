"""Whether a dossier may leave the vault, and if not, everything that keeps it there."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from models.errors import Sentence
from models.office_checks import live_pages, open_counts
from models.vault_pages import Job, Page, Release
from models.vault_rounds import Entrant, SourceFile

GONE = ("replaced", "duplicate")
"""Files that are no part of a dossier (any more)."""
_BUSY = ("waiting", "running")


@dataclass(frozen=True)
class Obstacle:
    """Why a dossier cannot leave yet: a file or a page with its state."""

    what: str
    page_id: int | None
    sentence: Sentence


@dataclass(frozen=True)
class Readiness:
    """What keeps a dossier in the vault, counted by kind, and its release if one is open."""

    pages: int
    blocks: tuple[tuple[str, int], ...]
    release: Release | None

    @property
    def state(self) -> str:
        """ready, blocked, asked or released."""
        if self.release is not None:
            return self.release.state
        return "blocked" if self.blocks else "ready"


_PAGE_BLOCKS = {
    "frozen": Sentence(
        "评委报告此页泄露身份，请先处理。",
        "A reviewer reported that this page shows who it is; decide that first.",
    ),
    "returned": Sentence("此页已退回申报人。", "This page was returned to the applicant."),
    "failed": Sentence("此页处理失败。", "This page has failed."),
    "checking": Sentence("此页正在复核。", "This page is being checked."),
    "review": Sentence("此页待人工查看。", "This page needs a person's look."),
}
BLOCKS: dict[str, Sentence] = {
    "no_pages": Sentence("没有页面", "no pages"),
    "away": Sentence("退回中", "sent back"),
    "files": Sentence("文件未完成", "files not done"),
    "jobs": Sentence("通查未完成", "search across the dossier not done"),
    "frozen": Sentence("评委报告泄露", "reported by a reviewer"),
    "returned": Sentence("页面退回", "pages returned"),
    "failed": Sentence("页面失败", "pages failed"),
    "checking": Sentence("复核中", "being checked"),
    "review": Sentence("待查看", "to be looked at"),
    "answers": Sentence("申报人意见未处理", "the applicant's answers undecided"),
}
"""What each kind of obstacle is called in an overview."""


def readiness(session: Session, round_id: int) -> dict[int, Readiness]:
    """Entrant -> what keeps the dossier in the vault; as many queries for one as for thousands."""
    entrants = session.execute(
        select(Entrant.id, Entrant.returned_at).where(Entrant.round_id == round_id)
    ).all()
    gone = select(SourceFile.id).where(SourceFile.round_id == round_id, SourceFile.state.in_(GONE))
    # Often no file was replaced; not to ask then saves a look for every page.
    live = [Page.file_id.not_in(gone)] if session.scalars(gone.limit(1)).first() else []
    pages: dict[int, int] = {}
    blocks: dict[int, dict[str, int]] = {}
    # In the order of an index, so that the pages are counted as they come, without sorting.
    grouped = (Page.entrant_id, Page.state, Page.decision, Page.frozen)
    for entrant, state, decision, frozen, count in session.execute(
        select(*grouped, func.count()).where(Page.round_id == round_id, *live).group_by(*grouped)
    ):
        pages[entrant] = pages.get(entrant, 0) + count
        if block := _page_block(state, decision, frozen):
            held = blocks.setdefault(entrant, {})
            held[block] = held.get(block, 0) + count
    for name, counted in (
        ("files", _files_not_done(session, round_id)),
        ("jobs", _searches_not_done(session, round_id)),
        ("answers", open_counts(session, round_id)),
    ):
        for entrant, count in counted.items():
            blocks.setdefault(entrant, {})[name] = count
    releases = {
        release.entrant_id: release
        for release in session.scalars(
            select(Release).where(
                Release.round_id == round_id, Release.state.in_(("asked", "released"))
            )
        )
    }
    found = {}
    for entrant, returned_at in entrants:
        held = dict(blocks.get(entrant, {}))
        if returned_at:
            held["away"] = 1
        if entrant not in pages:
            held["no_pages"] = 1
        told = tuple((name, held[name]) for name in BLOCKS if name in held)
        found[entrant] = Readiness(pages.get(entrant, 0), told, releases.get(entrant))
    return found


def obstacles(session: Session, entrant_id: int) -> list[Obstacle]:
    """Everything that keeps a dossier in the vault, all at once; [] when it may leave."""
    entrant = session.get_one(Entrant, entrant_id)
    files = session.scalars(
        select(SourceFile).where(
            SourceFile.entrant_id == entrant_id, SourceFile.state.not_in(("done", *GONE))
        )
    )
    found = [
        Obstacle(
            file.path,
            None,
            Sentence(
                f"文件 {file.path} 尚未处理完成或处理失败。",
                f"The file {file.path} is not done yet or has failed.",
            ),
        )
        for file in files
    ]
    if entrant.returned_at:
        found.append(
            Obstacle(
                "",
                None,
                Sentence(
                    "材料已退回申报人，尚未重新提交。",
                    "The dossier was sent back to the applicant and has not come again.",
                ),
            )
        )
    if _searches_not_done(session, entrant.round_id, entrant_id):
        found.append(
            Obstacle(
                "",
                None,
                Sentence(
                    "全部材料的通查尚未完成或失败，请等待或在处理进度中重试。",
                    "The search across the whole dossier is not done or has failed; wait, or try "
                    "it again under progress.",
                ),
            )
        )
    pages = session.scalars(live_pages(entrant_id)).all()
    if not pages:
        found.append(
            Obstacle("", None, Sentence("此材料没有任何页面。", "The dossier has no pages."))
        )
    for number, page in enumerate(pages, 1):
        sentence = page_obstacle(page)
        if sentence is not None:
            found.append(Obstacle(f"{number:03d}", page.id, sentence))
    if waiting := open_counts(session, entrant.round_id, entrant_id).get(entrant_id):
        found.append(
            Obstacle(
                "",
                None,
                Sentence(
                    f"申报人自查提出的 {waiting} 条意见尚未处理。",
                    f"{waiting} answers of the applicant's self-check wait for a decision.",
                ),
            )
        )
    return found


def page_obstacle(page: Page, *, reported: bool = True) -> Sentence | None:
    """Why a page cannot leave, None when it may; without `reported`, a report is no obstacle."""
    return _PAGE_BLOCKS.get(_page_block(page.state, page.decision, page.frozen and reported))


def _page_block(state: str, decision: str, frozen: bool) -> str:
    """The first of _PAGE_BLOCKS that keeps a page in the vault, "" for none."""
    if frozen:
        return "frozen"
    if decision == "returned":
        return "returned"
    if state in ("failed", "checking"):
        return state
    return "review" if state == "review" and decision != "accepted" else ""


def _files_not_done(session: Session, round_id: int) -> dict[int, int]:
    chosen = select(SourceFile.entrant_id, func.count()).where(
        SourceFile.round_id == round_id,
        SourceFile.entrant_id.is_not(None),
        SourceFile.state.not_in(("done", *GONE)),
    )
    return {
        row[0]: row[1] for row in session.execute(chosen.group_by(SourceFile.entrant_id)) if row[0]
    }


def _searches_not_done(
    session: Session, round_id: int, entrant_id: int | None = None
) -> dict[int, int]:
    """Entrant -> files that are still to be searched for what other pages gave away.

    Files that are still to be read are not done, which their own state says.
    """
    later = aliased(Job)
    tried_again = exists().where(
        later.target == Job.target, later.kind == Job.kind, later.id > Job.id
    )
    # As a list and not a join: the few jobs are looked up first, not each file's jobs.
    searched = select(Job.target).where(
        Job.round_id == round_id,
        Job.state.in_((*_BUSY, "failed")),
        Job.kind == "consistency",
        or_(Job.state != "failed", ~tried_again),
    )
    chosen = (
        select(SourceFile.entrant_id, func.count())
        .where(SourceFile.id.in_(searched), SourceFile.state.not_in(GONE))
        .group_by(SourceFile.entrant_id)
    )
    if entrant_id is not None:
        chosen = chosen.where(SourceFile.entrant_id == entrant_id)
    return {row[0]: row[1] for row in session.execute(chosen) if row[0]}
