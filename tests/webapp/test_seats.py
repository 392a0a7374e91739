"""Experts are named, get cards, and are kept apart from the experts' store."""

from __future__ import annotations

import io
import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from openpyxl import Workbook
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from models.base import open_store
from models.errors import RuleError
from models.office_experts import ExpertRow, experts_of
from models.review_access import SeatCard
from models.seat_access import member_of, sign_in
from models.seats import seats_of
from models.vault_accounts import OfficeEvent
from tests.webapp.committee_round import CommitteeRound, bytes_of_experts, furnish_committee, submit
from tests.webapp.conftest import form_token
from webapp.office.expert_list import pasted_experts
from webapp.office.seats import address_of_experts
from webapp.settings import Settings

PASTED = """姓名\t工作单位\t专业\t电话
阿布都热合曼·买买提\t巴州林草局\t林业；草原\t13800000001
李明\t库尔勒市第三中学
"""
ADDRESS = "http://192.168.1.10:8081"


@pytest.fixture
def review(settings: Settings) -> Engine:
    return open_store(settings.review_url)


@pytest.fixture
def made(vault: Engine, review: Engine) -> CommitteeRound:
    return furnish_committee(vault, review)


@pytest.fixture
def secretary(sign_in: Callable[[str], FlaskClient]) -> FlaskClient:
    return sign_in("secretary")


def post(client: FlaskClient, path: str, **form: object) -> tuple[int, str]:
    page = client.get(path.rsplit("/cards", 1)[0] if "/cards" in path else "/account").text
    answer = client.post(
        path, data={"csrf_token": form_token(page), **form}, follow_redirects=True,
        content_type="multipart/form-data",
    )  # fmt: skip
    return answer.status_code, answer.text


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("李明，林草局，林业", [ExpertRow(1, "李明", unit="林草局", specialties="林业")]),
        ("李明 林草局", [ExpertRow(1, "李明", unit="林草局")]),
        ("r7\t李明\t局\n", [ExpertRow(1, "李明", seat="R07", unit="局")]),
        ("李明", [ExpertRow(1, "李明")]),
        ("", []),
        (
            "专家名单\n\n席位,姓名,上限\n3,李明,12",
            [ExpertRow(4, "李明", seat="R03", capacity=12)],
        ),
    ],
)
def test_a_list_is_read_as_people_write_it(text: str, wanted: list[ExpertRow]) -> None:
    assert pasted_experts(text) == wanted


def test_a_limit_that_is_no_number_is_told_with_its_row() -> None:
    with pytest.raises(RuleError, match="第 2 行"):
        pasted_experts("姓名\t上限\n李明\t十二")


def test_experts_are_named_before_the_first_release(
    secretary: FlaskClient, vault: Engine, review: Engine
) -> None:
    made = furnish_committee(vault, review, seats=0, released=False)
    path = f"/rounds/{made.round_id}/seats"
    code, page = post(secretary, path, pasted=PASTED)
    assert code == 200
    assert "已登记 2 名专家" in page
    assert "第一次放行" in page
    with Session(vault) as session:
        rows = [(e.seat, e.name, e.specialties) for e in experts_of(session, made.round_id)]
        log = session.scalars(select(OfficeEvent.details).filter_by(action="experts.put")).one()
    assert rows == [("R01", "阿布都热合曼·买买提", "林业；草原"), ("R02", "李明", "")]
    assert '"R01", "R02"' in log
    code, page = post(secretary, f"/rounds/{made.round_id}/cards", address=ADDRESS, all="1")
    assert code == 422
    assert "请先放行至少一份材料" in page


def test_seats_of_an_open_round_are_added_at_once(
    secretary: FlaskClient, vault: Engine, review: Engine, made: CommitteeRound
) -> None:
    post(secretary, f"/rounds/{made.round_id}/seats", pasted="王红 农科院")
    with Session(review) as session:
        assert seats_of(session, made.review_id) == [*made.seats, "R05"]
    with Session(vault) as session:
        assert [e.seat for e in experts_of(session, made.round_id)][-1] == "R05"


