"""Behind an applicant's link: the own masked pages, and the question whether they hide enough.

There are page numbers only, counted in the one dossier that the link opens: no id of anything else
can be asked for. Applicants see masked pictures, and never a blind code.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import (
    Blueprint,
    Response,
    abort,
    current_app,
    g,
    redirect,
    render_template,
    request,
    url_for,
)
from sqlalchemy.orm import Session
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from models.check_links import LinkRefused, link_of, note_refusal
from models.errors import RuleError
from models.office_checks import answer_page, newest_answers, shown_pages
from models.office_returns import logs_of
from models.vault_pages import CheckAnswer, CheckLink, Page
from models.vault_rounds import Entrant, OfficeRound
from webapp.language import sentences_of, t
from webapp.office.app import vault
from webapp.office.pictures import send_picture
from webapp.office.standing import rule_of, standing_of
from webapp.security import open_to_all

pages = Blueprint("check", __name__)
REFUSALS_A_MINUTE = "20 per minute"
OPEN_VIEWS = ("start", "one_page", "picture")


@dataclass(frozen=True)
class Visit:
    """What a link opens, for one request."""

    link: CheckLink
    entrant: Entrant
    round: OfficeRound
    pages: list[Page]


def limit_refusals(limiter: Any, views: dict[str, Callable[..., Any]]) -> None:
    """Links that open nothing are counted for each address, so that none can be guessed."""
    for name in OPEN_VIEWS:
        endpoint = f"check.{name}"
        views[endpoint] = limiter.shared_limit(
            REFUSALS_A_MINUTE,
            scope="check",
            deduct_when=lambda response: response.status_code in (404, 410),
        )(views[endpoint])


@pages.route("/check/<token>")
@open_to_all
def start(token: str) -> str:
    visit = _visit(token)
    answers = newest_answers(vault(), [page.id for page in visit.pages])
    log = logs_of(vault(), [visit.entrant])[visit.entrant.id]
    standing = standing_of(rule_of(visit.round), log)
    waiting = [n for n, page in enumerate(visit.pages, 1) if page.id not in answers]
    return render_template(
        "check_start.html",
        visit=visit,
        token=token,
        who=_veiled(visit.entrant.name),
        answers=answers,
        first=waiting[0] if waiting else 1,
        left=len(waiting),
        standing=standing,
    )


@pages.route("/check/<token>/<int:number>", methods=["GET", "POST"])
@open_to_all
def one_page(token: str, number: int) -> AnyResponse | str | tuple[str, int]:
    visit = _visit(token)
    page = _numbered(visit, number)
    if request.method in ("GET", "HEAD"):
        newest = newest_answers(vault(), [page.id]).get(page.id)
        values: dict[str, Any] = (
            {"answer": newest.answer, "remark": newest.remark, "places": _boxes(newest)}
            if newest
            else {"answer": "", "remark": "", "places": []}
        )
        return _page_view(visit, token, number, values, [])
    said = {"answer": request.form.get("answer", ""), "remark": request.form.get("remark", "")}
    try:
        places = _parsed(request.form.get("places", "[]"))
        answer_page(
            vault(),
            link=visit.link,
            number=number,
            shown_sha256=request.form.get("shown", ""),
            places=places,
            **said,
        )
    except RuleError as error:
        g.undo = True
        return _page_view(visit, token, number, {**said, "places": []}, sentences_of(error)), 422
    following = _next_unanswered(visit, number)
    if following is None:
        return redirect(url_for("check.start", token=token), 303)
    return redirect(url_for("check.one_page", token=token, number=following), 303)


@pages.route("/check/<token>/<int:number>/<size>.jpg")
@open_to_all
def picture(token: str, number: int, size: str) -> Response:
    """The masked page; of the source nothing can be asked for."""
    page = _numbered(_visit(token), number)
    response = send_picture(page.id, "masked", 0, size)
    # Asked for anew each time, so that a link that was taken back shows nothing any more.
    response.headers["Cache-Control"] = "private, no-cache"
    return response


@pages.errorhandler(LinkRefused)
def refused(error: LinkRefused) -> tuple[str, int]:
    g.undo = True
    vault().rollback()  # the log must not wait for this request's own lock
    with Session(current_app.extensions["vault"]) as writing, writing.begin():
        note_refusal(writing, why=error.why, address=request.remote_addr or "?")
    code = 404 if error.why == "unknown" else 410
    return render_template("check_refused.html", sentences=sentences_of(error)), code


@pages.errorhandler(HTTPException)
def wrong(error: HTTPException) -> tuple[str, int]:
    g.undo = True
    code = error.code or 500
    said = {
        404: t("没有这一页。请返回后重选。", "There is no such page. Go back and choose again."),
        429: t("尝试次数过多，请一分钟后再试。", "Too many attempts; try again in a minute."),
    }.get(code, t("页面已过期，请返回后重试。", "The page has expired; go back and try again."))
    return render_template("check_refused.html", sentences=[said]), code


def _visit(token: str) -> Visit:
    link = link_of(vault(), token)
    entrant = vault().get_one(Entrant, link.entrant_id)
    return Visit(
        link,
        entrant,
        vault().get_one(OfficeRound, entrant.round_id),
        shown_pages(vault(), entrant.id),
    )


def _numbered(visit: Visit, number: int) -> Page:
    if not 1 <= number <= len(visit.pages):
        abort(404)
    return visit.pages[number - 1]


def _page_view(
    visit: Visit, token: str, number: int, values: dict[str, Any], problems: list[str]
) -> str:
    page = _numbered(visit, number)
    return render_template(
        "check_page.html",
        token=token,
        number=number,
        count=len(visit.pages),
        page=page,
        size=json.loads(page.record)["size"],
        values=values,
        problems=problems,
    )


def _next_unanswered(visit: Visit, number: int) -> int | None:
    answers = newest_answers(vault(), [page.id for page in visit.pages])
    left = [n for n, page in enumerate(visit.pages, 1) if page.id not in answers]
    return next((n for n in left if n > number), left[0] if left else None)


def _parsed(text: str) -> object:
    try:
        return json.loads(text) if len(text) < 20_000 else None
    except (ValueError, RecursionError):
        return None  # refused with a sentence like other places that cannot be


def _boxes(answer: CheckAnswer) -> list[list[float]]:
    """[left, top, right, bottom] of each marked place."""
    return [[*quad[0], *quad[2]] for quad in json.loads(answer.places)]


def _veiled(name: str) -> str:
    """Enough of a name to know the own link by, and no more: others may see the screen."""
    return f"{name[:1]}{'＊' * min(2, max(1, len(name) - 1))}"
