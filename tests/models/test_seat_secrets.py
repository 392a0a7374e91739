"""A secret is held against a card before the store is locked; what happened since still counts."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import Executor
from functools import partial

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from models.errors import RuleError
from models.review_access import SeatCard
from models.seat_access import (
    TRIES,
    IssuedCard,
    Tried,
    issue_card,
    key_of_number,
    revoke_card,
    sign_in,
    try_secret,
)
from tests.models.races import DONE, REFUSED, pools, run, workers
from tests.models.rounds_sample import SEATS, sample_round

__all__ = ["pools", "workers"]  # fixtures


@pytest.fixture
def card(store: Engine) -> tuple[int, IssuedCard]:
    """The round and the card of its first seat."""
    with Session(store) as session, session.begin():
        round_id = sample_round(session)
        return round_id, issue_card(session, round_id=round_id, seat=SEATS[0], by="office")


def enter(session: Session, *, card: IssuedCard, secret: str, tried: Tried) -> str | None:
    return sign_in(session, number=card.number, secret=secret, device="", tried=tried)


def held(store: Engine, card: IssuedCard, secret: str) -> Tried:
    with Session(store.execution_options(read_only=True)) as session:
        return try_secret(key_of_number(session, card.number), secret)


def test_a_card_that_was_let_go_or_drawn_anew_meanwhile_opens_nothing(
    store: Engine, card: tuple[int, IssuedCard]
) -> None:
    round_id, made = card
    tried = held(store, made, made.pin)
    assert tried.opens and made.pin not in repr(tried) and "argon2" not in repr(tried)
    with Session(store) as session:
        assert enter(session, card=made, secret=made.pin, tried=tried)
        session.rollback()
        revoke_card(session, round_id=round_id, seat=SEATS[0], by="office")
        assert enter(session, card=made, secret=made.pin, tried=tried) is None
        session.rollback()
        # The number stays, the PIN is another one.
        new = issue_card(session, round_id=round_id, seat=SEATS[0], by="office")
        session.get_one(SeatCard, (round_id, SEATS[0])).number = made.number
        assert enter(session, card=made, secret=made.pin, tried=tried) is None
        late = held(store, made, new.pin)
        assert not late.opens
        assert enter(session, card=made, secret=new.pin, tried=late)


def test_a_locked_card_is_not_tried_and_a_pin_that_was_right_before_comes_too_late(
    store: Engine, card: tuple[int, IssuedCard]
) -> None:
    made = card[1]
    right, wrong = held(store, made, made.pin), held(store, made, "000000x")
    with Session(store) as session, session.begin():
        for _ in range(TRIES):
            assert enter(session, card=made, secret="000000x", tried=wrong) is None
    with Session(store) as session, pytest.raises(RuleError):
        enter(session, card=made, secret=made.pin, tried=right)
    # While it is locked no guess costs the time of a hash, and none is answered.
    locked = held(store, made, made.pin)
    assert locked.key is not None and (locked.key.pin_hash, locked.opens) == ("", False)
    with Session(store) as session:
        session.get_one(SeatCard, (card[0], SEATS[0])).locked_until = ""
        assert enter(session, card=made, secret=made.pin, tried=locked)


def test_guesses_at_once_are_counted_one_by_one(
    store: Engine, workers: Executor, card: tuple[int, IssuedCard]
) -> None:
    made = card[1]
    tried = held(store, made, "000000x")
    guess = partial(enter, card=made, secret="000000x", tried=tried)
    assert Counter(run(workers, store, [guess] * 12)) == {DONE: TRIES, REFUSED: 12 - TRIES}