def test_no_name_ever_reaches_the_experts_store(
    secretary: FlaskClient, settings: Settings, made: CommitteeRound
) -> None:
    post(secretary, f"/rounds/{made.round_id}/seats", pasted="王红丽 农科研究院 园艺 13911112222")
    post(secretary, f"/rounds/{made.round_id}/cards", address=ADDRESS, all="1")
    post(secretary, f"/rounds/{made.round_id}/seats/R05/remove")
    raw = bytes_of_experts(settings)
    for told in ("王红丽", "农科研究院", "13911112222", "专家001", "诸葛001"):
        assert told.encode() not in raw
    assert b"R05" in raw  # the audit keeps the seat


@pytest.mark.parametrize(
    ("pasted", "told"),
    [
        ("", "名单中没有任何专家"),
        ("席位,姓名\nX9,李明", "席位“X9”不对"),
        ("席位,姓名\nR07,李明\nR07,王红", "席位 R07 重复"),
        ("姓名,工作单位\n李明,甲局\n李明,甲局", "已在名单中"),
        ("姓名,工作单位\n,甲局", "第 2 行缺少姓名"),
        ("姓名,上限\n李明,-3", "不是整数"),
    ],
)
def test_a_bad_list_is_refused_as_a_whole(
    secretary: FlaskClient, vault: Engine, made: CommitteeRound, pasted: str, told: str
) -> None:
    code, page = post(secretary, f"/rounds/{made.round_id}/seats", pasted=pasted)
    assert code == 422
    assert told in page
    with Session(vault) as session:
        assert len(experts_of(session, made.round_id)) == len(made.seats)


def test_a_workbook_is_read_and_a_seat_in_it_changes_who_sits_there(
    secretary: FlaskClient, vault: Engine, settings: Settings, made: CommitteeRound
) -> None:
    book = Workbook()
    for row in (["专家名单"], ["席位", "姓名", "单位", "曾任职单位"],
                ["R02", "赵海", "塔里木大学", "甲局、乙局"]):  # fmt: skip
        book.active.append(row)  # type: ignore[union-attr]
    data = io.BytesIO()
    book.save(data)
    file = (io.BytesIO(data.getvalue()), "名单.xlsx")
    code, _ = post(secretary, f"/rounds/{made.round_id}/seats", list=file)
    assert code == 200
    with Session(vault) as session:
        second = experts_of(session, made.round_id)[1]
        assert (second.name, second.former_units) == ("赵海", "甲局；乙局")
    assert list(settings.vault.glob("experts-*")) == []
    bad = (io.BytesIO(b"PK\x03\x04 nonsense"), "名单.xlsx")
    code, page = post(secretary, f"/rounds/{made.round_id}/seats", list=bad)
    assert code == 422
    assert "损坏" in page


def test_one_expert_is_changed_on_the_seats_own_page(
    secretary: FlaskClient, vault: Engine, made: CommitteeRound
) -> None:
    path = f"/rounds/{made.round_id}/seats/R03"
    assert 'value="专家003"' in secretary.get(path).text
    code, _ = post(
        secretary, path, name="钱进", unit="水利局", capacity="9", relatives="钱多、孙少"
    )
    assert code == 200
    code, page = post(secretary, path, name="钱进", capacity="many")
    assert code == 422
    assert "不是整数" in page
    assert secretary.get(f"/rounds/{made.round_id}/seats/R99").status_code == 404
    with Session(vault) as session:
        third = experts_of(session, made.round_id)[2]
        assert (third.name, third.capacity, third.relatives) == ("钱进", 9, "钱多；孙少")


def test_cards_are_shown_once_open_a_tablet_and_end_when_revoked(
    secretary: FlaskClient, review: Engine, made: CommitteeRound
) -> None:
    path = f"/rounds/{made.round_id}/cards"
    code, page = post(secretary, path, address=ADDRESS, all="1")
    assert code == 200
    numbers = [a + b for a, b in re.findall(r'code">(\w{4}) (\w{4})</dd>', page)]
    pins = [a + b for a, b in re.findall(r'pin">(\d{3}) (\d{3})</dd>', page)]
    assert len(numbers) == len(pins) == len(made.seats)
    assert f"{ADDRESS}/card/{numbers[0]}" in page
    assert page.count("<svg") == len(made.seats)
    with Session(review) as session, session.begin():
        token = sign_in(session, number=numbers[0], secret=pins[0], device="平板")
        assert token is not None
    shown = secretary.get(f"/rounds/{made.round_id}/seats").text
    assert not any(text in shown for text in (*pins, *numbers))
    assert "平板" in secretary.get(f"/rounds/{made.round_id}/tablets").text
    post(secretary, f"{path}/R01/revoke")
    with Session(review) as session:
        assert member_of(session, token) is None
        assert not session.get_one(SeatCard, (made.review_id, "R01")).active


