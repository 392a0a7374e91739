"""The applicant's self-check (检查本人姓名掩盖): answers page by page, and the office's decisions.

Answers are only ever added: an applicant's newest answer to a page holds, and the older ones stay
as its history.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, func, select
from sqlalchemy.orm import Session, aliased, defer

from models.base import utc_now
from models.check_links import APPLICANT
from models.errors import RuleError, Sentence
from models.office_log import record_event
from models.office_pages import edit_masks, masks_of
from models.vault_pages import ANSWERS, VERDICTS, CheckAnswer, CheckLink, CheckVerdict, Page
from models.vault_rounds import SourceFile

MOST_PLACES, LONGEST_REMARK = 40, 500
SMALLEST_PLACE = 4.0
"""Pixels: what is smaller was a slip of the finger."""
Quad = list[list[float]]


@dataclass(frozen=True)
class Answered:
    """An answer with its page's order in the dossier and the office's decision, if there is one."""

    answer: CheckAnswer
    page: Page
    verdict: CheckVerdict | None

    @property
    def places(self) -> list[Quad]:
        """Quads in output pixels."""
        return list(json.loads(self.answer.places))

    @property
    def outdated(self) -> bool:
        """Whether the page looks different since the applicant saw it."""
        return self.answer.shown_sha256 != self.page.staged_sha256


@dataclass(frozen=True)
class CheckState:
    """How far an applicant's check has got. `open`: answers that the office has to decide."""

    pages: int
    answered: int
    open: int
    link: CheckLink | None

    @property
    def link_state(self) -> str:
        """none, open, finished, expired or withdrawn."""
        if self.link is None:
            return "none"
        if self.link.withdrawn_at:
            return "withdrawn"
        if self.link.finished_at:
            return "finished"
        return "expired" if self.link.expires_at <= utc_now() else "open"


def live_pages(entrant_id: int, *, records: bool = False) -> Select[Page]:
    """The pages of a dossier in order, without those of files that were replaced or sent twice.

    `records`: with what the redactor wrote about them, which is long; else it is read when asked.
    """
    later = (Page.found,) if records else (Page.found, Page.record)
    return (
        select(Page)
        .join(SourceFile, SourceFile.id == Page.file_id)
        .where(Page.entrant_id == entrant_id, SourceFile.state.not_in(("replaced", "duplicate")))
        .order_by(Page.position, Page.id)
        .options(*map(defer, later))
    )


def shown_pages(session: Session, entrant_id: int) -> list[Page]:
    """The masked pages that an applicant may look at, in order."""
    return [page for page in session.scalars(live_pages(entrant_id)) if is_shown(page)]


def is_shown(page: Page) -> bool:
    """Whether there is a masked picture of the page as it stands now."""
    return page.state in ("clean", "review") and page.staged_sha256 != ""


def answer_page(
    session: Session,
    *,
    link: CheckLink,
    number: int,
    shown_sha256: str,
    answer: str,
    remark: str,
    places: object,
) -> CheckAnswer:
    """Adds an answer to page `number` (from 1) of the link's own dossier.

    `places`: quads in pixels of the masked page, as a browser sent them. RuleError with everything
    that is wrong; a page that changed since it was seen must be looked at again.
    """
    pages = shown_pages(session, link.entrant_id)
    if not 1 <= number <= len(pages):
        raise RuleError(Sentence("没有这一页。", "There is no such page."))
    page = pages[number - 1]
    problems = []
    if page.staged_sha256 != shown_sha256:
        problems.append(
            Sentence(
                "此页刚有更新，请查看新的页面后再回答。",
                "This page has just changed; look at it again before you answer.",
            )
        )
    if answer not in ANSWERS:
        problems.append(
            Sentence(
                "请回答“本页是否需要遮盖？”。", 'Answer the question "does this page need masking?"'
            )
        )
    if len(remark) > LONGEST_REMARK:
        problems.append(
            Sentence(
                f"说明不能超过 {LONGEST_REMARK} 个字。",
                f"A remark has at most {LONGEST_REMARK} characters.",
            )
        )
    quads = _quads(places, tuple(json.loads(page.record)["size"]))
    if quads is None:
        problems.append(
            Sentence(
                f"标出的位置无效（最多 {MOST_PLACES} 处，须在页面之内）。请重新标出。",
                f"The marked places cannot be used (at most {MOST_PLACES}, all on the page). "
                "Mark them again.",
            )
        )
    if problems or quads is None:
        raise RuleError(problems)
    made = CheckAnswer(
        page_id=page.id,
        answer=answer,
        remark=remark.strip(),
        places=json.dumps([] if answer == "no" else quads),
        shown_sha256=page.staged_sha256,
        at=utc_now(),
    )
    session.add(made)
    session.flush()
    record_event(
        session,
        actor=APPLICANT,
        action="check.answer",
        round_id=page.round_id,
        page_id=page.id,
        details={"answer": answer, "places": len(quads)},
    )
    if len(newest_answers(session, [p.id for p in pages])) == len(pages):
        link.finished_at = utc_now()
    return made


