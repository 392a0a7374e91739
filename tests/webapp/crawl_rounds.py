"""What a crawl goes through: rounds in several phases, and somebody of every role."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from models.accounts import Account, create_account
from models.base import open_store
from models.check_links import make_links
from models.migration import migrate
from models.passwords import hashed
from models.review_ballots import Ballot
from models.review_pages import ReleasedPage
from models.review_sheets import Sheet
from models.vault_accounts import SignIn
from tests.webapp.conftest import PASSWORD, form_token
from tests.webapp.crawl import Crawl, Door, doors_of
from tests.webapp.furnished import furnish
from tests.webapp.result_round import furnish_result
from tests.webapp.review.conftest import settings_in
from tests.webapp.review_meeting import opened, to_meeting
from tests.webapp.review_round import ReviewRound, furnish_review
from webapp.office.app import COOKIE as OFFICE_COOKIE
from webapp.office.app import create_office
from webapp.review.app import COOKIE as REVIEW_COOKIE
from webapp.review.app import create_review
from webapp.settings import ReviewSettings, Settings, prepare_folders

ROLES = ("admin", "clerk", "secretary")
PLAIN = {
    "code": "en",
    "filename": "mangping.css",
    "size": "full",
    "side": "masked",
    "rotation": "0",
    "version": "0",
    "act": "reopen",
    "number": "1",
}


def new_office(folder: Path) -> tuple[Flask, Engine, Settings]:
    """An installation with an account of each role, for a crawl by hand."""
    settings = Settings(data=folder / "data", workers=1)
    prepare_folders(settings)
    for url, store in ((settings.vault_url, "vault"), (settings.review_url, "review")):
        engine = open_store(url)
        migrate(engine, store)  # type: ignore[arg-type]
        engine.dispose()
    vault = open_store(settings.vault_url)
    with Session(vault) as session, session.begin():
        for role in ROLES:
            create_account(session, login=role, name=role, role=role, password=PASSWORD, by="-")
    return create_office(settings), vault, settings


def new_review(folder: Path) -> tuple[Flask, Engine, ReviewSettings]:
    """The experts' app on an empty store."""
    settings = settings_in(folder)
    settings.folder.mkdir()
    store = open_store(settings.database)
    migrate(store, "review")
    return create_review(settings), store, settings


def crawl_office(
    office: Flask,
    vault: Engine,
    settings: Settings,
    *,
    times: int,
    start: int = 0,
    thorough: bool = True,
) -> Crawl:
    """Everybody asks the office for everything; else one whose role allows it, for each address."""
    office.extensions["limiter"].enabled = False
    values = _office_rounds(vault, settings)
    crawl = Crawl(office, values, start)
    doors = _last_those_that_sign_out(doors_of(office, _person(office, vault, "admin"), values))
    for role in (*ROLES, ""):
        client, token = _came_in(office, vault, role)
        for number, door in enumerate(doors):
            view = office.view_functions[door.rule.endpoint]
            meant = sorted(getattr(view, "roles", ())) or [""]
            if not thorough and meant[number % len(meant)] != role:
                continue
            if _signs_out(door):
                client, token = _came_in(office, vault, role)
            # Where a role has no business it is refused before anything is read.
            crawl.visit(client, token, door, times if role in meant else 1)
    return crawl


def crawl_review(
    app: Flask,
    store: Engine,
    settings: ReviewSettings,
    *,
    times: int,
    start: int = 0,
    thorough: bool = True,
) -> Crawl:
    """A seat of a round in each phase, and nobody, ask the experts' app for everything.

    Else, for each address, only the seat of one of the rounds does.
    """
    app.extensions["limiter"].enabled = False
    rounds = _review_rounds(store, settings)
    crawl = Crawl(app, [values for _, values in rounds], start)
    doors = _last_those_that_sign_out(doors_of(app, _seat(app, rounds[-1][0]), crawl.values))
    for turn, made in enumerate((*(made for made, _ in rounds), None)):
        client = _seat(app, made)
        token = form_token(client.get("/sign-in").text)
        for number, door in enumerate(doors):
            if thorough or number % len(rounds) == turn:
                crawl.visit(client, token, door, times)
    return crawl


