"""The secret ballot on a tablet: choose, check, confirm with the PIN, cast; and the receipts."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, g, jsonify, render_template, request

from models.ballot_box import (
    ballots_of,
    codes_for,
    meeting_of,
    open_ballot_of,
    receipts_of,
    roll_state,
)
from models.ballots import cast_ballot, new_receipt
from models.errors import RuleError
from models.review_ballots import Ballot
from models.seat_access import confirm_identity
from webapp.language import sentences_of, t
from webapp.review.app import REVIEWER, review, signed_in
from webapp.review.identity import tried
from webapp.security import allow

pages = Blueprint("ballot", __name__)
CHOICES = ("yes", "no", "abstain")
"""What a tablet offers: nobody can spoil a ballot on it."""


@pages.app_template_filter()
def choice_name(choice: str) -> str:
    """What a choice is called."""
    return {
        "yes": t("同意", "Yes"),
        "no": t("不同意", "No"),
        "abstain": t("弃权", "Abstain"),
        "spoiled": t("废票", "Spoiled"),
    }[choice]


@pages.route("/meeting")
@allow(REVIEWER)
def meeting() -> Response:
    """What the meeting is at, for every open page of this seat."""
    me = signed_in()
    phase, waiting = meeting_of(review(), me.round_id, me.seat)
    return jsonify(ballot=waiting, defence=phase == "defence")


@pages.route("/ballot")
@allow(REVIEWER)
def paper() -> str:
    me = signed_in()
    ballot = open_ballot_of(review(), me.round_id)
    if ballot is None:
        return _page("none")
    state = roll_state(review(), ballot.id, me.seat)
    if state == "waiting":
        return _paper(ballot, {}, new_receipt(), [])
    return _page(state)


@pages.route("/ballot/<ballot_id>", methods=["POST"])
@allow(REVIEWER)
def cast(ballot_id: str) -> str | tuple[str, int]:
    me = signed_in()
    receipt = request.form.get("receipt", "")
    choices = {
        name.removeprefix("choice-"): value
        for name, value in request.form.items()
        if name.startswith("choice-")
    }
    secret = request.form.get("secret", "")
    held = tried(me, secret)
    ballot = review().get(Ballot, ballot_id)
    if ballot is None or ballot.round_id != me.round_id:
        return _page("none"), 404
    try:
        known = confirm_identity(review(), member=me, secret=secret, tried=held)
        # A wrong PIN is counted, whatever becomes of the ballot; and the ballot's own transaction
        # touches nothing that names the seat but the roll.
        review().commit()
        if not known:
            return _paper(ballot, choices, receipt, [t("PIN 不正确。", "The PIN is wrong.")]), 422
        if not set(choices.values()) <= {*CHOICES}:
            choices = {code: said for code, said in choices.items() if said in CHOICES}
        cast_ballot(
            review(), ballot_id=ballot_id, reviewer=me.seat, choices=choices, receipt=receipt
        )
        return _page("cast", receipt=receipt)
    except RuleError as error:
        review().rollback()
        g.undo = True
        problems = sentences_of(error)
    ballot = review().get(Ballot, ballot_id)
    state = roll_state(review(), ballot_id, me.seat)
    if ballot is not None and ballot.state == "open" and state == "waiting":
        return _paper(ballot, choices, receipt, problems), 422
    return _page(state if state == "voted" else "none", problems=problems), 422


def _paper(ballot: Ballot, choices: dict[str, str], receipt: str, problems: list[str]) -> str:
    mine, recused = codes_for(review(), ballot, signed_in().seat)
    return _page(
        "waiting",
        ballot=ballot.id,
        codes=mine,
        recused=recused,
        offered=CHOICES,
        choices=choices,
        receipt=receipt,
        problems=problems,
    )


def _page(state: str, **values: Any) -> str:
    closed = [
        (facts, receipts_of(review(), facts.id))
        for facts in ballots_of(review(), signed_in().round_id)
        if facts.state == "closed"
    ]
    return render_template(
        "ballot.html",
        state=state,
        closed=closed,
        me=signed_in(),
        **{"problems": [], "receipt": "", **values},
    )
