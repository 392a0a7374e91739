"""The public notice of a result: who passed, how long it hangs by working days, what was said."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import xlsxwriter
from flask import (
    Blueprint,
    abort,
    flash,
    redirect,
    render_template,
    request,
    send_file,
    url_for,
)
from flask.wrappers import Response as FlaskResponse
from werkzeug.wrappers import Response

from models.errors import RuleError, Sentence
from models.office_notice import (
    LEAST_DAYS,
    answer_complaint,
    complaints_of,
    days_of,
    log_complaint,
    notices_of,
    post_notice,
    set_day,
)
from models.office_rounds import entrants_of
from models.office_unsealing import is_unsealed, require_unsealed
from models.review import Round
from models.vault_results import ResultNotice
from models.vault_rounds import Entrant, OfficeRound
from scoring.publicity import NoticePeriod, OfficeCalendar, notice_period
from scoring.round_json import strict_json
from webapp.language import sentences_of, t
from webapp.office.app import signed_in, undone, vault
from webapp.office.committee import DESK, opened, opened_or_404, policy_in_force
from webapp.office.outcome import tallies_of
from webapp.office.rounds import round_or_404
from webapp.office.unseal import decisions_of
from webapp.office.work import applicant_of
from webapp.security import allow

pages = Blueprint("publicity", __name__)
MOST_SHOWN = timedelta(days=42)
DAY_CHOICES = {"working": True, "off": False, "published": None}


@dataclass(frozen=True)
class Passed:
    """An applicant as the notice shows one; never an ID number, a point or a code."""

    name: str
    unit: str
    specialty: str
    level: str
    target: str


@dataclass(frozen=True)
class CalendarDay:
    """A day of the notice. `counted`: which working day of the period it is, 0 for none."""

    day: date
    working: bool
    own: bool
    counted: int


@pages.route("/rounds/<int:round_id>/notice")
@allow(*DESK)
def overview(round_id: int) -> str:
    return _page(round_or_404(round_id), [])


def _page(found: OfficeRound, problems: list[str]) -> str:
    there = opened(found)
    values: dict[str, Any] = {"open": there is not None and is_unsealed(vault(), found.id)}
    if there is not None and values["open"]:
        number, _ = decisions_of(there)
        notices = notices_of(vault(), found.id)
        said: list[str] = []
        if notices:
            values["period"], values["days"], said = _calendar(found, notices[-1])
        values |= {
            "number": number,
            "passed": passed_of(found, there, number),
            "notices": notices,
            "complaints": complaints_of(vault(), found.id),
            "own_days": days_of(vault(), found.id),
            "least": least_days(found),
            "today": date.today(),
        }
        problems = [*problems, *said]
    return render_template("notice.html", round=found, there=there, problems=problems, **values)


def least_days(found: OfficeRound) -> int:
    """The policy's working days, and never fewer than five."""
    policy = policy_in_force(found)
    said = policy.publicity.working_days if policy is not None and policy.publicity else 0
    return max(said, LEAST_DAYS)


def _calendar(
    found: OfficeRound, notice: ResultNotice
) -> tuple[NoticePeriod | None, tuple[CalendarDay, ...], list[str]]:
    """(the period, each day from the posting to its end, what the calendar does not know)."""
    own = days_of(vault(), found.id)
    calendar = OfficeCalendar(own)
    posted = date.fromisoformat(notice.posted)
    try:
        period = notice_period(posted, notice.working_days, calendar=calendar)
    except RuleError as error:
        return None, (), sentences_of(error)
    days = []
    for offset in range(min(period.last_day - posted, MOST_SHOWN).days + 1):
        day = posted + timedelta(days=offset)
        counted = period.working_days.index(day) + 1 if day in period.working_days else 0
        working = bool(counted) or (day == posted and _is_working(calendar, day))
        days.append(CalendarDay(day, working, day in own, counted))
    return period, tuple(days), []


def _is_working(calendar: OfficeCalendar, day: date) -> bool:
    """Whether it is known to be a working day; the posting day does not count anyway."""
    try:
        return calendar.is_working_day(day)
    except RuleError:
        return False


def passed_of(found: OfficeRound, there: Round, number: int) -> list[Passed]:
    """Those who passed by tally `number`, in the order of the roster."""
    kept = next((one for one in tallies_of(there) if one.number == number), None)
    if kept is None:
        abort(404)
    items = strict_json(kept.body)["candidates"]
    codes = {item["code"] for item in items if item["decision"] == "pass"}
    return [_passed(person) for person in entrants_of(vault(), found.id) if person.code in codes]


def _passed(person: Entrant) -> Passed:
    row = applicant_of(person)
    return Passed(person.name, person.unit, person.specialty, person.level, row.target_title)


