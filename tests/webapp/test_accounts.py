"""The door: passwords, the first administrator's link, devices, and roles that hold at once."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from models.accounts import make_setup_link, use_setup_link
from models.errors import RuleError
from models.passwords import password_problems
from models.vault_accounts import Account, OfficeEvent, SetupLink, SignIn
from tests.webapp.conftest import PASSWORD, form_token
from webapp.office.app import COOKIE, create_office
from webapp.settings import Settings

SignInAs = Callable[[str], FlaskClient]


def post(client: FlaskClient, path: str, **values: str) -> TestResponse:
    """A form sent with the token that the client's pages carry."""
    token = form_token(client.get("/sign-in").text)
    return client.post(path, data={**values, "csrf_token": token})


def inside(client: FlaskClient) -> bool:
    return client.get("/account").status_code == 200


def account_id(vault: Engine, login: str) -> int:
    with Session(vault) as session:
        return session.scalars(select(Account.id).where(Account.login == login)).one()


def test_a_password_opens_the_door_and_a_wrong_one_does_not(office: Flask, vault: Engine) -> None:
    client = office.test_client()
    assert client.get("/").headers["Location"] == "/sign-in"
    refused = post(client, "/sign-in", login="clerk", password="wrong horse battery")
    assert refused.status_code == 422
    assert "登录名或密码不正确" in refused.text
    unknown = post(client, "/sign-in", login="nobody", password=PASSWORD)
    assert unknown.status_code == 422
    assert "登录名或密码不正确" in unknown.text
    assert not inside(client)
    assert post(client, "/sign-in", login="Clerk", password=PASSWORD).status_code == 302
    assert inside(client)
    with Session(vault) as session:
        actions = session.scalars(select(OfficeEvent.action)).all()
        assert actions.count("sign_in.refused") == 2


def test_the_cookie_is_hidden_from_scripts_and_its_token_is_not_stored(
    office: Flask, vault: Engine
) -> None:
    client = office.test_client()
    answer = post(client, "/sign-in", login="clerk", password=PASSWORD)
    (cookie,) = [c for c in answer.headers.getlist("Set-Cookie") if c.startswith(COOKIE)]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    token = cookie.split("=", 1)[1].split(";")[0]
    with Session(vault) as session:
        assert token not in session.scalars(select(SignIn.token_sha256)).all()


def test_guessing_is_slowed_down(office: Flask) -> None:
    client = office.test_client()
    page = client.get("/sign-in").text
    guess = {"login": "x", "password": "", "csrf_token": form_token(page)}
    codes = [client.post("/sign-in", data=guess).status_code for _ in range(12)]
    assert codes[:10] == [422] * 10
    assert codes[10:] == [429] * 2
    assert client.get("/sign-in").status_code == 200


@pytest.mark.parametrize("token", ["", "forged", "IjEi.Zx.aa"])
def test_a_form_without_its_token_is_refused(sign_in: SignInAs, token: str) -> None:
    client = sign_in("clerk")
    for path in ("/sign-out", "/account/devices/end", "/sign-in"):
        assert client.post(path, data={"csrf_token": token}).status_code == 400
    assert inside(client)


@pytest.mark.parametrize(
    ("password", "login", "faults"),
    [
        ("correct horse battery", "clerk", 0),
        ("短密码", "clerk", 2),
        ("x" * 201, "clerk", 2),
        ("aaaabbbbcccc", "clerk", 1),
        ("1234567890", "clerk", 1),
        ("my Clerk is good", "clerk", 1),
        ("clerk", "clerk", 2),
        ("中文的一句话也可以作密码", "clerk", 0),
    ],
)
def test_every_fault_of_a_password_is_named(password: str, login: str, faults: int) -> None:
    assert len(password_problems(password, login)) == faults


def test_the_setup_link_works_once(installed: Settings, settings: Settings, vault: Engine) -> None:
    with Session(vault) as session, session.begin():
        token = make_setup_link(session)
    client = create_office(settings).test_client()
    assert client.get("/setup/forged").status_code == 400
    assert client.get(f"/setup/{token}").status_code == 200
    values = {"login": "chief", "name": "王主任", "password": "short"}
    weak = post(client, f"/setup/{token}", **values)
    assert weak.status_code == 422
    assert 'value="王主任"' in weak.text
    assert "short" not in weak.text.replace("password", "")
    values["password"] = PASSWORD
    assert post(client, f"/setup/{token}", **values).status_code == 302
    assert post(client, f"/setup/{token}", **{**values, "login": "b"}).status_code == 400
    assert post(client, "/sign-in", login="chief", password=PASSWORD).status_code == 302
    with Session(vault) as session, session.begin():
        assert session.scalars(select(Account.role)).all() == ["admin"]
        assert make_setup_link(session) is None


def test_a_new_start_voids_the_old_setup_link_and_time_voids_the_new(vault: Engine) -> None:
    values = {"login": "chief", "name": "王", "password": PASSWORD}
    with Session(vault) as session, session.begin():
        old, new = make_setup_link(session), make_setup_link(session)
        assert old and new
        with pytest.raises(RuleError):
            use_setup_link(session, token=old, **values)
        two_days_ago = (datetime.now(UTC) - timedelta(hours=48)).isoformat(timespec="microseconds")
        session.execute(update(SetupLink).values(created_at=two_days_ago))
        with pytest.raises(RuleError):
            use_setup_link(session, token=new, **values)


