"""The administrator's page of periods: closed and abandoned rounds fall due, two destroy them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from models.audit import AuditEvent
from models.base import open_store
from models.errors import RuleError
from models.office_destruction import destruction_due, destructions, give_up, set_retention
from models.office_rounds import entrants_of
from models.vault_accounts import OfficeEvent
from models.vault_destruction import Destruction
from models.vault_rounds import OfficeRound
from tests.webapp.closed_round import closed_round
from tests.webapp.committee_round import furnish_committee
from tests.webapp.conftest import PASSWORD, PEOPLE, add_scan, form_token
from webapp.destruction_pdf import certificate_pdf
from webapp.office import retention
from webapp.office.work import round_folder
from webapp.settings import Settings

SignIn = Callable[[str], FlaskClient]
TODAY = datetime.now(UTC).date()
SECOND = {
    "second_login": "secretary",
    "second_password": PASSWORD,
    "confirm": "yes",
    "reason": "期满",
}
PATIENCE = 60.0


@pytest.fixture
def review(settings: Settings) -> Engine:
    return open_store(settings.review_url)


@pytest.fixture
def admin(sign_in: SignIn) -> FlaskClient:
    return sign_in("admin")


def post(client: FlaskClient, path: str, **form: str) -> tuple[int, str]:
    data = {"csrf_token": form_token(client.get("/account").text), **form}
    answer = client.post(f"/retention/{path}", data=data, follow_redirects=True)
    return answer.status_code, answer.text


def in_days(monkeypatch: pytest.MonkeyPatch, days: int) -> None:
    """The page is looked at so many days later."""
    monkeypatch.setattr(retention, "_today", lambda: TODAY + timedelta(days=days))


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that runs past midnight has one day all the same."""
    in_days(monkeypatch, 0)


def destroyed(vault: Engine) -> Destruction:
    """The destruction, once the work beside the page is done."""
    until = time.monotonic() + PATIENCE
    while True:
        with Session(vault, expire_on_commit=False) as session:
            (found,) = destructions(session)
        if found.state == "done":
            return found
        assert time.monotonic() < until, found.state
        time.sleep(0.1)


