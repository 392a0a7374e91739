"""The reader: which dossiers and pages a seat gets, and what is said of frozen ones."""

from __future__ import annotations

from collections.abc import Callable

from flask.testing import FlaskClient

from tests.webapp.review_round import ReviewRound

Tablet = Callable[[str], FlaskClient]


def test_a_dossier_opens_with_its_pages(made: ReviewRound, tablet: Tablet) -> None:
    client, code = tablet("R01"), made.codes[0]
    assert client.get(f"/d/{code}/").status_code == 200
    listed = client.get(f"/d/{code}/pages.json").json
    assert [page["number"] for page in listed] == [1, 2, 3, 4]
    assert not any(page["frozen"] for page in listed)


def test_a_code_of_no_dossier_is_no_page(tablet: Tablet) -> None:
    assert tablet("R01").get("/d/AAAA-AA/").status_code == 404
