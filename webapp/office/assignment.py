"""Which expert gets which dossier: the rule, proposed recusals, a plan to look at, its doing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypedDict

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from models.errors import RuleError, Sentence
from models.office_experts import experts_of, note_recusals, set_rule
from models.released import released_codes
from models.review import Recusal
from models.review_sheets import Sheet
from models.rounds import record_recusal
from models.sheets import assign_sheets, withdraw_sheet
from models.vault_experts import AssignmentRule, Expert
from models.vault_rounds import OfficeRound
from scoring.assignment import Dossier, Plan, Reviewer, assign, why_not
from scoring.assignment_conflicts import comparable
from webapp.language import sentences_of, t
from webapp.office.app import review, signed_in, undone, vault
from webapp.office.committee import (
    DESK,
    barred_pairs,
    bring_seats,
    dossiers_of,
    opened,
    opened_or_404,
    policy_in_force,
    reviewers_of,
    rule_of,
    take_turn,
)
from webapp.office.rounds import round_or_404
from webapp.security import allow

pages = Blueprint("assignment", __name__)
SHOWN = 100
PERSONAL = ("same_unit", "former_unit", "family")
"""Grounds on which the office recuses; the others are recorded already or are no recusal."""
NEUTRAL = Sentence("办公室核对：应当回避", "the office's check: recused")
"""What the experts' store is told; the ground itself names units and stays in the vault."""


class Choice(TypedDict):
    """What the form chooses of an AssignmentRule."""

    reviews: int
    by_specialty: bool


@dataclass(frozen=True)
class Proposal:
    """A pair that should be recused and is not yet, with every sentence why."""

    seat: str
    code: str
    sentences: tuple[Sentence, ...]


@dataclass(frozen=True)
class Ground:
    """What an assignment rests on. `active`: (seat, code) -> (sheet id, whether it is begun)."""

    experts: list[Expert]
    dossiers: list[Dossier]
    reviewers: list[Reviewer]
    active: dict[tuple[str, str], tuple[int, bool]]
    recused: set[tuple[str, str]] = field(default_factory=set)

    def loads(self) -> dict[str, int]:
        """Seat -> its active dossiers."""
        found = dict.fromkeys((reviewer.id for reviewer in self.reviewers), 0)
        for seat, _ in self.active:
            found[seat] = found.get(seat, 0) + 1
        return found


@dataclass(frozen=True)
class Planned:
    """A plan as it is shown. `stuck`: begun sheets that must be recused or excluded by a person.

    `digest` tells whether anything changed between looking and doing.
    """

    plan: Plan
    added: list[tuple[str, str]]
    withdrawn: list[tuple[str, str]]
    stuck: list[tuple[str, str]]
    digest: str


@pages.route("/rounds/<int:round_id>/assignment")
@allow(*DESK)
def overview(round_id: int) -> str:
    found = round_or_404(round_id)
    return _page(found, rule_of(found, policy_in_force(found)), None, [])


@pages.route("/rounds/<int:round_id>/assignment/preview", methods=["POST"])
@allow(*DESK)
def preview(round_id: int) -> str | tuple[str, int]:
    """Shows what an assignment would give out and take back; nothing is written."""
    found = round_or_404(round_id)
    g.undo = True
    rule = rule_of(found, policy_in_force(found))
    try:
        rule = AssignmentRule(round_id=found.id, seed=rule.seed, **_choice())
        planned = plan_of(ground_of(found, by_specialty=rule.by_specialty), rule)
    except RuleError as error:
        return _page(found, rule, None, sentences_of(error)), 422
    return _page(found, rule, planned, [])


@pages.route("/rounds/<int:round_id>/assignment/apply", methods=["POST"])
@allow(*DESK)
def apply(round_id: int) -> Response | tuple[str, int]:
    """Gives the dossiers out as shown; refused when anything changed since."""
    found = round_or_404(round_id)
    there, me = opened_or_404(found), signed_in().login
    rule = rule_of(found, policy_in_force(found))
    try:
        take_turn(round_id)
        seed = request.form.get("seed", -1, type=int)
        bring_seats(found, me)
        rule = set_rule(
            vault(), round_id=found.id, seed=seed if 0 <= seed < 10**9 else 0, by=me, **_choice()
        )
        ground = ground_of(found, by_specialty=rule.by_specialty)
        planned = plan_of(ground, rule)
        if planned.digest != request.form.get("digest"):
            raise RuleError(
                Sentence(
                    "预览之后席位、材料或评分表有变化，未作任何分配。请重新预览。",
                    "Seats, dossiers or sheets changed after the preview; nothing was given out. "
                    "Look at a new preview.",
                )
            )
        for pair in planned.withdrawn:
            withdraw_sheet(review(), sheet_id=ground.active[pair][0], by=me)
        assign_sheets(review(), round_id=there.id, pairs=planned.added, by=me)
    except RuleError as error:
        return _refused(round_id, error)
    flash(
        t(
            f"已分配 {len(planned.added)} 份评分表，撤回 {len(planned.withdrawn)} 份。",
            f"{len(planned.added)} sheets were given out, {len(planned.withdrawn)} taken back.",
        )
    )
    return redirect(url_for("board.overview", round_id=round_id), 303)


