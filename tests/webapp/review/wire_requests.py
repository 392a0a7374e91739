"""Every address of the experts' app with arguments that are right and that are wrong."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from models.review_ballots import Ballot
from tests.webapp.conftest import form_token
from tests.webapp.planted_round import Planted
from tests.webapp.review.wire_search import AFTERWARDS

WRONG_PIN = "000000x"
UNKNOWN = "ZZZZ-ZZ"
_numbers = itertools.count()


@dataclass(frozen=True)
class Ask:
    """A request. `options`: as Flask's test client takes them."""

    path: str
    options: dict[str, Any]


@dataclass(frozen=True)
class Visit:
    """Who asks in which round; `seat` None is nobody. `dossiers`: of so many all pictures."""

    made: Planted
    seat: str | None
    dossiers: int = 1

    @property
    def codes(self) -> tuple[str, ...]:
        return (*sorted(self.made.codes), UNKNOWN)

    @property
    def mine(self) -> list[str]:
        """Codes on which this seat acts; another half for each, so that all states appear."""
        at = int((self.seat or "R1")[1:]) % 2
        return [code for code in sorted(self.made.codes)[at::2] if code != self.made.recused]

    @property
    def pin(self) -> str:
        return self.made.cards[self.seat].pin if self.seat else WRONG_PIN

    def draft(self, base: int, **values: Any) -> dict[str, Any]:
        said = {"achievements": "31.5", "papers": "12"}
        return {
            "round": self.made.round_id,
            "seat": self.seat or "R01",
            "base_version": base,
            "save_id": f"save-{next(_numbers):05d}",
            "scores": said,
            "comment": "条理清楚",
            "notes": {"1": "看第二段"},
            **values,
        }


def ask(path: str, **options: Any) -> Ask:
    return Ask(path, options)


def _each(form: str) -> Callable[[Visit], list[Ask]]:
    """The address for every code, known and unknown."""
    return lambda visit: [ask(form.format(code=code)) for code in visit.codes]


def _pictures(visit: Visit) -> list[Ask]:
    found = [
        ask(f"/d/{code}/pictures/{name}/{size}")
        for code, names in [*visit.made.names.items()][: visit.dossiers]
        for name in names
        for size in ("thumb", "1x", "2x", "full", "huge")
    ]
    code, names = next(iter(visit.made.names.items()))
    held = f"/d/{code}/pictures/{names[0]}/1x"
    return [
        *found,
        ask(held, headers={"If-None-Match": f'"{names[0]}-1x"'}),
        ask(held, headers={"If-Modified-Since": "Wed, 21 Oct 2099 07:28:00 GMT"}),
        ask(held, headers={"Range": "bytes=0-9"}),
        ask(f"/d/{UNKNOWN}/pictures/{'0' * 32}/1x"),
        ask(f"/d/{code}/pictures/..%2f..%2fvault/full"),
    ]


def _report(visit: Visit) -> list[Ask]:
    code = visit.mine[-1]
    names = visit.made.names[code]
    right = {"number": "2", "name": names[1], "reason": "第二段写出了单位"}
    return [
        ask(f"/d/{code}/report", data=right),
        ask(f"/d/{code}/report", data={**right, "number": "1"}),
        ask(f"/d/{code}/report", data={"number": "1", "name": names[0], "reason": ""}),
        ask(f"/d/{UNKNOWN}/report", data=right),
    ]


def _recusal(visit: Visit) -> list[Ask]:
    first = visit.mine[0]
    form = {"reason": "knows", "detail": ""}
    wrong = {"reason": "?", "detail": "x" * 300}
    return [
        ask(f"/d/{first}/recusal", data=wrong),
        *([ask(f"/d/{first}/recusal", data=form)] if visit.seat == "R03" else []),
        ask(f"/d/{UNKNOWN}/recusal", data=form),
    ]


def _save(visit: Visit) -> list[Ask]:
    half = {"scores": {"achievements": "20"}}
    bad = {"scores": {"nothing": "1", "papers": "-3"}}
    found = [ask(f"/d/{code}/sheet", json=visit.draft(0, **half)) for code in visit.mine]
    code = visit.mine[0]
    return [
        *found,
        ask(f"/d/{code}/sheet", json=visit.draft(0)),
        ask(f"/d/{code}/sheet", json=visit.draft(7)),
        ask(f"/d/{code}/sheet", json=visit.draft(1, **bad)),
        ask(f"/d/{code}/sheet", json=visit.draft(1, seat="R99")),
        ask(f"/d/{visit.made.recused}/sheet", json=visit.draft(0)),
        ask(f"/d/{UNKNOWN}/sheet", json=visit.draft(0)),
        ask(f"/d/{code}/sheet", json=[1]),
        ask(f"/d/{code}/sheet", data=b"x" * (2**20 + 1)),
    ]


def _submit(visit: Visit) -> list[Ask]:
    code, last = visit.mine[0], visit.mine[-1]
    gaps = visit.draft(1, scores={}, secret=visit.pin)
    return [
        ask(f"/d/{code}/submit", json=gaps),
        ask(f"/d/{code}/submit", json=visit.draft(1, secret=WRONG_PIN)),
        ask(f"/d/{code}/submit", json=visit.draft(9, secret=visit.pin)),
        ask(f"/d/{last}/submit", json=visit.draft(1, secret=visit.pin)),
        ask(f"/d/{UNKNOWN}/submit", json=visit.draft(0, secret=visit.pin)),
    ]