def test_a_new_card_of_one_seat_leaves_the_others(
    secretary: FlaskClient, review: Engine, made: CommitteeRound
) -> None:
    path = f"/rounds/{made.round_id}/cards"
    post(secretary, path, address=ADDRESS, all="1")
    with Session(review) as session:
        before = dict(session.execute(select(SeatCard.seat, SeatCard.number)).all())
    code, page = post(secretary, path, address=ADDRESS, seat="R02")
    assert (code, page.count("<svg")) == (200, 1)
    with Session(review) as session:
        after = dict(session.execute(select(SeatCard.seat, SeatCard.number)).all())
    assert {seat for seat in before if before[seat] != after[seat]} == {"R02"}
    code, page = post(secretary, path, address=ADDRESS, all="1")
    assert code == 422
    assert "没有可发卡的席位" in page


@pytest.mark.parametrize(
    "address",
    ["", "192.168.1.10", "ftp://a", "http://", "http://a/b", "http://a:99999", "javascript:x"],
)
def test_a_wrong_address_is_refused_before_any_card_is_made(
    secretary: FlaskClient, review: Engine, made: CommitteeRound, address: str
) -> None:
    code, _ = post(secretary, f"/rounds/{made.round_id}/cards", address=address, all="1")
    assert code == 422
    with Session(review) as session:
        assert session.scalars(select(SeatCard)).all() == []


def test_one_tablet_is_signed_out_and_refusals_are_listed(
    secretary: FlaskClient, review: Engine, made: CommitteeRound
) -> None:
    _, page = post(secretary, f"/rounds/{made.round_id}/cards", address=ADDRESS, seat="R01")
    number = "".join(re.findall(r'code">(\w{4}) (\w{4})</dd>', page)[0])
    pin = "".join(re.findall(r'pin">(\d{3}) (\d{3})</dd>', page)[0])
    with Session(review) as session, session.begin():
        tokens = [sign_in(session, number=number, secret=pin, device=d) for d in ("甲", "乙")]
        assert sign_in(session, number=number, secret="wrong", device="丙") is None
        assert sign_in(session, number="NOSUCH99", secret="wrong", device="丙") is None
    page = secretary.get(f"/rounds/{made.round_id}/tablets").text
    assert page.count("拒绝：卡号或 PIN 不对") == 2
    assert "卡号不存在" in page
    paths = re.findall(r'action="(/rounds/\d+/tablets/R01/[0-9a-f]{64}/sign-out)"', page)
    assert len(paths) == 2
    post(secretary, paths[0])
    with Session(review) as session:
        assert [member_of(session, str(token)) is None for token in tokens].count(True) == 1


def test_a_seat_with_scores_is_not_removed(
    secretary: FlaskClient, vault: Engine, review: Engine
) -> None:
    made = furnish_committee(vault, review, reviews=1)
    submit(review, made.review_id)
    code, page = post(secretary, f"/rounds/{made.round_id}/seats/R02/remove")
    assert code == 422
    assert "不能删除席位" in page
    code, _ = post(secretary, f"/rounds/{made.round_id}/seats/R01/remove")
    assert code == 200
    with Session(vault) as session:
        assert [e.seat for e in experts_of(session, made.round_id)] == ["R02", "R03", "R04"]


@pytest.mark.parametrize(
    ("office_at", "wanted"),
    [
        ("http://10.1.2.3:8080", ("http://10.1.2.3:8081", True)),
        ("http://localhost:8080", ("http://localhost:8081", False)),
        ("http://127.0.0.1:8080", ("http://127.0.0.1:8081", False)),
    ],
)
def test_the_address_is_that_of_the_experts_port(
    office: Flask, office_at: str, wanted: tuple[str, bool]
) -> None:
    with office.test_request_context(base_url=office_at):
        assert address_of_experts() == wanted
