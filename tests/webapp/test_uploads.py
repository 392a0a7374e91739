"""Uploads: chunks out of order, crashes, hostile names and archives, and whose files they are."""

from __future__ import annotations

import errno
import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from models.errors import RuleError
from models.office_files import give_folder, redact_again
from models.office_jobs import finish, lease
from models.office_pages import keep_records
from models.office_progress import progress
from models.office_rounds import make_round
from models.vault_accounts import OfficeEvent
from models.vault_pages import Job, Page, Release
from models.vault_rounds import Entrant, SourceFile, Upload
from tests.webapp.conftest import form_token
from webapp.office import scans, uploads
from webapp.office.matching import find_files
from webapp.office.placing import Folders, place_upload, unwrapped, wrapping
from webapp.office.scans import part_file, safe_path
from webapp.office.work import merged_masks, scans_folder
from webapp.settings import Settings

JPG = b"\xff\xd8\xff\xe0" + b"scan" * 500
OTHER = b"\xff\xd8\xff\xe0" + b"anew" * 500
RECORD = {
    "source_page": 0,
    "state": "clean",
    "sha256": "a" * 64,
    "masks": [],
    "reason": "",
    "verify": {"hits": []},
    "quality": {},
}


class Desk:
    """A signed-in clerk with the calls of the upload script."""

    def __init__(self, client: FlaskClient, round_id: int) -> None:
        self.client, self.round_id = client, round_id
        self.root = f"/rounds/{round_id}/uploads"
        page = client.get("/account").text
        self.headers = {"X-CSRFToken": form_token(page)}

    def post(self, address: str, body: Any) -> Any:
        return self.client.post(f"{self.root}/{address}", json=body, headers=self.headers)

    def begin(self, path: str, data: bytes, modified: int = 1) -> dict[str, Any]:
        files = [{"path": path, "size": len(data), "modified": modified}]
        answer = self.post("begin", {"files": files})
        assert answer.status_code == 200, answer.text
        return dict(answer.json["files"][0])

    def chunk(self, upload_id: str, offset: int, data: bytes) -> Any:
        return self.client.post(
            f"{self.root}/{upload_id}/chunk?offset={offset}", data=data, headers=self.headers
        )

    def send(self, path: str, data: bytes, modified: int = 1) -> dict[str, Any]:
        """Sends a whole file in one chunk; the server's last word on it."""
        begun = self.begin(path, data, modified)
        if begun["state"] != "receiving":
            return begun
        return dict(self.chunk(begun["id"], begun["received"], data[begun["received"] :]).json)

    def match(self) -> dict[str, Any]:
        answer = self.post("match", {})
        assert answer.status_code == 200, answer.text
        return dict(answer.json)


@pytest.fixture
def desk(sign_in: Callable[[str], FlaskClient], round_id: int) -> Desk:
    return Desk(sign_in("clerk"), round_id)


