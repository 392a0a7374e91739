"""The meeting under load: whatever comes at one moment is decided by one transaction, never half.

Threads and separate processes, on SQLite and on PostgreSQL.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from models.audit import AuditEvent, verify_audit
from models.ballots import cast_ballot, close_ballot, new_receipt, open_ballot
from models.base import open_store
from models.candidates import NewCandidate, add_candidates
from models.defences import defence_scores, record_defence_score
from models.errors import RuleError
from models.paper_ballots import enter_papers, mark_paper
from models.review import Round
from models.review_ballots import CHOICES, Ballot, BallotItem, Receipt, Vote, VoterRoll
from models.review_sheets import Sheet
from models.rounds import advance_round, lock_round, open_round, record_attendance
from models.sheets import CriterionRule, assign_sheets, submit_sheet
from tests.models.races import DONE, REFUSED, pools, url_of, workers

__all__ = ["pools", "workers"]  # fixtures

CODES = ("K7QF-3M", "B2XW-9T")
SEATS = tuple(f"R{n:02d}" for n in range(1, 13))
RULE = (CriterionRule("a", 10_000, 50),)


@dataclass(frozen=True)
class Act:
    """Something that one process does. `kind` names it; the rest are its values."""

    url: str
    kind: str
    round_id: int = 0
    ballot: str = ""
    seat: str = ""
    receipt: str = ""
    points: int = 0


def do(act: Act) -> str:
    """Does an act in a transaction of its own, on a connection of its own."""
    engine = open_store(act.url)
    try:
        with Session(engine) as session, session.begin():
            time.sleep(random.random() / 50)
            ACTS[act.kind](session, act)
        return DONE
    except RuleError:
        return REFUSED
    finally:
        engine.dispose()


def _cast(session: Session, act: Act) -> None:
    choices = dict.fromkeys(CODES, "yes")
    cast_ballot(
        session, ballot_id=act.ballot, reviewer=act.seat, choices=choices,
        receipt=act.receipt or None,
    )  # fmt: skip


def _close(session: Session, act: Act) -> None:
    close_ballot(session, ballot_id=act.ballot, by=act.seat)


def _score(session: Session, act: Act) -> None:
    record_defence_score(
        session, round_id=act.round_id, judge=act.seat, code=CODES[0], points=act.points,
        maximum=3000, by=act.seat,
    )  # fmt: skip


def _advance(session: Session, act: Act) -> None:
    advance_round(session, round_id=act.round_id, to="voting", by=act.seat)


def _open(session: Session, act: Act) -> None:
    open_ballot(session, round_id=act.round_id, codes=CODES, by=act.seat)


def _paper(session: Session, act: Act) -> None:
    mark_paper(session, ballot_id=act.ballot, seat=act.seat, paper=True, by="office")


ACTS: dict[str, Callable[[Session, Act], None]] = {
    "cast": _cast, "close": _close, "score": _score, "advance": _advance, "open": _open,
    "paper": _paper,
}  # fmt: skip


def run(workers: Executor, acts: Sequence[Act]) -> list[str]:
    return list(workers.map(do, acts, timeout=120))


def meeting(store: Engine, phase: str) -> int:
    with Session(store) as session, session.begin():
        found = open_round(
            session, name="2024", year=2024, places=2, committee_members=len(SEATS),
            policy_text="", seats=SEATS, by="office",
        )  # fmt: skip
        add_candidates(
            session,
            round_id=found.id,
            candidates=[NewCandidate(code, "实验技术", "中级", "attended") for code in CODES],
            by="office",
        )
        pairs = [(SEATS[0], code) for code in CODES]
        assign_sheets(session, round_id=found.id, pairs=pairs, by="office")
        for sheet_id in session.scalars(select(Sheet.id)).all():
            submit_sheet(
                session, sheet_id=sheet_id, scores={"a": 5000}, comment="", base_version=0,
                rules=RULE, by=SEATS[0],
            )  # fmt: skip
        lock_round(session, round_id=found.id, min_sheets=1, by="office")
        for seat in SEATS:
            record_attendance(session, round_id=found.id, seat=seat, present=True, by="office")
        advance_round(session, round_id=found.id, to="defence", by="office")
        if phase == "voting":
            advance_round(session, round_id=found.id, to="voting", by="office")
        return found.id


def opened(store: Engine) -> str:
    round_id = meeting(store, "voting")
    with Session(store) as session, session.begin():
        return open_ballot(session, round_id=round_id, codes=CODES, by="office")


def assert_whole(store: Engine, ballot: str, voted: int) -> None:
    """Roll, votes, receipts and counts say the same, and the chain holds."""
    with Session(store) as session:
        roll = session.scalars(select(VoterRoll.has_voted).filter_by(ballot_id=ballot)).all()
        assert sum(roll) == voted
        assert len(session.scalars(select(Vote.id)).all()) == voted * len(CODES)
        assert len(session.scalars(select(Receipt.code)).all()) == voted
        if session.get_one(Ballot, ballot).state == "closed":
            items = session.scalars(select(BallotItem)).all()
            assert [item.yes for item in items] == [voted] * len(CODES)
        assert verify_audit(session).whole


def test_a_ballot_at_the_moment_of_closing_is_counted_or_refused(
    store: Engine, workers: Executor
) -> None:
    ballot, url = opened(store), url_of(store)
    acts = [Act(url, "cast", ballot=ballot, seat=seat) for seat in SEATS]
    acts.insert(len(acts) // 2, Act(url, "close", ballot=ballot, seat="secretary"))
    answers = run(workers, acts)
    assert answers[len(acts) // 2] == DONE
    assert_whole(store, ballot, answers.count(DONE) - 1)


def test_two_secretaries_close_once(store: Engine, workers: Executor) -> None:
    ballot, url = opened(store), url_of(store)
    with Session(store) as session, session.begin():
        _cast(session, Act(url, "cast", ballot=ballot, seat=SEATS[0]))
    acts = [Act(url, "close", ballot=ballot, seat=f"secretary{n}") for n in range(6)]
    assert Counter(run(workers, acts)) == {DONE: 1, REFUSED: 5}
    assert_whole(store, ballot, 1)
    with Session(store) as session:
        closings = session.scalars(select(AuditEvent).filter_by(action="close_ballot")).all()
        assert len(closings) == 1


@pytest.mark.parametrize("same", [True, False], ids=["the same paper", "another paper"])
def test_tablets_of_one_voter_count_once(store: Engine, workers: Executor, same: bool) -> None:
    ballot, url = opened(store), url_of(store)
    one = new_receipt()
    acts = [
        Act(url, "cast", ballot=ballot, seat=SEATS[0], receipt=one if same else new_receipt())
        for _ in range(6)
    ]
    # The same paper sent again gets the same answer; another paper is refused.
    assert run(workers, acts).count(DONE) == (6 if same else 1)
    assert_whole(store, ballot, 1)


def test_nobody_votes_on_a_tablet_and_on_paper(store: Engine, workers: Executor) -> None:
    ballot, url = opened(store), url_of(store)
    acts = [
        act
        for seat in SEATS[:6]
        for act in (
            Act(url, "cast", ballot=ballot, seat=seat),
            Act(url, "paper", ballot=ballot, seat=seat),
        )
    ]
    answers = run(workers, acts)
    for tablet, paper in zip(answers[::2], answers[1::2], strict=True):
        assert {tablet, paper} == {DONE, REFUSED}
    assert_whole(store, ballot, answers[::2].count(DONE))


def test_two_ballots_are_not_opened_at_once(store: Engine, workers: Executor) -> None:
    round_id, url = meeting(store, "voting"), url_of(store)
    acts = [Act(url, "open", round_id=round_id, seat=f"secretary{n}") for n in range(4)]
    assert Counter(run(workers, acts)) == {DONE: 1, REFUSED: 3}
    with Session(store) as session:
        assert len(session.scalars(select(Ballot)).all()) == 1


def test_a_late_defence_score_is_kept_before_the_vote_or_refused(
    store: Engine, workers: Executor
) -> None:
    round_id, url = meeting(store, "defence"), url_of(store)
    acts = [
        Act(url, "score", round_id=round_id, seat=seat, points=2000 + n)
        for n, seat in enumerate(SEATS)
    ]
    acts.insert(6, Act(url, "advance", round_id=round_id, seat="secretary"))
    answers = run(workers, acts)
    assert answers[6] == DONE
    with Session(store) as session:
        kept = defence_scores(session, round_id)
        assert len(kept) == answers.count(DONE) - 1
        assert session.get_one(Round, round_id).phase == "voting"
        # No score stands in the chain behind the change of phase.
        events = session.scalars(select(AuditEvent).order_by(AuditEvent.number)).all()
        actions = [event.action for event in events]
        change = len(actions) - 1 - actions[::-1].index("advance_round")
        assert "record_defence_score" not in actions[change:]
        assert verify_audit(session).whole


def test_two_tablets_of_one_judge_leave_one_score(store: Engine, workers: Executor) -> None:
    round_id, url = meeting(store, "defence"), url_of(store)
    acts = [Act(url, "score", round_id=round_id, seat=SEATS[0], points=2000 + n) for n in range(6)]
    answers = run(workers, acts)
    assert answers.count(DONE) == 1
    with Session(store) as session:
        assert set(defence_scores(session, round_id).values()) == {2000 + answers.index(DONE)}


def test_paper_that_does_not_agree_holds_the_close(store: Engine) -> None:
    ballot = opened(store)

    def said(yes: int) -> dict[str, dict[str, int]]:
        return {code: dict.fromkeys(CHOICES, 0) | {"yes": yes, "no": 2 - yes} for code in CODES}

    with Session(store) as session, session.begin():
        for seat in SEATS[:2]:
            mark_paper(session, ballot_id=ballot, seat=seat, paper=True, by="a")
        with pytest.raises(RuleError):
            close_ballot(session, ballot_id=ballot, by="a")
        enter_papers(session, ballot_id=ballot, papers=2, counts=said(2), by="a")
        state = enter_papers(session, ballot_id=ballot, papers=2, counts=said(1), by="b")
        assert [(d.code, d.choice) for d in state.differences] == [
            (code, choice) for code in sorted(CODES) for choice in ("yes", "no")
        ]
        with pytest.raises(RuleError):
            close_ballot(session, ballot_id=ballot, by="a")
        # Two equal counts beside a third that differs are no agreement.
        enter_papers(session, ballot_id=ballot, papers=2, counts=said(2), by="c")
        with pytest.raises(RuleError):
            close_ballot(session, ballot_id=ballot, by="a")
        enter_papers(session, ballot_id=ballot, papers=2, counts=said(2), by="b")
        # A paper voter who goes back to the tablet makes the count impossible.
        mark_paper(session, ballot_id=ballot, seat=SEATS[0], paper=False, by="a")
        with pytest.raises(RuleError):
            close_ballot(session, ballot_id=ballot, by="a")
        mark_paper(session, ballot_id=ballot, seat=SEATS[0], paper=True, by="a")
        with pytest.raises(RuleError):
            _cast(session, Act("", "cast", ballot=ballot, seat=SEATS[0]))
        _cast(session, Act("", "cast", ballot=ballot, seat=SEATS[2]))
        counts = close_ballot(session, ballot_id=ballot, by="a")
        assert counts == {code: {"yes": 3} for code in CODES}
