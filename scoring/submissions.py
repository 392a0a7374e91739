"""How often an applicant may submit, and the clock that runs after a return."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Literal

from models.errors import RuleError, Sentence

EventKind = Literal["submitted", "returned", "accepted"]
State = Literal["not_submitted", "with_office", "to_revise", "accepted", "withdrawn", "closed"]


class SubmissionLogError(RuleError):
    """A submission log that the rules do not allow; `sentences` names every bad entry."""


@dataclass(frozen=True)
class SubmissionRule:
    """The notice's rule. None means that the notice is silent: no limit, or no clock.

    `max_times` counts submissions, the first included. `revise_hours` are elapsed hours after a
    return. `clause` is quoted in the sentences.
    """

    max_times: int | None = None
    revise_hours: int | None = None
    clause: str = ""


@dataclass(frozen=True)
class SubmissionEvent:
    """One entry of an applicant's log; `at` must carry a time zone."""

    kind: EventKind
    at: datetime


@dataclass(frozen=True)
class Standing:
    """Where an applicant stands: `left` submissions (None: no limit) and the clock's end."""

    state: State
    submissions: int
    returns: int
    left: int | None
    deadline: datetime | None
    sentence: Sentence

    @property
    def may_submit(self) -> bool:
        return self.state in ("not_submitted", "to_revise")


def standing(rule: SubmissionRule, log: Sequence[SubmissionEvent], now: datetime) -> Standing:
    """Where the applicant with this `log` stands at `now` (time zone required).

    A submission at the very second of the deadline is in time. A return of the last submission
    allowed closes the application ("at most 2, then closed"; "the third return ends the year").
    Raises SubmissionLogError with every entry that has no time zone, is out of order, or that the
    rule does not allow.
    """
    _check_times(rule, log, now)
    problems: list[Sentence] = []
    for index, event in enumerate(log):
        current = _at(rule, log[:index], event.at)
        allowed = (
            current.may_submit if event.kind == "submitted" else current.state == "with_office"
        )
        if not allowed:
            problems.append(_bad(index, event, current))
    if problems:
        raise SubmissionLogError(problems)
    return _at(rule, log, now)


def _at(rule: SubmissionRule, log: Sequence[SubmissionEvent], now: datetime) -> Standing:
    """The standing at `now` of a log whose entries are all before `now`."""
    submissions = sum(event.kind == "submitted" for event in log)
    returns = sum(event.kind == "returned" for event in log)
    left = None if rule.max_times is None else max(rule.max_times - submissions, 0)
    last = log[-1] if log else None
    deadline: datetime | None = None
    state: State
    if last is None:
        state = "not_submitted"
    elif last.kind == "submitted":
        state = "with_office"
    elif last.kind == "accepted":
        state = "accepted"
    elif left == 0:
        state = "closed"
    else:
        state = "to_revise"
        if rule.revise_hours is not None:
            # Hours are elapsed hours, so the sum is made in UTC and shown in the zone given.
            end = last.at.astimezone(UTC) + timedelta(hours=rule.revise_hours)
            deadline = end.astimezone(last.at.tzinfo)
            if now > deadline:
                state = "withdrawn"
    return Standing(
        state, submissions, returns, left, deadline, _sentence(rule, state, submissions, deadline)
    )


def _sentence(
    rule: SubmissionRule, state: State, submissions: int, deadline: datetime | None
) -> Sentence:
    clause_zh = f"（依据：{rule.clause}）" if rule.clause else ""
    clause_en = f" (clause: {rule.clause})" if rule.clause else ""
    limit_zh = "不限次数" if rule.max_times is None else f"最多 {rule.max_times} 次"
    limit_en = "no limit" if rule.max_times is None else f"at most {rule.max_times}"
    end_zh = "" if deadline is None else f"，须在 {deadline:%Y-%m-%d %H:%M:%S %z} 前重新提交"
    end_en = "" if deadline is None else f"; submit again by {deadline:%Y-%m-%d %H:%M:%S %z}"
    texts: dict[State, tuple[str, str]] = {
        "not_submitted": ("尚未提交", "Not submitted yet"),
        "with_office": ("已提交，等待审核", "Submitted, waiting for the office"),
        "accepted": ("审核通过", "Accepted by the office"),
        "to_revise": (f"已退回{end_zh}", f"Returned for revision{end_en}"),
        "withdrawn": (
            f"退回后 {rule.revise_hours} 小时内未重新提交，视为放弃申报",
            f"Not submitted again within {rule.revise_hours} hours after the return: "
            "the application counts as withdrawn",
        ),
        "closed": (
            "提交次数已用完且被退回，本年度不再受理",
            "All submissions are used up and the last was returned: closed for this year",
        ),
    }
    zh, en = texts[state]
    return Sentence(
        f"{zh}；已提交 {submissions} 次，{limit_zh}{clause_zh}。",
        f"{en}; {submissions} submissions made, {limit_en}{clause_en}.",
    )


def _bad(index: int, event: SubmissionEvent, before: Standing) -> Sentence:
    words = {"submitted": "提交", "returned": "退回", "accepted": "通过"}
    return Sentence(
        f"第 {index + 1} 条记录（{event.at.isoformat()} {words[event.kind]}）不允许：此前状态为"
        f"“{before.sentence.zh}” 请核对提交记录。",
        f"Entry {index + 1} ({event.kind} at {event.at.isoformat()}) is not allowed: before it, "
        f'the standing was "{before.sentence.en}" Check the submission log.',
    )


def _check_times(rule: SubmissionRule, log: Sequence[SubmissionEvent], now: datetime) -> None:
    """Refuse naive times, times out of order and rules below 1, all at once."""
    problems = [
        Sentence(
            f"{name_zh} 必须至少为 1，现为 {value}。请改正政策文件 [submission]。",
            f"{name_en} must be at least 1, not {value}. Correct [submission] in the policy.",
        )
        for name_zh, name_en, value in (
            ("提交次数上限", "max_times", rule.max_times),
            ("修改时限（小时）", "revise_hours", rule.revise_hours),
        )
        if value is not None and value < 1
    ]
    named = [(f"第 {i + 1} 条记录", f"entry {i + 1}", event.at) for i, event in enumerate(log)]
    named.append(("当前时间", "the current time", now))
    naive = [item for item in named if item[2].utcoffset() is None]
    problems.extend(
        Sentence(
            f"{zh} {at.isoformat()} 没有时区，无法计时。请给出带时区的时间，例如 +08:00。",
            f"{en} {at.isoformat()} has no time zone, so no clock can run on it. "
            "Give the time with its zone, for example +08:00.",
        )
        for zh, en, at in naive
    )
    if not naive:
        problems.extend(
            Sentence(
                f"{zh} {at.isoformat()} 早于其前一个时间 {previous.isoformat()}。请按先后排列。",
                f"{en} {at.isoformat()} lies before the time ahead of it, "
                f"{previous.isoformat()}. Put the entries in order of time.",
            )
            for (_, _, previous), (zh, en, at) in pairwise(named)
            if at < previous
        )
    if problems:
        raise SubmissionLogError(problems)
