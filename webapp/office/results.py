"""The secretary's preview of a result, and where it stops and asks; nothing here is official."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.wrappers import Response as FlaskResponse
from werkzeug.wrappers import Response

from models.errors import RuleError, Sentence
from models.tallies import record_ruling
from models.vault_rounds import OfficeRound
from scoring.open_tie import OpenTie, check_order, open_tie
from scoring.points import ZERO, exact_text, rounded_text
from scoring.ranking import draw_order
from scoring.reviewer_charts import agreement_chart, outlier_chart, severity_chart
from scoring.reviewer_statistics import Report, review_statistics
from scoring.what_if import Beside, beside, other_trimming, without_sheet
from scoring.workbook import summary_order
from webapp.language import current_language, sentences_of, t
from webapp.office.app import review, signed_in, undone
from webapp.office.charts import DRAWING
from webapp.office.committee import DESK, opened, opened_or_404, require_neutral
from webapp.office.outcome import (
    Outcome,
    basis_word,
    decision_word,
    outcome_of,
    tallies_of,
)
from webapp.office.rounds import round_or_404
from webapp.security import allow

pages = Blueprint("results", __name__)
SHOWN = 100
CHARTS = {"agreement": agreement_chart, "severity": severity_chart, "outliers": outlier_chart}
pages.add_app_template_global(basis_word)
pages.add_app_template_global(decision_word)
pages.add_app_template_global(exact_text, "exact")
pages.add_app_template_global(rounded_text, "rounded")


@pages.route("/rounds/<int:round_id>/results")
@allow(*DESK)
def overview(round_id: int) -> str:
    return _page(round_or_404(round_id), [])


def _page(found: OfficeRound, problems: list[str]) -> str:
    there = opened(found)
    values: dict[str, Any] = {}
    if there is not None:
        try:
            outcome = outcome_of(found, there)
        except RuleError as error:
            problems = [*problems, *sentences_of(error)]
        else:
            shown, said = _what_if(outcome)
            problems = [*problems, *said]
            values = _values(outcome) | {"what_if": shown, "kept": tallies_of(there)}
    return render_template("results.html", round=found, there=there, problems=problems, **values)


def _values(outcome: Outcome) -> dict[str, Any]:
    items = summary_order(outcome.result)
    start = max(request.args.get("from", 0, type=int), 0)
    return {
        "outcome": outcome,
        "places": outcome.policy.places,
        "items": items[start : start + SHOWN],
        "start": start,
        "more": start + SHOWN if len(items) > start + SHOWN else None,
        "counts": {
            word: sum(item.decision == word for item in items)
            for word in ("pass", "fail", "undetermined")
        },
        "undetermined": [item for item in items if item.decision == "undetermined"],
        "tie": open_tie(outcome.result, outcome.policy),
        "seats": sorted({sheet.reviewer for sheet in outcome.round.sheets}),
        "wanted": request.args,
    }


def _what_if(outcome: Outcome) -> tuple[tuple[Beside, ...] | None, list[str]]:
    """(the candidates that would stand otherwise, None where nothing is asked; what is wrong)."""
    trim = request.args.get("trim") == "yes"
    seat, code = (request.args.get(name, "").strip() for name in ("seat", "code"))
    if not (trim or seat or code):
        return None, []
    try:
        round_ = without_sheet(outcome.round, seat, code) if seat or code else outcome.round
        policy = other_trimming(outcome.policy) if trim else outcome.policy
        found = beside(outcome.result, round_, policy)
    except RuleError as error:
        return None, sentences_of(error)
    return tuple(one for one in found if one.differs), []


@pages.route("/rounds/<int:round_id>/results/tie", methods=["POST"])
@allow(*DESK)
def order(round_id: int) -> Response | tuple[str, int]:
    """Parts those who tie across the last place: as the committee ruled, or by a seeded draw."""
    found = round_or_404(round_id)
    there = opened_or_404(found)
    try:
        outcome = outcome_of(found, there)
        tie = open_tie(outcome.result, outcome.policy)
        if tie is None or tie.waiting:
            raise RuleError(
                Sentence(
                    "现在没有可以裁定的同分。请刷新页面，并先处理其他待裁定事项。",
                    "There is no tie to decide now. Reload the page, and settle what else is "
                    "undetermined first.",
                )
            )
        places, reason = _order(found, tie)
        for code in tie.codes:
            record_ruling(
                review(),
                round_id=there.id,
                code=code,
                subject="tie_order",
                value=str(places[code]),
                reason=reason,
                by=signed_in().login,
            )
    except RuleError as error:
        return _page(found, undone(error)), 422
    flash(t("同分次序已记录为裁定。", "The order of the equals is recorded as rulings."))
    return redirect(url_for("results.overview", round_id=round_id), 303)


def _order(found: OfficeRound, tie: OpenTie) -> tuple[dict[str, int], str]:
    """(code -> place, the reason) of the form; RuleError for one that says neither fully."""
    if request.form.get("how") == "draw":
        seed = require_neutral(found, None, request.form.get("seed", ""))
        if not seed:
            raise RuleError(Sentence("请填写抽签种子。", "Give the seed of the draw."))
        drawn = draw_order(tie.codes, seed)
        said = " > ".join(drawn)
        reason = Sentence(
            f"同分抽签：种子“{seed}”，次序 {said}（按 sha256(种子:编码) 升序）",
            f'Draw between equals: seed "{seed}", order {said} (ascending sha256 of seed:code)',
        )
        return {code: place for place, code in enumerate(drawn, 1)}, reason.zh
    texts = {code: request.form.get(f"place-{code}", "").strip() for code in tie.codes}
    places = {code: int(text) for code, text in texts.items() if text.isdecimal() and len(text) < 4}
    check_order(tie, places)
    return places, require_neutral(found, None, request.form.get("reason", ""))


@pages.route("/rounds/<int:round_id>/results/statistics")
@allow(*DESK)
def statistics(round_id: int) -> str:
    """How far reviewers agree; advice that changes no score."""
    found = round_or_404(round_id)
    there = opened(found)
    report, problems = None, []
    if there is not None:
        try:
            report = _report(outcome_of(found, there))
        except RuleError as error:
            problems = sentences_of(error)
    return render_template(
        "statistics.html", round=found, there=there, report=report, problems=problems, charts=CHARTS
    )


@pages.route("/rounds/<int:round_id>/results/charts/<name>.svg")
@allow(*DESK)
def chart(round_id: int, name: str) -> FlaskResponse:
    found = round_or_404(round_id)
    there = opened_or_404(found)
    draw = CHARTS.get(name) or abort(404)
    try:
        report = _report(outcome_of(found, there))
    except RuleError:
        abort(404)
    with DRAWING:
        picture = draw(report, language="en" if current_language() == "en" else "zh")
    return FlaskResponse(picture, mimetype="image/svg+xml")


def _report(outcome: Outcome) -> Report:
    """Statistics of the totals of the valid sheets."""
    return _statistics(
        tuple(
            (sheet.reviewer, sheet.code, sum(sheet.scores.values(), ZERO))
            for sheet in outcome.round.sheets
            if not sheet.excluded and sheet.reviewer not in outcome.round.recused(sheet.code)
        )
    )


@lru_cache(maxsize=4)
def _statistics(totals: tuple[tuple[str, str, Fraction], ...]) -> Report:
    """Kept, because the page and its three pictures ask for the same."""
    return review_statistics({(seat, code): points for seat, code, points in totals})