@pages.route("/rounds/<int:round_id>/assignment/recuse", methods=["POST"])
@allow(*DESK)
def recuse(round_id: int) -> Response | tuple[str, int]:
    """Records the proposed recusals that were ticked."""
    found = round_or_404(round_id)
    there, me = opened_or_404(found), signed_in().login
    ticked = set(request.form.getlist("pair"))
    try:
        take_turn(round_id)
        bring_seats(found, me)
        ground = ground_of(found, by_specialty=False)
        chosen = [one for one in proposals(ground) if f"{one.seat}|{one.code}" in ticked]
        for one in chosen:
            record_recusal(
                review(), round_id=there.id, reviewer=one.seat, code=one.code,
                reason=NEUTRAL.zh, by=me,
            )  # fmt: skip
        grounds = [(one.seat, one.code, one.sentences[0].zh) for one in chosen]
        if grounds:
            note_recusals(vault(), round_id=found.id, grounds=grounds, by=me)
    except RuleError as error:
        return _refused(round_id, error)
    flash(t(f"已记录 {len(chosen)} 项回避。", f"{len(chosen)} recusals are recorded."))
    return redirect(url_for("assignment.overview", round_id=round_id), 303)


def _refused(round_id: int, error: RuleError) -> tuple[str, int]:
    problems = undone(error)
    found = round_or_404(round_id)
    return _page(found, rule_of(found, policy_in_force(found)), None, problems), 422


def ground_of(
    found: OfficeRound, *, by_specialty: bool, codes: Iterable[str] | None = None
) -> Ground:
    """Experts, dossiers and sheets of a round as they are; of all released dossiers or `codes`."""
    there = opened_or_404(found)
    experts = experts_of(vault(), found.id)
    listed = released_codes(review(), there.id) if codes is None else set(codes)
    sheets = select(Sheet.reviewer, Sheet.code, Sheet.id, Sheet.version, Sheet.state).where(
        Sheet.round_id == there.id, Sheet.state.in_(("open", "submitted"))
    )
    active = {
        (seat, code): (sheet_id, version > 0 or state == "submitted")
        for seat, code, sheet_id, version, state in review().execute(sheets)
    }
    recused = select(Recusal.reviewer, Recusal.code).where(Recusal.round_id == there.id)
    return Ground(
        experts,
        dossiers_of(vault(), found.id, listed),
        reviewers_of(experts, barred_pairs(there.id), by_specialty=by_specialty),
        active,
        {(row[0], row[1]) for row in review().execute(recused)},
    )


def plan_of(ground: Ground, rule: AssignmentRule) -> Planned:
    """The assignment that keeps what is given out, and evens the loads; RuleError if none is."""
    if not ground.dossiers:
        raise RuleError(Sentence("还没有已放行的材料。", "No dossier has been released yet."))
    if not ground.reviewers:
        raise RuleError(Sentence("还没有登记专家。", "No expert is named yet."))
    codes = {dossier.code for dossier in ground.dossiers}
    people = {reviewer.id for reviewer in ground.reviewers}
    existing: dict[str, list[str]] = {}
    for seat, code in ground.active:
        if code in codes and seat in people:
            existing.setdefault(code, []).append(seat)
    begun = [pair for pair, (_, is_begun) in ground.active.items() if is_begun]
    plan = assign(
        ground.dossiers, ground.reviewers, rule.reviews, seed=rule.seed, existing=existing,
        begun=begun,
    )  # fmt: skip
    started = set(begun)
    added, removed = sorted(plan.added), sorted(plan.removed)
    told = json.dumps([rule.reviews, rule.by_specialty, rule.seed, added, removed])
    return Planned(
        plan,
        added,
        [pair for pair in removed if pair not in started],
        [pair for pair in removed if pair in started],
        hashlib.sha256(told.encode()).hexdigest(),
    )


def proposals(ground: Ground) -> list[Proposal]:
    """Pairs that units or relatives speak against and that are not recused yet, by code."""
    by_key: dict[str, list[Dossier]] = {}
    for dossier in ground.dossiers:
        for text in {dossier.name, *dossier.units, *dossier.former_units}:
            by_key.setdefault(comparable(text), []).append(dossier)
    found = []
    for reviewer in ground.reviewers:
        near: dict[str, Dossier] = {}
        for text in (*reviewer.units, *reviewer.former_units, *reviewer.family):
            near |= {dossier.code: dossier for dossier in by_key.get(comparable(text), ())}
        for code, dossier in near.items():
            why = tuple(r.sentence for r in why_not(reviewer, dossier) if r.ground in PERSONAL)
            if why and (reviewer.id, code) not in ground.recused:
                found.append(Proposal(reviewer.id, code, why))
    return sorted(found, key=lambda one: (one.code, one.seat))


def _choice() -> Choice:
    text = request.form.get("reviews", "").strip()
    if not (text.isascii() and text.isdecimal() and 1 <= len(text) <= 2 and int(text) > 0):
        raise RuleError(
            Sentence(
                "每份材料的评委数应为 1 至 99 的整数。",
                "The number of experts for a dossier is a whole number from 1 to 99.",
            )
        )
    return {"reviews": int(text), "by_specialty": request.form.get("by_specialty") == "yes"}


def _page(
    found: OfficeRound, rule: AssignmentRule, planned: Planned | None, problems: Sequence[str]
) -> str:
    there = opened(found)
    ground = (
        ground_of(found, by_specialty=rule.by_specialty)
        if there is not None
        else Ground(experts_of(vault(), found.id), [], [], {})
    )
    policy = policy_in_force(found)
    proposed = proposals(ground)
    return render_template(
        "assignment.html",
        round=found,
        there=there,
        rule=rule,
        ground=ground,
        loads=ground.loads(),
        most=max([*ground.loads().values(), *(planned.plan.loads.values() if planned else ())],
                 default=0),
        planned=planned,
        proposals=proposed[:SHOWN],
        proposed=len(proposed),
        criteria=policy is not None and bool(policy.criterion),
        shown=SHOWN,
        problems=problems,
    )  # fmt: skip
