"""The panel's score sheet: those who came to the defence, one score each, after the blind lock."""

from __future__ import annotations

from fractions import Fraction

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from models.defences import PanelTask, panel_tasks, record_defence_score
from models.errors import RuleError, Sentence
from models.round_export import decimal_of
from models.rounds import InputError, get_round, get_seat, scaled
from scoring.points import decimal_text
from scoring.policy import Policy
from webapp.language import sentences_of, t
from webapp.review.app import REVIEWER, review, signed_in
from webapp.review.rubric import policy_of_round
from webapp.security import allow

pages = Blueprint("defence", __name__)


@pages.route("/defence")
@allow(REVIEWER)
def candidates() -> str:
    me = signed_in()
    found = get_round(review(), me.round_id)
    tasks = panel_tasks(review(), me.round_id, me.seat) if found.phase != "scoring" else []
    return render_template(
        "panel.html",
        round=found,
        present=get_seat(review(), me.round_id, me.seat).present,
        defence=policy_of_round(review(), me.round_id).defence,
        tasks=[(task, _shown(task, found.places)) for task in tasks],
    )


@pages.route("/defence/<code>", methods=["GET", "POST"])
@allow(REVIEWER)
def score(code: str) -> Response | str | tuple[str, int]:
    me = signed_in()
    found = get_round(review(), me.round_id)
    task = next(
        (one for one in panel_tasks(review(), me.round_id, me.seat) if one.code == code), None
    )
    if task is None or found.phase == "scoring":
        abort(404)
    policy, places = policy_of_round(review(), me.round_id), found.places
    if request.method in ("GET", "HEAD"):
        return _form(task, policy, places, "", [])
    text = request.form.get("points", "").strip()
    try:
        points = _points(text, policy, places)
        if points == task.points:
            # The answer was lost and the score was sent again.
            return redirect(url_for("defence.candidates"), 303)
        if not get_seat(review(), me.round_id, me.seat).present:
            raise RuleError(
                Sentence(
                    f"{me.seat} 未登记出席，不能评分。请找秘书登记。",
                    f"{me.seat} is not recorded as present and cannot score. Ask the secretary.",
                )
            )
        if request.form.get("confirm") != "yes":
            return _form(task, policy, places, text, [], confirm=True)
        record_defence_score(
            review(),
            round_id=me.round_id,
            judge=me.seat,
            code=code,
            points=points,
            maximum=scaled(decimal_text(policy.defence.max or Fraction(0)), places),
            by=me.seat,
        )
    except RuleError as error:
        review().rollback()
        g.undo = True
        return _form(task, policy, places, text, sentences_of(error)), 422
    flash(t(f"{code}：{text} 分，已记录。", f"{code}: {text} points, recorded."))
    return redirect(url_for("defence.candidates"), 303)


def _points(text: str, policy: Policy, places: int) -> int:
    """The typed score as a scaled integer, on the policy's steps up to its maximum."""
    defence = policy.defence
    if defence.mode != "scored" or defence.max is None:
        raise InputError(
            Sentence(
                "本轮政策没有规定答辩量化赋分及满分，不能打分。请联系办公室。",
                "The policy of this round has no scored defence with a maximum. Ask the office.",
            )
        )
    points = scaled(text, places)
    value = Fraction(points, 10**places)
    most = decimal_text(defence.max)
    if value > defence.max:
        raise InputError(
            Sentence(f"{text} 超过满分 {most}。", f"{text} is above the maximum of {most}.")
        )
    if defence.step is not None and value % defence.step != 0:
        step = decimal_text(defence.step)
        raise InputError(
            Sentence(f"分数应为 {step} 的倍数。", f"The score must be a multiple of {step}.")
        )
    return points


def _shown(task: PanelTask, places: int) -> str:
    return "" if task.points is None else decimal_of(task.points, places)


def _form(
    task: PanelTask,
    policy: Policy,
    places: int,
    text: str,
    problems: list[str],
    *,
    confirm: bool = False,
) -> str:
    defence = policy.defence
    return render_template(
        "panel_score.html",
        task=task,
        recorded=_shown(task, places),
        most=decimal_text(defence.max) if defence.max is not None else "",
        step=decimal_text(defence.step) if defence.step is not None else "",
        scored=defence.mode == "scored" and defence.max is not None,
        text=text,
        confirm=confirm,
        problems=problems,
    )
