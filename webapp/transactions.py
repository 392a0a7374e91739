"""One transaction of each store for each request, of either app: kept at its end, or undone."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Flask, Response, current_app, g, request
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from models.base import looking


def set_up_stores(app: Flask, names: Sequence[str]) -> None:
    """Commits the stores `names`, in that order, when a request is done; `g.undo` undoes them.

    The engines are `app.extensions[name]`.
    """

    @app.after_request
    def keep(response: Response) -> Response:
        # Before the answer is on its way: what could not be kept must not look as if it were.
        for name in names:
            session: Session | None = g.get(f"{name}_session")
            if session is not None and not g.get("undo", False):
                session.commit()
        return response

    @app.teardown_request
    def end(_error: BaseException | None) -> None:
        for name in names:
            session: Session | None = g.pop(f"{name}_session", None)
            if session is not None:
                session.close()


def session_of(name: str, *, looks_only: bool = False) -> Session:
    """The session of a store in this request.

    `looks_only`: nothing is ever written by a request that asks for something, so it needs no
    transaction either.
    """
    key = f"{name}_session"
    if key not in g:
        engine: Engine = current_app.extensions[name]
        if request.method in ("GET", "HEAD"):
            # Looking takes no write lock, so that pages answer while somebody writes.
            engine = looking(engine) if looks_only else engine.execution_options(read_only=True)
        setattr(g, key, Session(engine))
    return getattr(g, key)
