"""At the desk in Chromium: folders dropped, dossiers sent back, released by two, taken back."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import openpyxl
import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.audit import AuditEvent
from models.base import open_store
from models.office_release import receipt_of
from models.office_rounds import make_round, put_entrants
from models.page_reports import report_page
from models.review import Reviewer
from models.review_pages import PageSettlement, ReleasedPage
from models.sheets import assign_sheets
from models.vault_pages import Page as PageRow
from models.vault_pages import Release
from models.vault_rounds import Entrant, OfficeRound, SourceFile
from redactor.blind_code import new_codes
from tests.e2e.conftest import DESKTOP, HOME, TABLET, Office, drag_by_touch, serious
from tests.webapp.conftest import PEOPLE, entrant_row
from tests.webapp.dossiers import add_page, page_bytes
from webapp.office.work import round_vault, scans_folder

OpenAs = Callable[..., Page]
PAGES = 3
POLICY = (HOME / "scoring" / "policies" / "science_bazhou_2024.toml").read_text("utf-8")


def new_round(session: Session, name: str) -> int:
    """A round for two persons with the two people of the tests' roster."""
    made = make_round(
        session,
        name=name,
        year=2026,
        policy_name="science_bazhou_2024",
        policy=POLICY,
        profile="strict",
        committee_members=9,
        two_person_release=True,
        by="test",
    )
    codes = dict(zip((a.number for a in PEOPLE), new_codes(len(PEOPLE), []), strict=True))
    rows = [entrant_row(person) for person in PEOPLE]
    put_entrants(session, round_id=made.id, rows=rows, codes=codes, by="test")
    return made.id


@pytest.fixture(scope="module")
def round_id(furnished_office: Office) -> int:
    """A round with two dossiers that are ready; one page is blurred."""
    settings = furnished_office.settings
    with Session(open_store(settings.vault_url)) as session, session.begin():
        made = new_round(session, "2026年度移交演练")
        for entrant in session.scalars(select(Entrant).where(Entrant.round_id == made)).all():
            entrant.specialty, entrant.level = "实验技术", "中级"
            for number in range(1, PAGES + 1):
                quality = {"sharpness": 0.1, "dpi": 200, "flags": ["blurred"]}
                first = (entrant.number, number) == (1, 1)
                page = add_page(
                    session, settings, entrant, number, quality=quality if first else None
                )
                scan = session.get_one(SourceFile, page.file_id)
                data = page_bytes(entrant.id, number)
                (scans_folder(settings, made) / scan.path).write_bytes(data)
                scan.sha256 = hashlib.sha256(data).hexdigest()
        return made


@contextmanager
def looking(office: Office, store: str = "vault") -> Iterator[Session]:
    """A short look into a store; a long one would keep the office from writing."""
    url = office.settings.vault_url if store == "vault" else office.settings.review_url
    with Session(open_store(url).execution_options(read_only=True)) as session:
        yield session


def released_rows(office: Office) -> list[ReleasedPage]:
    with looking(office, "review") as review:
        return list(review.scalars(select(ReleasedPage)))


def blind_files(office: Office) -> dict[str, str]:
    """Path below the experts' folder -> hash."""
    blind = office.settings.blind
    return {
        path.relative_to(blind).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in blind.rglob("*")
        if path.is_file()
    }


def entrant(office: Office, round_id: int, number: int) -> Entrant:
    chosen = select(Entrant).where(Entrant.round_id == round_id, Entrant.number == number)
    with looking(office) as vault:
        return vault.scalars(chosen).one()


# ---- upload ----------------------------------------------------------------------------------


def drop_folder(page: Page, where: str, folder: Path) -> None:
    """Drags a folder from the desktop onto an element and lets it fall, as the system does."""
    box = page.locator(where).bounding_box()
    assert box
    session = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(folder)], "dragOperationsMask": 1}
    at = {"x": box["x"] + box["width"] / 2, "y": box["y"] + 20, "data": data}
    for kind in ("dragEnter", "dragOver"):
        session.send("Input.dispatchDragEvent", {"type": kind, **at})
        page.wait_for_timeout(50)
    session.send("Input.dispatchDragEvent", {"type": "drop", **at})


