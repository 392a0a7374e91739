"""Assignment and the completeness board: nobody gets a conflict, and the lock names what blocks."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from models.audit import AuditEvent, verify_audit
from models.base import open_store
from models.office_experts import ExpertRow, put_experts
from models.review import Candidate, Recusal, Round
from models.review_sheets import Sheet, SheetVersion
from models.rounds import lock_round, record_recusal
from models.seats import add_seats
from models.sheets import save_draft
from models.vault_accounts import OfficeEvent
from tests.webapp.committee_round import (
    CommitteeRound,
    bytes_of_experts,
    furnish_committee,
    give,
    submit,
)
from tests.webapp.conftest import PASSWORD, form_token
from tests.webapp.test_queries import statements
from webapp.settings import Settings


@pytest.fixture
def review(settings: Settings) -> Engine:
    return open_store(settings.review_url)


@pytest.fixture
def secretary(sign_in: Callable[[str], FlaskClient]) -> FlaskClient:
    return sign_in("secretary")


def post(client: FlaskClient, path: str, **form: object) -> tuple[int, str]:
    token = form_token(client.get("/account").text)
    answer = client.post(path, data={"csrf_token": token, **form}, follow_redirects=True)
    return answer.status_code, answer.text


def sheets(review: Engine, made: CommitteeRound) -> dict[tuple[str, str], str]:
    with Session(review) as session:
        found = session.scalars(select(Sheet).filter_by(round_id=made.review_id))
        return {(sheet.reviewer, sheet.code): sheet.state for sheet in found}


def digest_of(page: str) -> dict[str, str]:
    """The hidden fields of a preview's form."""
    form = page[page.index("/assignment/apply") :]
    return dict(re.findall(r'name="(reviews|by_specialty|seed|digest)" value="(\w*)"', form))


def assign_all(client: FlaskClient, made: CommitteeRound, reviews: int) -> tuple[int, str]:
    path = f"/rounds/{made.round_id}/assignment"
    _, page = post(client, f"{path}/preview", reviews=reviews, by_specialty="yes")
    return post(client, f"{path}/apply", **digest_of(page))


def test_a_plan_is_looked_at_and_then_given_out(
    secretary: FlaskClient, vault: Engine, review: Engine
) -> None:
    made = furnish_committee(vault, review, dossiers=6, seats=4)
    path = f"/rounds/{made.round_id}/assignment"
    code, page = post(secretary, f"{path}/preview", reviews=2, by_specialty="yes")
    assert code == 200
    assert "新分配 12 份" in page
    assert sheets(review, made) == {}  # looking writes nothing
    code, page = post(secretary, f"{path}/apply", **digest_of(page))
    assert code == 200
    given = sheets(review, made)
    assert Counter(seat for seat, _ in given) == dict.fromkeys(made.seats, 3)
    assert set(Counter(code for _, code in given).values()) == {2}
    # R01 sits in the unit of the first applicant.
    assert ("R01", made.codes[0]) not in given


def test_the_recusal_is_proposed_recorded_and_its_ground_stays_in_the_vault(
    secretary: FlaskClient, vault: Engine, review: Engine, settings: Settings
) -> None:
    made = furnish_committee(vault, review)
    page = secretary.get(f"/rounds/{made.round_id}/assignment").text
    assert f"R01 × {made.codes[0]}" in page
    assert "同一单位（第1中学）" in page
    path = f"/rounds/{made.round_id}/assignment/recuse"
    assert "已记录 0 项回避" in post(secretary, path)[1]  # nothing was ticked
    pairs = [f"R01|{made.codes[0]}", f"R02|{made.codes[1]}"]  # the second was never proposed
    post(secretary, path, pair=pairs)
    with Session(review) as session:
        recused = session.scalars(select(Recusal)).all()
        assert [(row.reviewer, row.code) for row in recused] == [("R01", made.codes[0])]
    with Session(vault) as session:
        log = session.scalars(select(OfficeEvent.details).filter_by(action="experts.recused")).one()
        assert "第1中学" in log
    assert "第1中学".encode() not in bytes_of_experts(settings)
    assert "建议回避</h2>" not in secretary.get(f"/rounds/{made.round_id}/assignment").text


