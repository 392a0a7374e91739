"""The return list: what each applicant has to mend, sending back, and noting what came again."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import xlsxwriter
from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from models.errors import RuleError, Sentence
from models.office_returns import logs_of, return_dossier, submit_again
from models.vault_rounds import Entrant, OfficeRound
from redactor.quality_list import COLUMNS
from webapp.language import t
from webapp.office.app import signed_in, undone, vault
from webapp.office.checklist import Want, wants_of
from webapp.office.rounds import entrant_or_404, round_or_404
from webapp.office.standing import require_may_submit, require_with_office, rule_of, standing_of
from webapp.security import allow

pages = Blueprint("returns", __name__)
DESK = ("clerk", "admin")
PAGE_LENGTH = 20
"""Applicants; each may have as many rows as pages."""
SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_WIDTHS = (6, 18, 48, 6, 30, 44, 60)


@pages.app_template_filter()
def submission_name(kind: str) -> str:
    """What an entry of an applicant's log is called."""
    return {
        "submitted": t("提交", "submitted"),
        "returned": t("退回", "returned"),
        "accepted": t("通过", "accepted"),
    }[kind]


@pages.route("/rounds/<int:round_id>/returns")
@allow(*DESK)
def overview(round_id: int) -> str:
    return _overview(round_id, [])


def _overview(round_id: int, problems: list[str]) -> str:
    found = round_or_404(round_id)
    entrants, following = _listed(found, request.args.get("after", 0, type=int))
    wants = wants_of(vault(), found, entrants)
    logs = logs_of(vault(), entrants)
    rule = rule_of(found)
    rows = [(e, wants[e.id], standing_of(rule, logs[e.id]), logs[e.id]) for e in entrants]
    return render_template(
        "returns.html",
        round=found,
        rows=rows,
        following=following,
        now=datetime.now().strftime("%Y-%m-%dT%H:%M"),
        problems=problems,
    )


@pages.route("/rounds/<int:round_id>/returns.xlsx")
@allow(*DESK)
def sheet(round_id: int) -> Response:
    """The list for the whole round; it goes to applicants, so it holds no blind code."""
    found = round_or_404(round_id)
    name = f"returns-{found.year}-{found.id}.xlsx"
    response = Response(write_list(_all_rows(found)), mimetype=SHEET_TYPE)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@pages.route("/rounds/<int:round_id>/returns/<int:entrant_id>", methods=["POST"])
@allow(*DESK)
def send_back(round_id: int, entrant_id: int) -> AnyResponse | tuple[str, int]:
    """Sends a dossier back; the policy's clock starts."""
    entrant, found = entrant_or_404(round_id, entrant_id), round_or_404(round_id)
    rule = rule_of(found)
    wants = wants_of(vault(), found, [entrant])[entrant.id]
    try:
        return_dossier(
            vault(),
            entrant_id=entrant.id,
            reason=request.form.get("reason", ""),
            found=[want.sentence.zh for want in wants],
            allow=lambda log: require_with_office(rule, log),
            by=signed_in().login,
        )
    except RuleError as error:
        return _refused(round_id, error)
    flash(t(f"{entrant.name} 的材料已退回。", f"The dossier of {entrant.name} was sent back."))
    return _to_row(round_id, entrant)


@pages.route("/rounds/<int:round_id>/returns/<int:entrant_id>/again", methods=["POST"])
@allow(*DESK)
def came_again(round_id: int, entrant_id: int) -> AnyResponse | tuple[str, int]:
    """Notes that a returned dossier was submitted again, at the time that the form gives."""
    entrant, found = entrant_or_404(round_id, entrant_id), round_or_404(round_id)
    rule = rule_of(found)
    try:
        at = _moment(request.form.get("at", ""))
        submit_again(
            vault(),
            entrant_id=entrant.id,
            at=at.isoformat(timespec="microseconds"),
            allow=lambda log: require_may_submit(rule, log, at),
            by=signed_in().login,
        )
    except RuleError as error:
        return _refused(round_id, error)
    flash(t(f"{entrant.name} 已重新提交。", f"{entrant.name} has submitted again."))
    return _to_row(round_id, entrant)


def write_list(rows: Iterator[tuple[Entrant, Want]]) -> bytes:
    """The list as .xlsx with the columns of the redactor's quality list, in Chinese."""
    buffer = io.BytesIO()
    # A cell is what was typed: a file name that begins with = is no formula.
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(buffer, options) as book:
        page = book.add_worksheet("需重新提交")
        page.write_row(0, 0, COLUMNS, book.add_format({"bold": True, "bottom": 1}))
        wrapped = book.add_format({"text_wrap": True, "valign": "top"})
        for at, (entrant, want) in enumerate(rows, 1):
            cells = (entrant.number, entrant.name, want.file, want.page or "", want.problem.zh,
                     want.figures.zh, want.remedy.zh)  # fmt: skip
            page.write_row(at, 0, cells, wrapped)
        for column, width in enumerate(_WIDTHS):
            page.set_column(column, column, width)
        page.freeze_panes(1, 0)
        page.set_landscape()
        page.fit_to_pages(1, 0)
        page.repeat_rows(0)
    return buffer.getvalue()


def _all_rows(found: OfficeRound) -> Iterator[tuple[Entrant, Want]]:
    following: int | None = 0
    while following is not None:
        entrants, following = _listed(found, following)
        wants = wants_of(vault(), found, entrants)
        for entrant in entrants:
            for want in wants[entrant.id]:
                yield entrant, want


def _listed(found: OfficeRound, after: int) -> tuple[Sequence[Entrant], int | None]:
    """(applicants in roster order, the number after which the next ones come)."""
    entrants = vault().scalars(
        select(Entrant)
        .where(Entrant.round_id == found.id, Entrant.number > after)
        .order_by(Entrant.number)
        .limit(PAGE_LENGTH + 1)
    ).all()  # fmt: skip
    listed = entrants[:PAGE_LENGTH]
    return listed, listed[-1].number if len(entrants) > PAGE_LENGTH else None


def _moment(text: str) -> datetime:
    """A time of the wall's clock as UTC; now for an empty one.

    A form gives minutes, and whoever submitted in a minute may have done so at its end.
    """
    now = datetime.now(UTC)
    if not text:
        return now
    try:
        end = datetime.fromisoformat(text).astimezone(UTC) + timedelta(seconds=59)
        return max(now, end) if end > now + timedelta(minutes=1) else min(now, end)
    except (ValueError, OverflowError, OSError) as error:
        raise RuleError(
            Sentence(
                "重新提交的时间无效，请按 年-月-日 时:分 填写。",
                "The time of the new submission cannot be read; give date and time.",
            )
        ) from error


def _refused(round_id: int, error: RuleError) -> tuple[str, int]:
    return _overview(round_id, undone(error)), 422


def _to_row(round_id: int, entrant: Entrant) -> Any:
    after = entrant.number - 1 if request.args.get("after") else None
    address = url_for("returns.overview", round_id=round_id, after=after)
    return redirect(f"{address}#entrant-{entrant.id}", 303)
