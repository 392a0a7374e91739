"""The policy of an open round: what it asks of experts, and a mended one while that is fair.

A round that was opened without criteria cannot be scored, and one whose policy lacks a rule cannot
be tallied; this is where both are mended.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from models.errors import RuleError, Sentence
from models.office_rounds import set_policy
from models.review import Round
from models.round_policies import PolicyChange, policies_of, replace_policy, sheets_begun
from models.rounds import get_round
from models.vault_rounds import OfficeRound
from scoring.points import decimal_text
from scoring.policy import Policy
from webapp.language import sentences_of, t
from webapp.office.app import review, signed_in, undone, vault
from webapp.office.committee import (
    DESK,
    opened,
    policy_in_force,
    require_neutral,
    second_of_form,
    take_turn,
)
from webapp.office.outcome import outcome_of, tallies_of
from webapp.office.rounds import round_or_404
from webapp.policy_texts import own_policy, policy_from_text
from webapp.security import allow

pages = Blueprint("scoring_policy", __name__)


@pages.route("/rounds/<int:round_id>/policy")
@allow(*DESK)
def overview(round_id: int) -> str:
    return _page(round_or_404(round_id), [], {})


def _page(found: OfficeRound, problems: list[str], values: Mapping[str, str]) -> str:
    there = opened(found)
    begun = sheets_begun(review(), there.id) if there is not None else 0
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
        history=[
            (kept.snapshot, kept.reason)
            for kept in reversed(policies_of(review(), there.id) if there is not None else [])
        ],
        begun=begun,
        open_to=_open_to(found, there, begun),
    )


def _open_to(found: OfficeRound, there: Round | None, begun: int) -> str:
    """What may still be put right: "all", "rules" (not the criteria), "gaps", or "" for nothing."""
    if there is None:
        return "all"
    if there.phase == "scoring":
        return "rules" if begun else "all"
    return "gaps" if there.phase != "closed" and _untallied(found, there) else ""


def _untallied(found: OfficeRound, there: Round) -> bool:
    """Whether nobody can have seen a result yet, because the policy in force gives none."""
    if tallies_of(there):
        return False
    try:
        outcome_of(found, there)
    except RuleError:
        return True
    return False


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
        _put(found, there, name, text, policy, me)
    except RuleError as error:
        return _page(round_or_404(round_id), undone(error), request.form), 422
    flash(t("政策已更换，评委刷新后按新的评分项打分。", "The policy is replaced; experts score by "
            "it from their next look."))  # fmt: skip
    return redirect(url_for("scoring_policy.overview", round_id=round_id), 303)


def _put(
    found: OfficeRound, there: Round | None, name: str, text: str, policy: Policy, me: str
) -> None:
    if there is not None:
        reason = require_neutral(found, None, request.form.get("reason", ""))
        other = ""
        if there.phase != "scoring":
            other = second_of_form(me)
        get_round(review(), there.id, change=True)  # before it is told what may change
        replace_policy(
            review(),
            round_id=there.id,
            text=text,
            places=policy.places,
            change=_change(found, there, policy),
            reason=reason,
            by=me,
            confirmed_by=other,
        )
    set_policy(vault(), round_id=found.id, policy_name=name, policy=text, by=me)


def _change(found: OfficeRound, there: Round, policy: Policy) -> PolicyChange:
    try:
        before = policy_in_force(found)
    except RuleError:
        before = None
    if before is None:
        return PolicyChange(keeps_scores=False, completes=False)
    return PolicyChange(
        keeps_scores=before.criterion == policy.criterion and before.places == policy.places,
        completes=there.phase != "scoring"
        and _untallied(found, there)
        and _states_all(before.document(), policy.document()),
    )


def _states_all(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether every rule of one policy stands unchanged in another, whatever that one adds."""
    return all(
        _states_all(value, after.get(key) or {})
        if isinstance(value, dict)
        else after.get(key) == value
        for key, value in before.items()
        if key not in ("name", "notice")
    )


def _chosen() -> tuple[str, str]:
    """(name, text) of the policy file in the form; no shipped notice states criteria."""
    file = request.files.get("policy_file")
    if file is None or not file.filename:
        raise RuleError(
            Sentence(
                "请选择本单位的政策文件（.toml）。", "Choose the office's policy file (.toml)."
            )
        )
    return own_policy(file.filename, file.read())


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
