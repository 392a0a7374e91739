"""Rosters: previewed with every bad cell in its place, imported when confirmed, mended later."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence

import openpyxl
import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from models.vault_pages import Job
from models.vault_rounds import Entrant
from redactor.blind_code import is_code
from tests.webapp.conftest import PEOPLE, add_scan, form_token
from webapp.office.work import round_folder
from webapp.settings import Settings

HEAD = ("序号", "姓名", "身份证号码", "工作单位", "专业")
FIRST = ("1", "诸葛晓岚", "652899198501014510", "巴音郭楞蒙古自治州林业和草原局", "")
SECOND = ("2", "李建国", "", "库尔勒市第三中学", "")
THIRD = ("3", "王小明", "", "且末县中学", "化学")


def sheet(*rows: Sequence[str]) -> bytes:
    """A roster with a title above its header, as offices write it."""
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    page.title = "花名册"
    for row in (("2024年度花名册",), HEAD, *rows):
        page.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


class Desk:
    def __init__(self, client: FlaskClient, round_id: int) -> None:
        self.client, self.root = client, f"/rounds/{round_id}/roster"
        self.token = form_token(client.get("/account").text)

    def preview(self, data: bytes, name: str = "花名册.xlsx") -> tuple[int, str]:
        body = {"csrf_token": self.token, "roster": (io.BytesIO(data), name)}
        answer = self.client.post(self.root, data=body)
        return answer.status_code, answer.text

    def confirm(self, page: str) -> int:
        token = page.split('name="token" value="')[1].split('"')[0]
        return self.post("/confirm", {"token": token})[0]

    def post(self, address: str, data: dict[str, str]) -> tuple[int, str]:
        answer = self.client.post(self.root + address, data={"csrf_token": self.token, **data})
        return answer.status_code, answer.text


@pytest.fixture
def desk(sign_in: Callable[[str], FlaskClient], round_id: int) -> Desk:
    return Desk(sign_in("clerk"), round_id)


def people(vault: Engine) -> dict[int, Entrant]:
    with Session(vault) as session:
        return {entrant.number: entrant for entrant in session.scalars(select(Entrant))}


def test_nothing_is_written_before_the_confirmation(desk: Desk, vault: Engine) -> None:
    before = people(vault)
    status, page = desk.preview(sheet(FIRST, SECOND, THIRD))
    assert status == 200
    assert people(vault).keys() == before.keys()
    assert "王小明" in page
    assert desk.confirm(page) == 303
    after = people(vault)
    assert after[3].specialty == "化学"
    assert is_code(after[3].code)
    assert len({entrant.code for entrant in after.values()}) == 3
    assert {n: after[n].code for n in before} == {n: before[n].code for n in before}


def test_every_bad_cell_is_marked_where_it_stands(desk: Desk, vault: Engine) -> None:
    status, page = desk.preview(
        sheet(FIRST, ("2", "", "", "库尔勒市第三中学", "化学"), ("3", "王小明", "123", "", ""))
    )
    assert status == 422
    for place, sentence in (("B4", "没有姓名"), ("C5", "18 位"), ("D5", "没有工作单位")):
        cell = page.split(f'<td id="{place}" class="bad">')[1].split("</td>")[0]
        assert sentence in cell
        assert f'href="#{place}"' in page
    assert page.count('class="bad"') == 3
    assert 'name="token"' not in page
    assert len(people(vault)) == 2


def test_a_row_that_is_not_read_is_shown_as_such(desk: Desk) -> None:
    status, page = desk.preview(sheet(FIRST, SECOND, ("", "", "", "填表单位", "")))
    assert status == 200
    row = page.split("填表单位")[0].rsplit("<tr", 1)[1]
    assert "不导入" in row


def test_bad_cells_cannot_be_confirmed_by_hand(
    desk: Desk, vault: Engine, settings: Settings, round_id: int
) -> None:
    desk.preview(sheet(FIRST, ("2", "", "", "某单位", "化学")))
    (kept,) = (round_folder(settings, round_id) / "roster").iterdir()
    status, page = desk.post("/confirm", {"token": kept.name})
    assert (status, "没有姓名" in page) == (400, True)
    for token in ("", "../../vault.db", "x" * 64 + ".xlsx"):
        assert desk.post("/confirm", {"token": token})[0] == 400
    assert len(people(vault)) == 2


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"", "花名册.xlsx"),
        (b"PK\x03\x04broken", "花名册.xlsx"),
        (b"<html>", "花名册.xls"),
        ("姓名,单位\n".encode(), "花名册.csv"),
        (b"MZ", "花名册.exe"),
        (b"a,b\n1,2\n", "../../x.csv"),
    ],
)
def test_what_is_no_roster_is_refused_with_a_sentence(desk: Desk, data: bytes, name: str) -> None:
    status, page = desk.preview(data, name)
    assert status == 422
    assert 'role="alert"' in page


def test_a_csv_of_windows_is_read(desk: Desk, vault: Engine) -> None:
    out = io.StringIO()
    csv.writer(out).writerows([HEAD, FIRST, SECOND, THIRD])
    status, page = desk.preview(out.getvalue().encode("gb18030"), "花名册.csv")
    assert status == 200
    assert desk.confirm(page) == 303
    assert people(vault)[3].name == "王小明"


def test_a_number_cannot_become_another_person(desk: Desk, vault: Engine) -> None:
    """A row put in at the top would hand everybody's scans to the next one."""
    shifted = [("1", *THIRD[1:]), ("2", *FIRST[1:]), ("3", *SECOND[1:])]
    status, page = desk.preview(sheet(*shifted))
    assert status == 422
    assert "不能换成另一个人" in page
    assert "属于 1 号" in page
    assert people(vault)[1].name == "诸葛晓岚"


