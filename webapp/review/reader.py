"""A dossier as its expert reads it: the pages, the score sheet beside them, reports of leaks."""

from __future__ import annotations

from flask import Blueprint, Response, abort, g, jsonify, render_template, request

from models.errors import RuleError
from models.page_reports import LONGEST_REASON, report_page
from models.rounds import get_round
from models.seat_dossiers import SeatPage, seat_pages
from webapp.category_words import category_name
from webapp.language import sentences_of, t
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
        page_values=_values(found),
        longest_reason=LONGEST_REASON,
    )


@pages.route("/d/<code>/pages.json")
@allow(REVIEWER)
def page_list(code: str) -> Response:
    """The pages as they are now; tablets ask every few seconds, so that a freeze holds at once."""
    response = jsonify(_values(_pages(code)))
    response.add_etag()
    response.headers["Cache-Control"] = "private, no-cache"
    response.make_conditional(request)
    return response


@pages.route("/d/<code>/report", methods=["POST"])
@allow(REVIEWER)
def report(code: str) -> tuple[Response, int]:
    """Freezes a page that shows who it is. The answer is the page list, or what is wrong."""
    number, name = request.form.get("number", 0, type=int), request.form.get("name", "")
    if not any((page.number, page.name) == (number, name) for page in _pages(code)):
        return _refused([t("此页刚刚更换过。请看新的一页，仍有问题时再报告。",
                           "This page was replaced just now. Look at the new one, and report it "
                           "if it shows who it is as well.")])  # fmt: skip
    me = signed_in()
    try:
        report_page(
            review(),
            round_id=me.round_id,
            code=code,
            number=number,
            reason=request.form.get("reason", ""),
            by=me.seat,
        )
    except RuleError as error:
        return _refused(sentences_of(error))
    return jsonify(_values(_pages(code))), 200


def _refused(problems: list[str]) -> tuple[Response, int]:
    g.undo = True
    return jsonify(problems=problems), 422


def _pages(code: str) -> list[SeatPage]:
    """The pages of a dossier that this seat may read; everybody else's is no page."""
    me = signed_in()
    found = seat_pages(review(), me.round_id, me.seat, code)
    if found is None:
        abort(404)
    return found


def _values(found: list[SeatPage]) -> list[dict[str, object]]:
    return [{**vars(page), "label": category_name(page.category)} for page in found]
