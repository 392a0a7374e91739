"""What stands for each defence, as scoring has it; open cases and the rulings on them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from models.defences import DEFENDING
from models.errors import RuleError, Sentence
from models.review import WITHDRAWN, Candidate, Round
from models.round_export import export_round
from models.rounds import OrderError
from models.tallies import record_ruling
from models.vault_rounds import OfficeRound
from scoring.points import decimal_text, exact_text, rounded_text
from scoring.policy import Policy
from scoring.result import CandidateResult, Result
from scoring.round import SUBJECTS
from scoring.round_json import round_from_document
from scoring.tally import tally
from webapp.language import sentences_of, t
from webapp.office.app import review, signed_in, undone
from webapp.office.charts import spread_chart
from webapp.office.committee import (
    DESK,
    opened,
    opened_or_404,
    policy_in_force,
    require_neutral,
)
from webapp.office.rounds import round_or_404
from webapp.security import allow

pages = Blueprint("defence_outcomes", __name__)


@dataclass(frozen=True)
class Average:
    """A substituted average: who was given it, from whom, and how it was reached."""

    codes: tuple[str, ...]
    members: tuple[tuple[str, str], ...]
    n: int
    formula: str
    exact: str
    rounded: str
    reasons: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class OpenCase:
    """A candidate whose defence is undetermined: why, by which clause, and what can be ruled.

    `subjects`: what a ruling may decide, the likeliest first.
    """

    code: str
    reasons: tuple[tuple[str, str], ...]
    subjects: tuple[str, ...]


@pages.app_template_global()
def subject_name(subject: str) -> str:
    """What a ruling's subject is called, with the values that it takes."""
    return {
        "defence_points": t("答辩得分（填分数）", "defence points (a number)"),
        "defence_result": t("答辩结果（pass 或 fail）", "defence result (pass or fail)"),
        "exemption": t("撤销免答辩资格（revoked）", "exemption withdrawn (revoked)"),
        "pool_member": t("是否计入平均分（keep 或 drop）", "counts in the average (keep or drop)"),
        "tie_order": t("同分排序（名次）", "order of a tie (its place)"),
    }[subject]


@pages.route("/rounds/<int:round_id>/defence/outcomes")
@allow(*DESK)
def overview(round_id: int) -> str:
    return _page(round_or_404(round_id), [])


@pages.route("/rounds/<int:round_id>/defence/outcomes/<code>.svg")
@allow(*DESK)
def picture(round_id: int, code: str) -> Response:
    """How the scores behind a substituted average lie."""
    found = round_or_404(round_id)
    result, policy = tallied(found, opened_or_404(found))
    one = next((item for item in result.candidates if item.code == code), None)
    if one is None or one.defence.basis != "substituted" or one.defence.points is None:
        abort(404)
    own = {item.code: item.defence.points for item in result.candidates}
    points = tuple(
        (member, float(value)) for member in one.defence.pool if (value := own[member]) is not None
    )
    mean = rounded_text(one.defence.points, policy.places)
    svg = spread_chart(
        points,
        float(one.defence.points),
        t(f"实际参加答辩的 {one.defence.n} 人", f"The {one.defence.n} who defended"),
        t("答辩得分", "Defence points"),
        t(f"平均 {mean}", f"average {mean}"),
        None if policy.defence.max is None else float(policy.defence.max),
    )
    response = Response(svg, mimetype="image/svg+xml")
    response.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'"
    return response


@pages.route("/rounds/<int:round_id>/defence/outcomes", methods=["POST"])
@allow(*DESK)
def rule(round_id: int) -> AnyResponse | tuple[str, int]:
    """Records the committee's ruling; refused where scoring would find nothing to decide."""
    found = round_or_404(round_id)
    there = opened_or_404(found)
    given = {name: request.form.get(name, "").strip() for name in ("code", "subject", "value")}
    try:
        if given["subject"] not in SUBJECTS:
            raise RuleError(Sentence("请选择裁定事项。", "Choose what the ruling decides."))
        reason = require_neutral(found, given["code"], request.form.get("reason", ""))
        me = signed_in().login
        record_ruling(review(), round_id=there.id, **given, reason=reason, by=me)
        if given["value"] != WITHDRAWN:
            # One that no tally could hold is not kept.
            tallied(found, there)
    except RuleError as error:
        return _page(round_or_404(round_id), undone(error)), 422
    flash(t("裁定已记录。", "The ruling is recorded."))
    return redirect(url_for("defence_outcomes.overview", round_id=found.id), 303)


