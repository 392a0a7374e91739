"""Numbers of a round for its dashboard, each in one statement whatever the number of pages."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.vault_accounts import Account
from models.vault_pages import Job, Page, PageLook

HOUR = 13
"""Characters of an ISO 8601 moment up to its hour."""


@dataclass(frozen=True)
class Clerk:
    """What one person did in a round. `seconds`: of looking, over `looked` pages."""

    name: str
    looked: int
    seconds: int
    accepted: int
    returned: int

    @property
    def seconds_per_page(self) -> float | None:
        """None for somebody who has not looked at a page yet."""
        return self.seconds / self.looked if self.looked else None


@dataclass(frozen=True)
class Numbers:
    """`states`: pages by state and decision. `kinds`: masks by kind. `read`, `decided`: pages by
    the hour (UTC, "2026-11-21T08"). `todo`: pages that wait for a person."""

    states: dict[tuple[str, str], int]
    kinds: dict[str, int]
    read: dict[str, int]
    decided: dict[str, int]
    clerks: list[Clerk]

    @property
    def pages(self) -> int:
        return sum(self.states.values())

    @property
    def todo(self) -> int:
        return sum(self.states.get((state, ""), 0) for state in ("review", "failed"))


def numbers(session: Session, round_id: int) -> Numbers:
    """All numbers of a round."""
    states = session.execute(
        select(Page.state, Page.decision, func.count())
        .where(Page.round_id == round_id)
        .group_by(Page.state, Page.decision)
    )
    return Numbers(
        states={(state, decision): count for state, decision, count in states},
        kinds=_kinds(session, round_id),
        read=_read(session, round_id),
        decided=_decided(session, round_id),
        clerks=_clerks(session, round_id),
    )


def _kinds(session: Session, round_id: int) -> dict[str, int]:
    # Pages with the same masks are many: grouping by the text leaves little to add up here.
    rows = session.execute(
        select(Page.kinds, func.count()).where(Page.round_id == round_id).group_by(Page.kinds)
    )
    total: Counter[str] = Counter()
    for kinds, pages in rows:
        for kind, count in json.loads(kinds).items():
            total[kind] += count * pages
    return dict(total.most_common())


def _read(session: Session, round_id: int) -> dict[str, int]:
    hour = func.substr(Job.finished_at, 1, HOUR)
    rows = session.execute(
        select(hour, func.sum(Job.pages))
        .where(Job.round_id == round_id, Job.state == "done", Job.kind == "redact")
        .group_by(hour)
        .order_by(hour)
    )
    return {moment: int(count or 0) for moment, count in rows}


def _decided(session: Session, round_id: int) -> dict[str, int]:
    hour = func.substr(Page.decided_at, 1, HOUR)
    rows = session.execute(
        select(hour, func.count())
        .where(Page.round_id == round_id, Page.decision.in_(("accepted", "returned")))
        .group_by(hour)
        .order_by(hour)
    )
    return dict(rows.all())


def _clerks(session: Session, round_id: int) -> list[Clerk]:
    looks = session.execute(
        select(PageLook.login, func.count(), func.sum(PageLook.seconds))
        .where(PageLook.round_id == round_id)
        .group_by(PageLook.login)
    )
    looked = {login: (int(pages), int(seconds)) for login, pages, seconds in looks}
    words = session.execute(
        select(Page.decided_by, Page.decision, func.count())
        .where(Page.round_id == round_id, Page.decision.in_(("accepted", "returned")))
        .group_by(Page.decided_by, Page.decision)
    )
    decided = {(login, decision): count for login, decision, count in words}
    logins = sorted({*looked, *(login for login, _ in decided)})
    names = dict(
        session.execute(select(Account.login, Account.name).where(Account.login.in_(logins))).all()
    )
    return [
        Clerk(
            name=names.get(login, login),
            looked=looked.get(login, (0, 0))[0],
            seconds=looked.get(login, (0, 0))[1],
            accepted=decided.get((login, "accepted"), 0),
            returned=decided.get((login, "returned"), 0),
        )
        for login in logins
    ]
