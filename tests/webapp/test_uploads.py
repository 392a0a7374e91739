"""Uploads: chunks out of order, crashes, full disks, and who may send what."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from models.office_rounds import make_round
from tests.webapp.upload_desk import JPG, Desk, files_of, packed
from webapp.office import app, scans, uploads
from webapp.office.scans import part_file
from webapp.office.work import scans_folder
from webapp.settings import Settings


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


@pytest.mark.parametrize("work", ["take_chunk", "place_upload"])
def test_others_may_write_while_the_bytes_of_an_upload_are_written(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, work: str
) -> None:
    done = getattr(uploads, work)

    def watched(*values: Any) -> Any:
        assert not app.vault().in_transaction()
        return done(*values)

    monkeypatch.setattr(uploads, work, watched)
    assert desk.send("02李建国.zip", packed({"学历证书.jpg": JPG}))["state"] == "received"


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