def packed(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def on_disk(settings: Settings, round_id: int) -> set[str]:
    folder = scans_folder(settings, round_id)
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


def files_of(vault: Engine) -> dict[str, SourceFile]:
    with Session(vault) as session:
        rows = session.scalars(select(SourceFile).where(SourceFile.state != "replaced"))
        return {file.path: file for file in rows}


# -- chunks


def test_a_file_goes_on_where_it_stopped_and_reaches_its_applicant(
    desk: Desk, settings: Settings, vault: Engine
) -> None:
    path = "02李建国/学历证书.jpg"
    begun = desk.begin(path, JPG)
    assert desk.chunk(begun["id"], 0, JPG[:700]).json["received"] == 700
    again = desk.begin(path, JPG)
    assert (again["id"], again["received"]) == (begun["id"], 700)
    assert desk.chunk(begun["id"], 700, JPG[700:]).json["state"] == "received"
    assert desk.match()["new"] == 1
    file = files_of(vault)[path]
    assert (file.state, file.category, file.pages) == ("waiting", "学历证书", 1)
    assert (scans_folder(settings, desk.round_id) / path).read_bytes() == JPG
    assert desk.begin(path, JPG)["state"] == "received"


def test_chunks_out_of_step_are_told_where_to_go_on(desk: Desk) -> None:
    begun = desk.begin("02李建国/a.jpg", JPG)
    for offset in (1, len(JPG), 10**15):
        answer = desk.chunk(begun["id"], offset, b"x")
        assert (answer.status_code, answer.json["received"]) == (409, 0)
    assert desk.chunk(begun["id"], 0, JPG[:10]).json["received"] == 10
    assert desk.chunk(begun["id"], 0, JPG[:10]).status_code == 409  # the other browser was first
    assert desk.chunk(begun["id"], 10, JPG).status_code == 409  # more than was announced


@pytest.mark.parametrize("offset", ["-1", "x", "", "1e3"])
def test_an_offset_that_is_none_is_refused(desk: Desk, offset: str) -> None:
    begun = desk.begin("02李建国/a.jpg", JPG)
    assert desk.chunk(begun["id"], offset, b"x").status_code == 400  # type: ignore[arg-type]


def test_a_chunk_whose_row_was_lost_is_not_appended_twice(desk: Desk, settings: Settings) -> None:
    begun = desk.begin("02李建国/a.jpg", JPG)
    part = part_file(settings, desk.round_id, begun["id"])
    part.write_bytes(JPG[:100])  # on disk, and the process died before its row was written
    assert desk.begin("02李建国/a.jpg", JPG)["received"] == 100
    assert desk.chunk(begun["id"], 100, JPG[100:]).json["state"] == "received"


def test_a_file_that_was_complete_when_the_process_died_is_finished(
    desk: Desk, settings: Settings
) -> None:
    begun = desk.begin("02李建国/a.jpg", JPG)
    part_file(settings, desk.round_id, begun["id"]).write_bytes(JPG)
    assert desk.begin("02李建国/a.jpg", JPG)["received"] == len(JPG)
    assert desk.chunk(begun["id"], len(JPG), b"").json["state"] == "received"
    assert desk.chunk(begun["id"], len(JPG), b"").json["state"] == "received"  # asked twice


def test_chunks_that_are_too_large_are_refused(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "LARGEST_CHUNK", 100)
    begun = desk.begin("02李建国/a.jpg", JPG)
    assert desk.chunk(begun["id"], 0, JPG[:101]).status_code == 400
    assert desk.chunk(begun["id"], 0, JPG[:100]).status_code == 200


def test_a_full_disk_is_a_sentence_and_loses_nothing(
    desk: Desk, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = desk.begin("02李建国/a.jpg", JPG)
    desk.chunk(begun["id"], 0, JPG[:10])

    def full(_number: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    answer = desk.chunk(begun["id"], 10, JPG[10:])
    assert answer.status_code == 507
    assert "磁盘已满" in answer.json["sentences"][0]
    assert part_file(settings, desk.round_id, begun["id"]).read_bytes() == JPG[:10]


def test_too_little_room_is_said_before_anything_is_sent(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scans, "SPARE", 1 << 60)
    files = [{"path": "a/b.jpg", "size": 5, "modified": 1}]
    answer = desk.post("begin", {"files": files})
    assert answer.status_code == 507
    assert "GB" in answer.json["sentences"][0]


def test_files_of_no_size_or_too_large_are_refused_one_by_one(desk: Desk) -> None:
    files = [
        {"path": "a/empty.jpg", "size": 0, "modified": 1},
        {"path": "a/huge.jpg", "size": 2**40, "modified": 1},
        {"path": "a/../../b.jpg", "size": 5, "modified": 1},
        {"path": "a/good.jpg", "size": 5, "modified": 1},
    ]
    states = desk.post("begin", {"files": files}).json["files"]
    assert [state["state"] for state in states] == ["refused"] * 3 + ["receiving"]
    assert all(state["note"] for state in states[:3])


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {"files": "x"},
        {"files": [1]},
        {"files": [{"path": 1, "size": 1, "modified": 1}]},
        {"files": [{"path": "a/b", "size": "1", "modified": 1}]},
        {"files": [{"path": "a/b", "size": -1, "modified": 1}]},
        {"files": [{"path": "a/b", "size": 1, "modified": 2**60}]},
        {"files": [{"path": "a/b.jpg", "size": 1, "modified": 1}] * 201},
    ],
)
def test_what_no_script_of_ours_sends_is_refused(desk: Desk, body: Any) -> None:
    assert desk.post("begin", body).status_code == 400


def test_an_upload_of_another_round_cannot_be_reached(desk: Desk, vault: Engine) -> None:
    begun = desk.begin("02李建国/a.jpg", JPG)
    with Session(vault) as session, session.begin():
        other = make_round(
            session, name="乙", year=2024, policy_name="x", policy="", profile="strict",
            committee_members=1, by="test",
        ).id  # fmt: skip
    stranger = Desk(desk.client, other)
    assert stranger.chunk(begun["id"], 0, JPG).status_code == 400
    assert Desk(desk.client, 999).post("begin", {"files": []}).status_code == 404


def test_only_the_desk_uploads(sign_in: Callable[[str], FlaskClient], round_id: int) -> None:
    secretary = Desk(sign_in("secretary"), round_id)
    assert secretary.post("begin", {"files": []}).status_code == 403
    assert secretary.client.get(f"/rounds/{round_id}/uploads").status_code == 403


# -- paths


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/etc/passwd",
        "//server/share",
        "../a.jpg",
        "a/../../b.jpg",
        "a\\..\\..\\b.jpg",
        "C:\\a.jpg",
        "a/C:/b.jpg",
        "a/b\0.jpg",
        "a/b\n.jpg",
        "a/b. ",
        "a/" + "学" * 100 + ".jpg",
        "/".join("a" * 100 for _ in range(40)),
        "a/\ud800.jpg",
    ],
)
def test_paths_that_lead_elsewhere_are_refused(path: str) -> None:
    with pytest.raises(RuleError):
        safe_path(path)