def newest_answers(session: Session, page_ids: Sequence[int]) -> dict[int, CheckAnswer]:
    """Page -> the answer that holds."""
    newest = (
        select(func.max(CheckAnswer.id))
        .where(CheckAnswer.page_id.in_(page_ids))
        .group_by(CheckAnswer.page_id)
    )
    chosen = select(CheckAnswer).where(CheckAnswer.id.in_(newest))
    return {answer.page_id: answer for answer in session.scalars(chosen)}


def answers_of(session: Session, page_id: int) -> list[Answered]:
    """Everything that the applicant said of a page, newest first."""
    chosen = _answered().where(CheckAnswer.page_id == page_id).order_by(CheckAnswer.id.desc())
    return [Answered(*row) for row in session.execute(chosen)]


def open_answers(
    session: Session, *, round_id: int, after: int = 0, limit: int = 100
) -> list[Answered]:
    """Answers of a round that wait for the office's decision, oldest first, from id `after` on."""
    chosen = _answered().where(*_undecided(round_id), CheckAnswer.id > after)
    return [Answered(*row) for row in session.execute(chosen.order_by(CheckAnswer.id).limit(limit))]


def open_counts(session: Session, round_id: int, entrant_id: int | None = None) -> dict[int, int]:
    """Entrant -> how many of the own answers wait for the office's decision."""
    chosen = (
        select(Page.entrant_id, func.count())
        .select_from(CheckAnswer)
        .join(Page, Page.id == CheckAnswer.page_id)
        .outerjoin(CheckVerdict, CheckVerdict.answer_id == CheckAnswer.id)
        .where(*_undecided(round_id))
        .group_by(Page.entrant_id)
    )
    if entrant_id is not None:
        chosen = chosen.where(Page.entrant_id == entrant_id)
    return {row[0]: row[1] for row in session.execute(chosen)}


def decide_answer(
    session: Session, *, answer_id: int, verdict: str, reason: str, mask: bool, by: str
) -> CheckVerdict:
    """The office's word on an answer. `mask`: the marked places become masks of the page.

    RuleError for one that was decided already, and for a refusal without a reason.
    """
    answer = session.get_one(CheckAnswer, answer_id)
    page = session.get_one(Page, answer.page_id, with_for_update=True)
    problems = []
    if verdict not in VERDICTS:
        problems.append(Sentence("请选择处理结果。", "Choose what you decide."))
    if session.get(CheckVerdict, answer_id) is not None:
        problems.append(Sentence("此意见已处理。", "This answer was decided already."))
    if verdict == "declined" and not reason.strip():
        problems.append(
            Sentence("不采纳时请写明理由。", "Give a reason when you do not follow the applicant.")
        )
    if problems:
        raise RuleError(problems)
    made = CheckVerdict(
        answer_id=answer_id, verdict=verdict, reason=reason.strip(), by=by, at=utc_now()
    )
    session.add(made)
    session.flush()
    quads = json.loads(answer.places)
    if mask and verdict == "agreed" and quads:
        edit_masks(
            session,
            page_id=page.id,
            masks=[*masks_of(session, page), *map(_mask, quads)],
            what="selfcheck",
            on=page.revision,
            by=by,
        )
    record_event(
        session,
        actor=by,
        action=f"check.{verdict}",
        round_id=page.round_id,
        page_id=page.id,
        details={"answer": answer_id, "reason": reason.strip(), "mask": mask},
    )
    return made


