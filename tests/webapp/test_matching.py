"""Whose files they are: sent twice, sent anew, nobody's, and what happens to their pages."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from models.errors import RuleError
from models.office_files import give_folder, redact_again
from models.office_jobs import finish, lease
from models.office_pages import keep_records
from models.office_progress import progress
from models.vault_accounts import OfficeEvent
from models.vault_pages import Job, Page, Release
from models.vault_rounds import Entrant, SourceFile, Upload
from tests.webapp.conftest import form_token
from tests.webapp.upload_desk import JPG, OTHER, RECORD, Desk, files_of
from webapp.office import scans
from webapp.office.matching import find_files
from webapp.office.work import merged_masks, scans_folder
from webapp.settings import Settings


def test_what_is_sent_twice_is_used_once(desk: Desk, vault: Engine, settings: Settings) -> None:
    desk.send("02李建国/a.jpg", JPG)
    desk.send("02李建国/a 副本.jpg", JPG, modified=2)
    desk.send("01诸葛晓岚/a.jpg", JPG, modified=3)  # a certificate that two people share
    said = desk.match()
    assert [path for path, _ in said["duplicates"]] in (["02李建国/a 副本.jpg"], ["02李建国/a.jpg"])
    states = sorted(file.state for file in files_of(vault).values())
    assert states == ["duplicate", "waiting", "waiting"]
    assert desk.send("02李建国/a.jpg", JPG, modified=9)["state"] == "duplicate"
    assert desk.match()["new"] == 0


def test_a_file_that_did_not_change_is_not_hashed_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.send("02李建国/a.jpg", JPG)
    desk.match()
    hashed: list[Path] = []
    from webapp.office import matching

    def content_hash(path: Path) -> str:
        hashed.append(path)
        return "x"

    monkeypatch.setattr(matching, "content_hash", content_hash)
    desk.match()
    assert hashed == []


def redacted(vault: Engine) -> int:
    """Does the next job as a runner would, with a made-up clean page; the id of its file."""
    with Session(vault) as session, session.begin():
        job = lease(session, worker="w", kinds=("redact",))
        assert job is not None
        assert finish(session, job_id=job.id, worker="w")
        keep_records(session, file_id=job.target, records=[RECORD], merge=merged_masks)
        return job.target


def test_a_resubmission_replaces_the_pages_and_keeps_their_history(
    desk: Desk, vault: Engine, settings: Settings
) -> None:
    path = "02李建国/a.jpg"
    desk.send(path, JPG)
    desk.match()
    first = redacted(vault)
    with Session(vault) as session, session.begin():
        (page,) = session.scalars(select(Page))
        page.decision, page.decided_by = "returned", "clerk"
        session.get_one(SourceFile, first).category = "论文"
    assert desk.send(path, OTHER, modified=2)["state"] == "received"
    assert desk.match()["new"] == 1
    with Session(vault) as session:
        old, new = session.scalars(select(SourceFile).order_by(SourceFile.id)).all()
        assert (old.state, new.state, old.path, new.path) == ("replaced", "waiting", path, path)
        assert new.category == "论文"
        assert session.scalars(select(Page)).all() == []
        event = session.scalars(
            select(OfficeEvent).where(OfficeEvent.action == "file.replace")
        ).one()
        assert '"decision": "returned"' in event.details
    assert scans.replaced_file(settings, desk.round_id, old.sha256).read_bytes() == JPG
    # The first bytes come back: they are wanted again.
    assert desk.begin(path, JPG)["state"] == "receiving"


def test_the_late_result_of_a_replaced_file_does_not_count(desk: Desk, vault: Engine) -> None:
    desk.send("02李建国/a.jpg", JPG)
    desk.match()
    with Session(vault) as session, session.begin():
        job = lease(session, worker="w", kinds=("redact",))
        assert job is not None
    desk.send("02李建国/a.jpg", OTHER, modified=2)
    desk.match()
    with Session(vault) as session, session.begin():
        assert not finish(session, job_id=job.id, worker="w")
        following = lease(session, worker="w", kinds=("redact",))
        assert following is not None
        assert following.target != job.target


def test_a_late_result_for_the_old_roster_row_does_not_count(desk: Desk, vault: Engine) -> None:
    desk.send("02李建国/a.jpg", JPG)
    desk.match()
    with Session(vault) as session, session.begin():
        job = lease(session, worker="w", kinds=("redact",))
        assert job is not None
        owner = session.get_one(SourceFile, job.target).entrant_id
        assert owner is not None
        assert redact_again(session, entrant_ids=[owner]) == 1
        assert not finish(session, job_id=job.id, worker="w")
        again = lease(session, worker="w", kinds=("redact",))
        assert again is not None
        assert (again.target, again.id != job.id) == (job.target, True)


def test_pages_are_in_work_until_they_fit_the_new_row(desk: Desk, vault: Engine) -> None:
    desk.send("02李建国/a.jpg", JPG)
    desk.match()
    file_id = redacted(vault)
    with Session(vault) as session, session.begin():
        page = session.scalars(select(Page)).one()
        page.revision = 1  # a person's masks
        owner = session.get_one(SourceFile, file_id).entrant_id
        assert owner is not None
        redact_again(session, entrant_ids=[owner])
        session.expire_all()
        assert session.scalars(select(Page)).one().state == "checking"
        waiting = session.scalars(select(Job.kind).where(Job.state == "waiting"))
        assert sorted(waiting) == ["redact", "remask"]


def test_a_folder_that_is_nobodys_waits_for_a_person(
    desk: Desk, vault: Engine, round_id: int
) -> None:
    desk.send("材料袋7/a.jpg", JPG)
    assert desk.match()["unmatched"] == 1
    page = desk.client.get(f"/rounds/{round_id}/unmatched")
    assert "材料袋7" in page.text
    assert "找不到申报人" in page.text
    form = {"csrf_token": form_token(page.text), "folder": "材料袋7"}
    address = f"/rounds/{round_id}/unmatched"
    for wrong in ("", "李建国", "99 某人", "-2"):
        assert desk.client.post(address, data={**form, "entrant": wrong}).status_code == 422
    done = desk.client.post(address, data={**form, "entrant": "2 李建国 · 库尔勒市第三中学"})
    assert done.status_code == 303
    assert files_of(vault)["材料袋7/a.jpg"].state == "waiting"
    # Further files of the folder have the same owner; the folder is not asked for again.
    desk.send("材料袋7/b.jpg", OTHER)
    assert desk.match()["unmatched"] == 0
    assert desk.client.post(address, data={**form, "entrant": "2"}).status_code == 400


def test_a_second_folder_is_offered_to_the_one_it_names(
    desk: Desk, vault: Engine, round_id: int
) -> None:
    desk.send("02李建国/a.jpg", JPG)
    desk.match()
    desk.send("李建国材料/b.jpg", OTHER)
    assert desk.match()["unmatched"] == 1
    assert files_of(vault)["02李建国/a.jpg"].state == "waiting"
    page = desk.client.get(f"/rounds/{round_id}/unmatched").text
    assert 'value="2 李建国 · 库尔勒市第三中学"' in page.split("<tbody>")[1]


def test_a_folder_given_to_somebody_else_is_masked_for_them(
    desk: Desk, vault: Engine, round_id: int
) -> None:
    desk.send("02李建国/a.jpg", JPG)
    desk.match()
    file_id = redacted(vault)
    with Session(vault) as session, session.begin():
        other = session.scalars(select(Entrant).where(Entrant.number == 1)).one()
        count = give_folder(
            session, round_id=round_id, folder="02李建国", entrant_id=other.id, by="clerk"
        )
        assert count == 1
        assert session.scalars(select(Page)).all() == []
        file = session.get_one(SourceFile, file_id)
        assert (file.entrant_id, file.state) == (other.id, "waiting")


def test_files_in_between_move_those_behind_them(
    desk: Desk, vault: Engine, settings: Settings, round_id: int
) -> None:
    desk.send("02李建国/2.jpg", JPG)
    desk.match()
    redacted(vault)
    desk.send("02李建国/1.jpg", OTHER)
    desk.match()
    with Session(vault) as session:
        page = session.scalars(select(Page)).one()
        assert page.position == 10_000
        assert session.get_one(SourceFile, page.file_id).position == 1
        assert progress(session, round_id=round_id).total == 2


def test_finding_twice_makes_nothing_twice(
    desk: Desk, vault: Engine, settings: Settings, round_id: int
) -> None:
    desk.send("02李建国/1.jpg", JPG)
    with Session(vault) as session:
        assert len(find_files(session, settings, round_id, "a")[0]) == 1
        session.commit()
        assert find_files(session, settings, round_id, "a")[0] == []
        session.commit()
        assert len(session.scalars(select(Upload)).all()) == 1


def test_the_layout_of_dropped_folders(desk: Desk) -> None:
    paths = ["扫描件/01诸葛晓岚/", "扫描件/02李建国/"]
    assert desk.post("layout", {"paths": paths}).json == {"wrapped": ["扫描件"]}
    assert desk.post("layout", {"paths": ["01诸葛晓岚/论文/"]}).json == {"wrapped": []}
    assert desk.post("layout", {"paths": [1]}).status_code == 400


def test_a_dossier_with_the_experts_does_not_change(
    desk: Desk, vault: Engine, settings: Settings, round_id: int
) -> None:
    desk.send("02李建国/a.jpg", JPG)
    desk.match()
    file_id = redacted(vault)
    with Session(vault) as session, session.begin():
        owner = session.get_one(SourceFile, file_id).entrant_id
        assert owner is not None
        session.add(
            Release(
                round_id=round_id, entrant_id=owner, state="released", hashes="[]",
                asked_by="a", asked_at="", salt="",
            )
        )  # fmt: skip
    for name in ("a.jpg", "b.jpg"):
        refused = desk.send(f"02李建国/{name}", OTHER, modified=2)
        assert (refused["state"], "放行" in refused["notes"][0][1]) == ("refused", True)
    assert desk.match()["new"] == 0
    assert (scans_folder(settings, round_id) / "02李建国/a.jpg").read_bytes() == JPG
    with Session(vault) as session, session.begin():
        assert session.scalars(select(Page.state)).all() == ["clean"]
        with pytest.raises(RuleError, match="放行"):
            redact_again(session, entrant_ids=[owner])
        with pytest.raises(RuleError, match="放行"):
            give_folder(session, round_id=round_id, folder="02李建国", entrant_id=1, by="a")
        session.scalars(select(Release)).one().state = "withdrawn"
    desk.send("02李建国/a.jpg", OTHER, modified=2)
    desk.send("02李建国/b.jpg", OTHER + b"b", modified=2)
    assert desk.match()["new"] == 2
