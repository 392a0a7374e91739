"""The headers that bind browsers stand on every answer of the experts' app, too."""

from __future__ import annotations

import dataclasses

import pytest
from sqlalchemy import Engine

from tests.webapp.review.test_access import WHO, holder, paths_of
from tests.webapp.review_meeting import opened, to_meeting
from tests.webapp.review_round import ReviewRound
from tests.webapp.test_headers import wrong
from webapp.review.app import create_review
from webapp.settings import ReviewSettings


@pytest.mark.parametrize("https", [False, True], ids=["http", "https"])
def test_every_address_answers_with_every_header(
    review_settings: ReviewSettings, store: Engine, made: ReviewRound, https: bool
) -> None:
    to_meeting(store, made, "voting", came=1)
    paths = paths_of(store, made, opened(store, made))
    app = create_review(dataclasses.replace(review_settings, secure_cookies=https))
    base = "https://localhost" if https else "http://localhost"
    problems: list[str] = []
    for client in (app.test_client(), holder(app, made.tokens["R01"])):
        for key in WHO:
            if "sign-out" not in key:
                answer = client.open(paths[key], method=key.split()[0], base_url=base)
                problems += wrong(answer, https=https)
        for method, path in (
            ("GET", "/no-such-page"),
            ("GET", "/static/no-such.css"),
            ("DELETE", "/"),
            ("HEAD", "/"),
            ("OPTIONS", "/sign-in"),
            ("POST", "/sign-out"),
        ):
            problems += wrong(client.open(path, method=method, base_url=base), https=https)
    assert problems == []
