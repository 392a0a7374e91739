"""Secret ballots: who may vote, once, in time; and nothing left that ties a vote to a voter."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from models.audit import AuditEvent
from models.ballots import cast_ballot, close_ballot, open_ballot
from models.review_ballots import BallotItem, Vote, VoterRoll
from models.rounds import (
    InputError,
    OrderError,
    advance_round,
    record_attendance,
    record_recusal,
)
from tests.models.rounds_sample import CODES, SEATS, sample_round, to_phase

A, B = CODES


def opened(session: Session) -> tuple[int, str]:
    round_id = sample_round(session)
    to_phase(session, round_id, "voting")
    record_recusal(session, round_id=round_id, reviewer="R03", code=B, reason="亲属", by="o")
    return round_id, open_ballot(session, round_id=round_id, codes=CODES, by="o")


def vote(session: Session, ballot: str, seat: str, **choices: str) -> None:
    cast_ballot(
        session,
        ballot_id=ballot,
        reviewer=seat,
        choices={CODES[int(k[1])]: v for k, v in choices.items()},
    )


def test_counts_and_recusal(store: Engine) -> None:
    with Session(store) as session, session.begin():
        _, ballot = opened(session)
        vote(session, ballot, "R01", c0="yes", c1="abstain")
        vote(session, ballot, "R02", c0="yes", c1="spoiled")
        vote(session, ballot, "R03", c0="no")
        counts = close_ballot(session, ballot_id=ballot, by="o")
        assert counts == {A: {"yes": 2, "no": 1}, B: {"abstain": 1, "spoiled": 1}}
        item = session.get_one(BallotItem, (ballot, B))
        assert (item.yes, item.no, item.abstain, item.spoiled, item.recused) == (0, 0, 1, 1, 1)


def test_one_vote_each_and_none_after_the_close(store: Engine) -> None:
    with Session(store) as session, session.begin():
        _, ballot = opened(session)
        vote(session, ballot, "R01", c0="yes", c1="yes")
        with pytest.raises(OrderError):
            vote(session, ballot, "R01", c0="no", c1="no")
        close_ballot(session, ballot_id=ballot, by="o")
        with pytest.raises(OrderError):
            vote(session, ballot, "R02", c0="yes", c1="yes")
        with pytest.raises(OrderError):
            close_ballot(session, ballot_id=ballot, by="o")
        assert session.get_one(BallotItem, (ballot, A)).yes == 1


def test_closing_waits_for_a_vote_that_is_being_cast(store: Engine) -> None:
    with Session(store) as session, session.begin():
        _, ballot = opened(session)

    def close() -> int:
        with Session(store) as other, other.begin():
            return close_ballot(other, ballot_id=ballot, by="o")[A]["yes"]

    with ThreadPoolExecutor(1) as pool, Session(store) as session:
        vote(session, ballot, "R01", c0="yes", c1="yes")
        waiting = pool.submit(close)
        with pytest.raises(TimeoutError):
            waiting.result(timeout=0.3)
        session.commit()
        assert waiting.result(timeout=30) == 1


def test_nobody_is_recused_from_a_ballot_whose_counts_are_known(store: Engine) -> None:
    with Session(store) as session, session.begin():
        round_id, ballot = opened(session)
        vote(session, ballot, "R01", c0="yes", c1="yes")
        close_ballot(session, ballot_id=ballot, by="o")
        with pytest.raises(OrderError, match=A):
            record_recusal(session, round_id=round_id, reviewer="R02", code=A, reason="r", by="o")


def test_two_tablets_of_one_voter_count_once(store: Engine) -> None:
    with Session(store) as session, session.begin():
        _, ballot = opened(session)

    def again() -> None:
        with Session(store) as other, other.begin():
            vote(other, ballot, "R01", c0="no", c1="no")

    with ThreadPoolExecutor(1) as pool, Session(store) as session:
        vote(session, ballot, "R01", c0="yes", c1="yes")
        second = pool.submit(again)
        with pytest.raises(TimeoutError):
            second.result(timeout=0.3)
        session.commit()
        with pytest.raises(OrderError):
            second.result(timeout=30)
        assert set(session.scalars(select(Vote.choice))) == {"yes"}


def test_readers_do_not_wait_for_a_writer(store: Engine) -> None:
    with Session(store) as session, session.begin():
        opened(session)
    with Session(store) as writer, Session(store.execution_options(read_only=True)) as reader:
        seats = writer.scalars(select(VoterRoll.reviewer)).all()
        assert reader.scalars(select(VoterRoll.reviewer)).all() == seats


def test_wrong_papers_are_refused_whole(store: Engine) -> None:
    with Session(store) as session, session.begin():
        _, ballot = opened(session)
        with pytest.raises(InputError):
            vote(session, ballot, "R01", c0="yes")
        with pytest.raises(InputError):
            vote(session, ballot, "R01", c0="yes", c1="maybe")
        with pytest.raises(InputError):
            vote(session, ballot, "R03", c0="yes", c1="yes")
        with pytest.raises(InputError):
            vote(session, ballot, "R99", c0="yes", c1="yes")
        assert session.scalars(select(Vote)).all() == []
        assert not any(session.scalars(select(VoterRoll.has_voted)))


def test_absent_seats_have_no_vote_and_the_quorum_holds(store: Engine) -> None:
    with Session(store) as session, session.begin():
        round_id = sample_round(session)
        to_phase(session, round_id, "voting")
        record_attendance(session, round_id=round_id, seat="R03", present=False, by="o")
        record_attendance(session, round_id=round_id, seat="R02", present=False, by="o")
        with pytest.raises(OrderError):
            open_ballot(session, round_id=round_id, codes=CODES, by="o")
        record_attendance(session, round_id=round_id, seat="R02", present=True, by="o")
        ballot = open_ballot(session, round_id=round_id, codes=CODES, by="o")
        with pytest.raises(InputError):
            vote(session, ballot, "R03", c0="yes", c1="yes")


def test_an_open_ballot_freezes_attendance_recusals_and_phase(store: Engine) -> None:
    with Session(store) as session, session.begin():
        round_id, _ = opened(session)
        with pytest.raises(OrderError):
            record_attendance(session, round_id=round_id, seat="R01", present=False, by="o")
        with pytest.raises(OrderError):
            record_recusal(session, round_id=round_id, reviewer="R01", code=A, reason="r", by="o")
        with pytest.raises(OrderError):
            advance_round(session, round_id=round_id, to="closed", by="o")
        with pytest.raises(OrderError):
            open_ballot(session, round_id=round_id, codes=CODES, by="o")


def test_no_event_or_order_tells_who_voted_what(store: Engine) -> None:
    with Session(store) as session, session.begin():
        _, ballot = opened(session)
        events = session.scalars(select(AuditEvent)).all()
        for seat in SEATS:
            vote(session, ballot, seat, c0="yes", **({} if seat == "R03" else {"c1": "no"}))
        assert len(session.scalars(select(AuditEvent)).all()) == len(events)
        before = set(session.scalars(select(Vote.id)))
    with Session(store) as session, session.begin():
        close_ballot(session, ballot_id=ballot, by="o")
        last = session.scalars(select(AuditEvent).order_by(AuditEvent.number.desc())).first()
        assert last is not None
        assert not any(seat in last.details for seat in SEATS)
        assert json.loads(last.details)["voted"] == 3
        after = set(session.scalars(select(Vote.id)))
    assert len(after) == len(before) == 5
    assert not after & before
    with store.connect() as connection:
        if store.dialect.name == "postgresql":
            # The hidden number of the writing transaction is one and the same for all rows.
            query = (
                "SELECT xmin::text FROM vote UNION SELECT xmin::text FROM voter_roll "
                "UNION SELECT xmin::text FROM receipt"
            )
            assert len(connection.execute(text(query)).all()) == 1
            stored = list(connection.scalars(text("SELECT id FROM vote ORDER BY ctid")))
        else:
            stored = list(connection.scalars(text("SELECT id FROM vote")))
        assert stored == sorted(stored)


def test_a_ballot_waits_for_the_voting_phase(store: Engine) -> None:
    with Session(store) as session, session.begin():
        round_id = sample_round(session)
        with pytest.raises(OrderError):
            open_ballot(session, round_id=round_id, codes=CODES, by="o")
        to_phase(session, round_id, "defence")
        with pytest.raises(OrderError):
            open_ballot(session, round_id=round_id, codes=CODES, by="o")
