"""The policy by which experts score: what it asks of them, and another one before anybody begins.

A round that was opened without criteria cannot be scored; this is where that is mended.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from models.errors import RuleError, Sentence
from models.office_rounds import set_policy
from models.review import Round
from models.round_policies import policies_of, replace_policy, sheets_begun
from models.vault_rounds import OfficeRound
from scoring.points import decimal_text
from scoring.policy import Policy
from webapp.language import sentences_of, t
from webapp.office.app import review, signed_in, vault
from webapp.office.committee import DESK, opened, policy_in_force, require_neutral, take_turn
from webapp.office.rounds import OWN, round_or_404
from webapp.policy_texts import own_policy, policy_from_text, shipped_text, shipped_titles
from webapp.security import allow

pages = Blueprint("scoring_policy", __name__)


@pages.route("/rounds/<int:round_id>/policy")
@allow(*DESK)
def overview(round_id: int) -> str:
    return _page(round_or_404(round_id), [], {})


def _page(found: OfficeRound, problems: list[str], values: Mapping[str, str]) -> str:
    there = opened(found)
    policy: Policy | None = None
    try:
        policy = policy_in_force(found)
    except RuleError as error:
        problems = [*problems, *sentences_of(error)]
    return render_template(
        "scoring_policy.html",
        round=found,
        there=there,
        problems=problems,
        values=values,
        criteria=[
            (item.name, decimal_text(item.max), _text(item.step), item.guidance or "")
            for item in (policy.criterion if policy is not None else ())
        ],
        history=policies_of(review(), there.id)[::-1] if there is not None else [],
        begun=sheets_begun(review(), there.id) if there is not None else 0,
        may_change=there is None or there.phase == "scoring",
        policies=shipped_titles(),
    )


def _text(step: Fraction | None) -> str:
    return t("任意", "any") if step is None else decimal_text(step)


@pages.route("/rounds/<int:round_id>/policy", methods=["POST"])
@allow(*DESK)
def replace(round_id: int) -> Response | tuple[str, int]:
    """Puts another policy in force, in both stores."""
    found = round_or_404(round_id)
    take_turn(found.id)
    there, me = opened(found), signed_in().login
    try:
        if request.form.get("confirm") != "yes":
            raise RuleError(Sentence("请先勾选确认。", "Tick the box to confirm first."))
        name, text = _chosen()
        policy = policy_from_text(text, name)
        require_scorable(policy)
        _put(found, there, name, text, policy.places, me)
    except RuleError as error:
        review().rollback()
        vault().rollback()
        g.undo = True
        return _page(round_or_404(round_id), sentences_of(error), request.form), 422
    flash(t("政策已更换，评委刷新后按新的评分项打分。", "The policy is replaced; experts score by "
            "it from their next look."))  # fmt: skip
    return redirect(url_for("scoring_policy.overview", round_id=round_id), 303)


def _put(
    found: OfficeRound, there: Round | None, name: str, text: str, places: int, me: str
) -> None:
    if there is not None:
        reason = require_neutral(found, None, request.form.get("reason", ""))
        replace_policy(review(), round_id=there.id, text=text, places=places, reason=reason, by=me)
    set_policy(vault(), round_id=found.id, policy_name=name, policy=text, by=me)


def _chosen() -> tuple[str, str]:
    """(name, text) of the policy in the form."""
    chosen = request.form.get("policy", "")
    file = request.files.get("policy_file")
    if chosen == OWN and file is not None and file.filename:
        return own_policy(file.filename, file.read())
    if chosen not in shipped_titles():
        raise RuleError(
            Sentence(
                "请选择一份政策，或选择本单位的政策文件（.toml）。",
                "Choose a policy, or the office's policy file (.toml).",
            )
        )
    return chosen, shipped_text(chosen)


def require_scorable(policy: Policy) -> None:
    """RuleError where experts could not score by a policy."""
    if not policy.criterion:
        raise RuleError(
            Sentence(
                "这份政策没有评分项（[[criterion]]），评委无法打分。请使用带评分项的本单位政策文件。",
                "This policy has no criteria ([[criterion]]), so nothing could be scored. Use an "
                "office's own policy file that has some.",
            )
        )
    unit = Fraction(1, 10**policy.places)
    fine = [
        item.name
        for item in policy.criterion
        if (item.max / unit).denominator != 1 or ((item.step or unit) / unit).denominator != 1
    ]
    if fine:
        said = "、".join(fine)
        raise RuleError(
            Sentence(
                f"{said}：满分或步长的小数位多于政策的 {policy.places} 位（[rounding] places）。",
                f"{said}: maximum or step has more decimal places than the policy's "
                f"{policy.places} ([rounding] places).",
            )
        )
