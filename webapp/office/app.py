"""Makes the office's application; nothing is created at import."""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, abort, current_app, g, render_template, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from jinja2 import ChoiceLoader, PackageLoader
from sqlalchemy import Engine, text
from sqlalchemy.exc import DataError
from sqlalchemy.orm import Session
from werkzeug.exceptions import HTTPException

from models.accounts import Person, person_of, seen_long_ago, touch
from models.base import open_store
from models.errors import RuleError
from redactor.errors import RedactorError
from webapp.language import moment, sentences_of, set_up_language, t
from webapp.security import open_to_all, set_up_security
from webapp.settings import Settings, secret_key

COOKIE = "mp_office"
STORES = ("review", "vault")
"""In the order in which they are committed: what experts see first, who it is last."""


def create_office(settings: Settings) -> Flask:
    """The office's app on the stores of `settings`, which must have been migrated."""
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
    app.extensions["review"] = open_store(settings.review_url)
    app.extensions["limiter"] = Limiter(
        get_remote_address, app=app, storage_uri="memory://", strategy="fixed-window"
    )
    set_up_language(app)
    set_up_stores(app)
    set_up_security(app, role_of_visitor)
    set_up_errors(app)
    _register(app)
    return app


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
    from webapp.office import check, release, returns, selfcheck

    for part in (release, returns, selfcheck, check):
        app.register_blueprint(part.pages)
    app.jinja_env.globals["category_name"] = progress.category_name
    # The door is where passwords are guessed.
    limiter: Limiter = app.extensions["limiter"]
    door = "accounts.sign_in_page"
    guarded: Any = limiter.limit("10 per minute", methods=["POST"])(app.view_functions[door])
    app.view_functions[door] = guarded
    check.limit_refusals(limiter, app.view_functions)


def set_up_stores(app: Flask) -> None:
    """One transaction of the vault for each request: `vault()`; undone when the request fails."""

    @app.after_request
    def keep(response: Response) -> Response:
        # Before the answer is on its way: what could not be kept must not look as if it were.
        for name in STORES:
            session: Session | None = g.get(f"{name}_session")
            if session is not None and not g.get("undo", False):
                session.commit()
        return response

    @app.teardown_request
    def end(_error: BaseException | None) -> None:
        for name in STORES:
            session: Session | None = g.pop(f"{name}_session", None)
            if session is not None:
                session.close()

    @open_to_all
    def healthz() -> Response:
        vault().execute(text("SELECT 1"))
        return Response("ok\n", mimetype="text/plain")

    app.add_url_rule("/healthz", "healthz", healthz)
    app.jinja_env.globals["person"] = person


def vault() -> Session:
    """The vault's session of this request."""
    return _session("vault")


def review() -> Session:
    """The review store's session of this request."""
    return _session("review")


def _session(name: str) -> Session:
    key = f"{name}_session"
    if key not in g:
        engine: Engine = current_app.extensions[name]
        if request.method in ("GET", "HEAD"):
            # Looking takes no write lock, so that pages answer while the runner writes.
            engine = engine.execution_options(read_only=True)
        setattr(g, key, Session(engine))
    return getattr(g, key)


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


def set_up_errors(app: Flask) -> None:
    """Every error is a page with a sentence; what was begun in the stores is undone."""

    @app.errorhandler(RuleError)
    @app.errorhandler(RedactorError)
    def refused(error: RuleError | RedactorError) -> tuple[str, int]:
        g.undo = True
        return _page(400, sentences_of(error)), 400

    @app.errorhandler(OverflowError)
    @app.errorhandler(DataError)
    def too_large(_error: OverflowError | DataError) -> tuple[str, int]:
        # A number that no row can hold, typed into an address or a form by hand.
        g.undo = True
        return _page(400, [_sentence(400)]), 400

    @app.errorhandler(HTTPException)
    def wrong(error: HTTPException) -> tuple[str, int]:
        g.undo = True
        code = error.code or 500
        return _page(code, [_sentence(code)]), code

    @app.errorhandler(Exception)
    def broken(error: Exception) -> tuple[str, int]:
        g.undo = True
        app.logger.exception("unexpected error at %s", request.endpoint)
        return _page(500, [_sentence(500)]), 500


def _page(code: int, sentences: list[str]) -> str:
    part = "error_part.html" if request.headers.get("HX-Request") else "error.html"
    return render_template(part, code=code, sentences=sentences)


def _sentence(code: int) -> str:
    known = {
        400: t(
            "请求不完整或表单已过期。请刷新页面后重试。",
            "The request is incomplete or the form has expired. Reload the page and try again.",
        ),
        401: t("请先登录。", "Sign in first."),
        403: t(
            "您的角色无权进行此操作。如有需要，请联系管理员。",
            "Your role may not do this. Ask an administrator if you need it.",
        ),
        404: t("没有这个页面，可能已被移走。", "There is no such page; it may have moved."),
        413: t("文件过大，请分批上传。", "The file is too large; upload it in parts."),
        429: t("尝试次数过多，请一分钟后再试。", "Too many attempts; try again in a minute."),
    }
    return known.get(
        code,
        t(
            "程序出错，此次操作未保存。请重试；若仍出错，请报告此问题。",
            "The program failed and nothing of this step was kept. Try again; if it fails again, "
            "report the problem.",
        ),
    )
