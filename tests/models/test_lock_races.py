"""The lock under load: a late sheet and two secretaries are decided by one transaction each.

Threads and separate processes, on SQLite with its log of writes and on PostgreSQL.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from functools import partial
from secrets import token_hex
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from models.audit import AuditEvent, verify_audit
from models.base import open_store
from models.candidates import NewCandidate, add_candidates, disqualify
from models.review import Round, Tally
from models.review_sheets import Sheet
from models.round_export import export_round
from models.round_policies import PolicyChange, replace_policy
from models.rounds import get_round, lock_round, open_round
from models.sheets import (
    CriterionRule,
    assign_sheets,
    correct_sheet,
    exclude_sheet,
    reopen_sheet,
    save_draft,
    submit_sheet,
    withdraw_sheet,
)
from models.tallies import freeze_tally
from tests.models.races import (
    DONE,
    REFUSED,
    Work,
    other_process,
    pools,
    run,
    run_during,
    url_of,
    workers,
)

__all__ = ["other_process", "pools", "workers"]  # fixtures

CODE, OTHER = "K7QF-3M", "B2XW-9T"
SEATS = tuple(f"R{n:02d}" for n in range(1, 13))
LATE = SEATS[-1]
RULE = (CriterionRule("a", 10_000, 50),)


def submit(session: Session, *, seat: str, round_id: int) -> None:
    submit_sheet(
        session, sheet_id=of(session, seat, round_id).id, scores={"a": 5000}, comment="",
        base_version=0, rules=RULE, by=seat,
    )  # fmt: skip


def save(session: Session, *, seat: str, round_id: int) -> None:
    save_draft(
        session, sheet_id=of(session, seat, round_id).id, scores={"a": 50}, comment="",
        base_version=0, by=seat,
    )  # fmt: skip


def lock(session: Session, *, by: str, round_id: int) -> None:
    lock_round(session, round_id=round_id, min_sheets=1, by=by)


def leave_out_and_lock(session: Session, *, by: str, round_id: int) -> None:
    """What a secretary does when the time is up."""
    get_round(session, round_id, change=True)
    for sheet in session.scalars(select(Sheet).filter_by(round_id=round_id, state="open")).all():
        exclude_sheet(session, sheet_id=sheet.id, reason="逾期未交", by=by)
    lock(session, by=by, round_id=round_id)


def reopen(session: Session, *, seat: str, round_id: int) -> None:
    sheet_id = of(session, seat, round_id).id
    reopen_sheet(session, sheet_id=sheet_id, reason="评委要求", by="secretary")


def withdraw(session: Session, *, seat: str, round_id: int) -> None:
    withdraw_sheet(session, sheet_id=of(session, seat, round_id).id, by="secretary")


def assign(session: Session, *, seat: str, round_id: int) -> None:
    assign_sheets(session, round_id=round_id, pairs=[(seat, OTHER)], by="secretary")


def freeze(session: Session, *, by: str, round_id: int, again: bool = False) -> None:
    """Counts what the store holds and keeps it, as the screen does; `again`: by two, reasoned."""
    get_round(session, round_id, change=True)
    document = export_round(session, round_id)
    document["sha256"] = hashlib.sha256(json.dumps(document).encode()).hexdigest()
    freeze_tally(
        session, round_id=round_id, body=json.dumps(document), by=by,
        reason="漏加" if again else "", confirmed_by="admin" if again else None,
    )  # fmt: skip


def correct(session: Session, *, seat: str, round_id: int) -> None:
    sheet = of(session, seat, round_id)
    correct_sheet(
        session, sheet_id=sheet.id, scores={"a": 9000}, base_version=sheet.version, rules=RULE,
        reason="漏加", by="secretary", confirmed_by="admin",
    )  # fmt: skip


def replace(session: Session, *, round_id: int) -> None:
    replace_policy(
        session, round_id=round_id, text="[x]", places=1, change=PolicyChange(False, False),
        reason="改正", by="secretary",
    )  # fmt: skip


def of(session: Session, seat: str, round_id: int) -> Sheet:
    return session.scalars(select(Sheet).filter_by(reviewer=seat, round_id=round_id)).one()


def scored(store: Engine, *, submitted: Sequence[str] = ()) -> int:
    """A round where every seat has one dossier; the `submitted` ones are done with it."""
    # The experts' process turns the log of writes on, for everybody.
    engine = open_store(url_of(store), many_writers=True)
    with Session(engine) as session, session.begin():
        found = open_round(
            session, name=token_hex(4), year=2024, places=2, committee_members=len(SEATS),
            policy_text="", seats=SEATS, by="office",
        )  # fmt: skip
        candidates = [
            NewCandidate(CODE, "实验技术", "中级", "not_required"),
            NewCandidate(OTHER, "实验技术", "中级", "not_required"),
        ]
        add_candidates(session, round_id=found.id, candidates=candidates, by="office")
        disqualify(session, round_id=found.id, code=OTHER, reason="撤回申报", by="office")
        pairs = [(seat, CODE) for seat in SEATS]
        assign_sheets(session, round_id=found.id, pairs=pairs, by="office")
        for seat in submitted:
            submit(session, seat=seat, round_id=found.id)
        round_id = found.id
    engine.dispose()
    return round_id


def locked(store: Engine) -> int:
    round_id = scored(store, submitted=SEATS)
    with Session(store) as session, session.begin():
        lock(session, by="secretary", round_id=round_id)
    return round_id


def phase(store: Engine, round_id: int) -> str:
    with Session(store) as session:
        return session.get_one(Round, round_id).phase


def sheets(store: Engine, round_id: int) -> dict[str, tuple[str, int]]:
    """Seat -> (state, version)."""
    with Session(store) as session:
        found = session.scalars(select(Sheet).filter_by(round_id=round_id, code=CODE))
        return {sheet.reviewer: (sheet.state, sheet.version) for sheet in found}


def events(store: Engine) -> list[tuple[str, dict[str, Any]]]:
    """What the chain says was done, in its order; it must be whole."""
    with Session(store) as session:
        assert verify_audit(session).whole
        found = session.scalars(select(AuditEvent).order_by(AuditEvent.number))
        return [(event.action, json.loads(event.details)) for event in found]


def tallies(store: Engine, round_id: int) -> list[Tally]:
    with Session(store) as session:
        chosen = select(Tally).filter_by(round_id=round_id).order_by(Tally.number)
        return list(session.scalars(chosen))


def test_the_lock_waits_for_a_sheet_that_is_coming_in(
    store: Engine, other_process: Executor
) -> None:
    for keep in (True, False):
        round_id = scored(store, submitted=SEATS[:-1])
        coming = partial(submit, seat=LATE, round_id=round_id)
        act = partial(lock, by="secretary", round_id=round_id)
        answer = run_during(other_process, store, coming, act, keep=keep)
        assert answer == (DONE if keep else REFUSED)
        assert phase(store, round_id) == ("locked" if keep else "scoring")
        assert sheets(store, round_id)[LATE] == (("submitted", 1) if keep else ("open", 0))


@pytest.mark.parametrize("late", [submit, save])
def test_a_sheet_that_comes_at_the_moment_of_lock_waits_and_is_too_late(
    store: Engine, other_process: Executor, late: Callable[..., None]
) -> None:
    for keep in (True, False):
        round_id = scored(store, submitted=SEATS[:-1])
        act = partial(leave_out_and_lock, by="secretary", round_id=round_id)
        coming = partial(late, seat=LATE, round_id=round_id)
        answer = run_during(other_process, store, act, coming, keep=keep)
        assert answer == (REFUSED if keep else DONE)
        assert phase(store, round_id) == ("locked" if keep else "scoring")
        undone = ("submitted" if late is submit else "open", 1)
        assert sheets(store, round_id)[LATE] == (("excluded", 0) if keep else undone)


def test_every_late_sheet_is_counted_or_refused_and_two_secretaries_lock_once(
    store: Engine, workers: Executor
) -> None:
    round_id = scored(store, submitted=SEATS[:1])
    works: list[Work] = [partial(submit, seat=seat, round_id=round_id) for seat in SEATS[1:]]
    for at, by in ((3, "secretary"), (8, "admin")):
        works.insert(at, partial(leave_out_and_lock, by=by, round_id=round_id))
    answers = run(workers, store, works)
    assert Counter((answers.pop(8), answers.pop(3))) == {DONE: 1, REFUSED: 1}
    kept = {seat for seat, answer in zip(SEATS[1:], answers, strict=True) if answer == DONE}
    kept.add(SEATS[0])
    assert sheets(store, round_id) == {
        seat: ("submitted", 1) if seat in kept else ("excluded", 0) for seat in SEATS
    }
    with Session(store) as session:
        counted = [s for s in export_round(session, round_id)["sheets"] if not s["excluded"]]
    assert {sheet["reviewer"] for sheet in counted} == kept
    # No sheet stands in the chain behind the lock.
    actions = [action for action, _ in events(store)]
    assert actions.count("lock_round") == 1 and actions[-1] == "lock_round"


@pytest.mark.parametrize("other", [reopen, assign])
def test_no_sheet_is_open_behind_the_lock(
    store: Engine, other_process: Executor, other: Callable[..., None]
) -> None:
    for lock_first in (True, False):
        round_id = scored(store, submitted=SEATS)
        acts = [
            partial(lock, by="secretary", round_id=round_id),
            partial(other, seat=LATE, round_id=round_id),
        ]
        first, second = acts if lock_first else acts[::-1]
        assert run_during(other_process, store, first, second) == REFUSED
        assert phase(store, round_id) == ("locked" if lock_first else "scoring")
        with Session(store) as session:
            waiting = session.scalars(select(Sheet).filter_by(round_id=round_id, state="open"))
            assert bool(waiting.all()) != lock_first


def test_a_sheet_is_not_taken_back_while_its_reviewer_begins_it(
    store: Engine, other_process: Executor
) -> None:
    round_id = scored(store)
    first, then = (partial(act, seat=LATE, round_id=round_id) for act in (save, withdraw))
    assert run_during(other_process, store, first, then) == REFUSED
    assert sheets(store, round_id)[LATE] == ("open", 1)


def test_the_policy_is_not_replaced_while_a_reviewer_begins_a_sheet(
    store: Engine, other_process: Executor
) -> None:
    for keep in (True, False):
        round_id = scored(store)
        first, then = (
            partial(save, seat=LATE, round_id=round_id),
            partial(replace, round_id=round_id),
        )
        answer = run_during(other_process, store, first, then, keep=keep)
        assert answer == (REFUSED if keep else DONE)


def test_a_second_secretary_waits_for_the_first_ones_tally(
    store: Engine, other_process: Executor
) -> None:
    for keep in (True, False):
        round_id = locked(store)
        first, then = (partial(freeze, by=by, round_id=round_id) for by in ("secretary", "admin"))
        answer = run_during(other_process, store, first, then, keep=keep)
        assert answer == (REFUSED if keep else DONE)
        kept = [(tally.number, tally.by) for tally in tallies(store, round_id)]
        assert kept == [(1, "secretary" if keep else "admin")]


def test_secretaries_who_lock_the_tally_at_once_lock_it_once(
    store: Engine, workers: Executor
) -> None:
    round_id = locked(store)
    works = [partial(freeze, by=f"secretary{n}", round_id=round_id) for n in range(6)]
    answers = run(workers, store, works)
    assert Counter(answers) == {DONE: 1, REFUSED: 5}
    (kept,) = tallies(store, round_id)
    assert (kept.number, kept.by) == (1, f"secretary{answers.index(DONE)}")
    # Corrections at once get a number each, say it, and are in the chain.
    works = [partial(freeze, by=f"secretary{n}", round_id=round_id, again=True) for n in range(6)]
    assert set(run(workers, store, works)) == {DONE}
    found = tallies(store, round_id)
    assert [tally.number for tally in found] == list(range(1, 8))
    assert [json.loads(tally.body)["version"] for tally in found] == list(range(1, 8))
    said = [details["sha256"] for action, details in events(store) if action == "freeze_tally"]
    assert said == [hashlib.sha256(tally.body.encode()).hexdigest() for tally in found]


def test_a_tally_holds_just_the_corrections_before_it(store: Engine, workers: Executor) -> None:
    round_id = locked(store)
    works: list[Work] = [partial(correct, seat=seat, round_id=round_id) for seat in SEATS[:8]]
    works.insert(4, partial(freeze, by="secretary", round_id=round_id))
    assert set(run(workers, store, works)) == {DONE}
    (kept,) = tallies(store, round_id)
    actions = [action for action, _ in events(store)]
    before = actions[: actions.index("freeze_tally")].count("correct_sheet")
    assert len(json.loads(kept.body)["corrections"]) == before


def test_a_tally_waits_for_a_correction_that_is_being_made(
    store: Engine, other_process: Executor
) -> None:
    round_id = locked(store)
    first = partial(correct, seat=LATE, round_id=round_id)
    then = partial(freeze, by="secretary", round_id=round_id)
    assert run_during(other_process, store, first, then) == DONE
    (kept,) = tallies(store, round_id)
    assert len(json.loads(kept.body)["corrections"]) == 1