def test_a_dropped_folder_finds_its_applicants(
    furnished_office: Office, open_as: OpenAs, tmp_path: Path
) -> None:
    office = furnished_office
    with Session(open_store(office.settings.vault_url)) as session, session.begin():
        found = new_round(session, "2026年度上传演练")
    one, two = (person.name for person in PEOPLE)
    files = {
        f"{one}/学历证书/证书甲.jpg": page_bytes(3, 5),
        f"{one}/获奖.jpg": page_bytes(4, 6),
        f"{two}/论文.jpg": page_bytes(5, 7),
        "谁也不是/论文.jpg": page_bytes(6, 8),
    }
    for name, data in {**files, f"{two}/Thumbs.db": b"left behind by a system"}.items():
        path = tmp_path / "全部材料" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    clerk = open_as("clerk", DESKTOP)
    clerk.goto(f"/rounds/{found}/uploads")
    drop_folder(clerk, "#drop", tmp_path / "全部材料")
    expect(clerk.locator("#done")).to_contain_text("新收 4 个文件，未归属 1 个")
    with looking(office) as vault:
        rows = {
            file.path: (file.state, file.sha256, owner)
            for file, owner in vault.execute(
                select(SourceFile, Entrant.name)
                .outerjoin(Entrant, Entrant.id == SourceFile.entrant_id)
                .where(SourceFile.round_id == found)
            )
        }
    owners = {one: one, two: two, "谁也不是": None}
    assert rows == {
        name: (
            "waiting" if owners[name.split("/")[0]] else "unmatched",
            hashlib.sha256(data).hexdigest(),
            owners[name.split("/")[0]],
        )
        for name, data in files.items()
    }
    for name, data in files.items():
        assert (scans_folder(office.settings, found) / name).read_bytes() == data
    # The same folder again: nothing is sent twice.
    clerk.reload()
    drop_folder(clerk, "#drop", tmp_path / "全部材料")
    expect(clerk.locator("#done")).to_contain_text("新收 0 个文件")


# ---- returns ---------------------------------------------------------------------------------


def test_a_dossier_is_sent_back_with_its_list_and_comes_again(
    furnished_office: Office, open_as: OpenAs, round_id: int
) -> None:
    office = furnished_office
    clerk = open_as("clerk", DESKTOP)
    clerk.goto(f"/rounds/{round_id}/returns")
    row = clerk.locator(f"#entrant-{entrant(office, round_id, 1).id}")
    expect(row).to_contain_text("图像模糊")
    expect(row).to_contain_text("材料不齐")
    assert serious(clerk) == []
    with clerk.expect_download() as download:
        clerk.get_by_role("button", name="下载 Excel").click()
    sheet = openpyxl.load_workbook(io.BytesIO(download.value.path().read_bytes())).active
    cells = [str(cell) for line in sheet.iter_rows(values_only=True) for cell in line]
    assert any("图像模糊" in cell for cell in cells)
    assert PEOPLE[0].name in " ".join(cells)
    row.get_by_role("textbox").fill("请重新扫描第一页")
    row.get_by_role("button", name="退回申报人").click()
    expect(clerk.get_by_role("status")).to_contain_text("已退回")
    expect(row).to_contain_text("须在")  # the policy's 48 hours
    # What is away cannot be released.
    clerk.goto(f"/rounds/{round_id}/release")
    expect(clerk.locator("tr", has_text=PEOPLE[0].name)).to_contain_text("退回中")
    clerk.goto(f"/rounds/{round_id}/returns")
    row.get_by_role("button", name="已重新提交").click()
    expect(clerk.get_by_role("status")).to_contain_text("已重新提交")
    row.get_by_text("提交与退回记录").click()
    expect(row.locator("ol li")).to_have_count(3)
    expect(row).to_contain_text("请重新扫描第一页")


# ---- release ---------------------------------------------------------------------------------


def test_two_persons_release_take_back_and_release_again(
    furnished_office: Office, open_as: OpenAs, round_id: int
) -> None:
    office = furnished_office
    address = f"/rounds/{round_id}/release"
    clerk, chief = open_as("clerk", DESKTOP), open_as("admin", TABLET)
    clerk.goto(address)
    clerk.get_by_role("button", name="申请放行全部").click()
    expect(clerk.locator("#going")).to_contain_text("等待另一人确认")
    one = entrant(office, round_id, 1)
    clerk.goto(f"{address}/{one.id}")
    expect(clerk.locator("main")).to_contain_text("须由另一人确认")
    expect(clerk.get_by_role("button", name="确认放行")).to_have_count(0)
    assert released_rows(office) == []
    # What waits to go out cannot be changed behind the second person's back.
    with looking(office) as vault:
        page_id = vault.scalars(select(PageRow.id).where(PageRow.entrant_id == one.id)).first()
    clerk.goto(f"/pages/{page_id}")
    clerk.locator("#answer-no").click()
    expect(clerk.get_by_role("alert")).to_contain_text("请先撤回放行再修改")

    chief.goto(address)
    chief.get_by_role("button", name="确认放行全部").tap()
    expect(chief.locator("main")).to_contain_text("全部已放行")
    rows = released_rows(office)
    assert len(rows) == 2 * PAGES
    files = blind_files(office)
    assert {f"{r.round_id}/{r.code}/{r.number:03d}.jpg": r.sha256 for r in rows} == files

    chief.goto(f"{address}/{one.id}")
    assert serious(chief) == []
    with looking(office) as vault:
        signed = {(r.asked_by, r.confirmed_by) for r in vault.scalars(select(Release)).all()}
    assert signed == {("clerk", "admin")}
    chief.get_by_label("理由").fill("漏遮一处")
    chief.get_by_role("button", name="撤回放行").tap()
    expect(chief.get_by_role("status")).to_contain_text("已撤回放行")
    assert {row.code for row in released_rows(office)} == {entrant(office, round_id, 2).code}
    assert len(blind_files(office)) == PAGES
    expect(chief.locator("main")).to_contain_text("漏遮一处")

    chief.get_by_role("button", name="申请放行").tap()
    expect(chief.get_by_role("status")).to_contain_text("已申请放行 1 份")
    clerk.goto(f"{address}/{one.id}")
    clerk.get_by_role("button", name="确认放行").click()
    expect(clerk.get_by_role("status")).to_contain_text("已放行")
    assert blind_files(office) == files
    both_sides_agree(office, round_id)


