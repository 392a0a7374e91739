"""The first page after signing in: the dossiers of this seat, in the order of their codes."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, render_template

from models.rounds import get_round
from models.seat_dossiers import READABLE, SeatDossier, dossiers_of, scored_criteria
from redactor.attachment import CATEGORIES
from webapp.category_words import category_name
from webapp.review.app import REVIEWER, review, signed_in
from webapp.review.rubric import policy_of_round
from webapp.security import allow

pages = Blueprint("front", __name__)
STANDINGS = ("not_begun", "draft", "complete", "submitted", "recused", "excluded")


@dataclass(frozen=True)
class Card:
    """A dossier on the list. `scored`: criteria with points in this seat's own sheet."""

    dossier: SeatDossier
    standing: str
    scored: int
    readable: bool
    categories: tuple[tuple[str, int], ...]


@pages.route("/")
@allow(REVIEWER)
def front_page() -> str:
    me = signed_in()
    criteria = {item.id for item in policy_of_round(review(), me.round_id).criterion}
    scored = scored_criteria(review(), me.round_id, me.seat)
    cards = [
        _card(dossier, len(criteria & scored.get(dossier.sheet_id, frozenset())), len(criteria))
        for dossier in dossiers_of(review(), me.round_id, me.seat)
    ]
    counted = [card for card in cards if card.readable and card.standing != "excluded"]
    return render_template(
        "front.html",
        round=get_round(review(), me.round_id),
        cards=cards,
        criteria=len(criteria),
        done=sum(card.standing == "submitted" for card in counted),
        total=len(counted),
    )


def _card(dossier: SeatDossier, scored: int, criteria: int) -> Card:
    standing = dossier.state
    if standing == "open":
        standing = "not_begun" if dossier.version == 0 else "draft"
        if 0 < criteria == scored:
            standing = "complete"
    listed = sorted(dossier.categories, key=CATEGORIES.index)
    counts = tuple((category_name(category), dossier.categories[category]) for category in listed)
    return Card(dossier, standing, scored, dossier.state in READABLE, counts)
