"""The first page after signing in: the dossiers of this seat, in the order of their codes."""

from __future__ import annotations

from flask import Blueprint, render_template

from models.rounds import get_round
from models.seat_dossiers import dossiers_of
from webapp.review.app import REVIEWER, review, signed_in
from webapp.security import allow

pages = Blueprint("front", __name__)


@pages.route("/")
@allow(REVIEWER)
def front_page() -> str:
    me = signed_in()
    found = get_round(review(), me.round_id)
    return render_template(
        "front.html", round=found, dossiers=dossiers_of(review(), me.round_id, me.seat)
    )
