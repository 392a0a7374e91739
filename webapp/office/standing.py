"""Where an applicant stands by the round's policy: how often submitted, and the clock's end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.errors import RuleError, Sentence
from models.office_files import closed_folders
from models.office_returns import logs_of
from models.vault_pages import Submission
from models.vault_rounds import Entrant, OfficeRound, SourceFile
from scoring.submissions import Standing, SubmissionEvent, SubmissionRule, standing
from webapp.language import t
from webapp.office.placing import WITH_EXPERTS
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


def closed_folders_of(session: Session, office_round: OfficeRound) -> dict[str, Sentence]:
    """Folder -> why it takes no new scans: with the experts, or sent back and too late to mend."""
    closed = dict.fromkeys(closed_folders(session, office_round.id), WITH_EXPERTS)
    returned = session.scalars(
        select(Entrant).where(Entrant.round_id == office_round.id, Entrant.returned_at != "")
    ).all()
    if not returned:
        return closed
    rule, logs = rule_of(office_round), logs_of(session, returned)
    late: dict[int, Sentence] = {}
    for entrant in returned:
        try:
            require_may_submit(rule, logs[entrant.id])
        except RuleError as error:
            late[entrant.id] = _not_taken(error.sentences[0])
    folders = session.execute(
        select(SourceFile.folder, SourceFile.entrant_id)
        .where(SourceFile.entrant_id.in_(late))
        .distinct()
    )
    return closed | {row.folder: late[row.entrant_id] for row in folders if row.entrant_id}


def _not_taken(why: Sentence) -> Sentence:
    return Sentence(
        f"新文件未采用。{why.zh}如材料是在期限内收到的，请先在退回清单中登记收到时间，再上传。",
        f"The new file was not taken. {why.en} If it came in time, first note when in the list of "
        "returns, then upload it.",
    )


def standing_text(found: Standing) -> str:
    """The sentence in the language of this request."""
    return t(found.sentence.zh, found.sentence.en)


def _local(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone()