@given(st.text(alphabet="ab.\\/:~ \0é学", max_size=12))
def test_no_path_ever_leaves_the_folder(path: str) -> None:
    try:
        found = safe_path(path)
    except RuleError:
        return
    root = Path("/scans")
    target = Path(os.path.normpath(root.joinpath(*found.parts)))
    assert target.is_relative_to(root)
    assert target != root


def test_names_from_a_mac_are_the_same_names() -> None:
    assert safe_path("e\u0301/a.jpg") == PurePosixPath("\u00e9/a.jpg")


# -- layout and archives


def owned(name: str) -> bool:
    return name[:2] in ("01", "02")


FOLDERS = Folders(owned)


def test_a_folder_that_only_wraps_is_left_out() -> None:
    assert wrapping(["扫描/01甲/a.jpg", "扫描/02乙/b.jpg"], owned) == ("扫描",)
    assert wrapping(["扫描/01甲.zip"], owned) == ("扫描",)
    assert wrapping(["01甲/论文/a.jpg"], owned) == ()
    assert wrapping(["01甲/02乙/a.jpg"], owned) == ()
    assert wrapping(["扫描/论文/a.jpg"], owned) == ()
    assert wrapping([f"{n}/01甲/a.jpg" for n in range(9)], owned) == ()
    assert unwrapped("扫描/01甲/a.jpg", ["扫描"]) == "01甲/a.jpg"
    assert unwrapped("01甲/a.jpg", ["扫描"]) == "01甲/a.jpg"


