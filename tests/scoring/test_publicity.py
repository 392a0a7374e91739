"""Working days of public notices around real holidays, make-up days and unknown years."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.publicity import (
    CalendarUnknownError,
    NoticePeriodError,
    OfficeCalendar,
    check_notice,
    notice_period,
    published_days,
)


def test_plain_week_counts_from_the_day_after_posting() -> None:
    # Monday 2024-03-11; no holiday near.
    assert notice_period(date(2024, 3, 11), 5).last_day == date(2024, 3, 18)
    counted = notice_period(date(2024, 3, 11), 5, count_posting_day=True)
    assert counted.last_day == date(2024, 3, 15)


def test_national_day_is_skipped_and_make_up_days_count() -> None:
    # 2024: off 1 to 7 October; Sunday 29 September and Saturday 12 October are working days.
    period = notice_period(date(2024, 9, 27), 5)
    assert period.working_days == (
        date(2024, 9, 29),
        date(2024, 9, 30),
        date(2024, 10, 8),
        date(2024, 10, 9),
        date(2024, 10, 10),
    )
    assert notice_period(date(2024, 10, 10), 2).last_day == date(2024, 10, 12)


def test_a_notice_over_a_holiday_is_too_short_though_eight_days_long() -> None:
    check = check_notice(date(2024, 9, 30), date(2024, 10, 8), 5)
    assert not check.enough
    assert check.counted == (date(2024, 10, 8),)
    assert "2024-10-12" in check.sentence.zh
    assert "2024-10-12" in check.sentence.en


def test_enough_days() -> None:
    check = check_notice(date(2024, 3, 11), date(2024, 3, 18), 5)
    assert check.enough
    assert len(check.counted) == 5


def test_unknown_year_is_a_sentence_not_a_guess() -> None:
    last = published_days()[1]
    with pytest.raises(CalendarUnknownError) as error:
        notice_period(date(last.year + 2, 3, 1), 5)
    assert "pip install -U chinesecalendar" in error.value.sentences[0].zh
    with pytest.raises(CalendarUnknownError):
        notice_period(date(1999, 3, 1), 5)


def test_the_last_december_days_of_the_last_known_year_are_not_certain() -> None:
    last = published_days()[1]
    with pytest.raises(CalendarUnknownError):
        notice_period(date(last.year, 12, 24), 5)


def test_the_office_may_name_days_that_the_calendar_does_not_know() -> None:
    last = published_days()[1]
    start = date(last.year + 2, 3, 1)
    week = {start + timedelta(days=n): True for n in range(1, 6)}
    assert notice_period(start, 5, calendar=OfficeCalendar(week)).last_day == max(week)


def test_regional_days_off_are_taken_out() -> None:
    day_off = OfficeCalendar({date(2024, 3, 13): False})
    assert notice_period(date(2024, 3, 11), 5, calendar=day_off).last_day == date(2024, 3, 19)


def test_bad_periods_are_refused() -> None:
    with pytest.raises(NoticePeriodError):
        notice_period(date(2024, 3, 11), 0)
    with pytest.raises(NoticePeriodError):
        check_notice(date(2024, 3, 11), date(2024, 3, 10), 5)
    with pytest.raises(NoticePeriodError):
        check_notice(date(2024, 3, 11), date(2024, 3, 20), 0)


@given(st.dates(date(2010, 1, 1), date(2024, 12, 31)), st.integers(1, 12), st.booleans())
def test_a_period_is_exactly_enough_and_a_day_less_is_not(
    posted: date, required: int, count_posting_day: bool
) -> None:
    period = notice_period(posted, required, count_posting_day=count_posting_day)
    assert len(period.working_days) == required
    assert list(period.working_days) == sorted(set(period.working_days))
    assert check_notice(
        posted, period.last_day, required, count_posting_day=count_posting_day
    ).enough
    eve = period.last_day - timedelta(days=1)
    if eve >= posted:
        assert not check_notice(posted, eve, required, count_posting_day=count_posting_day).enough
