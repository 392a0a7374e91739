"""Static files are kept by browsers for good, and asked for anew as soon as they change."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine

from tests.webapp.furnished import furnish
from tests.webapp.test_access import known, path_of, person
from webapp.settings import Settings
from webapp.static_files import KEPT, set_up_static_files, static_url

WEBAPP = Path(__file__).parents[2] / "webapp"
ADDRESS = re.compile(r'(?:href|src)="(/static/[^"]+)"')


@pytest.fixture
def files(tmp_path: Path) -> Path:
    tmp_path = tmp_path / "static"
    tmp_path.mkdir()
    (tmp_path.parent / "one.js").write_text("of nobody's business")
    (tmp_path / "one.js").write_text("1")
    (tmp_path / "one.css").write_text("")
    return tmp_path


@pytest.fixture
def client(files: Path) -> Iterator[FlaskClient]:
    app = Flask("small", static_folder=str(files), static_url_path="/static")
    set_up_static_files(app)
    with app.test_request_context(), app.test_client() as client:
        yield client


def test_an_address_holds_as_long_as_the_content(client: FlaskClient, files: Path) -> None:
    before = static_url("one.js")
    assert static_url("one.js") == before
    (files / "one.js").write_text("11")
    assert static_url("one.js") != before
    assert static_url("one.js").startswith("/static/one.js?v=")


def test_a_browser_keeps_what_has_its_hash_in_its_address(client: FlaskClient) -> None:
    answer = client.get(static_url("one.js"))
    assert (answer.status_code, answer.text) == (200, "1")
    assert answer.headers["Cache-Control"] == KEPT == "private, max-age=31536000, immutable"


def test_files_of_one_type_come_together(client: FlaskClient, files: Path) -> None:
    (files / "two.js").write_text("2")
    address = static_url("one.js", "two.js")
    answer = client.get(address)
    assert (answer.text, answer.mimetype) == ("1\n2", "text/javascript")
    assert answer.headers["Cache-Control"] == KEPT
    again = client.get(address, headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304
    (files / "two.js").write_text("22")
    assert static_url("one.js", "two.js") != address


@pytest.mark.parametrize("address", ["/static/one.js", "/static/one.js?v=0123456789abcdef"])
def test_a_browser_asks_again_for_what_has_another_address(
    client: FlaskClient, address: str
) -> None:
    answer = client.get(address)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(
    "name",
    [
        "two.js",
        "../one.js",
        "/etc/hostname",
        "",
        "one.js+two.js",
        "one.js+../one.js",
        "one.js+one.css",
        "one.js+",
        "one.js+\0.js",
    ],
)
def test_what_is_not_there_is_not_kept(client: FlaskClient, name: str) -> None:
    answer = client.get(f"/static/{name}?v={static_url(name).partition('v=')[2]}")
    assert answer.status_code >= 300
    assert "immutable" not in answer.headers.get("Cache-Control", "")


def test_every_page_names_its_files_by_their_content(
    office: Flask, vault: Engine, settings: Settings
) -> None:
    made = furnish(vault, settings, pages=2, pictures=False)
    admin = person(office, vault, "admin")
    seen: set[str] = set()
    for method, rule, _ in known(office):
        if method == "GET" and "language" not in rule.rule:
            answer = admin.get(path_of(rule, made))
            if answer.mimetype == "text/html":
                seen |= set(ADDRESS.findall(answer.text))
    assert any("favicon.svg" in address for address in seen)
    kept = {a: admin.get(a).headers["Cache-Control"] for a in seen}
    assert set(kept.values()) == {KEPT}


def test_no_template_goes_around_it() -> None:
    plain = [
        path.name
        for path in WEBAPP.rglob("*.html")
        if re.search(r"url_for\(\s*['\"]static", path.read_text("utf-8"))
    ]
    assert plain == []
