"""The public notice: after the unsealing, by working days, with every complaint and its answer."""

from __future__ import annotations

import io
import re
from collections.abc import Callable

import openpyxl
import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from models.base import open_store
from models.office_notice import complaints_of, notices_of
from scoring.round_json import strict_json
from tests.webapp.result_round import ResultRound, furnish_result, name_of, policy_text
from tests.webapp.test_tally import freeze
from tests.webapp.test_unseal import post, unseal
from webapp.settings import Settings

SignIn = Callable[[str], FlaskClient]
PASSING = policy_text("science").replace('pass_score = "60"', 'pass_score = "45"')
NOTICE = {"posted": "2024-09-30", "working_days": "5", "place": "办公楼一层", "contact": "2012345"}


@pytest.fixture
def review(settings: Settings) -> Engine:
    return open_store(settings.review_url)


@pytest.fixture
def made(office: object, vault: Engine, review: Engine) -> ResultRound:
    """Nobody is undetermined: everybody came to the defence."""
    return furnish_result(vault, review, candidates=4, level_scores=True, policy=PASSING)


def base(made: ResultRound) -> str:
    return f"/rounds/{made.round_id}/notice"


def test_nothing_is_public_before_names_are_unsealed(
    sign_in: SignIn, vault: Engine, made: ResultRound
) -> None:
    client = sign_in("secretary")
    assert name_of(1) not in client.get(base(made)).text
    assert post(client, base(made), **NOTICE)[0] == 422
    freeze(client, made)
    assert post(client, base(made), **NOTICE)[0] == 422
    assert client.get(f"{base(made)}/1/print").status_code == 404
    with Session(vault) as session:
        assert notices_of(session, made.round_id) == []


def test_it_hangs_for_working_days_of_the_calendar_and_of_the_office(
    sign_in: SignIn, made: ResultRound
) -> None:
    client = sign_in("secretary")
    unseal(client, made)
    for bad in ({"working_days": "4"}, {"posted": "gestern"}, {"place": " "}, {"contact": ""}):
        assert post(client, base(made), **{**NOTICE, **bad})[0] == 422, bad
    status, page = post(client, base(made), **NOTICE)
    # National Day to 7 October; Saturday the 12th is worked, the 8th is the first day that counts.
    assert status == 200 and "最早于 2024-10-12 下班后结束" in page
    assert re.findall(r'class="working"><time datetime="([^"]+)"', page) == [
        "2024-10-08", "2024-10-09", "2024-10-10", "2024-10-11", "2024-10-12",
    ]  # fmt: skip
    page = post(client, f"{base(made)}/days", day="2024-10-10", kind="off")[1]
    assert "最早于 2024-10-14 下班后结束" in page
    page = post(client, f"{base(made)}/days", day="2024-10-10", kind="published")[1]
    assert "最早于 2024-10-12 下班后结束" in page
    assert post(client, f"{base(made)}/days", day="2024-10-10", kind="maybe")[0] == 422


def test_the_notice_lists_those_who_passed_and_nothing_more(
    sign_in: SignIn, made: ResultRound
) -> None:
    client = sign_in("secretary")
    unseal(client, made)
    post(client, base(made), **NOTICE)
    kept = client.get(f"/rounds/{made.round_id}/tally/1/result.json").text
    decided = {item["code"]: item["decision"] for item in strict_json(kept)["candidates"]}
    passed = [name_of(n) for n, c in enumerate(made.codes, 1) if decided[c] == "pass"]
    assert passed
    page = client.get(f"{base(made)}/1/print").text
    for n, code in enumerate(made.codes, 1):
        assert (name_of(n) in page) == (name_of(n) in passed)
        assert code not in page
    assert "2024-10-12" in page and "2012345" in page
    book = openpyxl.load_workbook(io.BytesIO(client.get(f"{base(made)}/1.xlsx").data))
    rows = list(book.active.iter_rows(min_row=4, values_only=True))
    assert [row[1] for row in rows] == passed


def test_who_failed_is_not_on_it(sign_in: SignIn, vault: Engine, review: Engine) -> None:
    made = furnish_result(
        vault, review, candidates=6, level_scores=False,
        policy=PASSING.replace('"45"', '"55"'),
    )  # fmt: skip
    client = sign_in("secretary")
    unseal(client, made)
    status, page = post(client, base(made), **NOTICE)
    kept = client.get(f"/rounds/{made.round_id}/tally/1/result.json").text
    assert status == 200
    page = client.get(f"{base(made)}/1/print").text
    decided = {item["code"]: item["decision"] for item in strict_json(kept)["candidates"]}
    assert set(decided.values()) == {"pass", "fail"}
    for n, code in enumerate(made.codes, 1):
        assert (name_of(n) in page) == (decided[code] == "pass")


def test_while_somebody_is_undetermined_nothing_is_posted(
    sign_in: SignIn, vault: Engine, review: Engine
) -> None:
    made = furnish_result(vault, review, notice="forestry", candidates=6)
    client = sign_in("secretary")
    unseal(client, made)
    status, page = post(client, base(made), **NOTICE)
    assert status == 422 and "仍有待裁定的候选人" in page


def test_complaints_are_numbered_and_answered_once(
    sign_in: SignIn, vault: Engine, made: ResultRound
) -> None:
    client = sign_in("secretary")
    unseal(client, made)
    path = f"{base(made)}/complaints"
    form = {"received": "2024-10-09", "sender": "王某", "text": "<b>论文</b>不是本人的"}
    assert post(client, path, **{**form, "text": " "})[0] == 422
    status, page = post(client, path, **form)
    assert status == 200 and "&lt;b&gt;论文&lt;/b&gt;" in page
    assert post(client, f"{path}/1", answer=" ")[0] == 422
    assert post(client, f"{path}/2", answer="没有这一条")[0] == 422
    assert post(client, f"{path}/1", answer="经查属实，已另行处理")[0] == 200
    assert post(client, f"{path}/1", answer="改口")[0] == 422
    with Session(vault) as session:
        (one,) = complaints_of(session, made.round_id)
        assert (one.number, one.sender, one.answer, one.answered_by) == (
            1, "王某", "经查属实，已另行处理", "secretary",
        )  # fmt: skip
