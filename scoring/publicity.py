"""Public notices must hang for N working days; this counts them by the Chinese calendar."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

import chinese_calendar

from models.errors import RuleError, Sentence

# The State Council announces a year's days off in the last months of the year before, and New
# Year's bridge days reach back into December (29 to 31 December 2018 is an example). After the
# 25th of the last published year a date is therefore not certain yet.
_LAST_CERTAIN_DECEMBER_DAY = 25


class CalendarUnknownError(RuleError):
    """The calendar does not know some of the days asked for; nothing was guessed."""


class NoticePeriodError(RuleError):
    """A period that cannot be: it ends before it starts, or asks for less than one day."""


@dataclass(frozen=True)
class OfficeCalendar:
    """The published calendar of mainland China, corrected by days that the office knows better.

    `days` maps a date to True (working day) or False (day off). It is how regional days off
    (Xinjiang's days for 肉孜节 and 古尔邦节, which the national calendar does not hold) and a year
    that the installed calendar does not know yet are given.
    """

    days: Mapping[date, bool] = field(default_factory=dict)

    def is_working_day(self, day: date) -> bool:
        """Whether `day` is a working day; CalendarUnknownError if nobody published it."""
        if day in self.days:
            return self.days[day]
        first, last = published_days()
        if not first <= day <= last:
            raise CalendarUnknownError(_unknown(day, first, last))
        return bool(chinese_calendar.is_workday(day))


@dataclass(frozen=True)
class NoticePeriod:
    """A public notice: the day it was posted, the working days that count, the last of them.

    The notice may come down on the day after `last_day`.
    """

    posted: date
    working_days: tuple[date, ...]
    sentence: Sentence

    @property
    def last_day(self) -> date:
        """The last working day on which the notice must still hang."""
        return self.working_days[-1]


@dataclass(frozen=True)
class NoticeCheck:
    """Whether a notice hung long enough; `counted` are the working days that count."""

    enough: bool
    required: int
    counted: tuple[date, ...]
    sentence: Sentence


def published_days() -> tuple[date, date]:
    """First and last day that the installed `chinesecalendar` package is certain about."""
    years = {day.year for day in chinese_calendar.holidays}
    return date(min(years), 1, 1), date(max(years), 12, _LAST_CERTAIN_DECEMBER_DAY)


def notice_period(
    posted: date,
    working_days: int,
    *,
    calendar: OfficeCalendar | None = None,
    count_posting_day: bool = False,
) -> NoticePeriod:
    """The `working_days` (>= 1) working days of a notice posted on `posted`.

    The notices say "not less than 5 working days" and not whether the posting day counts. By
    default it does not, as in article 201 of the Civil Code, which is the longer and so the safe
    reading. Raises CalendarUnknownError for a day that no calendar knows.
    """
    if working_days < 1:
        raise NoticePeriodError(
            Sentence(
                f"公示工作日数必须至少为 1，现为 {working_days}。请改正政策文件 [publicity] 的"
                "working_days。",
                f"The number of working days of a public notice must be at least 1, not "
                f"{working_days}. Correct working_days in [publicity] of the policy.",
            )
        )
    known = calendar or OfficeCalendar()
    day = posted if count_posting_day else posted + timedelta(days=1)
    counted: list[date] = []
    while len(counted) < working_days:
        if known.is_working_day(day):
            counted.append(day)
        day += timedelta(days=1)
    return NoticePeriod(
        posted,
        tuple(counted),
        Sentence(
            f"{posted} 张贴的公示须满 {working_days} 个工作日，最早于 {counted[-1]} 下班后结束。",
            f"A notice posted on {posted} must hang for {working_days} working days and ends "
            f"after office hours on {counted[-1]} at the earliest.",
        ),
    )


def check_notice(
    posted: date,
    taken_down: date,
    required: int,
    *,
    calendar: OfficeCalendar | None = None,
    count_posting_day: bool = False,
) -> NoticeCheck:
    """Whether a notice that hung from `posted` to `taken_down` (whole day) was long enough.

    `taken_down` is the last day on which it hung to the end of office hours. Raises
    NoticePeriodError when it lies before `posted`, CalendarUnknownError as `notice_period` does.
    """
    if taken_down < posted:
        raise NoticePeriodError(
            Sentence(
                f"公示结束日 {taken_down} 早于张贴日 {posted}。请核对两个日期。",
                f"The notice ends on {taken_down}, before it was posted on {posted}. "
                "Check both dates.",
            )
        )
    # Checked even when the notice hung too short, so that a required 0 is never "enough".
    due = notice_period(posted, required, calendar=calendar, count_posting_day=count_posting_day)
    known = calendar or OfficeCalendar()
    first = posted if count_posting_day else posted + timedelta(days=1)
    counted = tuple(
        day
        for offset in range((taken_down - first).days + 1)
        if known.is_working_day(day := first + timedelta(days=offset))
    )
    enough = len(counted) >= required
    if enough:
        sentence = Sentence(
            f"公示 {len(counted)} 个工作日，已满要求的 {required} 个。",
            f"The notice hung for {len(counted)} working days; {required} are required.",
        )
    else:
        sentence = Sentence(
            f"公示只有 {len(counted)} 个工作日，要求不少于 {required} 个。请公示到 {due.last_day}"
            " 或重新公示。",
            f"The notice hung for {len(counted)} working days; at least {required} are required. "
            f"Let it hang to {due.last_day} or post it again.",
        )
    return NoticeCheck(enough, required, counted, sentence)


def _unknown(day: date, first: date, last: date) -> Sentence:
    return Sentence(
        f"不知道 {day} 是否为工作日：已安装的日历只确知 {first} 至 {last}。请在国务院办公厅公布放假"
        "安排后升级 chinesecalendar（pip install -U chinesecalendar），或在办公室日历中逐日注明"
        "上班或放假。",
        f"It is not known whether {day} is a working day: the installed calendar is certain only "
        f"from {first} to {last}. Upgrade chinesecalendar once the days off are announced "
        "(pip install -U chinesecalendar), or mark each day as working or off in the office's "
        "own calendar.",
    )