def test_a_shortage_says_who_cannot_and_why(
    secretary: FlaskClient, vault: Engine, review: Engine
) -> None:
    made = furnish_committee(vault, review, dossiers=2, seats=3)
    path = f"/rounds/{made.round_id}/assignment/preview"
    code, page = post(secretary, path, reviews=3, by_specialty="yes")
    assert code == 422
    assert f"{made.codes[0]} 还需要 3 名评委，只有 2 名可评" in page
    for wrong in ("0", "-1", "x", "100", ""):
        assert post(secretary, path, reviews=wrong)[0] == 422


def test_specialties_and_limits_hold_and_specialties_can_be_let_go(
    secretary: FlaskClient, vault: Engine, review: Engine
) -> None:
    made = furnish_committee(vault, review, dossiers=4, seats=3)
    with Session(vault) as session, session.begin():
        rows = [
            ExpertRow(1, "甲", seat="R01", specialties="林业"),
            ExpertRow(2, "乙", seat="R02", specialties="实验技术；林业", capacity=1),
            ExpertRow(3, "丙", seat="R03"),
        ]
        put_experts(session, round_id=made.round_id, rows=rows, by="test")
    path = f"/rounds/{made.round_id}/assignment"
    code, page = post(secretary, f"{path}/preview", reviews=2, by_specialty="yes")
    assert code == 422
    _, page = post(secretary, f"{path}/preview", reviews=1, by_specialty="yes")
    post(secretary, f"{path}/apply", **digest_of(page))
    assert Counter(seat for seat, _ in sheets(review, made)) == {"R02": 1, "R03": 3}
    _, page = post(secretary, f"{path}/preview", reviews=2)
    post(secretary, f"{path}/apply", **digest_of(page))
    assert Counter(seat for seat, _ in sheets(review, made))["R01"] >= 3


def test_what_changed_since_the_preview_stops_the_giving_out(
    secretary: FlaskClient, vault: Engine, review: Engine
) -> None:
    made = furnish_committee(vault, review, dossiers=6, seats=4)
    path = f"/rounds/{made.round_id}/assignment"
    _, page = post(secretary, f"{path}/preview", reviews=2, by_specialty="yes")
    with Session(review) as session, session.begin():
        record_recusal(session, round_id=made.review_id, reviewer="R02", code=made.codes[3],
                       reason="-", by="R02")  # fmt: skip
    pairs = [("R02", code) for code in made.codes if code != made.codes[3]]
    give(review, made.review_id, *pairs)
    before = sheets(review, made)
    code, page = post(secretary, f"{path}/apply", **digest_of(page))
    assert code == 422
    assert "预览之后" in page
    assert sheets(review, made) == before


def test_after_a_recusal_one_click_gives_it_to_the_best_other_seat(
    secretary: FlaskClient, vault: Engine, review: Engine
) -> None:
    made = furnish_committee(vault, review, dossiers=6, seats=4)
    assign_all(secretary, made, 2)
    seat, code = next(iter(sheets(review, made)))
    path = f"/rounds/{made.round_id}/board/dossiers/{code}"
    status, page = post(secretary, f"{path}/recuse", seat=seat, reason="师生关系")
    assert status == 200
    assert sheets(review, made)[seat, code] == "recused"
    held = {who for who, what in sheets(review, made) if what == code}
    best = re.search(r'name="seat" value="(R\d+)"', page)
    assert best and best.group(1) not in held
    post(secretary, f"{path}/assign", seat=best.group(1))
    assert sheets(review, made)[best.group(1), code] == "open"
    # Whoever was recused, or has it, cannot get it by a made-up form either.
    for wrong in (seat, best.group(1), "R99", ""):
        assert post(secretary, f"{path}/assign", seat=wrong)[0] == 422


