"""Submission counter and the clock after a return, as each notice words them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.submissions import (
    EventKind,
    SubmissionEvent,
    SubmissionLogError,
    SubmissionRule,
    standing,
)

CHINA = timezone(timedelta(hours=8))
START = datetime(2024, 8, 1, 9, 0, tzinfo=CHINA)
FORESTRY = SubmissionRule(max_times=2, clause="林业")
WATER = SubmissionRule(max_times=3, clause="水利")
SCIENCE = SubmissionRule(max_times=3, revise_hours=48, clause="科技")


def log(*kinds: EventKind, hours: int = 1) -> list[SubmissionEvent]:
    return [
        SubmissionEvent(kind, START + timedelta(hours=hours * n)) for n, kind in enumerate(kinds)
    ]


def later(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def test_forestry_closes_after_two() -> None:
    once = standing(FORESTRY, log("submitted", "returned"), later(9))
    assert (once.state, once.left, once.may_submit) == ("to_revise", 1, True)
    twice = standing(FORESTRY, log("submitted", "returned", "submitted", "returned"), later(9))
    assert (twice.state, twice.left, twice.may_submit) == ("closed", 0, False)
    assert "林业" in twice.sentence.zh


def test_water_third_return_ends_the_year() -> None:
    two = standing(WATER, log(*("submitted", "returned") * 2), later(9))
    assert two.state == "to_revise"
    three = standing(WATER, log(*("submitted", "returned") * 3), later(9))
    assert (three.state, three.returns) == ("closed", 3)


def test_third_submission_is_still_examined() -> None:
    waiting = standing(
        WATER, log("submitted", "returned", "submitted", "returned", "submitted"), later(9)
    )
    assert (waiting.state, waiting.left) == ("with_office", 0)


def test_clock_of_48_hours_to_the_second() -> None:
    events = log("submitted", "returned")
    returned = events[-1].at
    at_deadline = standing(SCIENCE, events, returned + timedelta(hours=48))
    assert at_deadline.may_submit
    assert at_deadline.deadline == returned + timedelta(hours=48)
    late = standing(SCIENCE, events, returned + timedelta(hours=48, seconds=1))
    assert (late.state, late.may_submit) == ("withdrawn", False)


def test_a_late_resubmission_in_the_log_is_refused() -> None:
    events = [
        *log("submitted", "returned"),
        SubmissionEvent("submitted", later(1) + timedelta(hours=49)),
    ]
    with pytest.raises(SubmissionLogError) as error:
        standing(SCIENCE, events, later(90))
    assert "48" in error.value.sentences[0].zh


def test_the_clock_counts_elapsed_hours_over_a_change_of_zone_offset() -> None:
    # Berlin left summer time on 2024-10-27; 48 elapsed hours end at 11:00 by the wall clock.
    zone = ZoneInfo("Europe/Berlin")
    events = [
        SubmissionEvent("submitted", datetime(2024, 10, 26, 11, tzinfo=zone)),
        SubmissionEvent("returned", datetime(2024, 10, 26, 12, tzinfo=zone)),
    ]
    found = standing(SCIENCE, events, datetime(2024, 10, 27, 12, tzinfo=zone))
    assert found.deadline is not None
    assert found.deadline.astimezone(UTC) == datetime(2024, 10, 28, 10, tzinfo=UTC)


def test_silent_rules_give_no_limit_and_no_clock() -> None:
    found = standing(SubmissionRule(), log(*("submitted", "returned") * 7), later(9000))
    assert (found.state, found.left, found.deadline) == ("to_revise", None, None)


def test_accepted_is_final() -> None:
    events = log("submitted", "accepted")
    assert not standing(SCIENCE, events, later(9)).may_submit
    with pytest.raises(SubmissionLogError):
        standing(SCIENCE, [*events, SubmissionEvent("returned", later(3))], later(9))


def test_all_naive_times_are_reported_at_once() -> None:
    naive = datetime(2024, 8, 1, 9)
    with pytest.raises(SubmissionLogError) as error:
        standing(
            SubmissionRule(max_times=0),
            [SubmissionEvent("submitted", naive), SubmissionEvent("returned", naive)],
            naive,
        )
    assert len(error.value.sentences) == 4


def test_order_of_time_is_checked() -> None:
    with pytest.raises(SubmissionLogError) as error:
        standing(SCIENCE, [*log("submitted"), SubmissionEvent("returned", later(-1))], later(5))
    assert len(error.value.sentences) == 1


def test_every_impossible_entry_is_named() -> None:
    with pytest.raises(SubmissionLogError) as error:
        standing(WATER, log("returned", "accepted"), later(5))
    assert len(error.value.sentences) == 2


@given(st.integers(1, 6), st.integers(0, 12))
def test_never_more_than_max_times(limit: int, returns: int) -> None:
    rule = SubmissionRule(max_times=limit)
    events: list[SubmissionEvent] = []
    moment = START
    for _ in range(returns):
        if not standing(rule, events, moment).may_submit:
            break
        for kind in ("submitted", "returned"):
            moment += timedelta(hours=1)
            events.append(SubmissionEvent(kind, moment))
    final = standing(rule, events, moment)
    assert final.submissions == min(returns, limit)
    assert final.may_submit == (returns < limit)
