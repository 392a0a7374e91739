"""The experts' list and reader: own dossiers by code, pages by category, reports of leaks."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from flask.testing import FlaskClient
from sqlalchemy import Engine, event, select
from sqlalchemy.orm import Session

from models.page_reports import open_reports
from models.review import PolicySnapshot
from models.review_pages import ReleasedPage
from models.review_sheets import Sheet
from models.rounds import record_recusal, snapshot_policy
from models.seat_dossiers import dossiers_of
from models.sheets import CriterionRule, exclude_sheet, save_draft, submit_sheet
from tests.webapp.conftest import form_token
from tests.webapp.review_round import ReviewRound
from webapp.review.rubric import policy_of_round

Tablet = Callable[[str], FlaskClient]
RULES = [CriterionRule("achievements", 6000, 50), CriterionRule("papers", 4000, 50)]
SCORES = {"achievements": 5000, "papers": 3000}


def cards(html: str) -> dict[str, str]:
    """Code -> what its card says."""
    found = re.findall(r'<li class="dossier .*?</li>', html, re.S)
    texts = [" ".join(re.sub(r"<[^>]+>", " ", card).split()) for card in found]
    return {text.split()[0]: text for text in texts}


def sheet_ids(store: Engine, made: ReviewRound, seat: str) -> dict[str, int]:
    with Session(store) as session:
        return {d.code: d.sheet_id for d in dossiers_of(session, made.round_id, seat)}


def save(session: Session, sheet: int, scores: dict[str, int]) -> None:
    save_draft(session, sheet_id=sheet, scores=scores, comment="", base_version=0, by="R01")


def test_a_card_tells_how_far_the_own_sheet_is(
    made: ReviewRound, tablet: Tablet, store: Engine
) -> None:
    client, sheets = tablet("R01"), sheet_ids(store, made, "R01")
    one, two, three = made.codes
    assert all(
        "未开始" in text and "0 / 2" in text for text in cards(client.get("/").text).values()
    )
    with Session(store) as session, session.begin():
        save(session, sheets[one], {"papers": 3000})
        save(session, sheets[two], SCORES)
        submit_sheet(
            session, sheet_id=sheets[three], scores=SCORES, comment="", base_version=0,
            rules=RULES, by="R01",
        )  # fmt: skip
    found = cards(client.get("/").text)
    assert "草稿" in found[one] and "1 / 2" in found[one]
    assert "已打完" in found[two] and "2 / 2" in found[two]
    assert "已提交" in found[three]
    assert "已提交 1 / 3" in " ".join(re.sub(r"<[^>]+>", " ", client.get("/").text).split())
    # Another seat sees its own sheets only.
    assert all("未开始" in text for text in cards(tablet("R02").get("/").text).values())


def test_recused_and_excluded_dossiers_say_so_and_only_the_latter_opens(
    made: ReviewRound, tablet: Tablet, store: Engine
) -> None:
    client, sheets = tablet("R01"), sheet_ids(store, made, "R01")
    one, two, _ = made.codes
    with Session(store) as session, session.begin():
        record_recusal(
            session, round_id=made.round_id, reviewer="R01", code=one, reason="同单位", by="R01"
        )
        exclude_sheet(session, sheet_id=sheets[two], reason="未完成", by="office")
    html = client.get("/").text
    found = cards(html)
    assert "已回避" in found[one] and f'href="/d/{one}/"' not in html
    assert "不计分" in found[two] and f'href="/d/{two}/"' in html
    # What must be done is one dossier, not three.
    assert re.search(r'<progress id="submitted" value="0" max="1"', html)


def test_cards_stand_in_the_order_of_codes_with_counts_and_nothing_else(
    made: ReviewRound, tablet: Tablet, store: Engine
) -> None:
    with Session(store) as session, session.begin():
        page = session.get_one(ReleasedPage, (made.round_id, made.codes[0], 1))
        category = page.category
        page.frozen = True
    found = cards(tablet("R01").get("/").text)
    assert list(found) == sorted(made.codes)
    # A page that nobody can open is not counted.
    assert category not in found[made.codes[0]]
    assert f"{category} 1" in found[made.codes[1]]
    assert not re.search(r"\d{4}-\d\d|\d\d:\d\d|实验技术|中级", " ".join(found.values()))


def test_a_dossier_can_be_declined_before_it_is_opened_until_it_is_submitted(
    made: ReviewRound, tablet: Tablet, store: Engine
) -> None:
    sheets = sheet_ids(store, made, "R01")
    with Session(store) as session, session.begin():
        submit_sheet(
            session, sheet_id=sheets[made.codes[0]], scores=SCORES, comment="", base_version=0,
            rules=RULES, by="R01",
        )  # fmt: skip
    html = tablet("R01").get("/").text
    assert [f"/d/{code}/recusal" in html for code in made.codes] == [False, True, True]


def test_a_policy_without_criteria_is_said_plainly(
    made: ReviewRound, tablet: Tablet, store: Engine
) -> None:
    assert "没有评分项" not in tablet("R01").get("/").text
    with Session(store) as session, session.begin():
        text = 'extends = "science_bazhou_2024"\n'
        snapshot_policy(session, round_id=made.round_id, text=text, by="office")
    html = tablet("R01").get("/").text
    assert "没有评分项" in html
    assert all("未开始" in text and "/" not in text for text in cards(html).values())


def test_the_newest_policy_holds(made: ReviewRound, store: Engine) -> None:
    with Session(store) as session, session.begin():
        text = session.scalars(select(PolicySnapshot.text)).one().replace('"papers"', '"works"')
        snapshot_policy(session, round_id=made.round_id, text=text, by="office")
        found = policy_of_round(session, made.round_id).criterion
    assert [item.id for item in found] == ["achievements", "works"]


def test_the_list_asks_the_store_as_often_for_three_dossiers_as_for_one(
    made: ReviewRound, tablet: Tablet, store: Engine, review_app: object
) -> None:
    client = tablet("R01")
    client.get("/")  # notes that the tablet was seen, once a minute
    asked: list[str] = []
    engine = review_app.extensions["review"]  # type: ignore[attr-defined]
    event.listen(engine, "before_cursor_execute", lambda *a: asked.append(a[2]))
    client.get("/")
    for_three = len(asked)
    with Session(store) as session, session.begin():
        for sheet in session.scalars(select(Sheet).where(Sheet.code != made.codes[0])):
            sheet.state = "withdrawn"
    asked.clear()
    assert list(cards(client.get("/").text)) == [made.codes[0]]
    assert 0 < len(asked) == for_three


def test_a_dossier_opens_with_its_pages(made: ReviewRound, tablet: Tablet) -> None:
    client, code = tablet("R01"), made.codes[0]
    html = client.get(f"/d/{code}/").text
    pages = json.loads(re.search(r"data-pages='(.*?)'", html).group(1))  # type: ignore[union-attr]
    assert pages == client.get(f"/d/{code}/pages.json").json
    assert [page["number"] for page in pages] == [1, 2, 3, 4]
    assert not any(page["frozen"] for page in pages)
    assert client.get("/d/AAAA-AA/").status_code == 404


def test_pages_of_one_category_stand_together(
    made: ReviewRound, tablet: Tablet, store: Engine
) -> None:
    code = made.codes[0]
    with Session(store) as session, session.begin():
        for number, category in enumerate(("论文", "专利", "论文", "公示"), 1):
            page = session.get_one(ReleasedPage, (made.round_id, code, number))
            page.category = category
    listed = tablet("R01").get(f"/d/{code}/pages.json").json
    assert [(page["category"], page["number"]) for page in listed] == [
        ("论文", 1),
        ("论文", 3),
        ("专利", 2),
        ("公示", 4),
    ]


def test_categories_are_named_in_the_language_of_the_page(
    made: ReviewRound, tablet: Tablet, store: Engine
) -> None:
    code = made.codes[0]
    with Session(store) as session, session.begin():
        session.get_one(ReleasedPage, (made.round_id, code, 1)).category = "论文"
    client = tablet("R01")
    client.set_cookie("mp_language", "en")
    assert client.get(f"/d/{code}/pages.json").json[0]["label"] == "Paper"


def test_the_list_of_pages_is_a_few_bytes_while_nothing_changes(
    made: ReviewRound, tablet: Tablet, store: Engine
) -> None:
    client, path = tablet("R01"), f"/d/{made.codes[0]}/pages.json"
    known = {"If-None-Match": client.get(path).headers["ETag"]}
    answer = client.get(path, headers=known)
    assert (answer.status_code, answer.data) == (304, b"")
    with Session(store) as session, session.begin():
        session.get_one(ReleasedPage, (made.round_id, made.codes[0], 2)).frozen = True
    answer = client.get(path, headers=known)
    assert [page["frozen"] for page in answer.json] == [False, True, False, False]


def report(client: FlaskClient, code: str, **changed: str) -> tuple[int, dict[str, list[str]]]:
    html = client.get(f"/d/{code}/").text
    page = client.get(f"/d/{code}/pages.json").json[1]
    form = {"number": str(page["number"]), "name": page["name"], "reason": "页眉处", **changed}
    answer = client.post(f"/d/{code}/report", data={**form, "csrf_token": form_token(html)})
    return answer.status_code, answer.json


def test_a_reported_page_is_frozen_for_all_and_before_the_office(
    made: ReviewRound, tablet: Tablet, store: Engine
) -> None:
    mine, other, code = tablet("R01"), tablet("R02"), made.codes[0]
    status, _ = report(mine, code)
    assert status == 200
    for client in (mine, other):
        listed = client.get(f"/d/{code}/pages.json").json
        assert [page["frozen"] for page in listed] == [False, True, False, False]
    with Session(store) as session:
        found = open_reports(session, made.round_id)
    assert [(r.code, r.number, r.reason, r.reported_by) for r in found] == [
        (code, 2, "页眉处", "R01")
    ]
    # Who reported it is nobody else's business.
    html = other.get(f"/d/{code}/").text
    assert "R01" not in html and "页眉处" not in html


def test_a_report_that_cannot_stand_freezes_nothing_and_says_why(
    made: ReviewRound, tablet: Tablet, store: Engine
) -> None:
    client, code = tablet("R01"), made.codes[0]
    for changed in ({"reason": " "}, {"reason": "x" * 501}, {"number": "9"}, {"name": "0" * 32}):
        status, answer = report(client, code, **changed)
        assert status == 422, changed
        assert answer["problems"]
    with Session(store) as session:
        assert open_reports(session, made.round_id) == []
        record_recusal(
            session, round_id=made.round_id, reviewer="R01", code=code, reason="同单位", by="R01"
        )
        session.commit()
    html = client.get("/").text
    form = {"number": "1", "name": "0", "reason": "页眉", "csrf_token": form_token(html)}
    assert client.post(f"/d/{code}/report", data=form).status_code == 404
    assert not any(page["frozen"] for page in tablet("R02").get(f"/d/{code}/pages.json").json)


def test_a_report_needs_the_forms_token(made: ReviewRound, tablet: Tablet) -> None:
    client, code = tablet("R01"), made.codes[0]
    assert client.post(f"/d/{code}/report", data={"number": "1"}).status_code == 400
