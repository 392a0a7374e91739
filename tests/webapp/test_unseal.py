"""Names open to two persons after the lock; the roster comes back with one column filled in."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from flask.testing import FlaskClient
from openpyxl.comments import Comment
from openpyxl.styles import Font, PatternFill
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from models.audit import AuditEvent, verify_audit
from models.base import open_store
from models.vault_accounts import OfficeEvent
from tests.webapp.conftest import PASSWORD, form_token
from tests.webapp.result_round import ResultRound, furnish_result, name_of
from tests.webapp.test_tally import freeze
from webapp.office.passed_roster import write_passed
from webapp.settings import Settings

SignIn = Callable[[str], FlaskClient]
HEADINGS = ("序号", "姓名", "性别", "族别", "政治面貌", "身份证号码", "现任专业职务",
            "获现任专业职务时间", "拟晋升专业技术职务", "工作单位", "是否通过", "备注")  # fmt: skip


@pytest.fixture
def review(settings: Settings) -> Engine:
    return open_store(settings.review_url)


@pytest.fixture
def made(office: object, vault: Engine, review: Engine) -> ResultRound:
    return furnish_result(vault, review)


def post(client: FlaskClient, path: str, **form: object) -> tuple[int, str]:
    token = form_token(client.get("/account").text)
    answer = client.post(path, data={"csrf_token": token, **form}, follow_redirects=True)
    return answer.status_code, answer.text


def unseal(client: FlaskClient, made: ResultRound) -> None:
    """From the locked scores to the open key, by secretary and admin."""
    base = f"/rounds/{made.round_id}"
    freeze(client, made)
    post(client, f"{base}/tally/close", confirm="yes")
    post(client, f"{base}/unseal/ask", confirm="yes")
    status, _ = post(
        client, f"{base}/unseal/confirm", second_login="admin", second_password=PASSWORD
    )
    assert status == 200


def workbook(people: int, *, headings: tuple[str, ...] = HEADINGS) -> bytes:
    """A roster as an office has it, with what must survive: fonts, fills, formulas, comments."""
    book = openpyxl.Workbook()
    book.active.title = "说明"
    book.active["A1"] = "=1+1"
    sheet = book.create_sheet("花名册")
    sheet["A1"] = "2024年度花名册"
    sheet["A1"].font = Font(bold=True, size=18)
    sheet.merge_cells(start_row=1, start_column=1, end_row=1, end_column=len(headings))
    sheet["A2"] = "单位（盖章）："
    for column, heading in enumerate(headings, 1):
        sheet.cell(3, column, heading).font = Font(bold=True)
    for n in range(1, people + 1):
        values = {"序号": n, "姓名": name_of(n), "工作单位": f"第{n}中学", "备注": f"备注{n}",
                  "是否通过": "待定" if n == 2 else None}  # fmt: skip
        for column, heading in enumerate(headings, 1):
            sheet.cell(n + 3, column, values.get(heading))
    sheet["B4"].fill = PatternFill("solid", fgColor="FFFF00")
    sheet["B4"].comment = Comment("核对", "科")
    sheet.column_dimensions["J"].width = 40
    sheet.freeze_panes = "A4"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_names_are_sealed_until_two_persons_open_them_after_the_lock(
    sign_in: SignIn, vault: Engine, review: Engine, made: ResultRound
) -> None:
    client = sign_in("secretary")
    base = f"/rounds/{made.round_id}"
    good = {"second_login": "admin", "second_password": PASSWORD}
    assert post(client, f"{base}/unseal/ask", confirm="yes")[0] == 422
    freeze(client, made)
    assert post(client, f"{base}/unseal/ask", confirm="yes")[0] == 422
    post(client, f"{base}/tally/close", confirm="yes")
    assert post(client, f"{base}/unseal/ask")[0] == 422
    assert post(client, f"{base}/unseal/confirm", **good)[0] == 422
    page = post(client, f"{base}/unseal/ask", confirm="yes")[1]
    assert name_of(1) not in page
    for bad in (
        {**good, "second_login": "secretary"},
        {**good, "second_password": "wrong horse battery"},
        {**good, "second_login": "clerk"},
    ):
        status, page = post(client, f"{base}/unseal/confirm", **bad)
        assert status == 422 and name_of(1) not in page
    # Whoever confirms at the own desk cannot be the one who asked either.
    status, _ = post(
        sign_in("admin"), f"{base}/unseal/confirm",
        second_login="secretary", second_password=PASSWORD,
    )  # fmt: skip
    assert status == 422
    assert name_of(1) not in client.get(f"{base}/unseal").text
    status, page = post(client, f"{base}/unseal/confirm", **good)
    assert status == 200 and name_of(1) in page and made.codes[0] in page
    with Session(vault) as session, Session(review) as experts:
        office = session.scalars(select(OfficeEvent.action)).all()
        chain = experts.scalars(select(AuditEvent).order_by(AuditEvent.number)).all()
        assert verify_audit(experts).problems == ()
    for action in ("unsealing.ask", "unsealing.confirm"):
        assert office.count(action) == 1 and [e.action for e in chain].count(action) == 1
    assert json.loads(chain[-1].details)["confirmed_by"] == "admin"
    assert "诸葛" not in "".join(event.details for event in chain)


def test_the_original_roster_comes_back_with_one_column_filled_in(
    sign_in: SignIn, made: ResultRound
) -> None:
    client = sign_in("secretary")
    base = f"/rounds/{made.round_id}"
    data = workbook(8)
    upload = {"roster": (io.BytesIO(data), "州科技局花名册.xlsx")}
    assert post(client, f"{base}/unseal/rosters", **upload)[0] == 422
    unseal(client, made)
    upload = {"roster": (io.BytesIO(data), "州科技局花名册.xlsx")}
    assert post(client, f"{base}/unseal/rosters", **upload)[0] == 200
    assert "州科技局花名册.xlsx" in client.get(f"{base}/unseal").text
    token = form_token(client.get("/account").text)
    answer = client.post(f"{base}/unseal/rosters/1", data={"csrf_token": token})
    before = openpyxl.load_workbook(io.BytesIO(data))
    after = openpyxl.load_workbook(io.BytesIO(answer.data))
    assert after.sheetnames == before.sheetnames
    frozen = client.get(f"{base}/tally/1/result.json").get_json(force=True)
    words = {"pass": "是", "fail": "否", "undetermined": "待裁定"}
    said = {item["code"]: words[item["decision"]] for item in frozen["candidates"]}
    filled = [after["花名册"].cell(n + 3, 11).value for n in range(1, 9)]
    assert filled == [said[code] for code in made.codes] and len(set(filled)) > 1
    for sheet in before:
        for row in sheet.iter_rows():
            for cell in row:
                other = after[sheet.title][cell.coordinate]
                if sheet.title == "花名册" and cell.column == 11 and cell.row > 3:
                    continue
                assert (other.value, other.font.b, other.fill.fgColor.rgb) == (
                    cell.value, cell.font.b, cell.fill.fgColor.rgb,
                ), cell.coordinate  # fmt: skip
    sheet = after["花名册"]
    assert sheet["B4"].comment.text == "核对" and sheet.freeze_panes == "A4"
    assert sheet.column_dimensions["J"].width == 40 and "A1:L1" in map(str, sheet.merged_cells)


def test_the_wrong_persons_roster_is_refused(sign_in: SignIn, made: ResultRound) -> None:
    client = sign_in("secretary")
    unseal(client, made)
    book = openpyxl.load_workbook(io.BytesIO(workbook(8)))
    book["花名册"]["B4"] = "司马某"
    out = io.BytesIO()
    book.save(out)
    upload = {"roster": (io.BytesIO(out.getvalue()), "别的.xlsx")}
    status, page = post(client, f"/rounds/{made.round_id}/unseal/rosters", **upload)
    assert status == 422 and "不能换成另一个人" in page


DECISIONS = {(1, name_of(1)): "pass", (2, name_of(2)): "fail", (3, name_of(3)): "undetermined"}


def test_rows_without_a_result_keep_what_they_say(tmp_path: Path) -> None:
    path = tmp_path / "r.xlsx"
    path.write_bytes(workbook(4))
    written = write_passed(path, {(1, name_of(1)): "pass", (3, "司马003"): "fail"})
    sheet = openpyxl.load_workbook(io.BytesIO(written.data))["花名册"]
    assert [sheet.cell(row, 11).value for row in range(4, 8)] == ["是", "待定", None, None]
    assert written.rows == 1
    assert written.left == tuple(f"{n} {name_of(n)}" for n in (2, 3, 4))


def test_a_missing_column_is_put_behind_the_last(tmp_path: Path) -> None:
    path = tmp_path / "r.xlsx"
    path.write_bytes(workbook(3, headings=tuple(h for h in HEADINGS if h != "是否通过")))
    written = write_passed(path, DECISIONS)
    sheet = openpyxl.load_workbook(io.BytesIO(written.data))["花名册"]
    assert [sheet.cell(row, 12).value for row in range(3, 7)] == ["是否通过", "是", "否", "待裁定"]
    assert sheet.cell(4, 11).value == "备注1" and written.rows == 3


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030", "utf-16"])
def test_a_csv_keeps_its_texts_and_its_encoding(tmp_path: Path, encoding: str) -> None:
    rows = [["花名册", "", "", "", ""], ["序号", "姓名", "工作单位", "是否通过", "备注"]]
    rows += [[str(n), name_of(n), f'第{n}中学,"分校"', "", "两\n行"] for n in range(1, 4)]
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    path = tmp_path / "r.csv"
    path.write_bytes(out.getvalue().encode(encoding))
    written = write_passed(path, DECISIONS)
    after = list(csv.reader(io.StringIO(written.data.decode(encoding), newline="")))
    for row, word in zip(rows[2:], ("是", "否", "待裁定"), strict=True):
        row[3] = word
    assert after == rows and written.suffix == ".csv"
