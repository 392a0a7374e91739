"""Writes of score sheets: drafts that survive, one device at a time, and corrections by two."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.errors import Sentence
from models.review import Round
from models.review_sheets import Sheet
from models.rounds import (
    InputError,
    OrderError,
    get_candidate,
    get_round,
    get_seat,
    is_recused,
    record_event,
    require_phase,
)
from models.sheet_versions import (
    SheetContent,
    StoredSheet,
    add_version,
    read_version,
    version_of_save,
)


@dataclass(frozen=True)
class CriterionRule:
    """A criterion as the caller's policy has it; `maximum` and `step` are scaled integers."""

    id: str
    maximum: int
    step: int


def assign_sheets(
    session: Session, *, round_id: int, pairs: Iterable[tuple[str, str]], by: str
) -> None:
    """Open a sheet for each new (seat, code); refuses a recused pair, keeps existing sheets."""
    require_phase(get_round(session, round_id), "scoring")
    wanted = sorted(set(pairs))
    barred = [(seat, code) for seat, code in wanted if is_recused(session, round_id, seat, code)]
    if barred:
        raise InputError(
            [
                Sentence(
                    f"{seat} 已回避 {code}，不能分配。请换一名评委。",
                    f"{seat} is recused from {code} and cannot get it. Choose another reviewer.",
                )
                for seat, code in barred
            ]
        )
    for seat, code in wanted:
        get_seat(session, round_id, seat)
        get_candidate(session, round_id, code)
        sheet = session.scalars(
            select(Sheet).filter_by(round_id=round_id, reviewer=seat, code=code)
        ).one_or_none()
        if sheet is None:
            session.add(Sheet(round_id=round_id, reviewer=seat, code=code))
        elif sheet.state == "withdrawn":
            sheet.state = "open"
    record_event(
        session,
        by=by,
        action="assign_sheets",
        round_id=round_id,
        details={"pairs": [list(pair) for pair in wanted]},
    )
    session.flush()


def read_sheet(session: Session, sheet_id: int) -> StoredSheet:
    """The newest version; number 0 and no scores when nothing was saved yet."""
    return read_version(session, sheet_id, _get_sheet(session, sheet_id).version)


def save_draft(
    session: Session,
    *,
    sheet_id: int,
    scores: Mapping[str, int],
    comment: str,
    base_version: int,
    by: str,
    notes: Mapping[int, str] | None = None,
    save_id: str | None = None,
) -> int:
    """Save a draft, complete or not, over `base_version`; the new version's number.

    Values are checked when the sheet is submitted, so that no draft is lost to a typing slip.
    `notes` None: as they were. A save that was kept already gives its number again
    (`models.sheet_versions`). Raises ConflictError if the stored version is not `base_version`,
    OrderError after submission or lock.
    """
    sheet, found = _with_round(session, sheet_id)
    if sheet.state != "open" or found.phase != "scoring":
        kept = version_of_save(session, sheet_id, save_id, "draft")
        if kept is not None:
            return kept
    require_phase(found, "scoring")
    _require_open(sheet)
    _refuse_negative(scores)
    return add_version(
        session,
        sheet_id=sheet_id,
        state="open",
        kind="draft",
        content=SheetContent(scores, comment, notes),
        base_version=base_version,
        by=by,
        save_id=save_id,
    ).number


def submit_sheet(
    session: Session,
    *,
    sheet_id: int,
    scores: Mapping[str, int],
    comment: str,
    base_version: int,
    rules: Sequence[CriterionRule],
    by: str,
    notes: Mapping[int, str] | None = None,
    save_id: str | None = None,
) -> int:
    """Submit a sheet: every criterion of `rules`, none else, within maximum and on its step.

    Raises InputError with every problem, ConflictError and OrderError as `save_draft` does; a
    submission that was kept already gives its number again.
    """
    sheet, found = _with_round(session, sheet_id)
    if sheet.state == "submitted":
        kept = version_of_save(session, sheet_id, save_id, "submitted")
        if kept is not None:
            return kept
    require_phase(found, "scoring")
    _require_open(sheet)
    check_scores(scores, rules)
    kept_as = add_version(
        session,
        sheet_id=sheet_id,
        state="open",
        to_state="submitted",
        kind="submitted",
        content=SheetContent(scores, comment, notes),
        base_version=base_version,
        by=by,
        save_id=save_id,
    )
    if not kept_as.again:
        _event(session, sheet, "submit_sheet", by, {"version": kept_as.number})
    return kept_as.number


def reopen_sheet(session: Session, *, sheet_id: int, reason: str, by: str) -> None:
    """Give a submitted or excluded sheet back to its reviewer before the lock."""
    sheet = _before_the_lock(session, sheet_id)
    _require_reason(reason)
    if sheet.state not in ("submitted", "excluded"):
        raise _state_error(sheet)
    sheet.state, sheet.reason = "open", ""
    _event(session, sheet, "reopen_sheet", by, {"reason": reason})
    session.flush()


def exclude_sheet(session: Session, *, sheet_id: int, reason: str, by: str) -> None:
    """Take a sheet out of the count with a reason, before the lock; its versions are kept."""
    sheet = _before_the_lock(session, sheet_id)
    _require_reason(reason)
    if sheet.state not in ("open", "submitted"):
        raise _state_error(sheet)
    sheet.state, sheet.reason = "excluded", reason
    _event(session, sheet, "exclude_sheet", by, {"reason": reason})
    session.flush()


