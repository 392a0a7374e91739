"""Where an applicant stands by the round's policy: how often submitted, and the clock's end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from models.errors import RuleError, Sentence
from models.vault_pages import Submission
from models.vault_rounds import OfficeRound
from scoring.submissions import Standing, SubmissionEvent, SubmissionRule, standing
from webapp.language import t
from webapp.office.policies import policy_of


def rule_of(office_round: OfficeRound) -> SubmissionRule:
    """The policy's rule; no limit and no clock where the policy is silent."""
    told = policy_of(office_round).submission if office_round.policy else None
    if told is None:
        return SubmissionRule()
    return SubmissionRule(told.max_times, told.revise_hours, told.clause)


def standing_of(
    rule: SubmissionRule, log: Sequence[Submission], now: datetime | None = None
) -> Standing:
    """Where the applicant with this log stands at `now` (UTC), else at this moment.

    Times are given in the zone of the machine, as the clock on the wall shows them.
    """
    events = [SubmissionEvent(entry.kind, _local(entry.at)) for entry in log]  # type: ignore[arg-type]
    return standing(rule, events, (now or datetime.now(UTC)).astimezone())


def require_with_office(rule: SubmissionRule, log: Sequence[Submission]) -> None:
    """RuleError unless the dossier lies with the office, so that it can be sent back."""
    found = standing_of(rule, log)
    if found.state != "with_office":
        raise RuleError(
            Sentence(
                f"现在不能退回：{found.sentence.zh}", f"It cannot be returned: {found.sentence.en}"
            )
        )


def require_may_submit(
    rule: SubmissionRule, log: Sequence[Submission], at: datetime | None = None
) -> None:
    """RuleError unless the applicant may submit at `at` (UTC)."""
    found = standing_of(rule, log, at)
    if not found.may_submit:
        raise RuleError(
            Sentence(
                f"不能重新提交：{found.sentence.zh}", f"It cannot be submitted: {found.sentence.en}"
            )
        )


def standing_text(found: Standing) -> str:
    """The sentence in the language of this request."""
    return t(found.sentence.zh, found.sentence.en)


def _local(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone()