def both_sides_agree(office: Office, round_id: int) -> None:
    """Each release out has its receipt in the review store's audit, and that tells no code."""
    with looking(office) as vault:
        out = vault.scalars(
            select(Release).where(Release.round_id == round_id, Release.state == "released")
        ).all()
        codes = vault.scalars(select(Entrant.code).where(Entrant.round_id == round_id)).all()
    with looking(office, "review") as review:
        told = review.scalars(select(AuditEvent.details).filter_by(action="release")).all()
        back = review.scalars(select(AuditEvent.details).filter_by(action="release_withdrawn"))
        assert len(back.all()) == 1
    receipts = {one for details in told for one in json.loads(details)["receipts"]}
    assert {receipt_of(release) for release in out} <= receipts
    assert not any(code in details for code in codes for details in told)


# ---- reports ---------------------------------------------------------------------------------


def test_a_reported_page_is_masked_anew_and_replaced(
    furnished_office: Office, open_as: OpenAs, round_id: int
) -> None:
    office = furnished_office
    two = entrant(office, round_id, 2)
    with looking(office) as vault:
        review_id = vault.get_one(OfficeRound, round_id).review_round_id
    assert review_id is not None
    with Session(open_store(office.settings.review_url)) as review, review.begin():
        review.add(Reviewer(round_id=review_id, seat="R01"))
        review.flush()
        assign_sheets(review, round_id=review_id, pairs=[("R01", two.code)], by="s")
        report_page(review, round_id=review_id, code=two.code, number=2, reason="左下角印章",
                    by="R01")  # fmt: skip
    clerk, chief = open_as("clerk", TABLET), open_as("admin", DESKTOP)
    clerk.goto(f"/rounds/{round_id}/pages")
    clerk.get_by_role("link", name="评委报告有 1 页").click()
    expect(clerk.locator("article.reported")).to_contain_text("左下角印章")
    assert serious(clerk) == []
    clerk.get_by_role("button", name="需要遮盖：打开修改").click()
    expect(clerk.locator("section.reported-here")).to_contain_text("左下角印章")
    assert serious(clerk) == []
    before = clerk.locator("#masks li").count()
    expect(clerk.locator("#pane-source img.source")).to_be_visible()
    clerk.locator("#draw").tap()
    drag_by_touch(clerk, "#pane-source .sheet", (0.3, 0.3), (0.6, 0.45))
    expect(clerk.locator("#masks li")).to_have_count(before + 1)
    page_id = int(clerk.url.split("/pages/")[1].split("?")[0])
    proven(office, page_id)

    reports = f"/rounds/{round_id}/reports"
    clerk.goto(reports)
    expect(clerk.locator("article.reported")).to_contain_text("须由另一人替换")
    expect(clerk.get_by_role("button", name="用新页替换并解冻")).to_be_disabled()
    chief.goto(reports)
    chief.get_by_label("理由").fill("补遮印章")
    chief.get_by_role("button", name="用新页替换并解冻").click()
    expect(chief.get_by_role("status")).to_contain_text("已用新页替换")
    expect(chief.locator("main")).to_contain_text("补遮印章")
    with looking(office, "review") as review:
        row = review.get_one(ReleasedPage, (review_id, two.code, 2))
        settled = review.scalars(select(PageSettlement)).one()
        assert not row.frozen
        assert settled.after_sha256 == row.sha256 != settled.before_sha256
        assert "印章" not in settled.reason
        file = f"{review_id}/{two.code}/002.jpg"
        assert blind_files(office)[file] == row.sha256


def proven(office: Office, page_id: int) -> None:
    """What the runner would write after an edit: no runner runs here."""
    from models.office_pages import masks_of, set_record
    from models.vault_pages import Job

    data = page_bytes(30, 30)
    sha256 = hashlib.sha256(data).hexdigest()
    with Session(open_store(office.settings.vault_url)) as session, session.begin():
        page = session.get_one(PageRow, page_id)
        name = f"{sha256[:32]}-0001.jpg"
        (round_vault(office.settings, page.round_id).staging / name).write_bytes(data)
        record = json.loads(page.record)
        masks = masks_of(session, page)
        set_record(page, {**record, "staged": name, "sha256": sha256, "masks": masks})
        for job in session.scalars(select(Job).where(Job.target == page_id)).all():
            session.delete(job)
