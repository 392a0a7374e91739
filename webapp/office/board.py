"""How complete the blind scores are: dossier by reviewer, who is behind, what is left out, lock.

Codes and seats only; no score is shown before the lock, and applicants stay sealed.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from sqlalchemy import func, select
from werkzeug.wrappers import Response

from models.candidates import disqualify
from models.completeness import (
    SHOWN,
    STANDINGS,
    BoardRow,
    blockers,
    board_row,
    board_rows,
    left_out,
    loads,
    open_codes,
    totals,
)
from models.errors import RuleError, Sentence
from models.office_experts import experts_of, seat_order
from models.page_reports import open_reports
from models.review import Round
from models.review_sheets import Sheet
from models.rounds import lock_round, record_recusal
from models.seats import seats_of
from models.sheets import assign_sheets, exclude_sheet, reopen_sheet, withdraw_sheet
from models.vault_pages import Release
from models.vault_rounds import Entrant, OfficeRound
from scoring.assignment_replacement import replacements
from webapp.language import t
from webapp.office.app import review, signed_in, undone, vault
from webapp.office.assignment import ground_of
from webapp.office.committee import (
    DESK,
    bring_seats,
    opened,
    opened_or_404,
    policy_in_force,
    require_neutral,
    rule_of,
    second_of_form,
    take_turn,
)
from webapp.office.rounds import round_or_404
from webapp.security import allow

pages = Blueprint("board", __name__)
MOST_COLUMNS = 30
"""More seats than these are listed in one cell, not in a column each."""
SIGNS = {"submitted": "✓", "begun": "◐", "untouched": "○", "excluded": "✕", "recused": "⊘"}
FILTERS = ("", "open", "short")


@pages.app_template_global()
def standing_word(standing: str) -> str:
    """What the standing of a sheet is called."""
    return {
        "submitted": t("已提交", "submitted"),
        "begun": t("已动笔", "begun"),
        "untouched": t("未开始", "not begun"),
        "excluded": t("已排除", "excluded"),
        "recused": t("回避", "recused"),
    }[standing]


@pages.app_template_global()
def standing_sign(standing: str) -> str:
    """Its sign: a shape of its own, so that colour is never the only one."""
    return SIGNS[standing]


@pages.route("/rounds/<int:round_id>/board")
@allow(*DESK)
def overview(round_id: int) -> str:
    found = round_or_404(round_id)
    there = opened(found)
    if there is None:
        return render_template("board.html", round=found, there=None)
    only = request.args.get("only", "")
    only = only if only in FILTERS else ""
    needed = rule_of(found, policy_in_force(found)).reviews
    after = request.args.get("after", "")[:20]
    rows, following = board_rows(review(), there.id, after=after, only=only, reviews=needed)
    return render_template(
        "board.html",
        round=found,
        there=there,
        rows=rows,
        following=following,
        only=only,
        needed=needed,
        totals=totals(review(), there.id),
        columns=_columns(there),
        words={standing: standing_word(standing) for standing in STANDINGS},
        signs=SIGNS,
    )


def _columns(there: Round) -> list[str]:
    """The seats that get a column each; none when they are too many."""
    seats = sorted(seats_of(review(), there.id), key=seat_order)
    return seats if len(seats) <= MOST_COLUMNS else []


@pages.route("/rounds/<int:round_id>/board/dossiers/<code>")
@allow(*DESK)
def dossier(round_id: int, code: str) -> str:
    return _dossier(round_id, code, [])


def _dossier(round_id: int, code: str, problems: list[str]) -> str:
    found = round_or_404(round_id)
    there = opened_or_404(found)
    row = board_row(review(), there.id, code) or abort(404)
    rule = rule_of(found, policy_in_force(found))
    return render_template(
        "board_dossier.html",
        round=found,
        there=there,
        row=row,
        needed=rule.reviews,
        able=_able(found, row, by_specialty=rule.by_specialty),
        free=[
            seat
            for seat in sorted(seats_of(review(), there.id), key=seat_order)
            if seat not in row.sheets or row.sheets[seat].standing != "recused"
        ],
        problems=problems,
    )


def _able(found: OfficeRound, row: BoardRow, *, by_specialty: bool) -> list[tuple[str, int]]:
    """(seat, dossiers it has) of those who may take the dossier, the best first."""
    ground = ground_of(found, by_specialty=by_specialty, codes=[row.code])
    if not ground.dossiers:
        return []
    load = ground.loads()
    seats = replacements(ground.dossiers[0], ground.reviewers, taken=row.sheets, loads=load)
    return [(seat, load.get(seat, 0)) for seat in seats]


@pages.route("/rounds/<int:round_id>/board/dossiers/<code>/assign", methods=["POST"])
@allow(*DESK)
def give(round_id: int, code: str) -> Response | tuple[str, int]:
    """Gives a dossier to one more expert, who must be able to take it."""
    take_turn(round_or_404(round_id).id)
    found, there, row = _found(round_id, code)
    seat = request.form.get("seat", "")
    try:
        bring_seats(found, signed_in().login)
        rule = rule_of(found, policy_in_force(found))
        if seat not in dict(_able(found, row, by_specialty=rule.by_specialty)):
            raise RuleError(
                Sentence(
                    f"{seat} 不能接 {code}：已有或曾有这份材料，或应回避、专业不符、份数已满。",
                    f"{seat} cannot take {code}: it has or had it, or a recusal, the specialty or "
                    "its limit forbids it.",
                )
            )
        assign_sheets(review(), round_id=there.id, pairs=[(seat, code)], by=signed_in().login)
    except RuleError as error:
        return _refused(round_id, code, error)
    flash(t(f"{code} 已分给 {seat}。", f"{code} is given to {seat}."))
    return _back(round_id, code)


@pages.route("/rounds/<int:round_id>/board/dossiers/<code>/recuse", methods=["POST"])
@allow(*DESK)
def recuse(round_id: int, code: str) -> Response | tuple[str, int]:
    found, there, _row = _found(round_id, code)
    seat = request.form.get("seat", "")
    try:
        record_recusal(
            review(),
            round_id=there.id,
            reviewer=seat,
            code=code,
            reason=require_neutral(found, code, request.form.get("reason", "")),
            by=signed_in().login,
        )
    except RuleError as error:
        return _refused(round_id, code, error)
    flash(
        t(
            f"已记录 {seat} 对 {code} 的回避。请在下面改派。",
            f"{seat} is recused from {code}. Give it to another below.",
        )
    )
    return _back(round_id, code)


@pages.route("/rounds/<int:round_id>/board/dossiers/<code>/disqualify", methods=["POST"])
@allow(*DESK)
def take_out(round_id: int, code: str) -> Response | tuple[str, int]:
    """Disqualifies a candidate with a reason; after the lock a second person confirms."""
    found, there, _row = _found(round_id, code)
    me, other = signed_in().login, ""
    try:
        if request.form.get("confirm") != "yes":
            raise RuleError(Sentence("请先勾选确认。", "Tick the box to confirm first."))
        if there.phase != "scoring":
            other = second_of_form(me)
        reason = require_neutral(found, code, request.form.get("reason", ""))
        disqualify(review(), round_id=there.id, code=code, reason=reason, by=me, confirmed_by=other)
    except RuleError as error:
        return _refused(round_id, code, error)
    flash(t(f"{code} 已取消资格。", f"{code} is disqualified."))
    return _back(round_id, code)


@pages.route("/rounds/<int:round_id>/board/sheets/<int:sheet_id>/<act>", methods=["POST"])
@allow(*DESK)
def change(round_id: int, sheet_id: int, act: str) -> Response | tuple[str, int]:
    """Re-opens, excludes or withdraws one sheet."""
    found = round_or_404(round_id)
    there = opened_or_404(found)
    sheet = review().get(Sheet, sheet_id)
    if sheet is None or sheet.round_id != there.id or act not in ("reopen", "exclude", "withdraw"):
        abort(404)
    code, seat, me = sheet.code, sheet.reviewer, signed_in().login
    try:
        if act == "withdraw":
            withdraw_sheet(review(), sheet_id=sheet_id, by=me)
        else:
            reason = require_neutral(found, code, request.form.get("reason", ""))
            doing = reopen_sheet if act == "reopen" else exclude_sheet
            doing(review(), sheet_id=sheet_id, reason=reason, by=me)
    except RuleError as error:
        return _refused(round_id, code, error)
    flash(t(f"{seat} × {code}：已处理。", f"{seat} × {code}: done."))
    return _back(round_id, code)


@pages.route("/rounds/<int:round_id>/board/seats")
@allow(*DESK)
def by_seat(round_id: int) -> str:
    """How far each expert is."""
    found = round_or_404(round_id)
    there = opened(found)
    return render_template(
        "board_seats.html", round=found, there=there, rows=_by_seat(found, there)
    )


def _by_seat(found: OfficeRound, there: Round | None) -> list[tuple[str, str, dict[str, int]]]:
    """(seat, expert's name, sheets by standing)."""
    if there is None:
        return []
    names = {expert.seat: expert.name for expert in experts_of(vault(), found.id)}
    counts = loads(review(), there.id)
    none = dict.fromkeys(STANDINGS, 0)
    return [
        (seat, names.get(seat, ""), counts.get(seat, none))
        for seat in sorted(seats_of(review(), there.id), key=seat_order)
    ]


@pages.route("/rounds/<int:round_id>/board/reminders")
@allow(*DESK)
def reminders(round_id: int) -> str:
    """A notice for each expert who is behind, to print or to copy into a message."""
    found = round_or_404(round_id)
    there = opened(found)
    names = {expert.seat: expert for expert in experts_of(vault(), found.id)}
    seat = request.args.get("seat", "")[:20]
    missing = open_codes(review(), there.id, seat) if there is not None else {}
    return render_template(
        "reminders.html",
        round=found,
        notices=[
            (behind, names.get(behind), missing[behind])
            for behind in sorted(missing, key=seat_order)
        ],
    )


@pages.route("/rounds/<int:round_id>/board/left-out")
@allow(*DESK)
def left_out_sheets(round_id: int) -> str:
    found = round_or_404(round_id)
    there = opened(found)
    after = (request.args.get("after", "")[:20], request.args.get("seat", "")[:20])
    sheets = left_out(review(), there.id, after=after, limit=SHOWN + 1) if there else []
    return render_template(
        "left_out.html", round=found, sheets=sheets[:SHOWN], more=len(sheets) > SHOWN
    )


@pages.route("/rounds/<int:round_id>/board/lock", methods=["GET", "POST"])
@allow(*DESK)
def lock(round_id: int) -> Response | str | tuple[str, int]:
    """The lock of the blind scores, with everything that stands in its way."""
    found = round_or_404(round_id)
    if request.method in ("GET", "HEAD"):
        return _lock(found, [])
    there = opened_or_404(found)
    try:
        if request.form.get("confirm") != "yes":
            raise RuleError(
                Sentence(
                    "请先勾选确认。锁定后评委不能再打分。",
                    "Tick the confirmation first. After the lock no expert can score.",
                )
            )
        least = _min_sheets(found)
        lock_round(review(), round_id=there.id, min_sheets=least, by=signed_in().login)
    except RuleError as error:
        return _lock(round_or_404(round_id), undone(error)[:SHOWN]), 422
    flash(t("盲评分数已锁定。", "The blind scores are locked."))
    return redirect(url_for("board.lock", round_id=round_id), 303)


def _lock(found: OfficeRound, problems: list[str]) -> str:
    there = opened(found)
    values: dict[str, Any] = {"least": _min_sheets(found)}
    if there is not None:
        out = select(Release.entrant_id).where(
            Release.round_id == found.id, Release.state == "released"
        )
        values |= {
            "in_way": blockers(review(), there.id, values["least"]),
            "totals": totals(review(), there.id),
            "reports": len(open_reports(review(), there.id)),
            "kept": vault().scalar(
                select(func.count(Entrant.id)).where(
                    Entrant.round_id == found.id, Entrant.id.not_in(out)
                )
            ),
        }
    return render_template(
        "lock.html", round=found, there=there, problems=problems, shown=SHOWN, **values
    )


def _min_sheets(found: OfficeRound) -> int:
    policy = policy_in_force(found)
    return max((policy.aggregate.min_sheets if policy is not None else None) or 1, 1)


def _found(round_id: int, code: str) -> tuple[OfficeRound, Round, BoardRow]:
    found = round_or_404(round_id)
    there = opened_or_404(found)
    return found, there, board_row(review(), there.id, code) or abort(404)


def _refused(round_id: int, code: str, error: RuleError) -> tuple[str, int]:
    return _dossier(round_id, code, undone(error)), 422


def _back(round_id: int, code: str) -> Response:
    return redirect(url_for("board.dossier", round_id=round_id, code=code), 303)