def test_the_unit_bars_also_a_made_up_form(
    secretary: FlaskClient, vault: Engine, review: Engine
) -> None:
    made = furnish_committee(vault, review)
    path = f"/rounds/{made.round_id}/board/dossiers/{made.codes[0]}/assign"
    assert post(secretary, path, seat="R01")[0] == 422
    assert post(secretary, path, seat="R02")[0] == 200


@pytest.mark.parametrize("reason", ["诸葛 001的老师", "在第1中学工作过", "与专家００2同组", ""])
def test_a_reason_must_name_nobody(
    secretary: FlaskClient, vault: Engine, review: Engine, reason: str
) -> None:
    made = furnish_committee(vault, review, reviews=1)
    path = f"/rounds/{made.round_id}/board"
    form = {"seat": "R03", "reason": reason}
    assert post(secretary, f"{path}/dossiers/{made.codes[0]}/recuse", **form)[0] == 422
    with Session(review) as session:
        assert session.scalars(select(Recusal)).all() == []
        sheet = session.scalars(select(Sheet).filter_by(code=made.codes[0])).one()
    assert post(secretary, f"{path}/sheets/{sheet.id}/exclude", reason=reason)[0] == 422


def test_a_submitted_sheet_is_reopened_excluded_and_keeps_its_versions(
    secretary: FlaskClient, vault: Engine, review: Engine
) -> None:
    made = furnish_committee(vault, review, dossiers=1, reviews=1)
    submit(review, made.review_id)
    with Session(review) as session:
        sheet = session.scalars(select(Sheet.id)).one()
    path = f"/rounds/{made.round_id}/board/sheets/{sheet}"
    assert post(secretary, f"{path}/withdraw")[0] == 422
    assert post(secretary, f"{path}/reopen", reason="漏看附件")[0] == 200
    assert list(sheets(review, made).values()) == ["open"]
    assert post(secretary, f"{path}/exclude", reason="评委离会")[0] == 200
    page = secretary.get(f"/rounds/{made.round_id}/board/left-out").text
    assert "评委离会" in page
    assert list(sheets(review, made).values()) == ["excluded"]
    with Session(review) as session:
        assert len(session.scalars(select(SheetVersion)).all()) == 1
    assert post(secretary, f"{path}/delete")[0] == 404
    other = furnish_committee(vault, review, name="另一批次", reviews=1)
    elsewhere = f"/rounds/{other.round_id}/board/sheets/{sheet}/reopen"
    assert post(secretary, elsewhere, reason="x")[0] == 404
    assert list(sheets(review, made).values()) == ["excluded"]


def test_the_board_shows_codes_and_signs_and_never_a_name_or_score(
    secretary: FlaskClient, vault: Engine, review: Engine
) -> None:
    made = furnish_committee(vault, review, dossiers=3, seats=4, reviews=2)
    submit(review, made.review_id, but=2)
    with Session(review) as session, session.begin():
        last = session.scalars(select(Sheet).filter_by(state="open")).first()
        assert last is not None
        save_draft(session, sheet_id=last.id, scores={"papers": 100}, comment="", base_version=0,
                   by=last.reviewer)  # fmt: skip
    for path in ("board", f"board/dossiers/{made.codes[0]}", "board/left-out", "board/lock"):
        page = secretary.get(f"/rounds/{made.round_id}/{path}").text
        assert "诸葛" not in page, path
        assert "中学" not in page, path
        assert "专家0" not in page, path
        assert "41.5" not in page, path
    page = secretary.get(f"/rounds/{made.round_id}/board").text
    body = page[page.index("<tbody>") : page.index("</tbody>")]
    assert Counter(re.findall(r'aria-hidden="true">(.)<', body)) == {"✓": 4, "◐": 1, "○": 1}
    assert body.count("已提交") == 8  # each sign with its word, said and shown as a title