def _came_in(office: Flask, vault: Engine, role: str) -> tuple[FlaskClient, str]:
    """Somebody of a role, and the token of the forms."""
    client = _person(office, vault, role) if role else office.test_client()
    return client, form_token(client.get("/sign-in").text)


def _signs_out(door: Door) -> bool:
    return any(end in door.rule.rule for end in ("sign-out", "devices", "/account", "/revoke"))


def _last_those_that_sign_out(doors: Sequence[Door]) -> list[Door]:
    return sorted(doors, key=_signs_out)


def _person(office: Flask, vault: Engine, role: str) -> FlaskClient:
    client = office.test_client()
    token = secrets.token_urlsafe(32)
    with Session(vault) as session, session.begin():
        account = session.scalars(select(Account).filter_by(login=role)).one()
        account.role, account.active = role, True  # an earlier request may have changed it
        session.add(
            SignIn(token_sha256=hashed(token), account_id=account.id, device="test", address="-",
                   created_at="2000-01-01", seen_at="9999-01-01", expires_at="9999-01-01")
        )  # fmt: skip
    client.set_cookie(OFFICE_COOKIE, token)
    return client


def _seat(app: Flask, made: ReviewRound | None) -> FlaskClient:
    client = app.test_client()
    if made is not None:
        client.set_cookie(REVIEW_COOKIE, made.tokens["R02"])
    return client


def _office_rounds(vault: Engine, settings: Settings) -> list[dict[str, str]]:
    """A round whose pages are looked at, and one whose committee has voted."""
    made = furnish(vault, settings)
    review = open_store(settings.review_url)
    done = furnish_result(vault, review, candidates=4)
    with Session(vault) as session, session.begin():
        link = make_links(session, entrant_ids=made.entrants[:1], hours=1, by="clerk")
    with Session(review) as session:
        ballot = session.scalars(select(Ballot.id).filter_by(round_id=done.review_id)).first()
        sheet = session.scalars(select(Sheet.id).filter_by(round_id=done.review_id)).first()
    review.dispose()
    pages = {"page_id": str(made.pages[0]), "entrant_id": str(made.entrants[0]),
             "file_id": str(made.files[0])}  # fmt: skip
    first = {**PLAIN, **pages, "round_id": str(made.round_id), "token": link[made.entrants[0]]}
    second = {**PLAIN, "round_id": str(done.round_id), "code": done.codes[0], "seat": "R01",
              "ballot_id": str(ballot), "sheet_id": str(sheet), "name": "round.json"}  # fmt: skip
    return [first, {**first, "page_id": str(made.pages[1]), "name": "quality"}, second,
            {**second, "code": done.codes[-1], "seat": "R09", "name": "scores"}]  # fmt: skip


def _review_rounds(
    store: Engine, settings: ReviewSettings
) -> list[tuple[ReviewRound, dict[str, str]]]:
    """A round that is scored, one that hears defences, one that votes."""
    rounds = []
    for phase in ("scoring", "defence", "voting"):
        made = furnish_review(store, settings, dossiers=2, pages=2, seats=3, name=f"round {phase}")
        ballot = "1"
        if phase != "scoring":
            to_meeting(store, made, phase, came=1)
        if phase == "voting":
            ballot = str(opened(store, made))
        with Session(store) as session:
            pages = select(ReleasedPage.sha256).filter_by(round_id=made.round_id)
            name = session.scalars(pages).first() or ""
        known: Mapping[str, str] = {"code": made.codes[0], "number": made.cards["R01"].number,
                                    "ballot_id": ballot, "name": name[:32],
                                    "token_sha256": hashed(made.tokens["R03"])}  # fmt: skip
        rounds.append((made, {**PLAIN, **known}))
    return rounds