def _cast(visit: Visit) -> list[Ask]:
    with Session(visit.made.review) as session:
        ids = session.scalars(select(Ballot.id)).all()
    paper = {f"choice-{code}": "yes" for code in visit.made.codes}
    if visit.seat == "R02":
        paper.pop(f"choice-{visit.made.recused}")
    secret = {"secret": visit.pin}
    found = [ask(f"/ballot/{'0' * 32}", data={**paper, **secret})]
    for number, ballot in enumerate(ids):
        receipt = {"receipt": f"ACDEFG{'346799'[number]}{(visit.seat or 'R9')[-1]}"}
        receipt["receipt"] = receipt["receipt"].replace("1", "A").replace("2", "C")
        path = f"/ballot/{ballot}"
        found += [
            ask(path, data={**paper, **receipt, "secret": WRONG_PIN}),
            ask(path, data={**receipt, **secret}),
            ask(path, data={**paper, **receipt, **secret}),
            ask(path, data={**paper, **receipt, **secret}),
        ]
    return found


def _defence(visit: Visit) -> list[Ask]:
    forms = ({"points": "26.5"}, {"points": "99"}, {"points": "26.5", "confirm": "yes"})
    return [ask(f"/defence/{code}", data=form) for code in visit.codes for form in forms]


def _card_number(visit: Visit) -> str:
    return visit.made.cards[visit.seat or "R01"].number


EXAMPLES: dict[str, Callable[[Visit], list[Ask]]] = {
    "GET /static/<path:filename>": lambda _: [
        ask("/static/mangping.css"),
        ask("/static/reader.css+mangping.css"),
        ask("/static/no-such.css"),
        ask("/static/..%2fsettings.py"),
    ],
    "GET /language/<code>": lambda _: [ask("/language/en?back=/ballot"), ask("/language/xx")],
    "GET /healthz": lambda _: [ask("/healthz")],
    "GET /metrics": lambda _: [ask("/metrics")],
    "GET /card/<number>": lambda visit: [ask(f"/card/{_card_number(visit)}"), ask("/card/%00")],
    "GET /sign-in": lambda _: [ask("/sign-in")],
    "POST /sign-in": lambda visit: [
        ask("/sign-in", data={"number": "AAAAAAAA", "secret": WRONG_PIN}),
        ask("/sign-in", data={"number": _card_number(visit), "secret": visit.pin}),
    ],
    "GET /": lambda _: [ask("/"), ask("/", headers={"HX-Request": "true"}), ask("/no-such-page")],
    "GET /devices": lambda _: [ask("/devices")],
    "POST /devices/password": lambda visit: [
        ask("/devices/password", data={"secret": WRONG_PIN, "password": "correct horse"}),
        ask("/devices/password", data={"secret": visit.pin, "password": "short"}),
        ask("/devices/password", data={"secret": visit.pin, "password": "correct horse 7"}),
    ],
    "GET /d/<code>/": _each("/d/{code}/"),
    "GET /d/<code>/pages.json": _each("/d/{code}/pages.json"),
    "GET /d/<code>/pictures/<name>/<size>": _pictures,
    "POST /d/<code>/report": _report,
    "GET /d/<code>/recusal": _each("/d/{code}/recusal"),
    "POST /d/<code>/recusal": _recusal,
    "GET /d/<code>/sheet": _each("/d/{code}/sheet"),
    "PUT /d/<code>/sheet": _save,
    "POST /d/<code>/submit": _submit,
    "GET /meeting": lambda _: [ask("/meeting")],
    "GET /ballot": lambda _: [ask("/ballot")],
    "POST /ballot/<ballot_id>": _cast,
    "GET /defence": lambda _: [ask("/defence")],
    "GET /defence/<code>": _each("/defence/{code}"),
    "POST /defence/<code>": _defence,
    "POST /devices/<token_sha256>/sign-out": lambda _: [ask(f"/devices/{'0' * 64}/sign-out")],
    "POST /sign-out": lambda _: [ask("/sign-out")],
}
"""Signing out comes last. A page that is new must be added here, or test_wire.py fails."""


def rules_of(app: Flask) -> set[str]:
    """ "METHOD rule" of every address that the app has."""
    return {
        f"{method} {rule.rule}"
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


def look(client: FlaskClient, visit: Visit) -> Iterator[tuple[str, TestResponse]]:
    """Asks for every page as one visitor, and changes nothing."""
    for name, examples in EXAMPLES.items():
        for one in examples(visit) if name.startswith("GET ") else ():
            yield f"GET {one.path}", client.get(one.path, **one.options)


def visit_all(client: FlaskClient, visit: Visit) -> Iterator[tuple[str, TestResponse]]:
    """Asks for everything as one visitor: (what was asked, the answer)."""
    headers = {"X-CSRFToken": form_token(client.get("/sign-in").text)}
    for name, examples in EXAMPLES.items():
        method = name.split()[0]
        for one in examples(visit):
            said = {**one.options}
            own = said.pop("headers", {})
            if method != "GET":
                # Once without the form's token, once as a page of ours sends it.
                yield f"{method} {one.path} bare", client.open(one.path, method=method, **said)
                own = {**headers, **own}
            answer = client.open(one.path, method=method, headers=own, **said)
            yield f"{method} {one.path}", answer
            if method != "GET" and answer.status_code in (302, 303):
                yield f"GET {answer.location}{AFTERWARDS}", client.get(answer.location)
        path = examples(visit)[0].path
        for other in ("OPTIONS", "DELETE", "HEAD"):
            answer = client.open(path, method=other, headers=headers)
            yield f"{other} {path}", answer