def test_an_abandoned_round_that_experts_never_saw_is_destroyed(
    admin: FlaskClient, settings: Settings, vault: Engine, review: Engine, round_id: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    with Session(vault) as session, session.begin():
        for person in entrants_of(session, round_id):
            add_scan(session, settings, person, "学历证书.jpg", person.name.encode())
    assert "登记中止" in admin.get("/retention").text
    assert post(admin, f"{round_id}/days", days="30")[0] == 200
    status, page = post(admin, f"{round_id}/give-up", reason=" ", confirm="yes")
    assert status == 422 and "请写明中止的理由" in page
    assert post(admin, f"{round_id}/give-up", reason="通知撤回")[0] == 422
    status, page = post(admin, f"{round_id}/give-up", reason="通知撤回", confirm="yes")
    assert status == 200 and (TODAY + timedelta(days=30)).isoformat() in page
    assert "已到期" not in page
    status, page = post(admin, f"{round_id}/destroy", **SECOND)
    assert status == 422 and "保存期未到" in page
    in_days(monkeypatch, 30)
    assert "已到期" in admin.get("/retention").text
    for form, said in (
        ({"confirm": ""}, "请先勾选确认"),
        ({"second_login": "admin"}, "须由另一人"),
        ({"second_password": "wrong"}, "账号或密码不对"),
        ({"reason": " "}, "理由"),
    ):
        status, page = post(admin, f"{round_id}/destroy", **SECOND | form)
        assert status == 422 and said in page
    with Session(vault) as session:
        assert session.get_one(OfficeRound, round_id).paused and destructions(session) == []
    assert post(admin, f"{round_id}/destroy", **SECOND)[0] == 200
    done = destroyed(vault)
    assert (done.asked_by, done.confirmed_by, done.review_round_id) == ("admin", "secretary", None)
    told = json.loads(done.certificate)
    assert told["given_up_on"] == TODAY.isoformat() and "closed_on" not in told
    assert told["files"]["scans"]["files"] == 2 and told["reason"] == "期满"
    assert not round_folder(settings, round_id).exists()
    assert not any(
        p.name.encode() in path.read_bytes()
        for p in PEOPLE
        for path in settings.data.rglob("*")
        if path.is_file()
    )
    assert done.certificate_sha256 in admin.get("/retention").text
    base = f"/retention/destructions/{done.id}/certificate"
    assert admin.get(f"{base}.pdf").data == certificate_pdf(done)
    assert admin.get(f"{base}.json").text == done.certificate
    assert admin.get(f"{base}.exe").status_code == 404
    with Session(review) as session:
        assert not session.scalars(select(AuditEvent.action)).all()


def test_an_open_round_falls_due_by_its_declaration_until_it_is_taken_up_again(
    admin: FlaskClient, vault: Engine, review: Engine
) -> None:
    made = furnish_committee(vault, review)
    assert post(admin, f"{made.round_id}/days", days="0")[0] == 200
    with Session(vault) as session, Session(review) as other:
        assert destruction_due(session, other) == []
    assert post(admin, f"{made.round_id}/give-up", reason="停评", confirm="yes")[0] == 200
    with Session(vault) as session, Session(review) as other:
        (due,) = destruction_due(session, other)
        assert due.given_up and due.over_on >= TODAY and due.by(due.over_on)
        told = session.scalars(
            select(OfficeEvent.details).where(OfficeEvent.action == "round.give_up")
        ).one()
        assert json.loads(told) == {"reason": "停评"}
    assert post(admin, f"{made.round_id}/give-up", reason="停评", confirm="yes")[0] == 422
    assert "已到期" in admin.get("/retention").text
    assert post(admin, f"{made.round_id}/take-up")[0] == 200
    assert post(admin, f"{made.round_id}/take-up")[0] == 422
    with Session(vault) as session, Session(review) as other:
        assert destruction_due(session, other) == []


def test_the_close_counts_where_a_round_was_closed(
    vault: Engine, review: Engine, round_id: int
) -> None:
    with Session(vault) as session, Session(review) as other, other.begin():
        give_up(
            session, other, round_id=round_id, reason="r", by="a", today=TODAY - timedelta(days=9)
        )
        session.get_one(OfficeRound, round_id).review_round_id = closed_round(other)
        set_retention(session, round_id=round_id, days=1, by="a")
        (due,) = destruction_due(session, other)
        # The tests may have begun on the day before.
        assert not due.given_up and due.over_on >= TODAY and not due.by(due.over_on)
        with pytest.raises(RuleError, match="已结束"):
            give_up(session, other, round_id=round_id, reason="r", by="a", today=TODAY)


@pytest.mark.parametrize(("days", "said"), [("x", "整数"), ("-1", "整数"), ("99999", "0 至")])
def test_a_period_is_a_number_of_days(
    admin: FlaskClient, vault: Engine, round_id: int, days: str, said: str
) -> None:
    assert post(admin, f"{round_id}/days", days="7")[0] == 200
    status, page = post(admin, f"{round_id}/days", days=days)
    assert status == 422 and said in page
    with Session(vault) as session:
        assert session.get_one(OfficeRound, round_id).retention_days == 7
    assert post(admin, f"{round_id}/days", days="")[0] == 200
    with Session(vault) as session:
        assert session.get_one(OfficeRound, round_id).retention_days is None


def test_one_that_stopped_says_why_and_is_gone_on_with(
    admin: FlaskClient, settings: Settings, vault: Engine, review: Engine, round_id: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    with Session(vault) as session, session.begin(), Session(review) as other:
        give_up(session, other, round_id=round_id, reason="r", by="admin", today=TODAY)
        set_retention(session, round_id=round_id, days=0, by="admin")

    def fails(*_: object, **__: object) -> None:
        raise OSError("disk")

    with monkeypatch.context() as broken:
        broken.setattr(retention, "destroy_vault", fails)
        assert post(admin, f"{round_id}/destroy", **SECOND)[0] == 200
        until = time.monotonic() + PATIENCE
        while "销毁中断" not in (page := admin.get("/retention").text):
            assert time.monotonic() < until, page
            time.sleep(0.1)
    with Session(vault) as session:
        (begun,) = destructions(session)
        assert begun.state == "begun"
    assert f"/retention/destructions/{begun.id}/certificate" not in page
    assert admin.get(f"/retention/destructions/{begun.id}/certificate.pdf").status_code == 404
    assert post(admin, f"destructions/{begun.id}/go-on")[0] == 200
    assert json.loads(destroyed(vault).certificate)["confirmed_by"] == "secretary"
    status, page = post(admin, f"destructions/{begun.id}/go-on")
    assert status == 422 and "已完成" in page