def test_many_seats_are_listed_in_one_cell(
    secretary: FlaskClient, vault: Engine, review: Engine
) -> None:
    made = furnish_committee(vault, review, dossiers=2, seats=31, reviews=2)
    page = secretary.get(f"/rounds/{made.round_id}/board").text
    assert 'class="many"' in page
    assert page.count('class="seat"') == 0


def test_who_is_behind_gets_a_notice_with_the_codes(
    secretary: FlaskClient, vault: Engine, review: Engine
) -> None:
    made = furnish_committee(vault, review, dossiers=3, seats=4, reviews=1)
    submit(review, made.review_id, but=1)
    ((seat, code),) = [pair for pair, state in sheets(review, made).items() if state == "open"]
    page = secretary.get(f"/rounds/{made.round_id}/board/reminders").text
    assert page.count("notice-sheet") == 1
    assert code in page
    assert f"{seat} · 专家" in page
    page = secretary.get(f"/rounds/{made.round_id}/board/reminders?seat=R01").text
    assert "所有评分表都已提交" in page
    rows = secretary.get(f"/rounds/{made.round_id}/board/seats").text
    assert rows.count(">通知</a>") == 1


def test_the_lock_names_and_links_what_blocks_it_and_then_locks(
    secretary: FlaskClient, vault: Engine, review: Engine
) -> None:
    made = furnish_committee(vault, review, dossiers=3, seats=4, reviews=1)
    submit(review, made.review_id, but=1)
    path = f"/rounds/{made.round_id}/board/lock"
    ((seat, code),) = [pair for pair, state in sheets(review, made).items() if state == "open"]
    page = secretary.get(path).text
    assert f"{code} × {seat}" in page
    assert page.count(f'/board/dossiers/{code}"') == 2  # not submitted, and too few
    assert 'name="confirm"' not in page
    assert post(secretary, path, confirm="yes")[0] == 422  # late, or made up: the store decides
    submit(review, made.review_id)
    page = secretary.get(path).text
    assert "3 名申报人的材料没有放行" in page  # no release stands in the vault of this test
    assert post(secretary, path)[0] == 422
    with Session(review) as session:
        assert session.get_one(Round, made.review_id).phase == "scoring"
    assert post(secretary, path, confirm="yes")[0] == 200
    with Session(review) as session:
        assert session.get_one(Round, made.review_id).phase == "locked"
    assert "盲评分数已锁定" in secretary.get(path).text
    give_path = f"/rounds/{made.round_id}/board/dossiers/{code}/assign"
    assert post(secretary, give_path, seat="R01")[0] == 422


PAGES = ("seats", "tablets", "assignment", "board", "board/seats", "board/reminders",
         "board/left-out", "board/lock")  # fmt: skip


