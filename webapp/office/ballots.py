"""The secretary's ballot: attendance and quorum, opening, watching the count, closing, outcome.

Counts of a ballot are seen only when it is closed. Outcomes come from scoring's [vote] rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from models.ballot_box import BallotFacts, ballots_of, receipts_of, recused_pairs
from models.ballots import close_ballot, open_ballot, require_one_ballot_each
from models.errors import RuleError, Sentence
from models.office_experts import experts_of, seat_order
from models.paper_ballots import mark_paper, paper_state
from models.review import Candidate, Reviewer, Round
from models.review_ballots import BallotItem
from models.rounds import advance_round, record_attendance
from models.vault_rounds import OfficeRound
from scoring.ballot import count_votes, reaches
from scoring.policy import Policy
from scoring.result import VoteOutcome
from scoring.round import Ballot, Committee
from webapp.language import sentences_of, t
from webapp.office.app import review, signed_in, undone, vault
from webapp.office.committee import DESK, opened, opened_or_404, policy_in_force
from webapp.office.rounds import round_or_404
from webapp.security import allow

pages = Blueprint("ballots", __name__)
BEFORE_VOTING = ("locked", "defence")


@dataclass(frozen=True)
class Line:
    """A candidate's closed ballot with its outcome, and its figures in whole numbers."""

    item: BallotItem
    outcome: VoteOutcome
    figures: str


@dataclass(frozen=True)
class Closed:
    """A closed ballot as it is shown. `papers`: how many paper ballots were counted."""

    facts: BallotFacts
    lines: tuple[Line, ...]
    receipts: int
    papers: int
    quorum: str


@pages.app_template_global()
def phase_name(phase: str) -> str:
    """What a phase of the round is called."""
    return {
        "scoring": t("盲评打分", "blind scoring"),
        "locked": t("盲评已锁定", "blind scores locked"),
        "defence": t("答辩", "defence"),
        "voting": t("投票", "voting"),
        "closed": t("已结束", "closed"),
    }[phase]


def figures(part: int, whole: int, share: Fraction) -> str:
    """Whether part / whole reaches the share, in whole numbers: "3 x 6 = 18 ≥ 2 x 9 = 18"."""
    sign = "≥" if reaches(part, whole, share) else "<"
    left, right = share.denominator * part, share.numerator * whole
    return f"{share.denominator} × {part} = {left} {sign} {share.numerator} × {whole} = {right}"


@pages.route("/rounds/<int:round_id>/ballots")
@allow(*DESK)
def overview(round_id: int) -> str:
    return _page(round_or_404(round_id), [])


@pages.route("/rounds/<int:round_id>/ballots/part")
@allow(*DESK)
def part(round_id: int) -> str:
    """How many have voted, for a page that is looked at meanwhile."""
    there = opened_or_404(round_or_404(round_id))
    now = next((one for one in ballots_of(review(), there.id) if one.state == "open"), None)
    return render_template("ballots_part.html", now=now)


@pages.route("/rounds/<int:round_id>/ballots/attendance", methods=["POST"])
@allow(*DESK)
def attendance(round_id: int) -> Response | tuple[str, int]:
    found = round_or_404(round_id)
    there = opened_or_404(found)
    wanted = set(request.form.getlist("present"))

    def act() -> None:
        seats = select(Reviewer.seat, Reviewer.present).filter_by(round_id=there.id)
        for seat, present in review().execute(seats).all():
            if present != (seat in wanted):
                record_attendance(
                    review(),
                    round_id=there.id,
                    seat=seat,
                    present=seat in wanted,
                    by=signed_in().login,
                )

    return _done(found, act, t("出席情况已登记。", "The attendance is recorded."))


@pages.route("/rounds/<int:round_id>/ballots/phase", methods=["POST"])
@allow(*DESK)
def to_voting(round_id: int) -> Response | tuple[str, int]:
    found = round_or_404(round_id)
    there = opened_or_404(found)

    def act() -> None:
        _require_yes()
        advance_round(review(), round_id=there.id, to="voting", by=signed_in().login)

    return _done(found, act, t("已进入投票阶段。", "The voting has begun."))


@pages.route("/rounds/<int:round_id>/ballots/open", methods=["POST"])
@allow(*DESK)
def open_now(round_id: int) -> Response | tuple[str, int]:
    found = round_or_404(round_id)
    there = opened_or_404(found)

    def act() -> None:
        _require_yes()
        codes = request.form.getlist("code")
        require_one_ballot_each(review(), round_id=there.id, codes=codes)
        policy = policy_in_force(found)
        open_ballot(
            review(),
            round_id=there.id,
            codes=codes,
            by=signed_in().login,
            quorum=Policy().quorum if policy is None else policy.quorum,
        )

    return _done(found, act, t("投票已开始。", "The ballot is open."))


@pages.route("/rounds/<int:round_id>/ballots/<ballot_id>/close", methods=["POST"])
@allow(*DESK)
def close(round_id: int, ballot_id: str) -> Response | tuple[str, int]:
    found = round_or_404(round_id)
    ballot_or_404(found, ballot_id)

    def act() -> None:
        _require_yes()
        close_ballot(review(), ballot_id=ballot_id, by=signed_in().login)

    return _done(found, act, t("投票已结束，结果如下。", "The ballot is closed."))


