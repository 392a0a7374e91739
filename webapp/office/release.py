"""Release of dossiers to the experts: what is ready, what is in the way, out and back again."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from flask import (
    Blueprint,
    abort,
    current_app,
    flash,
    g,
    redirect,
    render_template,
    request,
    url_for,
)
from sqlalchemy import select
from werkzeug.wrappers import Response

from models.errors import RuleError
from models.office_release import ask_release, asked_releases, listed_pages, releases_of
from models.readiness import BLOCKS, Readiness, obstacles, readiness
from models.released import released_codes
from models.vault_accounts import Account
from models.vault_pages import Release
from models.vault_rounds import Entrant, OfficeRound
from webapp.language import sentences_of, t
from webapp.office.app import review, signed_in, vault
from webapp.office.door import Stores, bring_back, differences, let_out
from webapp.office.rounds import entrant_or_404, round_or_404
from webapp.security import allow

pages = Blueprint("release", __name__)
DESK = ("clerk", "admin")
PAGE_LENGTH = 100
BATCH_PAGES = 300
"""Pages that leave in one request; some seconds of copying. The browser asks for the next."""
STATES = ("ready", "blocked", "asked", "released")


@dataclass(frozen=True)
class Row:
    """A dossier in the overview. `cut_short`: the experts' store and the vault do not agree."""

    entrant: Entrant
    ready: Readiness
    cut_short: bool


@pages.app_template_filter()
def release_state(state: str) -> str:
    """What the state of a dossier's release is called."""
    return {
        "ready": t("可放行", "ready"),
        "blocked": t("有障碍", "has obstacles"),
        "asked": t("待放行", "waiting to go out"),
        "released": t("已放行", "released"),
        "withdrawn": t("已撤回", "taken back"),
    }[state]


@pages.app_template_filter()
def from_json(text: str) -> Any:
    """The values of a stored JSON text."""
    return json.loads(text)


@pages.app_template_filter()
def block_name(kind: str) -> str:
    """What a kind of obstacle is called."""
    return t(BLOCKS[kind].zh, BLOCKS[kind].en)


@pages.route("/rounds/<int:round_id>/release")
@allow(*DESK)
def overview(round_id: int) -> str:
    found = round_or_404(round_id)
    ready = readiness(vault(), found.id)
    counts = dict.fromkeys(STATES, 0)
    for one in ready.values():
        counts[one.state] += 1
    shown = request.args.get("state", "")
    rows, following = _rows(found, ready, shown if shown in STATES else "")
    return render_template(
        "release.html",
        round=found,
        rows=rows,
        following=following,
        counts=counts,
        pages_ready=sum(one.pages for one in ready.values() if one.state == "ready"),
        shown=shown,
        states=STATES,
        going=_going(found, [], ()),
        go="go" in request.args,
    )


@pages.route("/rounds/<int:round_id>/release/<int:entrant_id>")
@allow(*DESK)
def dossier(round_id: int, entrant_id: int) -> str:
    return _dossier(round_id, entrant_id, [])


@pages.route("/rounds/<int:round_id>/release/ask", methods=["POST"])
@allow(*DESK)
def ask(round_id: int) -> Response:
    """Asks for the named dossiers, or for all that are ready."""
    found = round_or_404(round_id)
    if request.form.get("all"):
        chosen = {e for e, one in readiness(vault(), found.id).items() if one.state == "ready"}
    else:
        chosen = {int(text) for text in request.form.getlist("entrant") if text.isdecimal()}
    # In the order of codes, so that neither numbers nor times follow the roster.
    entrants = vault().scalars(
        select(Entrant)
        .where(Entrant.round_id == found.id, Entrant.id.in_(chosen))
        .order_by(Entrant.code)
    )
    asked = 0
    for entrant in entrants.all():
        try:
            ask_release(vault(), entrant_id=entrant.id, by=signed_in().login)
            asked += 1
        except RuleError as error:
            for sentence in sentences_of(error):
                flash(sentence)
    if found.two_person_release:
        flash(
            t(
                f"已申请放行 {asked} 份材料，须由另一人确认。",
                f"Asked for the release of {asked} dossiers; another person must confirm.",
            )
        )
        return redirect(url_for("release.overview", round_id=found.id, state="asked"), 303)
    if not asked:
        flash(t("没有可放行的材料。", "No dossier was ready."))
    return redirect(url_for("release.overview", round_id=found.id, go=1), 303)


@pages.route("/rounds/<int:round_id>/release/next", methods=["POST"])
@allow(*DESK)
def next_batch(round_id: int) -> Response | str:
    """Lets the next asked dossiers out, lowest codes first; htmx goes on until none is left."""
    found = round_or_404(round_id)
    me = signed_in().login
    waiting = _mine(found, me)
    batch: list[int] = []
    length = 0
    counted = readiness(vault(), found.id)
    for release, _code in waiting:
        length += counted[release.entrant_id].pages
        if batch and length > BATCH_PAGES:
            break
        batch.append(release.id)
    problems, codes = _carry(found.id, batch, me)
    if not request.headers.get("HX-Request"):
        for problem in problems:
            flash(problem)
        return redirect(url_for("release.overview", round_id=round_id), 303)
    if codes and not problems and not _mine(round_or_404(round_id), me):
        flash(t("全部已放行。", "Everything is released."))
        target = url_for("release.overview", round_id=round_id)
        return Response(status=204, headers={"HX-Redirect": target})
    return render_template(
        "release_going.html", round=round_or_404(round_id), going=_going(found, problems, codes),
        go=bool(codes),
    )  # fmt: skip