@pytest.mark.parametrize(
    ("name", "inside", "places"),
    [
        ("全部.zip", ["01甲/a.jpg", "02乙/b.jpg"], {"01甲/a.jpg", "02乙/b.jpg"}),
        ("全部.zip", ["全部/01甲/a.jpg"], {"01甲/a.jpg"}),
        ("01甲.zip", ["a.jpg"], {"01甲/a.jpg"}),
        ("01甲.zip", ["论文/a.jpg"], {"01甲/论文/a.jpg"}),
        ("01甲.zip", ["01甲/a.jpg"], {"01甲/a.jpg"}),
        ("01甲/论文.zip", ["a.jpg"], {"01甲/论文.zip/a.jpg"}),
        ("全部.zip", ["01甲/Thumbs.db", "__MACOSX/01甲/a.jpg", "01甲/a.jpg"], {"01甲/a.jpg"}),
    ],
)
def test_archives_unpack_to_the_applicants_folders(
    settings: Settings, tmp_path: Path, name: str, inside: list[str], places: set[str]
) -> None:
    part = tmp_path / "x.part"
    part.write_bytes(packed({path: JPG + path.encode() for path in inside}))
    placed = place_upload(settings, 1, safe_path(name), part, FOLDERS)
    assert placed.state == "received"
    assert on_disk(settings, 1) == places
    assert list(tmp_path.glob("x*")) == []


def test_archives_in_archives_are_unpacked_for_good(settings: Settings, tmp_path: Path) -> None:
    inner = packed({"证书.jpg": JPG})
    deep = packed({"a.zip": packed({"b.zip": packed({"c.zip": packed({"d.jpg": JPG})})})})
    part = tmp_path / "x.part"
    part.write_bytes(
        packed(
            {
                "01甲.zip": inner,
                "02乙/论文.zip": inner,
                "02乙/坏.zip": b"PK??",
                "02乙/deep.zip": deep,
            }
        )
    )
    placed = place_upload(settings, 1, safe_path("全部.zip"), part, FOLDERS)
    assert on_disk(settings, 1) == {"01甲/证书.jpg", "02乙/论文.zip/证书.jpg"}
    told = {item.path.split("/")[-1]: item.sentence.zh for item in placed.left_out}
    assert "打不开" in told["坏.zip"]
    assert "层" in told["c.zip"]


def test_an_archive_cannot_write_outside(settings: Settings, tmp_path: Path) -> None:
    part = tmp_path / "x.part"
    part.write_bytes(packed({"../../out.jpg": JPG, "/abs.jpg": JPG, "01甲/a.jpg": JPG}))
    placed = place_upload(settings, 1, safe_path("全部.zip"), part, FOLDERS)
    assert on_disk(settings, 1) == {"01甲/a.jpg"}
    assert len(placed.left_out) == 2
    assert not list(tmp_path.rglob("out.jpg"))
    assert not list(tmp_path.rglob("abs.jpg"))


def test_chinese_names_of_windows_archives(settings: Settings, tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        info = zipfile.ZipInfo("01x/xxxx.jpg")
        archive.writestr(info, JPG)
    raw = out.getvalue().replace(b"01x/xxxx.jpg", b"01/" + "证书".encode("gb18030") + b"1.jpg")
    part = tmp_path / "x.part"
    part.write_bytes(raw)
    place_upload(settings, 1, safe_path("a.zip"), part, FOLDERS)
    assert on_disk(settings, 1) == {"01/证书1.jpg"}


def test_what_is_no_scan_is_named_and_left_out(desk: Desk) -> None:
    assert desk.send("02李建国/总结.docx", packed({"word/a.xml": b"x"}))["notes"][0][1].count(
        "Word"
    )
    refused = desk.send("没有文件夹.jpg", JPG)
    assert (refused["state"], len(refused["notes"])) == ("refused", 1)
    assert desk.send("坏.zip", b"PK\x03\x04" + b"x" * 50)["state"] == "refused"
    # Mended and sent again under the same name, size and time, it is looked at anew.
    assert desk.begin("坏.zip", b"PK\x03\x04" + b"x" * 50)["state"] == "receiving"


# -- whose they are


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

    def sha256_of(path: Path) -> str:
        hashed.append(path)
        return "x"

    monkeypatch.setattr(matching, "sha256_of", sha256_of)
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
