"""A dossier as its expert reads it: the pages, the score sheet beside them, reports of leaks."""

from __future__ import annotations

import dataclasses
import json

from flask import Blueprint, Response, abort, render_template

from models.rounds import get_round
from models.seat_dossiers import SeatPage, seat_pages
from webapp.category_words import category_name
from webapp.review.app import REVIEWER, review, signed_in
from webapp.security import allow

pages = Blueprint("reader", __name__)


@pages.route("/d/<code>/")
@allow(REVIEWER)
def dossier_page(code: str) -> str:
    me = signed_in()
    found = _pages(code)
    # sheet_panel.html is rendered with these values.
    return render_template(
        "dossier.html",
        round=get_round(review(), me.round_id),
        code=code,
        me=me,
        pages=found,
        page_values=_values(found),
    )


@pages.route("/d/<code>/pages.json")
@allow(REVIEWER)
def page_list(code: str) -> Response:
    """The pages as they are now; the reader asks every few seconds, so that a freeze holds."""
    return Response(json.dumps(_values(_pages(code))), mimetype="application/json")


def _pages(code: str) -> list[SeatPage]:
    me = signed_in()
    found = seat_pages(review(), me.round_id, me.seat, code)
    if found is None:
        abort(404)
    return found


def _values(found: list[SeatPage]) -> list[dict[str, object]]:
    return [{**dataclasses.asdict(page), "label": category_name(page.category)} for page in found]
