"""Pages that a reviewer reported: looked at, masked anew or let be, and given back."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, event, select
from sqlalchemy.orm import Session

from models.audit import AuditEvent, verify_audit
from models.base import open_store
from models.errors import RuleError
from models.office_pages import edit_masks, masks_of, set_record, undo
from models.office_release import ask_release, receipt_of
from models.office_reports import take_up
from models.page_reports import open_reports, report_page
from models.readiness import readiness
from models.review import Reviewer
from models.review_pages import PageSettlement, ReleasedPage
from models.sheets import assign_sheets
from models.vault_accounts import OfficeEvent
from models.vault_pages import Job, Page, Release
from models.vault_rounds import Entrant, OfficeRound
from redactor.assembly import FIXED_TIME
from tests.webapp.conftest import form_token
from tests.webapp.dossiers import add_page, page_bytes
from tests.webapp.test_release import blind_files, killed_when, post, release_all, review_round
from webapp.office.blind_folder import sha256_of
from webapp.office.door import Stores, bring_back, differences, replace_page
from webapp.office.work import round_vault
from webapp.page_pictures import picture_file
from webapp.settings import Settings

PAGES = 3
NUMBER = 2
SignIn = Callable[[str], FlaskClient]


@pytest.fixture
def stores(settings: Settings, vault: Engine) -> Stores:
    return Stores(settings, vault, open_store(settings.review_url))


@pytest.fixture
def page_id(stores: Stores, round_id: int) -> int:
    """Page 2 of the first of two released dossiers, which a reviewer has just reported."""
    with Session(stores.vault) as session, session.begin():
        for entrant in session.scalars(select(Entrant)).all():
            made = [add_page(session, stores.settings, entrant, n) for n in range(1, PAGES + 1)]
            if entrant.number == 1:
                found, code = made[NUMBER - 1].id, entrant.code
    release_all(stores, round_id)
    report(stores, round_id, code)
    return found


def report(stores: Stores, round_id: int, code: str, seat: str = "R01") -> None:
    review_id = review_round(stores, round_id)
    with Session(stores.review) as review, review.begin():
        if review.get(Reviewer, (review_id, seat)) is None:
            review.add(Reviewer(round_id=review_id, seat=seat))
            review.flush()
        assign_sheets(review, round_id=review_id, pairs=[(seat, code)], by="s")
        report_page(
            review, round_id=review_id, code=code, number=NUMBER, reason="页眉像单位", by=seat
        )


def mask_anew(stores: Stores, page_id: int, by: str = "clerk") -> bytes:
    """What a clerk and the runner make of a page: another mask, proven; its new bytes."""
    with Session(stores.vault) as session, session.begin():
        page = take_up(session, page_id=page_id, by=by)
        masks = masks_of(session, page)
        edit_masks(
            session, page_id=page_id, masks=[*masks, masks[0]], what="draw", on=page.revision, by=by
        )
        data = page_bytes(40, 40)
        name = f"{sha256_of(data)[:32]}-0001.jpg"
        (round_vault(stores.settings, page.round_id).staging / name).write_bytes(data)
        record = json.loads(page.record)
        set_record(
            page, {**record, "staged": name, "sha256": sha256_of(data), "masks": [*masks, masks[0]]}
        )
        session.query(Job).delete()
        return data


def released_page(stores: Stores, page_id: int) -> tuple[ReleasedPage, str]:
    """(row, name of its file below the blind folder) of the reported page."""
    with Session(stores.vault) as session:
        page = session.get_one(Page, page_id)
        code = session.get_one(Entrant, page.entrant_id).code
        round_id = page.round_id
    with Session(stores.review) as review:
        row = review.get_one(ReleasedPage, (review_round(stores, round_id), code, NUMBER))
        return row, f"{row.round_id}/{code}/{NUMBER:03d}.{row.suffix}"


def experts_pictures(stores: Stores) -> Path:
    folder = stores.settings.review / "pictures"
    folder.mkdir(exist_ok=True)
    return folder


def waiting(stores: Stores, page_id: int) -> int:
    row, _ = released_page(stores, page_id)
    with Session(stores.review) as review:
        return len(open_reports(review, row.round_id))


def release_row(stores: Stores, page_id: int) -> Release:
    with Session(stores.vault) as session:
        page = session.get_one(Page, page_id)
        return session.scalars(
            select(Release).where(Release.entrant_id == page.entrant_id).order_by(Release.id.desc())
        ).all()[0]


def test_the_new_page_takes_the_old_one_s_place_and_both_sides_know(
    stores: Stores, page_id: int
) -> None:
    before_row, name = released_page(stores, page_id)
    before = blind_files(stores)
    assert before_row.frozen
    data = mask_anew(stores, page_id)
    small = picture_file(experts_pictures(stores), before_row.sha256, "1x")
    small.write_bytes(b"what the experts saw")
    replace_page(stores, page_id=page_id, reason="诸葛晓岚的单位露出", by="clerk")
    assert not small.exists()
    row, _ = released_page(stores, page_id)
    assert (row.frozen, row.sha256) == (False, sha256_of(data))
    after = blind_files(stores)
    assert after.pop(name) == data
    del before[name]
    assert after == before
    assert {p.stat().st_mtime for p in stores.settings.blind.rglob("*")} == {FIXED_TIME}
    assert waiting(stores, page_id) == 0
    release = release_row(stores, page_id)
    assert differences(stores, release.id) == []
    with Session(stores.review) as review:
        settled = review.scalars(select(PageSettlement)).one()
        assert (settled.before_sha256, settled.after_sha256) == (before_row.sha256, row.sha256)
        told = review.scalars(select(AuditEvent).filter_by(action="settle_report")).one()
        assert json.loads(told.details)["receipt"] == receipt_of(release)
        assert verify_audit(review).whole
        # The office's reason may name somebody.
        assert "诸葛" not in settled.reason + told.details
    with Session(stores.vault) as session:
        page = session.get_one(Page, page_id)
        assert not page.frozen
        event_ = session.scalars(select(OfficeEvent).filter_by(action="page.replaced")).one()
        kept = json.loads(event_.details)
        assert (event_.actor, event_.page_id) == ("clerk", page_id)
        assert (kept["before"][2], kept["after"][2]) == (before_row.sha256, row.sha256)
        assert kept["reason"] == "诸葛晓岚的单位露出"
        with pytest.raises(RuleError, match="撤回放行"):
            edit_masks(session, page_id=page_id, masks=[], what="delete", on=1, by="clerk")


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("untouched", "相同"),
        ("not taken up", "没有待处理"),
        ("checking", "复核"),
        ("review", "待人工查看"),
        ("no reason", "理由"),
        ("own edit of two", "另一人"),
        ("other bytes", "不同"),
    ],
)
def test_what_may_not_take_its_place_stays_out(
    stores: Stores, round_id: int, page_id: int, what: str, said: str
) -> None:
    if what == "untouched":
        with Session(stores.vault) as session, session.begin():
            take_up(session, page_id=page_id, by="clerk")
    elif what != "not taken up":
        mask_anew(stores, page_id)
    with Session(stores.vault) as session, session.begin():
        page = session.get_one(Page, page_id)
        if what in ("checking", "review"):
            page.state = what
        elif what == "own edit of two":
            session.get_one(OfficeRound, round_id).two_person_release = True
        elif what == "other bytes":
            staged = json.loads(page.record)["staged"]
            (round_vault(stores.settings, round_id).staging / staged).write_bytes(b"other")
    before = blind_files(stores)
    with pytest.raises(RuleError, match=said):
        replace_page(
            stores, page_id=page_id, reason="" if what == "no reason" else "漏遮", by="clerk"
        )
    assert blind_files(stores) == before
    assert released_page(stores, page_id)[0].frozen
    assert waiting(stores, page_id) == 1
    if what == "own edit of two":
        replace_page(stores, page_id=page_id, reason="漏遮", by="admin")
        assert waiting(stores, page_id) == 0


@pytest.mark.parametrize("moment", ["settle_report", "swap", "sync"])
def test_killed_while_replacing_a_repeat_completes_it(
    stores: Stores, page_id: int, moment: str
) -> None:
    data = mask_anew(stores, page_id)

    def replace() -> None:
        replace_page(stores, page_id=page_id, reason="漏遮", by="clerk")

    killed_when(stores, moment, replace)
    assert released_page(stores, page_id)[0].frozen  # no expert gets it
    replace()
    _, name = released_page(stores, page_id)
    assert blind_files(stores)[name] == data
    assert differences(stores, release_row(stores, page_id).id) == []


def test_a_page_replaced_in_the_review_store_alone_is_noted_by_a_repeat(
    stores: Stores, page_id: int
) -> None:
    release = release_row(stores, page_id)
    data = mask_anew(stores, page_id)
    replace_page(stores, page_id=page_id, reason="漏遮", by="clerk")
    with Session(stores.vault) as session, session.begin():  # as if its commit had not come
        session.get_one(Release, release.id).hashes = release.hashes
        session.get_one(Page, page_id).frozen = True
    replace_page(stores, page_id=page_id, reason="漏遮", by="clerk")
    assert differences(stores, release_row(stores, page_id).id) == []
    assert not released_page(stores, page_id)[0].frozen
    assert sha256_of(data) in release_row(stores, page_id).hashes


def test_a_dossier_taken_back_waits_until_its_reported_page_is_decided(
    stores: Stores, round_id: int, page_id: int, sign_in: SignIn
) -> None:
    release = release_row(stores, page_id)
    bring_back(stores, release_id=release.id, reason="有页面被报告", by="clerk")
    with Session(stores.vault) as session:
        assert session.get_one(Page, page_id).frozen
        assert readiness(session, round_id)[release.entrant_id].blocks == (("frozen", 1),)
    clerk = sign_in("clerk")
    assert f"/pages/{page_id}" in clerk.get(f"/rounds/{round_id}/reports").text
    path = f"/rounds/{round_id}/reports/{page_id}/let-be"
    assert post(clerk, path, reason="")[0] == 422
    assert post(clerk, path, reason="已遮盖")[0] == 200
    with Session(stores.vault) as session, session.begin():
        ask_release(session, entrant_id=release.entrant_id, by="clerk")


# ---- the office's pages ----------------------------------------------------------------------


def test_the_clerk_sees_the_report_and_says_that_it_shows_nobody(
    stores: Stores, round_id: int, page_id: int, sign_in: SignIn
) -> None:
    clerk = sign_in("clerk")
    for path in ("", "/pages"):
        assert f"/rounds/{round_id}/reports" in clerk.get(f"/rounds/{round_id}{path}").text
    listed = clerk.get(f"/rounds/{round_id}/reports").text
    assert "页眉像单位" in listed
    assert "R01" in listed
    assert f'href="/pages/{page_id}"' in listed
    beside = clerk.get(f"/pages/{page_id}").text
    assert "页眉像单位" in beside
    path = f"/rounds/{round_id}/reports/{page_id}/let-be"
    status, page = post(clerk, path, reason=" ")
    assert (status, "请写明处理理由" in page) == (422, True)
    assert released_page(stores, page_id)[0].frozen
    assert post(clerk, path, reason="是出版社的名称")[0] == 200
    assert not released_page(stores, page_id)[0].frozen
    page = clerk.get(f"/rounds/{round_id}/reports").text
    assert "是出版社的名称" in page
    assert "没有待处理的报告" in page
    assert "页眉像单位" not in clerk.get(f"/pages/{page_id}").text
    assert post(clerk, path, reason="再一次")[0] == 422


def test_the_clerk_masks_a_reported_page_and_replaces_it(
    stores: Stores, round_id: int, page_id: int, sign_in: SignIn
) -> None:
    clerk = sign_in("clerk")
    base = f"/rounds/{round_id}/reports/{page_id}"
    token = form_token(clerk.get("/account").text)
    box = {"on": 0, "add": [{"quad": [[9, 9], [90, 9], [90, 40], [9, 40]], "kind": "unit"}]}
    headers = {"X-CSRFToken": token}
    answer = clerk.post(f"/pages/{page_id}/masks", json=box, headers=headers)
    assert answer.status_code == 422
    answer = clerk.post(f"{base}/take-up", data={"csrf_token": token})
    assert answer.headers["Location"] == f"/pages/{page_id}"
    assert clerk.post(f"/pages/{page_id}/masks", json=box, headers=headers).status_code == 200
    status, page = post(clerk, f"{base}/replace", reason="漏遮单位")
    assert (status, "此页正在复核" in page) == (422, True)
    status, page = post(clerk, f"{base}/let-be", reason="其实没有")
    assert (status, "此页正在复核" in page) == (422, True)
    with Session(stores.vault) as session, session.begin():
        undo(session, page_id=page_id, by="clerk")
    data = mask_anew(stores, page_id)
    status, page = post(clerk, f"{base}/replace", reason="漏遮单位")
    assert status == 200, page
    assert blind_files(stores)[released_page(stores, page_id)[1]] == data
    page = clerk.get(f"/rounds/{round_id}/reports").text
    assert "已替换" in page
    assert sha256_of(data)[:12] in page


def test_others_pages_and_rounds_cannot_be_settled(
    stores: Stores, round_id: int, page_id: int, sign_in: SignIn
) -> None:
    clerk, secretary = sign_in("clerk"), sign_in("secretary")
    assert secretary.get(f"/rounds/{round_id}/reports").status_code == 403
    for what in ("take-up", "let-be", "replace"):
        assert post(secretary, f"/rounds/{round_id}/reports/{page_id}/{what}")[0] == 403
        assert post(clerk, f"/rounds/999/reports/{page_id}/{what}", reason="x")[0] == 404
        assert post(clerk, f"/rounds/{round_id}/reports/9999/{what}", reason="x")[0] == 404
    # A page that nobody reported is not opened for editing.
    assert post(clerk, f"/rounds/{round_id}/reports/{page_id + 1}/take-up")[0] == 422
    with Session(stores.vault) as session:
        assert session.scalars(select(Page.id).where(Page.frozen)).all() == []


def test_the_list_takes_as_many_queries_for_one_report_as_for_more(
    stores: Stores, round_id: int, page_id: int, sign_in: SignIn, office: object
) -> None:
    clerk = sign_in("clerk")
    counts = []
    engines = [office.extensions[name] for name in ("vault", "review")]  # type: ignore[attr-defined]
    for more in (False, True):
        if more:
            with Session(stores.vault) as session:
                code = session.scalars(select(Entrant.code).where(Entrant.number == 2)).one()
            report(stores, round_id, code)
            report(stores, round_id, code, "R02")
        seen: list[str] = []
        for engine in engines:
            event.listen(engine, "before_cursor_execute", lambda *a, seen=seen: seen.append(a[2]))
        page = clerk.get(f"/rounds/{round_id}/reports").text
        assert len(re.findall(r'<article class="reported"', page)) == 1 + more
        counts.append(len(seen))
    assert counts[0] == counts[1]
