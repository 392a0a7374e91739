"""Makes the experts' application from the review store alone; nothing is created at import."""

from __future__ import annotations

from typing import Any

from flask import Flask, abort, current_app, g, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from jinja2 import ChoiceLoader, PackageLoader
from sqlalchemy.orm import Session

from models.base import looking, open_store
from models.seat_access import Member, member_of, seen_long_ago, touch
from webapp.error_pages import set_up_errors
from webapp.language import moment, set_up_language
from webapp.security import set_up_security
from webapp.settings import ReviewSettings, secret_key
from webapp.transactions import session_of, set_up_stores
from webapp.watch import set_up_health, set_up_watch

COOKIE = "mp_review"
REVIEWER = "reviewer"
"""The one role of this app: a seat that is signed in."""


def create_review(settings: ReviewSettings) -> Flask:
    """The experts' app on the review store and the folder of released pages."""
    app = Flask("webapp.review", static_folder="../static")
    app.config.update(
        SECRET_KEY=secret_key(settings.folder),
        SESSION_COOKIE_NAME="mp_review_form",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Strict",
        SESSION_COOKIE_SECURE=settings.secure_cookies,
        WTF_CSRF_TIME_LIMIT=None,
        MAX_CONTENT_LENGTH=2**20,
        SIGN_IN_ENDPOINT="door.sign_in_page",
        SETTINGS=settings,
    )
    app.jinja_loader = ChoiceLoader([PackageLoader("webapp.review"), PackageLoader("webapp")])
    app.jinja_env.filters["moment"] = moment
    app.extensions["review"] = open_store(settings.database, many_writers=True)
    set_up_watch(
        app,
        "review",
        token=settings.metrics_token,
        behind_proxy=settings.secure_cookies,
        role=lambda: "" if g.get("member") is None else REVIEWER,
    )
    app.extensions["limiter"] = Limiter(
        get_remote_address, app=app, storage_uri="memory://", strategy="fixed-window"
    )
    set_up_language(app)
    set_up_stores(app, ("review",))
    set_up_health(app, review)
    set_up_security(app, role_of_visitor)
    set_up_errors(app)
    app.jinja_env.globals["member"] = member
    _register(app)
    return app


def _register(app: Flask) -> None:
    from webapp.review import ballot, defence, door, front, pictures, reader, recusal, sheet

    for part in (door, front, pictures, reader, recusal, sheet, ballot, defence):
        app.register_blueprint(part.pages)
    # The door is where PINs are guessed. A meeting room may share one address.
    limiter: Limiter = app.extensions["limiter"]
    guarded: Any = limiter.limit("60 per minute", methods=["POST"])(
        app.view_functions["door.sign_in_page"]
    )
    app.view_functions["door.sign_in_page"] = guarded


def review() -> Session:
    """The review store's session of this request."""
    return session_of("review", looks_only=True)


def member() -> Member | None:
    """The seat that is signed in, None for nobody."""
    if "member" not in g:
        token = request.cookies.get(COOKIE, "")
        g.member = _holder_of(token) if token else None
        if g.member is not None and seen_long_ago(g.member):
            _note_seen(g.member)
    return g.member


def _holder_of(token: str) -> Member | None:
    if request.method in ("GET", "HEAD"):
        return member_of(review(), token)
    # Before the write lock is taken, which so many others wait for.
    with Session(looking(current_app.extensions["review"])) as session:
        return member_of(session, token)


def _note_seen(who: Member) -> None:
    """Keeps the time at which a tablet was seen."""
    if request.method not in ("GET", "HEAD"):
        touch(review(), who.token_sha256)
        return
    # SQLite lets nobody write while this request's own transaction reads.
    review().rollback()
    with Session(current_app.extensions["review"]) as writing, writing.begin():
        touch(writing, who.token_sha256)


def signed_in() -> Member:
    """The seat that is signed in, on pages that demand it."""
    found = member()
    if found is None:
        abort(401)
    return found


def role_of_visitor() -> str | None:
    return None if member() is None else REVIEWER
