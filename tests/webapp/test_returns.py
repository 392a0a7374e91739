"""The return list, the counter of submissions and the clock after a return."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import openpyxl
import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, event, select, update
from sqlalchemy.orm import Session

from models.errors import RuleError
from models.office_release import ask_release
from models.office_returns import logs_of, return_dossier, submit_again
from models.readiness import obstacles
from models.vault_pages import Page, Submission
from models.vault_rounds import Entrant, OfficeRound, SourceFile
from scoring.policy import Material, Policy
from tests.webapp.conftest import form_token
from tests.webapp.dossiers import add_page
from webapp.office.checklist import _Scan, held, wants_of
from webapp.office.placing import WITH_EXPERTS
from webapp.office.standing import (
    closed_folders_of,
    require_may_submit,
    require_with_office,
    rule_of,
    standing_of,
)
from webapp.office.work import scans_folder
from webapp.settings import Settings

POLICY = """
[submission]
max_times = 2
revise_hours = 48
clause = "第五条"

[[material]]
category = "身份证"
required = true
clause = "三（一）"

[[material]]
category = "年度考核表"
required = true
years = [2022, 2023]
clause = "三（二）"
"""
BLURRED = {"sharpness": 0.1, "dpi": 200, "flags": ["blurred"]}


@pytest.fixture
def dossiers(settings: Settings, vault: Engine, round_id: int) -> list[int]:
    """Two applicants: the first with a blurred, a failed and a returned page, the second whole."""
    with Session(vault) as session, session.begin():
        session.execute(update(OfficeRound).values(policy=POLICY, policy_name="own"))
        one, two = session.scalars(select(Entrant).order_by(Entrant.number)).all()
        add_page(session, settings, one, 1, name="=身份证.jpg", category="身份证", quality=BLURRED)
        add_page(session, settings, one, 2, state="failed", name="坏.jpg")
        page = add_page(session, settings, one, 3, name="考核2022.jpg", category="年度考核")
        page.decision, page.decision_reason = "returned", "不是本人的"
        add_page(session, settings, two, 1, name="身份证.jpg", category="身份证")
        for n, year in enumerate((2022, 2023), 2):
            add_page(session, settings, two, n, name=f"考核{year}.jpg", category="年度考核")
        return [one.id, two.id]


def send_back(vault: Engine, entrant: int, reason: str = "请修改") -> None:
    with Session(vault) as session, session.begin():
        rule = rule_of(session.get_one(OfficeRound, session.get_one(Entrant, entrant).round_id))
        return_dossier(session, entrant_id=entrant, reason=reason, found=["甲"], by="clerk",
                       allow=lambda log: require_with_office(rule, log))  # fmt: skip


def submit(vault: Engine, entrant: int, at: datetime | None = None) -> None:
    moment = at or datetime.now(UTC)
    with Session(vault) as session, session.begin():
        rule = rule_of(session.get_one(OfficeRound, session.get_one(Entrant, entrant).round_id))
        submit_again(
            session,
            entrant_id=entrant,
            at=moment.isoformat(timespec="microseconds"),
            by="clerk",
            allow=lambda log: require_may_submit(rule, log, moment),
        )


def state(vault: Engine, entrant: int, now: datetime | None = None) -> str:
    with Session(vault) as session:
        found = session.get_one(Entrant, entrant)
        rule = rule_of(session.get_one(OfficeRound, found.round_id))
        return standing_of(rule, logs_of(session, [found])[entrant], now).state


def test_everything_that_is_to_be_mended_is_listed(
    vault: Engine, round_id: int, dossiers: list[int]
) -> None:
    with Session(vault) as session:
        entrants = session.scalars(select(Entrant).order_by(Entrant.number)).all()
        wants = wants_of(session, session.get_one(OfficeRound, round_id), entrants)
    first, second = (wants[entrant] for entrant in dossiers)
    assert second == []
    told = [(want.file.split("/")[-1], want.problem.zh) for want in first]
    assert told == [
        ("=身份证.jpg", "图像模糊"),
        ("坏.jpg", "无法处理"),
        ("考核2022.jpg", "办公室退回此页"),
        ("", "材料不齐：年度考核表"),
    ]
    assert "2023" in first[-1].remedy.zh
    assert "2022" not in first[-1].remedy.zh.split("（依据")[0]


def test_a_replaced_file_is_nobody_s_fault_any_more(
    vault: Engine, round_id: int, dossiers: list[int]
) -> None:
    with Session(vault) as session:
        for file in session.scalars(select(SourceFile).where(SourceFile.path.contains("坏"))):
            file.state = "replaced"
        session.flush()
        entrants = session.scalars(select(Entrant)).all()
        wants = wants_of(session, session.get_one(OfficeRound, round_id), entrants)[dossiers[0]]
    assert not any("坏" in want.file for want in wants)


def test_what_stands_in_for_a_material_must_be_named() -> None:
    policy = Policy(
        material=(
            Material(category="学历学位证书", required=True, clause="a"),
            Material(category="学信网报告", required=True, clause="b", instead=("学历档案材料",)),
            Material(category="继续教育证书", required=True, clause="c",
                     instead=("继续教育免试审批表",)),
        )
    )  # fmt: skip
    degree = _Scan("李明1985/毕业证.jpg", "学历证书")
    assert held(policy, [degree]) == {"学历学位证书": set()}
    file = _Scan("李明/学历档案材料2001.pdf", "学历证书")
    assert held(policy, [file]) == {"学历学位证书": {2001}, "学历档案材料": {2001}}
    form = _Scan("李明/审批表.jpg", "免试审批表")
    assert held(policy, [form]) == {"继续教育免试审批表": set()}


def test_the_clock_runs_after_a_return_and_history_is_kept(
    vault: Engine, dossiers: list[int]
) -> None:
    entrant = dossiers[0]
    assert state(vault, entrant) == "with_office"
    with pytest.raises(RuleError, match="不能重新提交"):
        submit(vault, entrant)
    send_back(vault, entrant)
    assert state(vault, entrant) == "to_revise"
    late = datetime.now(UTC) + timedelta(hours=49)
    assert state(vault, entrant, late) == "withdrawn"
    with Session(vault) as session:
        assert any("退回申报人" in o.sentence.zh for o in obstacles(session, entrant))
    with pytest.raises(RuleError, match="不能退回"):
        send_back(vault, entrant)
    submit(vault, entrant)
    assert state(vault, entrant) == "with_office"
    with Session(vault) as session:
        found = session.get_one(Entrant, entrant)
        assert (found.submissions, found.returned_at) == (2, "")
        log = logs_of(session, [found])[entrant]
        assert [entry.kind for entry in log] == ["submitted", "returned", "submitted"]
        assert len(json.loads(log[0].details)) == 3
        assert json.loads(log[1].details) == ["甲"]
    send_back(vault, entrant)
    assert state(vault, entrant) == "closed"
    with pytest.raises(RuleError, match="已用完"):
        submit(vault, entrant)


def closed(vault: Engine, round_id: int) -> dict[str, str]:
    with Session(vault) as session:
        found = closed_folders_of(session, session.get_one(OfficeRound, round_id))
        return {folder: sentence.zh for folder, sentence in found.items()}


def test_uploads_end_where_the_policy_says_so(
    vault: Engine, round_id: int, dossiers: list[int]
) -> None:
    one, two = dossiers
    with Session(vault) as session:
        folders = {e.id: e.name for e in session.scalars(select(Entrant))}
    assert closed(vault, round_id) == {}  # with the office: more scans may come
    send_back(vault, one)
    assert closed(vault, round_id) == {}
    submit(vault, one)
    send_back(vault, one)  # the second and last submission
    found = closed(vault, round_id)
    assert set(found) == {folders[one]}
    assert "已用完" in found[folders[one]]
    with Session(vault) as session, session.begin():
        ask_release(session, entrant_id=two, by="clerk")
    assert closed(vault, round_id)[folders[two]] == WITH_EXPERTS.zh


def test_no_scan_comes_in_after_the_clock_has_run_out(
    settings: Settings,
    vault: Engine,
    round_id: int,
    dossiers: list[int],
    sign_in: Callable[[str], FlaskClient],
) -> None:
    entrant = dossiers[0]
    send_back(vault, entrant)
    ago = datetime.now(UTC) - timedelta(hours=50)
    with Session(vault) as session, session.begin():
        folder = session.get_one(Entrant, entrant).name
        for at, entry in ((ago - timedelta(1), "submitted"), (ago, "returned")):
            session.execute(
                update(Submission).where(Submission.kind == entry).values(at=at.isoformat())
            )
    clerk = sign_in("clerk")
    headers = {"X-CSRFToken": form_token(clerk.get("/account").text)}
    file = {"path": f"{folder}/新.jpg", "size": 3, "modified": 1}
    base = f"/rounds/{round_id}/uploads"
    (begun,) = clerk.post(f"{base}/begin", json={"files": [file]}, headers=headers).json["files"]
    sent = clerk.post(f"{base}/{begun['id']}/chunk?offset=0", data=b"abc", headers=headers)
    assert sent.json["state"] == "refused"
    assert "48 小时" in sent.json["notes"][0][1]
    assert not (scans_folder(settings, round_id) / folder / "新.jpg").exists()


def test_what_comes_after_the_deadline_is_not_taken(vault: Engine, dossiers: list[int]) -> None:
    entrant = dossiers[0]
    send_back(vault, entrant)
    ago = datetime.now(UTC) - timedelta(hours=50)
    with Session(vault) as session, session.begin():
        for at, entry in ((ago - timedelta(1), "submitted"), (ago, "returned")):
            session.execute(
                update(Submission)
                .where(Submission.kind == entry)
                .values(at=at.isoformat(timespec="microseconds"))
            )
        session.get_one(Entrant, entrant).returned_at = ago.isoformat(timespec="microseconds")
    with pytest.raises(RuleError, match="放弃申报"):
        submit(vault, entrant)
    # It was in time, though it is noted late.
    submit(vault, entrant, ago + timedelta(hours=47))
    assert state(vault, entrant) == "with_office"


def test_the_office_returns_and_takes_again(
    vault: Engine, round_id: int, dossiers: list[int], sign_in: Callable[[str], FlaskClient]
) -> None:
    clerk = sign_in("clerk")
    page = clerk.get(f"/rounds/{round_id}/returns").text
    assert "图像模糊" in page
    assert "材料不齐：年度考核表" in page
    csrf = form_token(page)
    path = f"/rounds/{round_id}/returns/{dossiers[0]}"
    assert clerk.post(path, data={"csrf_token": csrf, "reason": " "}).status_code == 422
    assert clerk.post(path, data={"csrf_token": csrf, "reason": "请改"}).status_code == 303
    assert clerk.post(path, data={"csrf_token": csrf, "reason": "再退"}).status_code == 422
    for at in ("soon", "9999-12-31T23:59", "0001-01-01T00:00", "2099-01-01T10:00"):
        answer = clerk.post(f"{path}/again", data={"csrf_token": csrf, "at": at})
        assert answer.status_code == 422, at
    now = datetime.now().strftime("%Y-%m-%dT%H:%M")
    assert clerk.post(f"{path}/again", data={"csrf_token": csrf, "at": now}).status_code == 303
    page = clerk.get(f"/rounds/{round_id}/returns").text
    assert "已提交 2 次，最多 2 次" in page
    other = f"/rounds/77/returns/{dossiers[0]}"
    assert clerk.post(other, data={"csrf_token": csrf, "reason": "x"}).status_code == 404
    assert sign_in("secretary").get(f"/rounds/{round_id}/returns").status_code == 403


def test_the_sheet_holds_every_row_no_formula_and_no_code(
    vault: Engine, round_id: int, dossiers: list[int], sign_in: Callable[[str], FlaskClient]
) -> None:
    answer = sign_in("clerk").get(f"/rounds/{round_id}/returns.xlsx")
    sheet = openpyxl.load_workbook(io.BytesIO(answer.data)).active
    assert sheet is not None
    rows = list(sheet.iter_rows(min_row=2))
    assert len(rows) == 4
    assert rows[0][2].data_type == "s"
    with Session(vault) as session:
        codes = session.scalars(select(Entrant.code)).all()
    said = " ".join(str(cell.value) for row in rows for cell in row)
    assert not any(code in said for code in codes)


def test_the_list_takes_as_many_queries_for_one_page_as_for_thirty(
    vault: Engine, settings: Settings, round_id: int, dossiers: list[int]
) -> None:
    counts = []
    for extra in (0, 30):
        with Session(vault) as session, session.begin():
            entrants = session.scalars(select(Entrant)).all()
            for n in range(extra):
                add_page(session, settings, entrants[1], 10 + n, quality=BLURRED, name=f"x{n}.jpg")
        with Session(vault) as session:
            entrants = session.scalars(select(Entrant)).all()
            found = session.get_one(OfficeRound, round_id)
            seen: list[str] = []
            record = lambda _c, _cur, text, *_: seen.append(text)  # noqa: E731, B023
            event.listen(vault, "before_cursor_execute", record)
            wants = wants_of(session, found, entrants)
            logs_of(session, entrants)
            event.remove(vault, "before_cursor_execute", record)
            assert len(wants[dossiers[1]]) == extra
        counts.append(len(seen))
    assert counts[0] == counts[1] <= 4
    with Session(vault) as session:
        assert session.scalars(select(Page.faults).where(Page.faults > 0)).all()
