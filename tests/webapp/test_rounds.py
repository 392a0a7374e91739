"""Rounds: what may be set up, policies of the office's own, and the page that leads everywhere."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from models.vault_rounds import OfficeRound
from scoring.errors import PolicyError
from scoring.policy_files import shipped_names
from tests.webapp.conftest import form_token
from webapp.office.policies import policy_of
from webapp.policy_texts import own_policy, policy_from_text, shipped_text

GOOD = {
    "name": "2026年度林业系列",
    "year": "2026",
    "committee_members": "11",
    "policy": "forestry_bazhou_2021",
    "profile": "strict",
    "submit_until": "2026-11-30T18:00",
    "two_person_release": "yes",
}
OWN = """extends = "science_bazhou_2024"
[rounding]
places = 3
"""


def post(client: FlaskClient, address: str, data: Mapping[str, object]) -> tuple[int, str, str]:
    token = form_token(client.get("/account").text)
    answer = client.post(address, data={**data, "csrf_token": token})
    return answer.status_code, answer.text, answer.headers.get("Location", "")


def rounds(vault: Engine) -> list[OfficeRound]:
    with Session(vault) as session:
        return list(session.scalars(select(OfficeRound).order_by(OfficeRound.id)))


def test_a_round_is_set_up_and_reached_from_the_first_page(
    sign_in: Callable[[str], FlaskClient], vault: Engine
) -> None:
    clerk = sign_in("clerk")
    status, _, target = post(clerk, "/rounds/new", dict(GOOD))
    assert status == 303
    (made,) = rounds(vault)
    assert (made.name, made.year, made.committee_members) == (GOOD["name"], 2026, 11)
    assert (made.profile, made.two_person_release) == ("strict", True)
    assert policy_of(made).notice is not None
    assert GOOD["name"] in clerk.get("/").text
    hub = clerk.get(target).text
    for part in ("roster", "uploads", "unmatched", "progress"):
        assert f"/rounds/{made.id}/{part}" in hub
    assert "forestry_bazhou_2021" in hub


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": " "}, "名称不能为空"),
        ({"name": "x" * 201}, "200"),
        ({"year": "20x6"}, "年度应为整数"),
        ({"year": "1999"}, "1999"),
        ({"committee_members": "0"}, "评委会人数"),
        ({"committee_members": "-3"}, "评委会人数"),
        ({"profile": "loose"}, "loose"),
        ({"policy": "../../etc/passwd"}, "请选择一份政策"),
        ({"policy": "keep"}, "请选择一份政策"),
        ({"policy": "own"}, "政策文件"),
        ({"submit_until": "morgen"}, "截止时间"),
    ],
)
def test_what_is_wrong_is_said_and_the_form_keeps_the_rest(
    sign_in: Callable[[str], FlaskClient], vault: Engine, wrong: dict[str, str], said: str
) -> None:
    status, page, _ = post(sign_in("clerk"), "/rounds/new", {**GOOD, **wrong})
    assert status == 422
    assert said in page
    assert ("name" in wrong) or str(GOOD["name"]) in page
    assert rounds(vault) == []


def test_everything_wrong_is_said_at_once(sign_in: Callable[[str], FlaskClient]) -> None:
    bad = {**GOOD, "year": "x", "committee_members": "y", "submit_until": "z", "policy": ""}
    _, page, _ = post(sign_in("clerk"), "/rounds/new", bad)
    for said in ("年度应为整数", "评委会人数应为整数", "截止时间", "请选择一份政策"):
        assert said in page


def test_two_rounds_cannot_share_a_name(
    sign_in: Callable[[str], FlaskClient], vault: Engine
) -> None:
    clerk = sign_in("clerk")
    assert post(clerk, "/rounds/new", dict(GOOD))[0] == 303
    assert post(clerk, "/rounds/new", dict(GOOD))[0] == 422
    assert len(rounds(vault)) == 1


def test_an_own_policy_names_each_mistake_by_its_line(
    sign_in: Callable[[str], FlaskClient], vault: Engine
) -> None:
    clerk = sign_in("clerk")
    bad = OWN + 'colour = "red"\n[decision]\nrule = "dice"\n'
    files = {"policy": "own", "policy_file": (io.BytesIO(bad.encode()), "本单位.toml")}
    status, page, _ = post(clerk, "/rounds/new", {**GOOD, **files})
    assert status == 422
    assert "本单位 第 4 行" in page
    assert "本单位 第 6 行" in page
    files = {"policy": "own", "policy_file": (io.BytesIO(OWN.encode()), "本单位.toml")}
    assert post(clerk, "/rounds/new", {**GOOD, **files})[0] == 303
    (made,) = rounds(vault)
    assert made.policy_name == "本单位"
    assert policy_of(made).places == 3
    assert policy_of(made).submission is not None  # from what it extends


@pytest.mark.parametrize("target", ["/etc/passwd", "../x.toml", "C:\\x.toml", "no_such_notice"])
def test_an_own_policy_reads_no_other_file(target: str) -> None:
    with pytest.raises(PolicyError, match="extends"):
        policy_from_text(f'extends = "{target.replace(chr(92), chr(92) * 2)}"\n', "x")


def test_an_own_policy_may_be_called_like_the_one_it_extends() -> None:
    name, text = own_policy("science_bazhou_2024.toml", OWN.encode())
    assert name == "science_bazhou_2024_office"
    assert policy_from_text(text, name).places == 3


@pytest.mark.parametrize("data", [b"\xff\xfe\x00", b"= 3", b"x" * (2 << 20)])
def test_what_is_no_policy_is_refused(data: bytes) -> None:
    with pytest.raises(PolicyError):
        own_policy("x.toml", data)


def test_every_shipped_policy_holds_as_a_rounds_policy() -> None:
    for name in shipped_names():
        assert policy_from_text(shipped_text(name), name).notice is not None


def test_settings_change_and_keep_the_policy(
    sign_in: Callable[[str], FlaskClient], vault: Engine
) -> None:
    clerk = sign_in("clerk")
    _, _, target = post(clerk, "/rounds/new", dict(GOOD))
    (before,) = rounds(vault)
    new = {**GOOD, "policy": "keep", "committee_members": "9", "two_person_release": ""}
    assert post(clerk, f"{target}/settings", dict(new))[0] == 303
    (after,) = rounds(vault)
    assert (after.committee_members, after.two_person_release) == (9, False)
    assert after.policy == before.policy
    with Session(vault) as session, session.begin():
        session.get_one(OfficeRound, after.id).review_round_id = 1
    status, page, _ = post(clerk, f"{target}/settings", {**new, "profile": "notice"})
    assert (status, "评委" in page) == (422, True)


def test_a_secretary_sees_the_round_and_sets_up_none(
    sign_in: Callable[[str], FlaskClient], round_id: int
) -> None:
    secretary = sign_in("secretary")
    hub = secretary.get(f"/rounds/{round_id}")
    assert hub.status_code == 200
    assert f"/rounds/{round_id}/roster" not in hub.text
    assert secretary.get("/rounds/new").status_code == 403
    assert secretary.get("/rounds/999").status_code == 404
