"""`mangping serve --only PART`: one part in this process, for systemd, containers and services.

Whoever starts the three parts apart also keeps them alive, so there is no watch here.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from enum import StrEnum

import typer
from sqlalchemy.exc import SQLAlchemyError

from models.base import open_store
from models.errors import Sentence
from models.migration import Store, revisions
from redactor.errors import ExitCode
from webapp.settings import ReviewSettings, Settings

PATIENCE = 120.0
"""Seconds for which the experts' pages and the runner wait for the office to migrate the stores."""
CREDENTIALS = ("MANGPING_VAULT_DATABASE", "MANGPING_REVIEW_DATABASE", "MANGPING_VAULT_KEY")
"""What the experts' service must not be given. Its own way in is MANGPING_EXPERTS_DATABASE."""


class Part(StrEnum):
    """What can be run alone."""

    OFFICE = "office"
    REVIEW = "review"
    RUNNER = "runner"


def refuse_vault(settings: Settings, given: dict[str, str]) -> None:
    """Exits with 2 when the experts' service could open what is the office's."""
    named = [name for name in CREDENTIALS if given.get(name)]
    if os.access(settings.vault, os.R_OK | os.X_OK):
        named.append(str(settings.vault))
    if named:
        refuse(
            Sentence(
                f"评委服务不得得到 {'、'.join(named)}。请从它的设置中去掉，数据库用 "
                "MANGPING_EXPERTS_DATABASE；见 docs/DEPLOYMENT.md。",
                f"The experts' service must not be given {', '.join(named)}. Take it out of its "
                "settings; its database is MANGPING_EXPERTS_DATABASE. See docs/DEPLOYMENT.md.",
            )
        )


def wait_until_migrated(
    url: str, store: Store, stop: threading.Event, patience: float = PATIENCE
) -> None:
    """Returns when the store has the tables of this version; exits with 3 when it never does."""
    until = time.monotonic() + patience
    engine = open_store(url)
    while True:
        try:
            there, newest = revisions(engine, store)
            problem = "" if there == newest else f"{there or '-'} / {newest}"
        except SQLAlchemyError as error:
            problem = type(error).__name__
        if not problem or stop.is_set():
            break
        if time.monotonic() > until:
            refuse(
                Sentence(
                    f"{store} 数据库未就绪（{problem}）。请先启动同一版本的办公室服务，由它升级。",
                    f"The database {store} is not ready ({problem}). Start the office's service of "
                    "the same version first: it brings the database up to date.",
                ),
                ExitCode.FAILED,
            )
        stop.wait(0.5)
    engine.dispose()


def refuse(sentence: Sentence, code: ExitCode = ExitCode.USAGE) -> None:
    print(sentence, file=sys.stderr, flush=True)
    raise typer.Exit(int(code))


def proxy_options(settings: Settings | ReviewSettings) -> dict[str, object]:
    """waitress's options: whose word on the client's address and on https is believed."""
    if not settings.trusted_proxy:
        # Nobody's word is believed; that a request was passed on is seen (webapp.watch).
        return {"clear_untrusted_proxy_headers": False}
    return {
        "trusted_proxy": settings.trusted_proxy,
        "trusted_proxy_headers": {"x-forwarded-for", "x-forwarded-proto"},
        "clear_untrusted_proxy_headers": True,
    }
