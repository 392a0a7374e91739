"""The pages under review: the queue, one page with its masks, what a person decides of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from models.errors import RuleError
from models.office_log import events_of
from models.office_pages import decide, looked_at
from models.office_queue import (
    PAGE_LENGTH,
    STATES,
    Filter,
    Key,
    entrant_with,
    key_from,
    neighbours,
    queue,
    waiting,
)
from models.vault_accounts import Account
from models.vault_pages import Page
from models.vault_rounds import Entrant, OfficeRound, SourceFile
from webapp.language import sentences_of, t
from webapp.office.app import signed_in, vault
from webapp.office.page_state import check_failed, page_values, pictures_of
from webapp.office.page_words import KINDS, decision_name, kind_name, reason_text, state_name
from webapp.security import allow

pages = Blueprint("pages", __name__)
CLERKS = ("admin", "clerk")
ANY = "any"


@dataclass(frozen=True)
class Wanted:
    """The filter as it stands in addresses. `dossier`: a code or name as somebody typed it."""

    state: str
    decision: str
    dossier: str

    def address(self) -> dict[str, Any]:
        """For url_for; what is usual is left out."""
        usual = {"state": "todo", "decision": ANY, "dossier": ""}
        return {name: value for name, value in vars(self).items() if value != usual[name]}

    def filter(self, round_id: int) -> Filter:
        """What the queue is asked for; a dossier that is not there has no pages."""
        decision = None if self.decision == ANY else self.decision.removeprefix("none")
        entrant = entrant_with(vault(), round_id, self.dossier) or -1 if self.dossier else None
        return Filter(round_id, self.state, decision, entrant)


def wanted() -> Wanted:
    """The filter of this request."""
    values = request.values
    state, decision = values.get("state", "todo"), values.get("decision", ANY)
    # The form of a decision has a field of that name; its filter comes in the address.
    decision = request.args.get("decision", ANY) if request.method == "POST" else decision
    dossier = values.get("dossier", "").strip()[:100]
    if not dossier and (entrant := vault().get(Entrant, values.get("entrant", 0, type=int))):
        dossier = entrant.code
    return Wanted(
        state if state in STATES else "todo",
        decision if decision in (ANY, "none", "accepted", "returned") else ANY,
        dossier,
    )


@pages.route("/rounds/<int:round_id>/pages", endpoint="queue")
@allow(*CLERKS)
def queue_page(round_id: int) -> str:
    office_round = vault().get(OfficeRound, round_id) or abort(404)
    chosen = wanted()
    after = key_from(request.args.get("after", ""))
    listed = queue(vault(), chosen.filter(round_id), after)
    return render_template(
        "pages_queue.html",
        round=office_round,
        chosen=chosen,
        states=STATES,
        listed=listed[:PAGE_LENGTH],
        more=listed[PAGE_LENGTH - 1].key if len(listed) > PAGE_LENGTH else None,
        after=after,
        count=waiting(vault(), chosen.filter(round_id)),
        kinds_of=_kinds_of,
        **WORDS,
    )


@pages.route("/pages/<int:page_id>")
@allow(*CLERKS)
def page(page_id: int) -> str:
    return _page(page_id, [])


@pages.route("/pages/<int:page_id>/status")
@allow(*CLERKS)
def status(page_id: int) -> str | tuple[str, int]:
    """The state of a page; 204 while what the browser knows (revision, still checking) holds."""
    found = _found(page_id)
    known = request.args.get("revision", "") == str(found.revision)
    if known and found.state == "checking" and not check_failed(vault(), found):
        return "", 204
    return status_part(found)


def status_part(found: Page) -> str:
    """The part of the review page that says how the page stands; its script reads it."""
    return render_template(
        "page_status.html",
        page=found,
        values=page_values(vault(), found),
        stuck=check_failed(vault(), found),
        **WORDS,
    )


@pages.route("/pages/<int:page_id>/history")
@allow(*CLERKS)
def history(page_id: int) -> str:
    """Who changed what, newest first."""
    found = _found(page_id)
    events = events_of(vault(), page_id=found.id)
    logins = {event.actor for event in events}
    names = vault().execute(select(Account.login, Account.name).where(Account.login.in_(logins)))
    return render_template(
        "page_history.html",
        events=[(event, json.loads(event.details)) for event in events],
        names=dict(names.all()),
        action_name=action_name,
    )


@pages.route("/pages/<int:page_id>/decision", methods=["POST"])
@allow(*CLERKS)
def make_decision(page_id: int) -> AnyResponse | tuple[str, int]:
    found = _found(page_id)
    decision = request.form.get("decision", "")
    try:
        decide(
            vault(),
            page_id=page_id,
            decision=decision,
            reason=request.form.get("reason", ""),
            by=signed_in().login,
            seen=request.form.get("seen") or "",
        )
    except RuleError as error:
        g.undo = True
        return _page(page_id, sentences_of(error)), 422
    chosen, at = wanted(), _place(found)
    if not decision:
        return redirect(url_for(".page", page_id=page_id, at=str(at), **chosen.address()))
    flash(f"{decision_name(decision)}: {_title(found)}")
    _, following = neighbours(vault(), chosen.filter(found.round_id), at)
    if following is None:
        return redirect(url_for(".queue", round_id=found.round_id, **chosen.address()))
    return redirect(
        url_for(".page", page_id=following.page_id, at=str(following), **chosen.address())
    )


@pages.route("/pages/<int:page_id>/look", methods=["POST"])
@allow(*CLERKS)
def look(page_id: int) -> tuple[str, int]:
    """Seconds that a page was looked at while its window was in front."""
    found = _found(page_id)
    seconds = request.form.get("seconds", 0.0, type=float)
    if seconds == seconds and seconds > 0:
        looked_at(vault(), page_id=found.id, seconds=min(seconds, 1e6), by=signed_in().login)
    return "", 204


def _page(page_id: int, problems: list[str]) -> str:
    found = _found(page_id)
    chosen, at = wanted(), _place(found)
    before, following = neighbours(vault(), chosen.filter(found.round_id), at)
    entrant = vault().get_one(Entrant, found.entrant_id)
    return render_template(
        "page.html",
        page=found,
        entrant=entrant,
        file=vault().get_one(SourceFile, found.file_id),
        round=vault().get_one(OfficeRound, found.round_id),
        values=page_values(vault(), found),
        stuck=check_failed(vault(), found),
        problems=problems,
        chosen=chosen,
        at=at,
        before=before,
        following=following,
        ahead=_pictures(following),
        left=waiting(vault(), chosen.filter(found.round_id)),
        kinds=KINDS,
        reason=request.form.get("reason", ""),
        **WORDS,
    )


def _pictures(key: Key | None) -> list[str | None]:
    """Pictures of the page that will be opened next, fetched ahead."""
    if key is None:
        return []
    found = vault().get_one(Page, key.page_id)
    sha256 = vault().scalars(select(SourceFile.sha256).where(SourceFile.id == found.file_id)).one()
    pictures = pictures_of(found, json.loads(found.record), sha256)
    return [pictures["source_screen"], pictures["masked_screen"]]


def _found(page_id: int) -> Page:
    return vault().get(Page, page_id) or abort(404)


def _place(found: Page) -> Key:
    """Where in the queue the page was opened: an edit changes its risk, but not the way on."""
    return key_from(request.values.get("at", "")) or Key(found.risk, found.id)


def _title(found: Page) -> str:
    return f"{vault().get_one(Entrant, found.entrant_id).code} · {found.category}"


def _kinds_of(kinds: str) -> list[tuple[str, str, int]]:
    """(kind, its name, how many) of a page's masks."""
    counts: dict[str, Any] = json.loads(kinds)
    return [(kind, kind_name(kind), count) for kind, count in counts.items()]


def action_name(action: str) -> str:
    """What was done to a page."""
    names = {
        "page.draw": t("增加遮盖", "added a mask"),
        "page.change": t("修改遮盖", "changed a mask"),
        "page.delete": t("删除遮盖", "removed a mask"),
        "page.everywhere": t("同样处理（来自另一页）", "did the same as on another page"),
        "page.rematch": t("程序重新匹配", "matched anew"),
        "page.undo": t("撤销", "undid"),
        "page.redo": t("重做", "did again"),
        "page.selfcheck": t("遮盖申报人圈出之处", "masked what the applicant marked"),
        "page.reported": t("评委报告泄露，打开修改", "reported by a reviewer, opened for editing"),
        "page.let_be": t("评委报告：不泄露身份，解冻", "reported, shows nobody, given back"),
        "page.replaced": t("用新页替换评委手中的页面", "replaced the page that the experts have"),
        "page.accepted": t("通过", "accepted"),
        "page.returned": t("退回申报人", "returned to the applicant"),
        "page.undecided": t("收回决定", "took the decision back"),
    }
    return names.get(action, action)


WORDS = {
    "kind_name": kind_name,
    "state_name": state_name,
    "decision_name": decision_name,
    "reason_text": reason_text,
}
