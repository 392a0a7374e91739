"""Opens the key of a round to two persons after its tally is locked; logged in both stores."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.audit import append_event
from models.base import utc_now
from models.errors import RuleError, Sentence
from models.office_log import record_event
from models.review import Tally
from models.rounds import get_round, require_phase
from models.vault_results import Unsealing
from models.vault_rounds import OfficeRound

NOT_UNSEALED = Sentence(
    "姓名仍封存。请先锁定汇总、结束本轮，并由两人启封。",
    "Names are still sealed. Freeze the tally, close the round, and let two persons unseal it.",
)


def unsealing_of(vault: Session, round_id: int) -> Unsealing | None:
    """The unsealing of a round, asked for or done."""
    return vault.get(Unsealing, round_id)


def is_unsealed(vault: Session, round_id: int) -> bool:
    """Whether two persons opened the key."""
    found = unsealing_of(vault, round_id)
    return found is not None and bool(found.confirmed_by)


def require_unsealed(vault: Session, round_id: int) -> None:
    """RuleError while names are sealed."""
    if not is_unsealed(vault, round_id):
        raise RuleError(NOT_UNSEALED)


def ask_unsealing(
    vault: Session, review: Session, *, round_id: int, review_id: int, by: str
) -> Unsealing:
    """The first person asks. RuleError before the round is closed with a frozen tally, or twice."""
    vault.get_one(OfficeRound, round_id, with_for_update=True)
    number = _last_tally(review, review_id)
    found = unsealing_of(vault, round_id)
    if found is not None:
        raise RuleError(
            Sentence(
                f"{found.asked_by} 已申请启封，请由另一人确认。",
                f"{found.asked_by} has asked already; another person confirms.",
            )
        )
    made = Unsealing(round_id=round_id, tally=number, asked_by=by, asked_at=utc_now())
    vault.add(made)
    vault.flush()
    _log(vault, review, "unsealing.ask", round_id, review_id, {"tally": number}, by)
    return made


def confirm_unsealing(
    vault: Session, review: Session, *, round_id: int, review_id: int, confirmed_by: str, by: str
) -> Unsealing:
    """Another person confirms (`confirmed_by`, at the desk of `by`); from then on names are shown.

    RuleError when nobody asked, the same person confirms, or the tally is no longer frozen.
    """
    vault.get_one(OfficeRound, round_id, with_for_update=True)
    found = unsealing_of(vault, round_id)
    if found is None or found.confirmed_by:
        raise RuleError(
            Sentence(
                "没有等待确认的启封申请。请刷新页面。",
                "No unsealing waits to be confirmed. Reload the page.",
            )
        )
    if confirmed_by == found.asked_by:
        raise RuleError(
            Sentence(
                "申请启封的人不能自己确认，请由另一人确认。",
                "Whoever asked cannot confirm; another person must.",
            )
        )
    found.tally = _last_tally(review, review_id)
    found.confirmed_by, found.confirmed_at = confirmed_by, utc_now()
    details: dict[str, object] = {
        "tally": found.tally, "asked_by": found.asked_by, "confirmed_by": confirmed_by,
    }  # fmt: skip
    _log(vault, review, "unsealing.confirm", round_id, review_id, details, by)
    vault.flush()
    return found


def _last_tally(review: Session, review_id: int) -> int:
    require_phase(get_round(review, review_id), "closed")
    number = review.scalar(select(func.max(Tally.number)).filter_by(round_id=review_id))
    if number is None:
        raise RuleError(NOT_UNSEALED)
    return number


def _log(
    vault: Session,
    review: Session,
    action: str,
    round_id: int,
    review_id: int,
    details: dict[str, object],
    by: str,
) -> None:
    record_event(vault, actor=by, action=action, round_id=round_id, details=details)
    append_event(review, actor=by, action=action, details={"round": review_id, **details})