def withdraw_sheet(session: Session, *, sheet_id: int, by: str) -> None:
    """Take an assignment back that nobody has begun; one with versions must be excluded."""
    sheet = _before_the_lock(session, sheet_id)
    if sheet.state != "open" or sheet.version:
        raise _state_error(sheet)
    sheet.state = "withdrawn"
    _event(session, sheet, "withdraw_sheet", by, {})
    session.flush()


def correct_sheet(
    session: Session,
    *,
    sheet_id: int,
    scores: Mapping[str, int],
    base_version: int,
    rules: Sequence[CriterionRule],
    reason: str,
    by: str,
    confirmed_by: str,
) -> int:
    """Correct a submitted sheet after the lock: a new version with reason and two persons."""
    sheet = _get_sheet(session, sheet_id)
    require_phase(get_round(session, sheet.round_id), "locked", "defence", "voting", "closed")
    require_two(reason, by, confirmed_by)
    if sheet.state != "submitted":
        raise _state_error(sheet)
    check_scores(scores, rules)
    old = read_sheet(session, sheet_id)
    number = add_version(
        session,
        sheet_id=sheet_id,
        state="submitted",
        kind="correction",
        content=SheetContent(scores, old.comment),
        base_version=base_version,
        by=by,
        reason=reason,
        confirmed_by=confirmed_by,
    ).number
    _event(
        session,
        sheet,
        "correct_sheet",
        by,
        {
            "version": number,
            "old": dict(old.scores),
            "new": dict(scores),
            "reason": reason,
            "confirmed_by": confirmed_by,
        },
    )
    session.flush()
    return number


def check_scores(scores: Mapping[str, int], rules: Sequence[CriterionRule]) -> None:
    """InputError naming every missing or unknown criterion and every score off its rule."""
    known = {rule.id: rule for rule in rules}
    problems: list[Sentence] = []
    for name in sorted(known.keys() - scores.keys()):
        problems.append(
            Sentence(
                f"缺少评分项 {name}。请补打，缺项不作 0 分。",
                f"The criterion {name} is missing. Score it; a gap is never a 0.",
            )
        )
    for name in sorted(scores.keys() - known.keys()):
        problems.append(
            Sentence(
                f"没有名为 {name} 的评分项。请删去。", f"There is no criterion {name}. Remove it."
            )
        )
    for name in sorted(scores.keys() & known.keys()):
        rule, points = known[name], scores[name]
        if isinstance(points, bool) or not isinstance(points, int):
            raise TypeError(f"{name}: scores are scaled integers, not {points!r}")
        if not 0 <= points <= rule.maximum or points % rule.step:
            problems.append(
                Sentence(
                    f"评分项 {name} 的分数不在 0 至满分之间，或不合步长。请改正。",
                    f"The score of {name} is not between 0 and its maximum, or off its step. "
                    "Correct it.",
                )
            )
    if problems:
        raise InputError(problems)


def require_two(reason: str, by: str, confirmed_by: str) -> None:
    """InputError unless there is a reason and two different persons."""
    _require_reason(reason)
    if not by.strip() or not confirmed_by.strip() or by.strip() == confirmed_by.strip():
        raise InputError(
            Sentence(
                "锁定后的更正须由两名不同的人员确认。",
                "A correction after the lock needs two different persons.",
            )
        )


def _get_sheet(session: Session, sheet_id: int) -> Sheet:
    sheet = session.get(Sheet, sheet_id, populate_existing=True)
    if sheet is None:
        raise _no_sheet(sheet_id)
    return sheet


def _before_the_lock(session: Session, sheet_id: int) -> Sheet:
    """The sheet as it stands once nobody else changes its round, which is not locked yet."""
    round_id = _get_sheet(session, sheet_id).round_id
    require_phase(get_round(session, round_id, change=True), "scoring")
    return _get_sheet(session, sheet_id)  # a reviewer may have saved it meanwhile


def _with_round(session: Session, sheet_id: int) -> tuple[Sheet, Round]:
    """The sheet and its round, which stays in its phase while the transaction lasts."""
    row = session.execute(
        select(Sheet, Round)
        .join(Round, Round.id == Sheet.round_id)
        .where(Sheet.id == sheet_id)
        .with_for_update(read=True, of=Round)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        raise _no_sheet(sheet_id)
    return row[0], row[1]


def _no_sheet(sheet_id: int) -> InputError:
    return InputError(
        Sentence(f"没有编号为 {sheet_id} 的评分表。", f"There is no sheet {sheet_id}.")
    )


def _require_open(sheet: Sheet) -> None:
    if sheet.state != "open":
        raise _state_error(sheet)


def _state_error(sheet: Sheet) -> OrderError:
    return OrderError(
        Sentence(
            f"{sheet.reviewer} 对 {sheet.code} 的评分表状态为 {sheet.state}，不能进行此操作。",
            f"The sheet of {sheet.reviewer} for {sheet.code} is {sheet.state}; this cannot be "
            "done to it.",
        )
    )


def _require_reason(reason: str) -> None:
    if not reason.strip():
        raise InputError(Sentence("请写明理由。", "Give a reason."))


def _refuse_negative(scores: Mapping[str, int]) -> None:
    bad = [name for name, points in sorted(scores.items()) if points < 0]
    if bad:
        raise InputError(
            [
                Sentence(
                    f"评分项 {name} 为负数。请改正。",
                    f"The score of {name} is negative. Correct it.",
                )
                for name in bad
            ]
        )


def _event(
    session: Session, sheet: Sheet, action: str, by: str, details: dict[str, object]
) -> None:
    record_event(
        session,
        by=by,
        action=action,
        round_id=sheet.round_id,
        details={"reviewer": sheet.reviewer, "code": sheet.code, **details},
    )
