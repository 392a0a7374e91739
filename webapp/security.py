"""What holds for every answer of both apps: headers, default-deny, forms with a token."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, Response, abort, current_app, redirect, request, url_for
from flask_wtf.csrf import CSRFProtect
from werkzeug.routing import IntegerConverter
from werkzeug.wrappers import Response as AnyResponse

from webapp.static_files import set_up_static_files

View = TypeVar("View", bound=Callable[..., Any])

CONTENT_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "connect-src 'self'",
        "font-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
"""No inline script or style, nothing from elsewhere."""
HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "X-Frame-Options": "DENY",
}
BY_HTTPS_ONLY = "max-age=31536000"
"""Where cookies are for https alone, browsers ask by nothing else for a year."""


class RowNumber(IntegerConverter):
    """An id in an address. Larger ones than a database holds are no page of ours."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **{"max": 2**31 - 1, **options})


def open_to_all(view: View) -> View:
    """Marks one of the few views that need no sign-in."""
    view.open_to_all = True  # type: ignore[attr-defined]
    return view


def allow(*roles: str) -> Callable[[View], View]:
    """Marks a view for the roles that may use it; unmarked views are refused to everybody."""

    def mark(view: View) -> View:
        view.roles = frozenset(roles)  # type: ignore[attr-defined]
        return view

    return mark


def let_in(cookie: str, token: str, *, hours: int) -> AnyResponse:
    """To the front page, with a token that no script reads and that no other site can send."""
    response = redirect(url_for("front.front_page"))
    response.set_cookie(
        cookie,
        token,
        max_age=hours * 3600,
        httponly=True,
        samesite="Strict",
        secure=current_app.config["SETTINGS"].secure_cookies,
    )
    return response


def set_up_security(app: Flask, role_of_visitor: Callable[[], str | None]) -> None:
    """Refuses what nobody allowed, asks forms for their token, and sets the headers.

    `role_of_visitor`: the role of whoever is signed in, None for nobody.
    """
    # By https it would ask for a Referer, which our own policy tells browsers to leave out. The
    # token in the form and cookies that are SameSite=Strict do the work.
    app.config["WTF_CSRF_SSL_STRICT"] = False
    CSRFProtect(app)
    set_up_static_files(app)
    app.url_map.converters["int"] = RowNumber

    @app.before_request
    def deny_by_default() -> Response | None:
        if request.endpoint is None:
            return None  # no such page; Flask says so
        view = app.view_functions[request.endpoint]
        if request.endpoint == "static" or getattr(view, "open_to_all", False):
            return None
        role = role_of_visitor()
        if role is None:
            return _ask_to_sign_in()
        if role not in getattr(view, "roles", frozenset()):
            abort(403)
        return None

    @app.before_request
    def refuse_strange_json() -> None:
        # Views ask for values by name.
        if request.is_json and not isinstance(request.get_json(), dict):
            abort(400)

    @app.after_request
    def harden(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        kept = response.headers.get("Cache-Control", "")
        of_us_all = request.endpoint == "static" and kept
        if not (of_us_all or "private" in kept or "no-store" in kept):
            # Files that are sent would be "no-cache" else, and lie on the disk of whoever asks.
            response.headers["Cache-Control"] = "no-store"
        if app.config["SESSION_COOKIE_SECURE"]:
            response.headers["Strict-Transport-Security"] = BY_HTTPS_ONLY
        response.headers.pop("Server", None)
        return response


def _ask_to_sign_in() -> Response:
    target = url_for(current_app.config["SIGN_IN_ENDPOINT"])
    if request.headers.get("HX-Request"):
        # htmx would swap the sign-in page into a part of this one.
        return Response(status=204, headers={"HX-Redirect": target})
    if request.method != "GET":
        abort(401)
    return redirect(target)  # type: ignore[return-value]