def check_states(
    session: Session, round_id: int, entrant_ids: Sequence[int]
) -> dict[int, CheckState]:
    """Entrant -> how far the check has got; a constant number of queries."""
    links = {
        link.entrant_id: link
        for link in session.scalars(
            select(CheckLink)
            .where(CheckLink.entrant_id.in_(entrant_ids))
            .order_by(CheckLink.created_at)
        )
    }
    counts = (
        select(
            Page.entrant_id,
            func.count(Page.id.distinct()),
            func.count(CheckAnswer.page_id.distinct()),
        )
        .join(SourceFile, SourceFile.id == Page.file_id)
        .outerjoin(CheckAnswer, CheckAnswer.page_id == Page.id)
        .where(
            Page.entrant_id.in_(entrant_ids),
            Page.state.in_(("clean", "review")),
            SourceFile.state.not_in(("replaced", "duplicate")),
        )
        .group_by(Page.entrant_id)
    )
    counted = {row[0]: (row[1], row[2]) for row in session.execute(counts)}
    waiting = open_counts(session, round_id)
    return {
        entrant: CheckState(
            *counted.get(entrant, (0, 0)), waiting.get(entrant, 0), links.get(entrant)
        )
        for entrant in entrant_ids
    }


def _answered() -> Select[CheckAnswer, Page, CheckVerdict]:
    return (
        select(CheckAnswer, Page, CheckVerdict)
        .join(Page, Page.id == CheckAnswer.page_id)
        .outerjoin(CheckVerdict, CheckVerdict.answer_id == CheckAnswer.id)
        .options(defer(Page.found))
    )


def _undecided(round_id: int) -> tuple[ColumnElement[bool], ...]:
    # Per page by its index, so that one dossier's count reads no other dossier's answers.
    later = aliased(CheckAnswer)
    newer = exists().where(later.page_id == CheckAnswer.page_id, later.id > CheckAnswer.id)
    return (
        Page.round_id == round_id,
        CheckAnswer.answer != "no",
        ~newer,
        CheckVerdict.answer_id.is_(None),
    )


def _quads(places: object, size: tuple[int, int]) -> list[Quad] | None:
    """Rectangles inside a page of `size` (width, height); None for anything else."""
    if not isinstance(places, list) or len(places) > MOST_PLACES:
        return None
    quads = []
    for place in places:
        box = _box(place, size)
        if box is None:
            return None
        left, top, right, bottom = box
        quads.append([[left, top], [right, top], [right, bottom], [left, bottom]])
    return quads


def _box(place: object, size: tuple[int, int]) -> tuple[float, float, float, float] | None:
    """(left, top, right, bottom) of [left, top, right, bottom] as sent, cut to the page."""
    if not isinstance(place, list) or len(place) != 4:
        return None
    if any(isinstance(v, bool) or not isinstance(v, int | float) for v in place):
        return None
    if not all(math.isfinite(v) and abs(v) < 1e6 for v in place):
        return None
    width, height = size
    left, right = sorted(min(max(float(v), 0.0), width) for v in (place[0], place[2]))
    top, bottom = sorted(min(max(float(v), 0.0), height) for v in (place[1], place[3]))
    if right - left < SMALLEST_PLACE or bottom - top < SMALLEST_PLACE:
        return None
    return round(left, 1), round(top, 1), round(right, 1), round(bottom, 1)


def _mask(quad: Quad) -> Mapping[str, Any]:
    return {
        "kind": "custom",
        "quad": quad,
        "text": "",
        "score": 1.0,
        "why": "marked by the applicant",
        "finder": APPLICANT,
    }