def tallied(found: OfficeRound, there: Round) -> tuple[Result, Policy]:
    """The tally of the round as it stands; RuleError with what is missing for one."""
    policy = policy_in_force(found)
    if policy is None:
        raise OrderError(Sentence("本轮还没有政策。", "The round has no policy yet."))
    document: dict[str, Any] = export_round(review(), there.id)
    return tally(round_from_document(document, policy), policy), policy


def averages(result: Result, policy: Policy) -> list[Average]:
    """Each pool whose average was given to somebody, by the code of its first receiver."""
    own = {item.code: item.defence.points for item in result.candidates}
    groups: dict[tuple[str, ...], list[CandidateResult]] = defaultdict(list)
    for item in result.candidates:
        if item.defence.basis == "substituted":
            groups[item.defence.pool].append(item)
    found = []
    for pool, items in groups.items():
        one = items[0].defence
        if one.points is None:
            continue
        members = tuple(
            (code, rounded_text(value, policy.places))
            for code in pool
            if (value := own[code]) is not None
        )
        found.append(
            Average(
                tuple(item.code for item in items),
                members,
                one.n,
                one.formula,
                exact_text(one.points),
                rounded_text(one.points, policy.places),
                tuple((t(r.zh, r.en), r.clause) for r in one.reasons),
            )
        )
    return found


def open_cases(result: Result, policy: Policy) -> list[OpenCase]:
    """Who waits for a ruling, with the reasons and clauses that leave the case open."""
    likely = "defence_points" if policy.defence.mode == "scored" else "defence_result"
    found = []
    for item in result.candidates:
        outcome = item.defence
        if outcome.basis != "undetermined" and not outcome.veto_open:
            continue
        subjects = ("defence_result",) if outcome.veto_open else (likely,)
        reasons = tuple((t(r.zh, r.en), r.clause) for r in outcome.reasons)
        found.append(OpenCase(item.code, reasons, subjects))
    return found


def _page(found: OfficeRound, problems: list[str]) -> str:
    there = opened(found)
    if there is None:
        return render_template("defence_outcomes.html", round=found, there=None, problems=problems)
    try:
        result, policy = tallied(found, there)
    except RuleError as error:
        problems = [*problems, *(p for p in sentences_of(error) if p not in problems)]
        return render_template(
            "defence_outcomes.html",
            round=found,
            there=there,
            problems=problems,
            result=None,
            rulings=_rulings(there),
            may_rule=there.phase != "scoring",
            withdrawn=WITHDRAWN,
        )
    disqualified = [
        one.code
        for item in result.candidates
        if (one := review().get_one(Candidate, (there.id, item.code))).disqualified
        and one.defence in DEFENDING
    ]
    return render_template(
        "defence_outcomes.html",
        round=found,
        there=there,
        problems=problems,
        result=result,
        averages=averages(result, policy),
        cases=open_cases(result, policy),
        disqualified=disqualified,
        exempt=[item.code for item in result.candidates if item.defence.basis == "substituted"],
        settled=[
            (item.code, item.defence, _points(item, policy))
            for item in result.candidates
            if item.defence.basis not in ("undetermined", "substituted")
        ],
        rulings=_rulings(there),
        withdrawn=WITHDRAWN,
        may_rule=there.phase != "scoring",
        form=request.form,
    )


def _rulings(there: Round) -> list[dict[str, str]]:
    """The rulings that hold; none can be shown while a ballot is open."""
    try:
        found: list[dict[str, str]] = export_round(review(), there.id)["rulings"]
    except RuleError:
        return []
    return found


def _points(item: CandidateResult, policy: Policy) -> str:
    points = item.defence.points
    if points is None:
        return ""
    shown = rounded_text(points, policy.places)
    exact = decimal_text(points)
    return shown if exact in (shown, shown.rstrip("0").rstrip(".")) else f"{shown} ({exact})"