@pages.route("/rounds/<int:round_id>/ballots/<ballot_id>/paper", methods=["POST"])
@allow(*DESK)
def on_paper(round_id: int, ballot_id: str) -> Response | tuple[str, int]:
    found = round_or_404(round_id)
    ballot_or_404(found, ballot_id)
    seat, paper = request.form.get("seat", ""), request.form.get("paper") == "yes"

    def act() -> None:
        mark_paper(review(), ballot_id=ballot_id, seat=seat, paper=paper, by=signed_in().login)

    said = t("已登记，可以发给纸质选票。", "Marked; the paper may be given out.")
    back = t("已改回平板。", "Back to the tablet.")
    return _done(found, act, f"{seat}: {said if paper else back}")


@pages.route("/rounds/<int:round_id>/ballots/<ballot_id>/receipts")
@allow(*DESK)
def receipts(round_id: int, ballot_id: str) -> str:
    """The list that is published, for printing."""
    found = round_or_404(round_id)
    facts = ballot_or_404(found, ballot_id)
    if facts.state != "closed":
        abort(404)
    return render_template(
        "ballot_receipts.html", round=found, facts=facts, receipts=receipts_of(review(), facts.id)
    )


def ballot_or_404(found: OfficeRound, ballot_id: str) -> BallotFacts:
    """A ballot of the round of a page's address, and of no other round."""
    there = opened_or_404(found)
    facts = (one for one in ballots_of(review(), there.id) if one.id == ballot_id)
    return next(facts, None) or abort(404)


def expert_names(found: OfficeRound) -> dict[str, str]:
    """Seat -> the name of the expert who sits there, as far as the vault knows."""
    return {expert.seat: expert.name for expert in experts_of(vault(), found.id)}


def closed_ballots(
    there: Round, ballots: Iterable[BallotFacts], policy: Policy | None
) -> tuple[Closed, ...]:
    """The closed ones with their outcomes by the policy's [vote], as the tally counts them."""
    rules = policy or Policy()
    recused = recused_pairs(review(), there.id)
    found = []
    for facts in ballots:
        if facts.state != "closed":
            continue
        committee = Committee(there.committee_members, facts.present, facts.voters)
        lines = []
        for item in facts.items:
            away = frozenset(seat for seat, code in recused if code == item.code)
            cast = Ballot(item.yes or 0, item.no or 0, item.abstain or 0, item.spoiled or 0)
            outcome = count_votes(cast, committee, away, rules)
            said = figures(outcome.yes, outcome.denominator, rules.approve)
            lines.append(Line(item, outcome, said))
        entries = paper_state(review(), facts.id).entries
        found.append(
            Closed(
                facts,
                tuple(lines),
                len(receipts_of(review(), facts.id)),
                entries[0].papers if entries else 0,
                figures(facts.present, there.committee_members, rules.quorum),
            )
        )
    return tuple(found)


def _done(found: OfficeRound, act: Callable[[], None], said: str) -> Response | tuple[str, int]:
    """Does an act and goes back to the page; what stands against it is said there."""
    try:
        act()
    except RuleError as error:
        return _page(found, undone(error)), 422
    flash(said)
    return redirect(url_for("ballots.overview", round_id=found.id), 303)


def _require_yes() -> None:
    if request.form.get("confirm") != "yes":
        raise RuleError(
            Sentence("请先勾选确认，再操作。", "Tick the box to confirm, then do it again.")
        )


def _page(found: OfficeRound, problems: list[str]) -> str:
    there = opened(found)
    if there is None:
        return render_template("ballots.html", round=found, there=None, problems=problems)
    try:
        policy = policy_in_force(found)
    except RuleError as error:
        policy, problems = None, [*problems, *sentences_of(error)]
    rules = policy or Policy()
    ballots = ballots_of(review(), there.id)
    now = next((one for one in ballots if one.state == "open"), None)
    seats = review().scalars(select(Reviewer).filter_by(round_id=there.id)).all()
    present = sum(seat.present for seat in seats)
    voted = {item.code for one in ballots for item in one.items}
    candidates = review().scalars(
        select(Candidate)
        .filter_by(round_id=there.id, disqualified=False)
        .where(Candidate.code.not_in(voted))
        .order_by(Candidate.code)
    )
    return render_template(
        "ballots.html",
        round=found,
        there=there,
        problems=problems,
        names=expert_names(found),
        seats=sorted(seats, key=lambda seat: seat_order(seat.seat)),
        present=present,
        quorum=figures(present, there.committee_members, rules.quorum),
        enough=reaches(present, there.committee_members, rules.quorum),
        rules=rules,
        now=now,
        paper=paper_state(review(), now.id) if now is not None else None,
        candidates=candidates.all(),
        closed=closed_ballots(there, ballots, policy),
        before_voting=BEFORE_VOTING,
    )
