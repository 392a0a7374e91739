"""Who must defend and who came: exemption grounds with their clauses, evidence, attendance.

What proves a ground may name people, so it is kept in the vault's log; the experts' store gets a
reason that names nobody.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from flask import Blueprint, flash, redirect, render_template, request, url_for
from sqlalchemy import func, select
from werkzeug.wrappers import Response

from models.candidates import set_defence_standing
from models.defences import has_outcome, set_ground
from models.errors import RuleError, Sentence
from models.office_log import record_event
from models.review import DEFENCE_STANDINGS, GROUNDS, Candidate, Round
from models.rounds import advance_round
from models.vault_accounts import OfficeEvent
from models.vault_rounds import Entrant, OfficeRound
from scoring.exemption_words import ground_in
from scoring.policy import GROUNDS as GROUND_NAMES
from scoring.policy import Policy
from webapp.language import sentences_of, t
from webapp.office.app import review, signed_in, undone, vault
from webapp.office.committee import (
    DESK,
    opened,
    opened_or_404,
    policy_in_force,
    require_neutral,
)
from webapp.office.rounds import round_or_404
from webapp.security import allow

pages = Blueprint("defence", __name__)
AT_ONCE = 100
EVIDENCE = "defence.evidence"
NO_GROUND = "none"


@dataclass(frozen=True)
class GroundRow:
    """What notice and policy say of a ground; "" where they are silent."""

    ground: str
    clause: str
    evidence: str
    average: str
    passed: str


@pages.app_template_global()
def ground_name(ground: str | None) -> str:
    """What a ground is called."""
    if ground is None:
        return t("无", "none")
    zh, en = GROUND_NAMES[ground]
    return t(zh, en)


@pages.app_template_global()
def defence_name(standing: str) -> str:
    """What a standing is called."""
    return {
        "attended": t("参加答辩", "attended"),
        "exempt": t("免答辩", "exempt"),
        "absent": t("缺席", "absent"),
        "waived": t("放弃免答辩，参加答辩", "waived, defends"),
        "not_required": t("未登记／不需答辩", "not recorded / not required"),
    }[standing]


@pages.route("/rounds/<int:round_id>/defence")
@allow(*DESK)
def grounds(round_id: int) -> str:
    return _page(round_or_404(round_id), [])


@pages.route("/rounds/<int:round_id>/defence", methods=["POST"])
@allow(*DESK)
def save(round_id: int) -> Response | tuple[str, int]:
    found = round_or_404(round_id)
    there = opened_or_404(found)
    try:
        changed = sum(_save_row(found, there, code) for code in request.form.getlist("code"))
    except RuleError as error:
        return _refused(found, error)
    flash(t(f"{changed} 人已登记。", f"{changed} recorded."))
    return redirect(_back(found), 303)


@pages.route("/rounds/<int:round_id>/defence/import", methods=["POST"])
@allow(*DESK)
def take_over(round_id: int) -> Response | tuple[str, int]:
    """Takes the grounds of the roster for everybody of whom nothing is recorded yet."""
    found = round_or_404(round_id)
    there = opened_or_404(found)
    taken = 0
    try:
        policy = policy_in_force(found) or Policy()
        texts = _roster(found)
        for one in review().scalars(select(Candidate).filter_by(round_id=there.id)).all():
            ground = ground_in(texts.get(one.code, ""))
            fresh = one.ground is None and one.defence == "not_required"
            if ground is None or not fresh or policy.exemption_on(ground) is None:
                continue
            reason = t("按花名册“免答辩情形”登记", "as the roster has it (免答辩情形)")
            _record(found, there, one, "exempt", ground, reason, texts[one.code])
            taken += 1
    except RuleError as error:
        return _refused(found, error)
    flash(t(f"已按花名册登记 {taken} 人，请核对证明。",
            f"{taken} taken over from the roster; check their evidence."))  # fmt: skip
    return redirect(_back(found), 303)


@pages.route("/rounds/<int:round_id>/defence/phase", methods=["POST"])
@allow(*DESK)
def begin(round_id: int) -> Response | tuple[str, int]:
    found = round_or_404(round_id)
    there = opened_or_404(found)
    try:
        if request.form.get("confirm") != "yes":
            raise RuleError(
                Sentence("请先勾选确认，再操作。", "Tick the box to confirm, then do it again.")
            )
        advance_round(review(), round_id=there.id, to="defence", by=signed_in().login)
    except RuleError as error:
        return _refused(found, error)
    flash(t("已进入答辩阶段。", "The defence has begun."))
    return redirect(_back(found), 303)


def ground_rows(policy: Policy) -> list[GroundRow]:
    """Each ground with the clause that exempts, and what stands in for the defence then."""
    rule, rows = policy.defence.substitution, []
    for ground in GROUNDS:
        exemption = policy.exemption_on(ground)
        covered = rule is not None and ground in rule.grounds
        rows.append(
            GroundRow(
                ground,
                exemption.clause if exemption else "",
                " ".join(filter(None, (exemption.evidence, exemption.note))) if exemption else "",
                rule.clause if rule is not None and covered else "",
                (policy.defence.unscored_clause or "✓")
                if policy.defence.unscored_exempt == "pass" and exemption
                else "",
            )
        )
    return rows


def _save_row(found: OfficeRound, there: Round, code: str) -> bool:
    """Records what changed of one row; whether anything did."""
    one = review().get(Candidate, (there.id, code))
    if one is None:
        raise RuleError(Sentence(f"没有编号 {code}。", f"There is no code {code}."))
    standing = request.form.get(f"standing-{code}", one.defence)
    chosen = request.form.get(f"ground-{code}", one.ground or NO_GROUND)
    ground = None if chosen == NO_GROUND else chosen
    note = request.form.get(f"evidence-{code}", "").strip()
    if (standing, ground) == (one.defence, one.ground) and not note:
        return False
    reason = require_neutral(found, code, request.form.get("reason", ""))
    _record(found, there, one, standing, ground, reason, note)
    return True


def _record(
    found: OfficeRound,
    there: Round,
    one: Candidate,
    standing: str,
    ground: str | None,
    reason: str,
    note: str,
) -> None:
    if standing == "exempt" and ground is None:
        raise RuleError(
            Sentence(
                f"{one.code}：免答辩须注明情形。", f"{one.code}: an exemption needs its ground."
            )
        )
    me = signed_in().login
    if ground != one.ground:
        set_ground(review(), round_id=there.id, code=one.code, ground=ground, reason=reason, by=me)
    if standing != one.defence:
        if standing in ("absent", "not_required") and has_outcome(review(), there.id, one.code):
            raise RuleError(
                Sentence(
                    f"{one.code} 已有答辩成绩，不能改为“{standing}”。",
                    f"{one.code} has a defence score and cannot become {standing}.",
                )
            )
        set_defence_standing(
            review(), round_id=there.id, code=one.code, standing=standing, reason=reason, by=me
        )
    if note:
        record_event(
            vault(),
            actor=me,
            action=EVIDENCE,
            round_id=found.id,
            details={"code": one.code, "ground": ground, "note": note[:500]},
        )


def _refused(found: OfficeRound, error: RuleError) -> tuple[str, int]:
    return _page(round_or_404(found.id), undone(error)), 422


def _back(found: OfficeRound) -> str:
    only, after = request.args.get("only") or None, request.args.get("after") or None
    return url_for("defence.grounds", round_id=found.id, only=only, after=after)


def _roster(found: OfficeRound) -> dict[str, str]:
    """Code -> what the roster says of an exemption."""
    rows = vault().execute(select(Entrant.code, Entrant.row).filter_by(round_id=found.id))
    return {row.code: json.loads(row.row).get("exemption") or "" for row in rows}


def _evidence(found: OfficeRound) -> dict[str, str]:
    """Code -> the newest note on the evidence."""
    texts = vault().scalars(
        select(OfficeEvent.details)
        .filter_by(round_id=found.id, action=EVIDENCE)
        .order_by(OfficeEvent.id)
    )
    return {said["code"]: said["note"] for said in map(json.loads, texts)}


def _page(found: OfficeRound, problems: list[str]) -> str:
    there = opened(found)
    if there is None:
        return render_template("defence.html", round=found, there=None, problems=problems)
    try:
        policy = policy_in_force(found) or Policy()
    except RuleError as error:
        policy, problems = Policy(), [*problems, *sentences_of(error)]
    only, after = request.args.get("only", ""), request.args.get("after", "")
    chosen = select(Candidate).where(
        Candidate.round_id == there.id, Candidate.disqualified.is_(False), Candidate.code > after
    )
    if only in DEFENCE_STANDINGS:
        chosen = chosen.where(Candidate.defence == only)
    rows = review().scalars(chosen.order_by(Candidate.code).limit(AT_ONCE + 1)).all()
    counted = review().execute(
        select(Candidate.defence, func.count())
        .filter_by(round_id=there.id, disqualified=False)
        .group_by(Candidate.defence)
    )
    roster = _roster(found)
    return render_template(
        "defence.html",
        round=found,
        there=there,
        problems=problems,
        policy=policy,
        grounds=ground_rows(policy),
        rows=rows[:AT_ONCE],
        following=rows[AT_ONCE - 1].code if len(rows) > AT_ONCE else "",
        counts={row[0]: row[1] for row in counted},
        standings=DEFENCE_STANDINGS,
        only=only,
        roster=roster,
        proposals={code: ground_in(text) for code, text in roster.items()},
        evidence=_evidence(found),
        no_ground=NO_GROUND,
        may_change=there.phase in ("scoring", "locked", "defence"),
    )
