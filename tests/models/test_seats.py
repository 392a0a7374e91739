"""Seats are added to an open round and go only while nothing was done from them."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from models.audit import AuditEvent
from models.review_access import AccessEvent, SeatCard, SeatDevice
from models.review_sheets import Sheet
from models.rounds import OrderError, record_attendance, record_recusal
from models.seat_access import issue_card, sign_in
from models.seats import add_seats, remove_seat, seats_of
from models.sheets import assign_sheets, save_draft, withdraw_sheet
from tests.models.rounds_sample import CODES, SEATS, sample_round, sheet_id, to_phase


def test_only_new_seats_are_added_and_audited(store: Engine) -> None:
    with Session(store) as session, session.begin():
        round_id = sample_round(session)
        assert add_seats(session, round_id=round_id, seats=["R05", "R01", "R04"], by="x") == [
            "R04",
            "R05",
        ]
        assert seats_of(session, round_id) == [*SEATS, "R04", "R05"]
        assert add_seats(session, round_id=round_id, seats=["R05"], by="x") == []
        told = session.scalars(select(AuditEvent.details).filter_by(action="add_seats")).all()
        assert told == [f'{{"round":{round_id},"seats":["R04","R05"]}}']
        assign_sheets(session, round_id=round_id, pairs=[("R05", CODES[0])], by="x")


def test_no_seat_is_added_once_the_round_is_closed(store: Engine) -> None:
    with Session(store) as session, session.begin():
        round_id = sample_round(session)
        to_phase(session, round_id, "closed")
        with pytest.raises(OrderError):
            add_seats(session, round_id=round_id, seats=["R09"], by="x")


def test_an_untouched_seat_goes_with_its_card_tablet_and_sheets(store: Engine) -> None:
    with Session(store) as session, session.begin():
        round_id = sample_round(session)
        card = issue_card(session, round_id=round_id, seat="R03", by="x")
        assert sign_in(session, number=card.number, secret=card.pin, device="-")
        withdraw_sheet(session, sheet_id=sheet_id(session, round_id, "R03", CODES[0]), by="x")
        record_attendance(session, round_id=round_id, seat="R03", present=True, by="x")
        remove_seat(session, round_id=round_id, seat="R03", by="x")
        assert seats_of(session, round_id) == ["R01", "R02"]
        for table in (SeatCard, SeatDevice):
            assert session.scalars(select(table).filter_by(seat="R03")).all() == []
        assert session.scalars(select(Sheet).filter_by(reviewer="R03")).all() == []
        # What happened at the door stays.
        assert session.scalars(select(AccessEvent).filter_by(seat="R03")).first() is not None


@pytest.mark.parametrize("trace", ["draft", "recusal", "lock"])
def test_a_seat_with_traces_stays(store: Engine, trace: str) -> None:
    with Session(store) as session, session.begin():
        round_id = sample_round(session)
        if trace == "draft":
            sheet = sheet_id(session, round_id, "R02", CODES[0])
            save_draft(session, sheet_id=sheet, scores={}, comment="甲", base_version=0, by="R02")
        elif trace == "recusal":
            add_seats(session, round_id=round_id, seats=["R02"], by="x")
            record_recusal(
                session, round_id=round_id, reviewer="R02", code=CODES[0], reason="-", by="x"
            )
        else:
            to_phase(session, round_id, "locked")
        with pytest.raises(OrderError):
            remove_seat(session, round_id=round_id, seat="R02", by="x")
        assert "R02" in seats_of(session, round_id)


def test_the_recusal_alone_is_a_trace(store: Engine) -> None:
    """Also where the seat never had a sheet."""
    with Session(store) as session, session.begin():
        round_id = sample_round(session)
        add_seats(session, round_id=round_id, seats=["R04"], by="x")
        record_recusal(
            session, round_id=round_id, reviewer="R04", code=CODES[0], reason="-", by="x"
        )
        with pytest.raises(OrderError):
            remove_seat(session, round_id=round_id, seat="R04", by="x")