@pages.route("/rounds/<int:round_id>/release/<int:release_id>/confirm", methods=["POST"])
@allow(*DESK)
def confirm(round_id: int, release_id: int) -> Response | tuple[str, int]:
    """Lets one asked dossier out."""
    release = _release_or_404(round_id, release_id)
    entrant_id = release.entrant_id
    problems, codes = _carry(round_id, [release.id], signed_in().login)
    if problems:
        return _dossier(round_id, entrant_id, problems), 422
    flash(t(f"{codes[0]} 已放行。", f"{codes[0]} is released."))
    return redirect(url_for("release.dossier", round_id=round_id, entrant_id=entrant_id), 303)


@pages.route("/rounds/<int:round_id>/release/<int:release_id>/back", methods=["POST"])
@allow(*DESK)
def back(round_id: int, release_id: int) -> Response | tuple[str, int]:
    """Takes a release back, asked for or out."""
    release = _release_or_404(round_id, release_id)
    entrant_id, me = release.entrant_id, signed_in().login
    vault().rollback()
    try:
        reason = request.form.get("reason", "")
        bring_back(stores(), release_id=release_id, reason=reason, by=me)
    except RuleError as error:
        g.undo = True
        return _dossier(round_id, entrant_id, sentences_of(error)), 422
    flash(t("已撤回放行。", "The release was taken back."))
    return redirect(url_for("release.dossier", round_id=round_id, entrant_id=entrant_id), 303)


def _carry(round_id: int, release_ids: list[int], by: str) -> tuple[list[str], tuple[str, ...]]:
    """(what kept dossiers in, codes that left)."""
    # Others may write while pages are copied; the door locks the stores when it needs them.
    vault().rollback()
    outcome = let_out(stores(), round_id=round_id, release_ids=release_ids, by=by)
    return [t(problem.zh, problem.en) for problem in outcome.problems], outcome.codes


def stores() -> Stores:
    """Both stores of this app, for the door."""
    app = current_app
    return Stores(app.config["SETTINGS"], app.extensions["vault"], app.extensions["review"])


def _rows(
    found: OfficeRound, ready: dict[int, Readiness], state: str
) -> tuple[list[Row], int | None]:
    """(a list's page in roster order, the number after which the next begins)."""
    after = request.args.get("after", 0, type=int)
    numbers = vault().execute(
        select(Entrant.id, Entrant.number)
        .where(Entrant.round_id == found.id, Entrant.number > after)
        .order_by(Entrant.number)
    )
    chosen = [row.id for row in numbers if not state or ready[row.id].state == state]
    listed = chosen[:PAGE_LENGTH]
    entrants = vault().scalars(
        select(Entrant).where(Entrant.id.in_(listed)).order_by(Entrant.number)
    )
    there: set[str] = set()
    if found.review_round_id is not None:
        there = released_codes(review(), found.review_round_id)
    rows = []
    for entrant in entrants:
        one = ready[entrant.id]
        cut_short = (one.state == "released") != (entrant.code in there)
        rows.append(Row(entrant, one, cut_short))
    return rows, rows[-1].entrant.number if len(chosen) > PAGE_LENGTH else None


def _mine(found: OfficeRound, me: str) -> list[tuple[Release, str]]:
    """What waits and may be let out by `me`."""
    waiting = asked_releases(vault(), found.id)
    if found.two_person_release:
        return [(release, code) for release, code in waiting if release.asked_by != me]
    return waiting


def _going(found: OfficeRound, problems: list[str], codes: tuple[str, ...]) -> dict[str, Any]:
    waiting = asked_releases(vault(), found.id)
    mine = len(_mine(found, signed_in().login))
    return {"waiting": len(waiting), "mine": mine, "problems": problems, "codes": codes}


def _dossier(round_id: int, entrant_id: int, problems: list[str]) -> str:
    found, entrant = round_or_404(round_id), entrant_or_404(round_id, entrant_id)
    history = releases_of(vault(), entrant.id)
    out = next((release for release in history if release.state == "released"), None)
    asked = next((release for release in history if release.state == "asked"), None)
    names = {
        name: account for account, name in vault().execute(select(Account.name, Account.login))
    }
    return render_template(
        "release_dossier.html",
        round=found,
        entrant=entrant,
        obstacles=obstacles(vault(), entrant.id),
        listed=listed_pages(vault(), entrant.id),
        history=history,
        out=out,
        asked=asked,
        differences=[t(s.zh, s.en) for s in differences(stores(), out.id)] if out else [],
        own=asked is not None and found.two_person_release and asked.asked_by == signed_in().login,
        names=names,
        problems=problems,
    )


def _release_or_404(round_id: int, release_id: int) -> Release:
    release = vault().get(Release, release_id)
    if release is None or release.round_id != round_id:
        abort(404)
    return release
