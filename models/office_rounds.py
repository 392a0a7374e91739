"""Rounds and their applicants as the office sets them up; writes happen only in these functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base import utc_now
from models.errors import RuleError, Sentence
from models.office_log import record_event
from models.vault_rounds import Entrant, OfficeRound

PROFILES = ("strict", "notice")
LONGEST_NAME, MOST_MEMBERS = 200, 999


@dataclass(frozen=True)
class EntrantRow:
    """An applicant of a roster. `row`: JSON of everything that the roster says."""

    number: int
    name: str
    unit: str
    specialty: str
    level: str
    row: str


def make_round(
    session: Session,
    *,
    name: str,
    year: int,
    policy_name: str,
    policy: str,
    profile: str,
    committee_members: int,
    submit_until: str = "",
    two_person_release: bool = False,
    by: str,
) -> OfficeRound:
    """A new round; RuleError with everything that is wrong with its settings."""
    problems = _problems(session, name, year, profile, committee_members)
    if problems:
        raise RuleError(problems)
    made = OfficeRound(
        name=name.strip(),
        year=year,
        policy_name=policy_name,
        policy=policy,
        profile=profile,
        committee_members=committee_members,
        submit_until=submit_until,
        two_person_release=two_person_release,
        created_at=utc_now(),
    )
    session.add(made)
    session.flush()
    record_event(session, actor=by, action="round.make", round_id=made.id)
    return made


def change_round(
    session: Session,
    *,
    round_id: int,
    name: str,
    year: int,
    profile: str,
    committee_members: int,
    submit_until: str,
    two_person_release: bool,
    policy_name: str | None = None,
    policy: str | None = None,
    by: str,
) -> bool:
    """Whether the profile changed, so that every dossier must be masked again.

    `policy`: None keeps the present one. RuleError with everything that is wrong; once experts
    score, their round has its own policy, and a new one here would only mislead.
    """
    found = session.get_one(OfficeRound, round_id)
    problems = _problems(session, name, year, profile, committee_members, but=round_id)
    if found.review_round_id is not None and (policy is not None or profile != found.profile):
        problems.append(
            Sentence(
                "已有材料交给评委，不能再更换政策或遮盖方案。",
                "Dossiers have gone to the experts; policy and profile can no longer be changed.",
            )
        )
    if problems:
        raise RuleError(problems)
    anew = found.profile != profile
    found.name, found.year, found.profile = name.strip(), year, profile
    found.committee_members, found.submit_until = committee_members, submit_until
    found.two_person_release = two_person_release
    if policy is not None:
        found.policy_name, found.policy = policy_name or found.policy_name, policy
    record_event(
        session,
        actor=by,
        action="round.change",
        round_id=round_id,
        details={"profile": profile, "two_person_release": two_person_release,
                 "policy": policy is not None},
    )  # fmt: skip
    return anew


def set_policy(session: Session, *, round_id: int, policy_name: str, policy: str, by: str) -> None:
    """Notes the policy by which a round goes; whether it may still change is the review round's
    to say, once there is one (`models.round_policies`)."""
    found = session.get_one(OfficeRound, round_id)
    found.policy_name, found.policy = policy_name, policy
    details = {"policy": policy_name}
    record_event(session, actor=by, action="round.policy", round_id=round_id, details=details)


def _problems(
    session: Session,
    name: str,
    year: int,
    profile: str,
    committee_members: int,
    but: int | None = None,
) -> list[Sentence]:
    """What is wrong with a round's settings. `but`: the round that may have this name."""
    problems = []
    if not name.strip():
        problems.append(Sentence("批次名称不能为空。", "The round needs a name."))
    if len(name.strip()) > LONGEST_NAME:
        problems.append(
            Sentence(
                f"批次名称超过 {LONGEST_NAME} 个字，请缩短。",
                f"The round's name is longer than {LONGEST_NAME} characters; shorten it.",
            )
        )
    holder = session.scalar(select(OfficeRound.id).where(OfficeRound.name == name.strip()))
    if holder is not None and holder != but:
        problems.append(
            Sentence(
                f"已有名为“{name.strip()}”的批次，请换一个名称。",
                f'There is a round named "{name.strip()}" already; choose another name.',
            )
        )
    if not 2000 <= year <= 2100:
        problems.append(
            Sentence(
                f"年度 {year} 不对，请填 2000 至 2100 之间的年份。",
                f"The year {year} is wrong; write one from 2000 to 2100.",
            )
        )
    if not 1 <= committee_members <= MOST_MEMBERS:
        problems.append(
            Sentence(
                f"评委会人数应为 1 至 {MOST_MEMBERS}。",
                f"A committee has from 1 to {MOST_MEMBERS} members.",
            )
        )
    if profile not in PROFILES:
        problems.append(Sentence(f"没有遮盖方案“{profile}”。", f'There is no profile "{profile}".'))
    return problems


def pause_round(session: Session, *, round_id: int, paused: bool, by: str) -> None:
    """Lets the runner leave a round's jobs alone, or go on with them."""
    session.get_one(OfficeRound, round_id).paused = paused
    action = "round.pause" if paused else "round.go_on"
    record_event(session, actor=by, action=action, round_id=round_id)


def put_entrants(
    session: Session,
    *,
    round_id: int,
    rows: Sequence[EntrantRow],
    codes: Mapping[int, str],
    by: str,
) -> tuple[list[Entrant], list[Entrant]]:
    """(new applicants, those whose row changed) of an imported roster.

    `codes`: a fresh blind code for each new number. Applicants that the new roster lacks stay:
    nothing that was sent is ever lost by an import.
    """
    there = {
        entrant.number: entrant
        for entrant in session.scalars(select(Entrant).where(Entrant.round_id == round_id))
    }
    new, changed = [], []
    for row in rows:
        entrant = there.get(row.number)
        if entrant is None:
            entrant = Entrant(round_id=round_id, number=row.number, code=codes[row.number])
            session.add(entrant)
            new.append(entrant)
        elif entrant.row != row.row:
            changed.append(entrant)
        else:
            continue
        _set(entrant, row)
    session.flush()
    record_event(
        session,
        actor=by,
        action="roster.import",
        round_id=round_id,
        details={"new": len(new), "changed": len(changed), "rows": len(rows)},
    )
    return new, changed


def change_entrant(session: Session, *, entrant_id: int, row: EntrantRow, by: str) -> bool:
    """Whether the applicant's row changed; the number stays."""
    entrant = session.get_one(Entrant, entrant_id, with_for_update=True)
    if entrant.row == row.row:
        return False
    _set(entrant, row)
    record_event(
        session,
        actor=by,
        action="entrant.change",
        round_id=entrant.round_id,
        details={"entrant": entrant.id},
    )
    return True


def entrants_of(session: Session, round_id: int) -> list[Entrant]:
    """All applicants of a round in roster order."""
    chosen = select(Entrant).where(Entrant.round_id == round_id).order_by(Entrant.number)
    return list(session.scalars(chosen))


def _set(entrant: Entrant, row: EntrantRow) -> None:
    entrant.name, entrant.unit = row.name, row.unit
    entrant.specialty, entrant.level = row.specialty, row.level
    entrant.row = row.row
