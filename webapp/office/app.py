"""Makes the office's application; nothing is created at import."""

from __future__ import annotations

from typing import Any

from flask import Flask, abort, current_app, g, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from jinja2 import ChoiceLoader, PackageLoader
from sqlalchemy.orm import Session

from models.accounts import Person, person_of, seen_long_ago, touch
from models.base import open_store
from models.errors import RuleError
from webapp.category_words import category_name
from webapp.error_pages import set_up_errors
from webapp.language import moment, sentences_of, set_up_language
from webapp.office.vitals import VaultCounts, runner_line
from webapp.security import set_up_security
from webapp.settings import Settings, secret_key
from webapp.transactions import session_of, set_up_stores
from webapp.vault_key import unlock
from webapp.watch import set_up_health, set_up_watch

COOKIE = "mp_office"
BY_TWO = (
    "board.take_out", "defence_scores.correct", "defence_scores.enter", "retention.destroy",
    "scoring_policy.replace", "tally.freeze", "unseal.confirm",
)  # fmt: skip
"""Where a second person's password is asked for."""
STORES = ("review", "vault")
"""In the order in which they are committed: what experts see first, who it is last."""


def create_office(settings: Settings) -> Flask:
    """The office's app on the stores of `settings`, which must have been migrated."""
    unlock(settings)
    app = Flask("webapp.office", static_folder="../static")
    app.config.update(
        SECRET_KEY=secret_key(settings.vault),
        SESSION_COOKIE_NAME="mp_office_form",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Strict",
        SESSION_COOKIE_SECURE=settings.secure_cookies,
        WTF_CSRF_TIME_LIMIT=None,
        MAX_CONTENT_LENGTH=settings.largest_request,
        SIGN_IN_ENDPOINT="accounts.sign_in_page",
        SETTINGS=settings,
    )
    # Pages of both apps share one frame.
    app.jinja_loader = ChoiceLoader([PackageLoader("webapp.office"), PackageLoader("webapp")])
    app.jinja_env.filters["moment"] = moment
    app.extensions["vault"] = open_store(settings.vault_url)
    _let_watch(app, settings)
    app.extensions["review"] = open_store(settings.review_url)
    app.extensions["limiter"] = Limiter(
        get_remote_address, app=app, storage_uri="memory://", strategy="fixed-window"
    )
    set_up_language(app)
    set_up_stores(app, STORES)
    set_up_health(app, vault, lambda: runner_line(vault()))
    app.jinja_env.globals["person"] = person
    set_up_security(app, role_of_visitor)
    set_up_errors(app)
    _register(app)
    return app


def _let_watch(app: Flask, settings: Settings) -> None:
    set_up_watch(
        app,
        "office",
        token=settings.metrics_token,
        behind_proxy=settings.secure_cookies,
        role=lambda: "" if g.get("person") is None else str(g.person.role),
        collectors=(VaultCounts(app.extensions["vault"]),),
    )


def _register(app: Flask) -> None:
    from webapp.office import (
        accounts,
        dashboard,
        entrants,
        front,
        page_edits,
        pictures,
        progress,
        rounds,
        uploads,
    )
    from webapp.office import pages as review_pages

    app.register_blueprint(front.pages)
    app.register_blueprint(accounts.pages)
    app.register_blueprint(pictures.pages)
    app.register_blueprint(review_pages.pages)
    app.register_blueprint(page_edits.pages)
    app.register_blueprint(dashboard.pages)
    for desk in (rounds, entrants, uploads, progress):
        app.register_blueprint(desk.pages)
    from webapp.office import assignment, board, check, release, reports, returns, seats, selfcheck
    from webapp.office import scoring_policy as policy

    for part in (release, reports, returns, selfcheck, check, seats, assignment, board, policy):
        app.register_blueprint(part.pages)
    from webapp.office import ballots, defence, defence_outcomes, defence_scores, papers

    for meeting in (ballots, papers, defence, defence_scores, defence_outcomes):
        app.register_blueprint(meeting.pages)
    from webapp.office import publicity, results, retention, signed, tally, unseal

    for result in (results, tally, signed, unseal, publicity, retention):
        app.register_blueprint(result.pages)
    app.jinja_env.globals["category_name"] = category_name
    # The door is where passwords are guessed.
    limiter: Limiter = app.extensions["limiter"]
    door = "accounts.sign_in_page"
    guarded: Any = limiter.limit("10 per minute", methods=["POST"])(app.view_functions[door])
    app.view_functions[door] = guarded
    check.limit_refusals(limiter, app.view_functions)
    # So are second persons' passwords, on pages that are signed in.
    by_two = limiter.limit("10 per minute", exempt_when=_names_no_second_person)
    for endpoint in BY_TWO:
        limited: Any = by_two(app.view_functions[endpoint])
        app.view_functions[endpoint] = limited


def _names_no_second_person() -> bool:
    return not request.form.get("second_password")


def vault() -> Session:
    """The vault's session of this request."""
    return session_of("vault")


def review() -> Session:
    """The review store's session of this request."""
    return session_of("review")


def undone(error: RuleError) -> list[str]:
    """What stands against an act, in sentences; nothing of it is kept, in either store."""
    vault().rollback()
    review().rollback()
    g.undo = True
    return sentences_of(error)


def person() -> Person | None:
    """Who is signed in, None for nobody."""
    if "person" not in g:
        token = request.cookies.get(COOKIE, "")
        g.person = person_of(vault(), token) if token else None
        if g.person is not None and seen_long_ago(g.person):
            _note_seen(g.person)
    return g.person


def _note_seen(who: Person) -> None:
    """Keeps the time at which a device was seen."""
    if request.method not in ("GET", "HEAD"):
        touch(vault(), who.token_sha256)
        return
    # SQLite lets nobody write while this request's own transaction reads.
    vault().rollback()
    with Session(current_app.extensions["vault"]) as writing, writing.begin():
        touch(writing, who.token_sha256)


def signed_in() -> Person:
    """Who is signed in, on pages that demand it."""
    found = person()
    if found is None:
        abort(401)
    return found


def role_of_visitor() -> str | None:
    found = person()
    return None if found is None else found.role
