"""The office's side of the self-check: links and their printed sheets, answers, decisions."""

from __future__ import annotations

import json
from typing import Any

import segno
from flask import (
    Blueprint,
    Response,
    abort,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from markupsafe import Markup
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from models.check_links import LONGEST_LINK_HOURS, link_of, make_links, withdraw_links
from models.errors import RuleError
from models.office_checks import (
    Answered,
    CheckState,
    answers_of,
    check_states,
    decide_answer,
    open_answers,
)
from models.office_returns import logs_of
from models.vault_pages import CheckAnswer, Page
from models.vault_rounds import Entrant
from webapp.language import t
from webapp.office.app import signed_in, undone, vault
from webapp.office.rounds import entrant_or_404, round_or_404
from webapp.office.standing import rule_of, standing_of
from webapp.security import allow

pages = Blueprint("selfcheck", __name__)
DESK = ("clerk", "admin")
PAGE_LENGTH, ANSWERS_LENGTH = 100, 20
DEFAULT_HOURS = 72


@pages.app_template_global()
def answers_on(page_id: int) -> list[Answered]:
    """What the applicant said of a page, newest first, for selfcheck_answers.html."""
    return answers_of(vault(), page_id)


@pages.app_template_filter()
def answer_name(answer: str) -> str:
    """What an answer is called."""
    return {
        "yes": t("是，还需遮盖", "yes, more to mask"),
        "no": t("否，已遮好", "no, well masked"),
        "question": t("遮盖过多", "too much is masked"),
    }[answer]


@pages.app_template_filter()
def link_state(state: str) -> str:
    """What the state of a link is called."""
    return {
        "none": t("未发链接", "no link"),
        "open": t("进行中", "open"),
        "finished": t("已全部回答", "all answered"),
        "expired": t("已过期", "expired"),
        "withdrawn": t("已收回", "taken back"),
    }[state]


@pages.route("/rounds/<int:round_id>/selfcheck")
@allow(*DESK)
def overview(round_id: int) -> str:
    found = round_or_404(round_id)
    after = request.args.get("after", 0, type=int)
    entrants = (
        vault()
        .scalars(
            select(Entrant)
            .where(Entrant.round_id == found.id, Entrant.number > after)
            .order_by(Entrant.number)
            .limit(PAGE_LENGTH + 1)
        )
        .all()
    )
    listed = entrants[:PAGE_LENGTH]
    states = check_states(vault(), found.id, [entrant.id for entrant in listed])
    logs = logs_of(vault(), listed)
    rule = rule_of(found)
    rows: list[tuple[Entrant, CheckState, Any]] = [
        (entrant, states[entrant.id], standing_of(rule, logs[entrant.id])) for entrant in listed
    ]
    return render_template(
        "selfcheck.html",
        round=found,
        rows=rows,
        following=listed[-1].number if len(entrants) > PAGE_LENGTH else None,
        hours=DEFAULT_HOURS,
        longest=LONGEST_LINK_HOURS,
        waiting=len(open_answers(vault(), round_id=found.id, limit=1000)),
    )


@pages.route("/rounds/<int:round_id>/selfcheck/links", methods=["POST"])
@allow(*DESK)
def links(round_id: int) -> AnyResponse | Response:
    """Fresh links for one applicant or all that have pages; shown this once, to be printed."""
    found = round_or_404(round_id)
    chosen = select(Entrant).where(Entrant.round_id == found.id)
    if request.form.get("all"):
        chosen = chosen.where(
            Entrant.id.in_(select(Page.entrant_id).where(Page.round_id == found.id))
        )
    else:
        chosen = chosen.where(Entrant.id == request.form.get("entrant", 0, type=int))
    entrants = vault().scalars(chosen.order_by(Entrant.number)).all()
    if not entrants:
        flash(t("没有可发链接的申报人。", "There is nobody to make a link for."))
        return redirect(url_for("selfcheck.overview", round_id=found.id), 303)
    hours = request.form.get("hours", 0, type=int)
    tokens = make_links(
        vault(), entrant_ids=[entrant.id for entrant in entrants], hours=hours, by=signed_in().login
    )
    sheets = []
    for entrant in entrants:
        address = url_for("check.start", token=tokens[entrant.id], _external=True)
        sheets.append((entrant, address, _qr(address)))
    link = link_of(vault(), tokens[entrants[0].id])
    response = make_response(
        render_template(
            "selfcheck_sheets.html", round=found, sheets=sheets, until=link.expires_at,
        )
    )  # fmt: skip
    response.headers["Cache-Control"] = "no-store"
    return response


@pages.route("/rounds/<int:round_id>/selfcheck/<int:entrant_id>/withdraw", methods=["POST"])
@allow(*DESK)
def withdraw(round_id: int, entrant_id: int) -> AnyResponse:
    entrant = entrant_or_404(round_id, entrant_id)
    withdraw_links(vault(), entrant_id=entrant.id, by=signed_in().login)
    flash(t("链接已收回。", "The link was taken back."))
    return redirect(url_for("selfcheck.overview", round_id=round_id), 303)


@pages.route("/rounds/<int:round_id>/selfcheck/answers")
@allow(*DESK)
def answers(round_id: int) -> str:
    return _answers(round_id, [])


def _answers(round_id: int, problems: list[str]) -> str:
    found = round_or_404(round_id)
    after = request.args.get("after", 0, type=int)
    waiting = open_answers(vault(), round_id=found.id, after=after, limit=ANSWERS_LENGTH + 1)
    listed = waiting[:ANSWERS_LENGTH]
    people = vault().scalars(
        select(Entrant).where(Entrant.id.in_([one.page.entrant_id for one in listed]))
    )
    return render_template(
        "selfcheck_open.html",
        round=found,
        listed=listed,
        people={entrant.id: entrant for entrant in people},
        following=listed[-1].answer.id if len(waiting) > ANSWERS_LENGTH else None,
        problems=problems,
    )


@pages.route("/rounds/<int:round_id>/selfcheck/answers/<int:answer_id>", methods=["POST"])
@allow(*DESK)
def decide(round_id: int, answer_id: int) -> AnyResponse | tuple[str, int]:
    answer = vault().get(CheckAnswer, answer_id)
    page = vault().get(Page, answer.page_id) if answer is not None else None
    if page is None or page.round_id != round_id:
        abort(404)
    page_id = page.id
    verdict = request.form.get("verdict", "")
    try:
        decide_answer(
            vault(),
            answer_id=answer_id,
            verdict="agreed" if verdict == "mask" else verdict,
            mask=verdict == "mask",
            reason=request.form.get("reason", ""),
            by=signed_in().login,
        )
    except RuleError as error:
        return _answers(round_id, undone(error)), 422
    flash(t("意见已处理。", "The answer is decided."))
    if request.form.get("back") == "page":
        return redirect(url_for("pages.page", page_id=page_id), 303)
    return redirect(url_for("selfcheck.answers", round_id=round_id), 303)


def _qr(address: str) -> Markup:
    """A QR code as inline SVG, without the styles that the content policy refuses."""
    drawn = segno.make(address, error="m").svg_inline(
        omitsize=True, border=4, svgclass=None, lineclass=None
    )
    return Markup(drawn)


@pages.app_template_filter()
def page_size(page: Page) -> list[int]:
    """Width and height of the masked page in pixels."""
    return list(json.loads(page.record)["size"])