def test_an_expired_session_and_one_of_a_closed_account_are_refused(
    sign_in: SignInAs, vault: Engine
) -> None:
    clerk, secretary = sign_in("clerk"), sign_in("secretary")
    with Session(vault) as session, session.begin():
        session.execute(
            update(SignIn)
            .where(SignIn.account_id == account_id(vault, "clerk"))
            .values(expires_at="2001-01-01T00:00:00+00:00")
        )
        session.execute(update(Account).where(Account.login == "secretary").values(active=False))
    assert not inside(clerk)
    assert not inside(secretary)


def test_one_device_is_signed_out_from_another(sign_in: SignInAs, vault: Engine) -> None:
    desk, tablet, other = sign_in("clerk"), sign_in("clerk"), sign_in("secretary")
    listed = desk.get("/account").text
    assert listed.count("/account/devices/") == 2  # the tablet's, and the form for all
    with Session(vault) as session:
        mine = session.scalars(
            select(SignIn.token_sha256)
            .where(SignIn.account_id == account_id(vault, "clerk"))
            .order_by(SignIn.created_at)
        ).all()
    # Nobody ends another account's session, even knowing its name.
    post(other, f"/account/devices/{mine[1]}/end")
    assert inside(tablet)
    post(desk, f"/account/devices/{mine[1]}/end")
    assert not inside(tablet)
    assert inside(desk)


def test_signing_out_everywhere_holds_at_the_next_request(sign_in: SignInAs) -> None:
    desk, tablet = sign_in("clerk"), sign_in("clerk")
    answer = post(desk, "/account/devices/end")
    assert answer.headers["Location"] == "/sign-in"
    assert not inside(desk)
    assert not inside(tablet)
    assert post(tablet, "/sign-out").status_code == 401


def test_signing_out_ends_the_session_on_the_server(sign_in: SignInAs) -> None:
    client = sign_in("clerk")
    cookie = client.get_cookie(COOKIE)
    assert cookie is not None
    post(client, "/sign-out")
    client.set_cookie(COOKIE, cookie.value)
    assert not inside(client)


def test_a_changed_password_signs_out_everywhere(sign_in: SignInAs) -> None:
    desk, tablet = sign_in("clerk"), sign_in("clerk")
    wrong = post(desk, "/account/password", old="not it at all", password="another good phrase")
    assert wrong.status_code == 422
    post(desk, "/account/password", old=PASSWORD, password="another good phrase")
    assert not inside(desk)
    assert not inside(tablet)
    assert post(desk, "/sign-in", login="clerk", password=PASSWORD).status_code == 422
    again = post(desk, "/sign-in", login="clerk", password="another good phrase")
    assert again.status_code == 302


def test_a_role_taken_away_is_gone_at_once(sign_in: SignInAs, vault: Engine) -> None:
    admin, clerk = sign_in("admin"), sign_in("clerk")
    path = f"/accounts/{account_id(vault, 'clerk')}"
    assert clerk.get("/accounts").status_code == 403
    assert post(clerk, path, role="admin", active="yes").status_code == 403
    post(admin, path, role="admin", active="yes")
    assert clerk.get("/accounts").status_code == 200
    post(admin, path, role="clerk", active="yes")
    assert clerk.get("/accounts").status_code == 403
    post(admin, path, role="clerk")
    assert not inside(clerk)


def test_the_last_administrator_stays(sign_in: SignInAs, vault: Engine) -> None:
    admin = sign_in("admin")
    path = f"/accounts/{account_id(vault, 'admin')}"
    for values in ({"role": "clerk", "active": "yes"}, {"role": "admin"}):
        refused = post(admin, path, **values)
        assert refused.status_code == 422
        assert "至少要保留一名可用的管理员" in refused.text
    assert admin.get("/accounts").status_code == 200
    post(admin, f"/accounts/{account_id(vault, 'clerk')}", role="admin", active="yes")
    assert post(admin, path, role="secretary", active="yes").status_code == 302
    assert admin.get("/accounts").status_code == 403


def test_faults_of_a_new_account_are_named_together_and_nothing_is_kept(
    sign_in: SignInAs, vault: Engine
) -> None:
    admin = sign_in("admin")
    refused = post(admin, "/accounts", login="CLERK", name="", role="king", password="x")
    assert refused.status_code == 422
    assert refused.text.count("<li>") - admin.get("/accounts").text.count("<li>") == 5
    with Session(vault) as session:
        assert len(session.scalars(select(Account)).all()) == 3


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_device_that_was_not_seen_for_long_waits_for_nobody(
    method: str, sign_in: SignInAs, vault: Engine
) -> None:
    """Noting the time must not wait for the request's own transaction: SQLite has one writer."""
    client = sign_in("clerk")
    page = client.get("/account").text
    long_ago = (datetime.now(UTC) - timedelta(hours=1)).isoformat(timespec="microseconds")
    with vault.begin() as connection:
        connection.execute(update(SignIn).values(seen_at=long_ago))
    started = time.monotonic()
    if method == "GET":
        assert client.get("/account").status_code == 200
    else:
        data = {"old": "wrong", "password": "x", "csrf_token": form_token(page)}
        assert client.post("/account/password", data=data).status_code == 422
    assert time.monotonic() - started < 10
    with Session(vault) as session:
        kept = session.scalars(select(SignIn.seen_at)).one()
    # A refused form undoes its own transaction, and the time with it.
    assert method == "POST" or kept > long_ago


def test_who_only_asks_for_the_headers_of_the_door_has_not_tried_to_sign_in(
    office: Flask, vault: Engine
) -> None:
    def events() -> list[OfficeEvent]:
        with Session(vault) as session:
            return list(session.scalars(select(OfficeEvent)))

    before = len(events())
    assert office.test_client().head("/sign-in").status_code == 200
    assert len(events()) == before