def test_a_candidate_is_disqualified_with_a_reason_and_after_the_lock_by_two(
    secretary: FlaskClient, sign_in: Callable[[str], FlaskClient], vault: Engine, review: Engine
) -> None:
    sign_in("admin")
    made = furnish_committee(vault, review, reviews=2)
    base = f"/rounds/{made.round_id}/board/dossiers"
    first, second, third = made.codes
    good = {"reason": "撤回申报", "confirm": "yes"}
    for form, said in (
        ({"confirm": ""}, "请先勾选确认"),
        ({"reason": " "}, "须写明理由"),
        ({"reason": "诸葛001 造假"}, "不能写出"),
    ):
        status, page = post(secretary, f"{base}/{first}/disqualify", **good | form)
        assert status == 422 and said in page
    status, page = post(secretary, f"{base}/{first}/disqualify", **good)
    assert status == 200 and "已取消资格" in page and "取消资格…" not in page
    assert post(secretary, f"{base}/{first}/disqualify", **good)[0] == 422
    submit(review, made.review_id)
    with Session(review) as session, session.begin():
        lock_round(session, round_id=made.review_id, min_sheets=1, by="s")
    other = {"second_login": "admin", "second_password": PASSWORD}
    for form, said in (
        ({}, "账号或密码不对"),
        (other | {"second_login": "secretary"}, "须由另一人"),
    ):
        status, page = post(secretary, f"{base}/{second}/disqualify", **good, **form)
        assert status == 422 and said in page
    assert post(secretary, f"{base}/{second}/disqualify", **good, **other)[0] == 200
    with Session(review) as session:
        out = session.scalars(select(Candidate.code).filter_by(disqualified=True)).all()
        told = session.scalars(
            select(AuditEvent.details)
            .where(AuditEvent.action == "disqualify")
            .order_by(AuditEvent.number)
        ).all()
        assert verify_audit(session).whole
    assert set(out) == {first, second}
    assert [json.loads(one).get("confirmed_by") for one in told] == [None, "admin"]
    assert json.loads(told[0])["reason"] == "撤回申报"
    form = good | {"second_login": "admin"}
    path = f"{base}/{third}/disqualify"
    guesses = [post(secretary, path, **form, second_password=f"guess {n}")[0] for n in range(12)]
    assert guesses[-1] == 429


@pytest.mark.parametrize("more", ["seats", "dossiers"])
def test_the_number_of_queries_does_not_grow(
    office: Flask, secretary: FlaskClient, vault: Engine, review: Engine, more: str
) -> None:
    few = furnish_committee(vault, review, dossiers=1, seats=2, reviews=1, name="few")
    size = {"dossiers": 30, "seats": 3} if more == "dossiers" else {"dossiers": 2, "seats": 30}
    many = furnish_committee(vault, review, reviews=2, name="many", **size)
    stores = (office.extensions["vault"], office.extensions["review"])
    for name in (*PAGES, "dossier", "seat"):
        counts = []
        for made in (few, many):
            paths = {"dossier": f"board/dossiers/{made.codes[0]}", "seat": "seats/R01"}
            path = f"/rounds/{made.round_id}/{paths.get(name, name)}"
            assert secretary.get(path).status_code == 200
            with statements(*stores) as sent:
                secretary.get(path)
            counts.append(len(sent))
        assert counts[0] == counts[1], name


def test_the_list_is_paged_by_code(secretary: FlaskClient, vault: Engine, review: Engine) -> None:
    made = furnish_committee(vault, review, dossiers=103, seats=2, reviews=1)
    seen, path = [], f"/rounds/{made.round_id}/board"
    while path:
        page = secretary.get(path).text
        body = page[page.index("<tbody>") : page.index("</tbody>")]
        seen.append(re.findall(r'/board/dossiers/([\w-]+)"', body))
        following = re.search(r'href="([^"]*after=[^"]*)"', page)
        path = following.group(1).replace("&amp;", "&") if following else ""
    assert [len(part) for part in seen] == [100, 3]
    assert [code for part in seen for code in part] == sorted(made.codes)


def test_a_large_committee_is_a_page_of_moderate_size(
    secretary: FlaskClient, vault: Engine, review: Engine
) -> None:
    """300 seats and 500 dossiers with 5 experts each: a cell for each sheet, not for each seat."""
    made = furnish_committee(vault, review, dossiers=500, seats=300, reviews=5)
    page = secretary.get(f"/rounds/{made.round_id}/board").text
    assert page.count('class="stand untouched"') == 500 + 1  # 100 dossiers, and the legend
    assert len(page) < 150_000


def test_seats_that_nobody_named_are_shown_as_such(
    secretary: FlaskClient, vault: Engine, review: Engine
) -> None:
    made = furnish_committee(vault, review)
    with Session(review) as session, session.begin():
        add_seats(session, round_id=made.review_id, seats=["R77"], by="test")
    assert "未登记专家" in secretary.get(f"/rounds/{made.round_id}/seats").text
