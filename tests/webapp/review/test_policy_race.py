"""A tablet's sheet is kept by the policy it was read by, also when that is replaced meanwhile."""

from __future__ import annotations

import dataclasses
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base import open_store
from models.migration import migrate
from models.review import Round
from models.round_policies import PolicyChange, replace_policy
from tests.models.races import A_MOMENT, PATIENCE, REFUSED, do
from tests.postgresql_server import Server
from tests.webapp.review.conftest import settings_in
from tests.webapp.review.test_sheet import Sender
from tests.webapp.review_round import POLICY, furnish_review
from webapp.review import sheet
from webapp.review.app import COOKIE, create_review
from webapp.review.sheet_form import Line, lines_of

NAME = "policy_race"
COARSER = POLICY.replace("places = 2", "places = 1")


@pytest.mark.parametrize("act", ["put", "submit"])
def test_the_policy_stays_while_a_sheet_is_being_kept(
    postgresql_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, act: str
) -> None:
    postgresql_server.create(NAME)
    try:
        settings = dataclasses.replace(settings_in(tmp_path), database=postgresql_server.url(NAME))
        settings.folder.mkdir()
        store = open_store(settings.database)
        migrate(store, "review")
        made = furnish_review(store, settings, dossiers=1, pages=1, seats=1)
        client = create_review(settings).test_client()
        client.set_cookie(COOKIE, made.tokens["R01"])
        replace = partial(
            replace_policy, round_id=made.round_id, text=COARSER, places=1, reason="改", by="s",
            change=PolicyChange(keeps_scores=False, completes=False),
        )  # fmt: skip
        begun: list[Future[str]] = []
        with ThreadPoolExecutor(1) as pool:

            def slow(policy: str, places: int) -> tuple[Line, ...]:
                begun.append(pool.submit(do, settings.database, replace))
                wait(begun, timeout=A_MOMENT)
                return lines_of(policy, places)

            monkeypatch.setattr(sheet, "lines_of", slow)
            scores = {"achievements": "41.5", "papers": "29"}
            values = {"scores": scores, "secret": made.cards["R01"].pin}
            answer = getattr(Sender(client, made, "R01"), act)(made.codes[0], **values)
            assert answer.status_code == 200, answer.text
            assert begun[0].result(timeout=PATIENCE) == REFUSED
        with Session(store) as session:
            assert session.scalars(select(Round.places)).one() == 2
        store.dispose()
    finally:
        postgresql_server.run(f"DROP DATABASE {NAME} WITH (FORCE)")
