"""A page asks its stores as often for thirty rows as for one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from flask import Flask
from sqlalchemy import Engine, event

from tests.webapp.furnished import Furnished, furnish
from tests.webapp.test_access import known, path_of, person
from webapp.settings import Settings


@contextmanager
def statements(*engines: Engine) -> Iterator[list[str]]:
    """Collects the SQL that is sent meanwhile."""
    sent: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
        sent.append(statement)

    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    yield sent
    for engine in engines:
        event.remove(engine, "before_cursor_execute", note)


@pytest.mark.parametrize("shape", ["thirty applicants", "thirty pages", "thirty rounds"])
def test_the_number_of_queries_does_not_grow_with_the_rows(
    office: Flask, vault: Engine, settings: Settings, shape: str
) -> None:
    few = furnish(vault, settings, entrants=1, pages=7, name="few")
    many = _many(vault, settings, shape)
    admin = person(office, vault, "admin")
    stores = (office.extensions["vault"], office.extensions["review"])
    grown = {}
    for method, rule, _ in known(office):
        if method != "GET" or not rule.arguments & {"round_id", "entrant_id", "page_id"}:
            continue
        if rule.rule.endswith(".xlsx"):
            continue  # the whole list, fetched in parts
        counts = []
        for made in (few, many):
            address = path_of(rule, made)
            admin.get(address)  # what is made once and kept (pictures, charts) is made now
            with statements(*stores) as sent:
                answer = admin.get(address)
            assert answer.status_code < 500, rule
            counts.append(len(sent))
        if counts[0] != counts[1]:
            grown[rule.rule] = counts
    assert grown == {}


def _many(vault: Engine, settings: Settings, shape: str) -> Furnished:
    if shape == "thirty applicants":
        return furnish(vault, settings, entrants=30, pages=7, name="many", pictures=False)
    if shape == "thirty pages":
        return furnish(vault, settings, entrants=1, pages=7 * 30, name="many", pictures=False)
    for number in range(30):
        made = furnish(vault, settings, entrants=1, pages=7, name=f"many{number}")
    return made


def test_the_first_page_does_not_ask_for_each_round(
    office: Flask, vault: Engine, settings: Settings
) -> None:
    admin = person(office, vault, "admin")
    counts = []
    for number in range(30):
        furnish(vault, settings, entrants=1, pages=1, name=str(number), pictures=False)
        if number in (0, 29):
            with statements(office.extensions["vault"]) as sent:
                assert admin.get("/").status_code == 200
            counts.append(len(sent))
    assert counts[0] == counts[1]