def test_a_name_that_was_mended_is_the_same_person(desk: Desk, vault: Engine) -> None:
    status, page = desk.preview(sheet(("1", "诸葛晓兰", *FIRST[2:]), SECOND))
    assert status == 200
    assert "有变化" in page
    assert desk.confirm(page) == 303
    assert people(vault)[1].name == "诸葛晓兰"


def test_the_same_roster_again_changes_nothing(desk: Desk, vault: Engine) -> None:
    _, page = desk.preview(sheet(FIRST, SECOND))
    desk.confirm(page)
    before = {n: e.row for n, e in people(vault).items()}
    # One row further down on the sheet, and in another order.
    status, page = desk.preview(sheet(SECOND, ("", "", "", "", ""), FIRST))
    assert status == 200
    assert "新增 0 人，更新 0 人" in page
    assert desk.confirm(page) == 303
    assert {n: e.row for n, e in people(vault).items()} == before


def test_who_is_missing_in_a_new_roster_stays(desk: Desk, vault: Engine) -> None:
    _, page = desk.preview(sheet(THIRD))
    assert "2 李建国" in page
    assert desk.confirm(page) == 303
    assert set(people(vault)) == {1, 2, 3}


def test_a_changed_row_is_matched_anew_and_others_are_not(
    desk: Desk, vault: Engine, settings: Settings
) -> None:
    with Session(vault) as session, session.begin():
        for entrant in session.scalars(select(Entrant)).all():
            add_scan(session, settings, entrant, "a.jpg", entrant.name.encode()).state = "done"
    _, page = desk.preview(sheet(FIRST, ("2", "李建国", "", "库尔勒市第四中学", "")))
    desk.confirm(page)
    with Session(vault) as session:
        jobs = session.scalars(select(Job)).all()
        owners = [session.get_one(Entrant, 2).id]
        assert [job.kind for job in jobs] == ["redact"]
        assert owners == [2]


def edited(**changes: str) -> dict[str, str]:
    return {"name": "李建国", "unit": "库尔勒市第三中学", **changes}


def test_an_applicant_is_mended_and_the_dossier_matched_anew(
    desk: Desk, vault: Engine, settings: Settings
) -> None:
    with Session(vault) as session, session.begin():
        entrant = session.get_one(Entrant, 2)
        add_scan(session, settings, entrant, "a.jpg", b"x").state = "done"
    assert "李建国" in desk.client.get(f"{desk.root}/2").text
    form = edited(
        former_names="李卫东\n李援朝", unit_short="三中（市）；库三中", phones="13900000000",
        pinyin="Li Jianguo\nJ. G. Li", emails="a@example.org", level="中级",
    )  # fmt: skip
    assert desk.post("/2", form)[0] == 303
    row = json.loads(people(vault)[2].row)
    assert row["former_names"] == ["李卫东", "李援朝"]
    assert row["unit_short"] == ["三中(市)", "库三中"]
    assert row["pinyin"] == ["Li Jianguo", "J. G. Li"]
    assert row["row"] == PEOPLE[1].row
    assert people(vault)[2].level == "中级"
    with Session(vault) as session:
        assert [job.kind for job in session.scalars(select(Job))] == ["redact"]
    # The form shows what was kept; kept again, it changes nothing and matches nothing.
    assert "李卫东\n李援朝" in desk.client.get(f"{desk.root}/2").text
    assert desk.post("/2", form)[0] == 303
    with Session(vault) as session:
        assert len(session.scalars(select(Job)).all()) == 1


def test_bad_fields_of_an_applicant_are_said_beside_them(desk: Desk, vault: Engine) -> None:
    status, page = desk.post("/2", edited(name="", id_number="12", phones="无", emails="@"))
    assert status == 422
    for field in ("name", "id_number", "phones", "emails"):
        assert f'id="bad-{field}"' in page
    assert people(vault)[2].name == "李建国"


def test_an_applicant_of_another_round_is_not_there(desk: Desk) -> None:
    for address in ("/rounds/1/roster/99", "/rounds/99/roster/1", "/rounds/1/roster/0"):
        assert desk.client.get(address).status_code == 404


def test_applicants_are_found(desk: Desk, vault: Engine) -> None:
    code = people(vault)[2].code
    for wanted, found in (
        ("建国", True),
        ("第三中学", True),
        (code, True),
        ("2", True),
        ("%", False),
    ):
        page = desk.client.get(desk.root, query_string={"q": wanted}).text
        assert ("李建国" in page) is bool(found), wanted
