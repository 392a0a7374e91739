"""The panel's scores at the desk: seen from the tablets, entered by hand, corrected by two."""

from __future__ import annotations

from fractions import Fraction

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from models.defences import (
    DEFENDING,
    correct_defence_score,
    defence_results,
    defence_scores,
    record_defence_result,
    record_defence_score,
)
from models.errors import RuleError, Sentence
from models.office_experts import seat_order
from models.review import Candidate, Recusal, Reviewer, Round
from models.round_export import decimal_of
from models.rounds import scaled
from models.vault_rounds import OfficeRound
from scoring.points import decimal_text
from scoring.policy import Policy
from webapp.language import t
from webapp.office.app import review, signed_in, undone
from webapp.office.ballots import expert_names
from webapp.office.committee import (
    DESK,
    opened,
    opened_or_404,
    policy_in_force,
    require_neutral,
    second_of_form,
)
from webapp.office.rounds import round_or_404
from webapp.security import allow

pages = Blueprint("defence_scores", __name__)
PASSED = {"yes": True, "no": False}


@pages.route("/rounds/<int:round_id>/defence/scores")
@allow(*DESK)
def overview(round_id: int) -> str:
    found = round_or_404(round_id)
    there = opened(found)
    if there is None:
        return render_template("defence_scores.html", round=found, there=None)
    scores = defence_scores(review(), there.id)
    return render_template(
        "defence_scores.html",
        round=found,
        there=there,
        defence=(policy_in_force(found) or Policy()).defence,
        candidates=_defenders(there),
        scores={
            (seat, code): decimal_of(points, there.places)
            for (seat, code), points in scores.items()
        },
        results=defence_results(review(), there.id),
        seats=_seats(there),
        recused=_recused(there),
    )


@pages.route("/rounds/<int:round_id>/defence/scores/<code>")
@allow(*DESK)
def candidate(round_id: int, code: str) -> str:
    return _page(round_or_404(round_id), code, [])


@pages.route("/rounds/<int:round_id>/defence/scores/<code>", methods=["POST"])
@allow(*DESK)
def enter(round_id: int, code: str) -> Response | tuple[str, int]:
    """Scores from paper, for every judge whose field was filled in; or the result, unscored."""
    found = round_or_404(round_id)
    there = opened_or_404(found)
    me = signed_in().login
    try:
        if request.form.get("passed") in PASSED:
            _result(found, there, code)
        for seat in _seats(there):
            text = request.form.get(f"points-{seat}", "").strip()
            if text:
                points, most = _points(found, there, text)
                record_defence_score(
                    review(), round_id=there.id, judge=seat, code=code, points=points,
                    maximum=most, by=me,
                )  # fmt: skip
    except RuleError as error:
        return _refused(found, code, error)
    flash(t("已记录。", "Recorded."))
    return redirect(url_for("defence_scores.candidate", round_id=found.id, code=code), 303)


@pages.route("/rounds/<int:round_id>/defence/scores/<code>/correct", methods=["POST"])
@allow(*DESK)
def correct(round_id: int, code: str) -> Response | tuple[str, int]:
    """A corrected score, with a reason and a second person's password."""
    found = round_or_404(round_id)
    there = opened_or_404(found)
    try:
        confirmed_by = second_of_form(signed_in().login)
        points, most = _points(found, there, request.form.get("points", "").strip())
        correct_defence_score(
            review(),
            round_id=there.id,
            judge=request.form.get("seat", ""),
            code=code,
            points=points,
            maximum=most,
            reason=require_neutral(found, code, request.form.get("reason", "")),
            by=signed_in().login,
            confirmed_by=confirmed_by,
        )
    except RuleError as error:
        return _refused(found, code, error)
    flash(t("已更正，旧分保留在记录中。", "Corrected; the old score stays on record."))
    return redirect(url_for("defence_scores.candidate", round_id=found.id, code=code), 303)


def _result(found: OfficeRound, there: Round, code: str) -> None:
    again = code in defence_results(review(), there.id)
    record_defence_result(
        review(),
        round_id=there.id,
        code=code,
        passed=PASSED[request.form["passed"]],
        by=signed_in().login,
        reason=require_neutral(found, code, request.form.get("reason", "")),
        confirmed_by=second_of_form(signed_in().login) if again else None,
    )


def _points(found: OfficeRound, there: Round, text: str) -> tuple[int, int]:
    """(scaled score, scaled maximum) by the policy's maximum and step."""
    defence = (policy_in_force(found) or Policy()).defence
    if defence.mode != "scored" or defence.max is None:
        raise RuleError(
            Sentence(
                "政策没有规定答辩量化赋分及满分。请在本单位政策文件 [defence] 中写明 mode 和 max。",
                "The policy has no scored defence with a maximum. Give mode and max in [defence] "
                "of the office's policy file.",
            )
        )
    points = scaled(text, there.places)
    if defence.step is not None and Fraction(points, 10**there.places) % defence.step != 0:
        step = decimal_text(defence.step)
        raise RuleError(
            Sentence(f"{text}：应为 {step} 的倍数。", f"{text}: must be a multiple of {step}.")
        )
    return points, scaled(decimal_text(defence.max), there.places)


def _refused(found: OfficeRound, code: str, error: RuleError) -> tuple[str, int]:
    return _page(found, code, undone(error)), 422


def _page(found: OfficeRound, code: str, problems: list[str]) -> str:
    there = opened_or_404(found)
    one = review().get(Candidate, (there.id, code)) or abort(404)
    scores = {
        seat: decimal_of(points, there.places)
        for (seat, whose), points in defence_scores(review(), there.id).items()
        if whose == code
    }
    return render_template(
        "defence_candidate.html",
        round=found,
        there=there,
        one=one,
        defence=(policy_in_force(found) or Policy()).defence,
        seats=_seats(there),
        names=expert_names(found),
        scores=scores,
        result=defence_results(review(), there.id).get(code),
        recused={seat for seat, whose in _recused(there) if whose == code},
        may_score=there.phase == "defence" and one.defence in DEFENDING,
        may_correct=there.phase in ("defence", "voting", "closed"),
        form=request.form,
        problems=problems,
    )


def _defenders(there: Round) -> list[Candidate]:
    chosen = select(Candidate).where(
        Candidate.round_id == there.id, Candidate.defence.in_(DEFENDING)
    )
    return list(review().scalars(chosen.order_by(Candidate.code)))


def _seats(there: Round) -> list[str]:
    """The panel: who is present, and who scored before leaving."""
    present = review().scalars(select(Reviewer.seat).filter_by(round_id=there.id, present=True))
    scored = {seat for seat, _ in defence_scores(review(), there.id)}
    return sorted({*present, *scored}, key=seat_order)


def _recused(there: Round) -> set[tuple[str, str]]:
    rows = review().execute(select(Recusal.reviewer, Recusal.code).filter_by(round_id=there.id))
    return {(row.reviewer, row.code) for row in rows}