@pages.route("/rounds/<int:round_id>/notice", methods=["POST"])
@allow(*DESK)
def post(round_id: int) -> Response | tuple[str, int]:
    """Notes that the notice of the last tally was posted."""
    found = round_or_404(round_id)
    there = opened_or_404(found)

    def act() -> None:
        require_unsealed(vault(), found.id)
        number, decisions = decisions_of(there)
        if "undetermined" in decisions.values():
            raise RuleError(
                Sentence(
                    "仍有待裁定的候选人。请裁定并锁定新一号汇总后再公示。",
                    "Candidates are still undetermined. Rule on them and lock a new tally first.",
                )
            )
        text = request.form.get("working_days", "").strip()
        days = int(text) if text.isdecimal() and len(text) < 4 else 0
        if days < least_days(found):
            raise RuleError(
                Sentence(
                    f"公示不少于 {least_days(found)} 个工作日。",
                    f"The notice hangs for at least {least_days(found)} working days.",
                )
            )
        post_notice(
            vault(),
            round_id=found.id,
            tally=number,
            posted=_date("posted"),
            working_days=days,
            place=request.form.get("place", ""),
            contact=request.form.get("contact", ""),
            by=signed_in().login,
        )

    return _done(found, act, t("公示已登记。", "The notice is noted."))


@pages.route("/rounds/<int:round_id>/notice/days", methods=["POST"])
@allow(*DESK)
def mark_day(round_id: int) -> Response | tuple[str, int]:
    """A day that the office knows better, such as 肉孜节 and 古尔邦节."""
    found = round_or_404(round_id)

    def act() -> None:
        kind = request.form.get("kind", "")
        if kind not in DAY_CHOICES:
            raise RuleError(Sentence("请选择上班或放假。", "Choose working or off."))
        set_day(
            vault(), round_id=found.id, day=_date("day"), working=DAY_CHOICES[kind],
            by=signed_in().login,
        )  # fmt: skip

    return _done(found, act, t("日历已更新。", "The calendar is updated."))


@pages.route("/rounds/<int:round_id>/notice/complaints", methods=["POST"])
@allow(*DESK)
def complain(round_id: int) -> Response | tuple[str, int]:
    """Writes down what was said against the notice."""
    found = round_or_404(round_id)

    def act() -> None:
        log_complaint(
            vault(),
            round_id=found.id,
            received=_date("received"),
            sender=request.form.get("sender", ""),
            text=request.form.get("text", ""),
            by=signed_in().login,
        )

    return _done(found, act, t("已登记。", "It is written down."))


@pages.route("/rounds/<int:round_id>/notice/complaints/<int:number>", methods=["POST"])
@allow(*DESK)
def answer(round_id: int, number: int) -> Response | tuple[str, int]:
    found = round_or_404(round_id)

    def act() -> None:
        answer_complaint(
            vault(), round_id=found.id, number=number, answer=request.form.get("answer", ""),
            by=signed_in().login,
        )  # fmt: skip

    return _done(found, act, t("答复已保存。", "The answer is kept."))


@pages.route("/rounds/<int:round_id>/notice/<int:number>/print")
@allow(*DESK)
def sheet(round_id: int, number: int) -> str:
    """The notice for the wall."""
    found, there, notice = _notice(round_id, number)
    period, _, problems = _calendar(found, notice)
    return render_template(
        "notice_print.html",
        round=found,
        notice=notice,
        period=period,
        problems=problems,
        passed=passed_of(found, there, notice.tally),
        posted=date.fromisoformat(notice.posted),
    )


@pages.route("/rounds/<int:round_id>/notice/<int:number>.xlsx")
@allow(*DESK)
def workbook(round_id: int, number: int) -> FlaskResponse:
    found, there, notice = _notice(round_id, number)
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False})
    made = book.add_worksheet(t("公示名单", "Public notice"))
    bold = book.add_format({"bold": True, "border": 1})
    made.write_string(
        0,
        0,
        f"{found.name} {t('评审结果公示', 'public notice of the result')}",
        book.add_format({"bold": True}),
    )
    for column, heading in enumerate(_headings()):
        made.write_string(2, column, heading, bold)
    for row, one in enumerate(passed_of(found, there, notice.tally), 1):
        made.write_number(row + 2, 0, row)
        for column, text in enumerate((one.name, one.unit, one.specialty, one.level, one.target)):
            made.write_string(row + 2, column + 1, text)
    made.set_column(1, 1, 14)
    made.set_column(2, 2, 36)
    made.set_column(3, 5, 14)
    book.close()
    out.seek(0)
    return send_file(out, as_attachment=True, download_name=f"{t('公示', 'notice')}-{number}.xlsx")


def _headings() -> tuple[str, ...]:
    return (
        t("序号", "No."),
        t("姓名", "Name"),
        t("工作单位", "Work unit"),
        t("专业", "Specialty"),
        t("级别", "Level"),
        t("拟晋升职务", "Title applied for"),
    )


def _notice(round_id: int, number: int) -> tuple[OfficeRound, Round, ResultNotice]:
    found = round_or_404(round_id)
    there = opened_or_404(found)
    chosen = (one for one in notices_of(vault(), found.id) if one.number == number)
    notice = next(chosen, None) or abort(404)
    return found, there, notice


def _date(name: str) -> date:
    text = request.form.get(name, "").strip()
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = date.min
    if not 2000 <= found.year <= 2100:
        raise RuleError(
            Sentence(f"“{text}”不是日期，请写成 2026-11-30。",
                     f'"{text}" is no date such as 2026-11-30.')
        )  # fmt: skip
    return found


def _done(found: OfficeRound, act: Callable[[], None], said: str) -> Response | tuple[str, int]:
    round_id = found.id
    try:
        act()
    except RuleError as error:
        return _page(round_or_404(round_id), undone(error)), 422
    flash(said)
    return redirect(url_for("publicity.overview", round_id=round_id), 303)
