"""The language of a page: Chinese unless the person chose English; both stand side by side."""

from __future__ import annotations

from datetime import datetime

from flask import Flask, Response, g, redirect, request
from markupsafe import Markup, escape

from models.errors import RuleError
from redactor.errors import RedactorError

COOKIE = "mp_language"
LANGUAGES = ("zh", "en")


def t(zh: str, en: str) -> str:
    """The text in the language of this request."""
    return en if current_language() == "en" else zh


def current_language() -> str:
    """ "zh" or "en"."""
    return str(g.get("language", "zh"))


def sentences_of(error: RuleError | RedactorError) -> list[str]:
    """The sentences of an error in the language of this request."""
    if isinstance(error, RuleError):
        return [t(sentence.zh, sentence.en) for sentence in error.sentences]
    return [t(error.sentence.zh, error.sentence.en)]


def lines(text: str) -> Markup:
    """A text with its line breaks."""
    return Markup("<br>").join(escape(part) for part in text.splitlines())


def moment(text: str) -> str:
    """A stored time (UTC, ISO 8601) as the clock on the wall shows it; "" stays."""
    if not text:
        return ""
    return datetime.fromisoformat(text).astimezone().strftime("%Y-%m-%d %H:%M")


def set_up_language(app: Flask) -> None:
    """Reads the choice at each request and offers `/language/<code>` to make it."""

    @app.before_request
    def choose() -> None:
        chosen = request.cookies.get(COOKIE, "zh")
        g.language = chosen if chosen in LANGUAGES else "zh"

    def set_language(code: str) -> Response:
        back = request.args.get("back", "/")
        # Only a path of our own: no other site can be reached through this link.
        safe = back if back.startswith("/") and not back.startswith(("//", "/\\")) else "/"
        response = redirect(safe)
        if code in LANGUAGES:
            response.set_cookie(
                COOKIE,
                code,
                max_age=31_536_000,
                secure=app.config["SESSION_COOKIE_SECURE"],
                samesite="Strict",
            )
        return response  # type: ignore[return-value]

    set_language.open_to_all = True  # type: ignore[attr-defined]
    app.add_url_rule("/language/<code>", "language", set_language)
    app.jinja_env.globals.update(t=t, current_language=current_language)
    app.jinja_env.filters["lines"] = lines
