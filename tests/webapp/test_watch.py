"""/metrics and /healthz: what stands in them, who may ask, and that they name nobody."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from models.office_jobs import LeasedJob, add_job, lease
from models.office_vitals import beat, end_beat
from models.vault_rounds import Entrant
from tests.webapp.conftest import PEOPLE, add_scan
from tests.webapp.serving_process import free_port
from webapp.office.app import create_office
from webapp.review.app import create_review
from webapp.runner_watch import RunnerWatch, serve_metrics
from webapp.settings import Settings, review_settings
from webapp.watch import CARRIED, may_ask

TOKEN = "token-of-prometheus"
Values = dict[tuple[str, tuple[str, ...]], float]


def values(text: str) -> Values:
    """{(metric, values of its labels): number}."""
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_jobs_pages_queue_and_runner_are_counted(
    settings: Settings, office: Flask, vault: Engine, round_id: int
) -> None:
    client = office.test_client()
    before = values(client.get("/metrics").text)
    assert before[("mangping_jobs", ("redact", "waiting"))] == 0
    assert before[("mangping_queue_age_seconds", ())] == 0
    assert (
        before[("mangping_runner_age_seconds", ())] != before[("mangping_runner_age_seconds", ())]
    )
    with Session(vault) as session, session.begin():
        entrant = session.scalars(select(Entrant).where(Entrant.number == 1)).one()
        for name in ("a", "b"):
            file = add_scan(session, settings, entrant, f"{name}.jpg", name.encode())
            add_job(session, round_id=round_id, kind="redact", target=file.id)
        assert lease(session, worker="w") is not None
        beat(session, name="w")
    after = values(client.get("/metrics").text)
    assert after[("mangping_jobs", ("redact", "waiting"))] == 1
    assert after[("mangping_jobs", ("redact", "running"))] == 1
    assert after[("mangping_queue_age_seconds", ())] > 0
    assert after[("mangping_runner_age_seconds", ())] >= 0
    assert after[("mangping_resident_bytes", ("office",))] > 10**6


def test_requests_are_counted_by_pattern_and_name_nobody(
    office: Flask, sign_in: Callable[[str], FlaskClient], round_id: int
) -> None:
    client, name = sign_in("admin"), PEOPLE[0].name
    client.get(f"/rounds/{round_id}/progress?q={name}")
    client.get(f"/{name}/{round_id}")
    client.open("/sign-in", method="PROPFIND")
    text = client.get("/metrics").text
    found = values(text)
    total = "mangping_requests_total"
    assert found[(total, ("GET", "/rounds/<int:round_id>/progress", "200"))] == 1
    assert found[(total, ("GET", "-", "404"))] == 1
    assert any(labels[0] == "-" for metric, labels in found if metric == total)
    for word in (name, "admin", "PROPFIND", f"/rounds/{round_id}"):
        assert word not in text


@pytest.mark.parametrize("make", [create_office, lambda s: create_review(review_settings(s))])
def test_only_this_computer_or_the_token_may_ask(
    make: Callable[[Settings], Flask], settings: Settings, office: Flask
) -> None:
    def asked(app: Flask, address: str = "127.0.0.1", **headers: str) -> int:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return app.test_client().get(
            "/metrics", headers=named, environ_base={"REMOTE_ADDR": address}
        ).status_code  # fmt: skip

    plain = make(settings)
    assert asked(plain) == asked(plain, "::1") == 200
    assert asked(plain, "192.0.2.7") == 404
    assert [asked(plain, **{name: "192.0.2.7"}) for name in CARRIED] == [404] * len(CARRIED)
    behind = make(settings.model_copy(update={"secure_cookies": True}))
    assert asked(behind) == 404
    shown = make(settings.model_copy(update={"metrics_token": TOKEN, "secure_cookies": True}))
    assert asked(shown) == asked(shown, Authorization="Bearer other") == 404
    assert asked(shown, "192.0.2.7", Authorization=f"Bearer {TOKEN}", Via="1.1 x") == 200


def test_an_address_that_is_none_may_not_ask() -> None:
    assert not may_ask(token="", shown="", address="unix:", carried=False)
    assert may_ask(token="", shown="", address="::1", carried=False)


def test_healthz_tells_of_the_database_and_of_the_runner(
    settings: Settings, office: Flask, vault: Engine
) -> None:
    client = office.test_client()
    assert client.get("/healthz").text == "ok\ndatabase ok\nrunner none\n"
    with Session(vault) as session, session.begin():
        beat(session, name="w")
    assert client.get("/healthz").text.splitlines()[2].endswith(" s ago")
    with Session(vault) as session, session.begin():
        end_beat(session, name="w")
    assert client.get("/healthz").text.endswith("runner none\n")
    (settings.vault / "vault.db").write_bytes(b"no database" * 1000)
    other = create_office(settings).test_client()
    answer = other.get("/healthz")
    assert (answer.status_code, answer.text) == (503, "failed\ndatabase failed\n")


@pytest.fixture
def asked_runner() -> Iterator[Callable[..., tuple[int, str]]]:
    """Asks the runner's port, as settings have it: (status, text)."""
    port = free_port()
    watch = RunnerWatch()
    job = LeasedJob(7, 1, "redact", 11, 1)
    watch.begun(job)
    watch.ended(job, 3, kept=True)
    watch.ended(LeasedJob(8, 1, "redact", 12, 1), 5, kept=False)
    watch.broke(LeasedJob(9, 1, "remask", 13, 1), "broken", ValueError(PEOPLE[0].name))
    started: set[str] = set()

    def ask(path: str, token: str = "", **headers: str) -> tuple[int, str]:
        if not started:
            started.add(token)
            settings = Settings(runner_metrics_port=port, metrics_token=token)
            serve_metrics(settings, watch)
        assert started == {token}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=named)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, ""

    yield ask


def test_the_runner_counts_its_jobs(asked_runner: Callable[..., tuple[int, str]]) -> None:
    status, text = asked_runner("/metrics")
    found = values(text)
    assert status == 200
    assert found[("mangping_runner_jobs_total", ("redact", "done"))] == 1
    assert found[("mangping_runner_jobs_total", ("redact", "too late"))] == 1
    assert found[("mangping_runner_jobs_total", ("remask", "broken"))] == 1
    assert found[("mangping_runner_pages_total", ("redact",))] == 3
    assert PEOPLE[0].name not in text
    assert asked_runner("/")[0] == 404
    # Through a real server, which must not take the sign of a proxy away.
    assert [asked_runner("/metrics", **{name: "192.0.2.7"})[0] for name in CARRIED] == [404] * 5


def test_the_runner_wants_the_token(asked_runner: Callable[..., tuple[int, str]]) -> None:
    assert asked_runner("/metrics", TOKEN)[0] == 404
    assert asked_runner("/metrics", TOKEN, Authorization=f"Bearer {TOKEN}")[0] == 200
