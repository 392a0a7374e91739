"""A sealed vault: the office works as ever, no file of it can be read without the key, and a lost
or wrong key is told before anything is written."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session
from typer.testing import CliRunner

from models.errors import RuleError
from models.vault_pages import Page
from models.vault_rounds import SourceFile
from redactor.errors import UnreadablePage
from redactor.loading import open_file
from redactor.sealed_files import (
    MARK,
    LockedError,
    new_secret,
    opened,
    read_file,
    read_keys,
    seal_below,
    secrets_of,
    write_key_file,
)
from tests.redactor.golden.sets import page_about, save
from tests.webapp.conftest import PEOPLE, _copy
from tests.webapp.test_runner import work
from tests.webapp.upload_desk import Desk, packed
from webapp.cli import app
from webapp.office.app import create_office
from webapp.office.derivatives import pictures_folder, redact_and_picture
from webapp.office.kept_files import SIGNED, file_path, keep_file
from webapp.office.work import file_job, round_folder, scans_folder
from webapp.runner import Runner
from webapp.settings import Settings
from webapp.vault_key import (
    rotate,
    rounds_folder,
    seal_vault,
    sealed_for,
    sealed_places,
    unlock,
    with_key,
)


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """A key file on another medium than the data."""
    folder = tmp_path / "medium"
    folder.mkdir()
    write_key_file(folder / "vault.key", [new_secret()])
    return folder / "vault.key"


@pytest.fixture
def settings(staffed: Settings, tmp_path: Path, key: Path) -> Iterator[Settings]:
    """An installation whose vault is sealed."""
    made = _copy(staffed, tmp_path).model_copy(update={"vault_key": key})
    yield made
    seal_below(rounds_folder(made), None)


def plain(settings: Settings) -> list[str]:
    """Files of the rounds that anybody could read."""
    return [
        path.relative_to(settings.vault).as_posix()
        for path in rounds_folder(settings).rglob("*")
        if path.is_file() and not path.read_bytes().startswith(MARK)
    ]


def test_from_upload_to_picture_nothing_lies_open(
    settings: Settings, desk: Desk, vault: Engine, tmp_path: Path
) -> None:
    scan = save(page_about(PEOPLE[0].name), tmp_path / "证书.jpg").read_bytes()
    assert desk.send("01诸葛晓岚/证书.jpg", scan)["state"] == "received"
    assert desk.send("01诸葛晓岚/再次.zip", packed({"a.jpg": b"no scan"}))["state"] == "received"
    assert desk.match()["new"] == 2
    assert desk.send("01诸葛晓岚/证书.jpg", scan, modified=7)["state"] == "duplicate"
    work(Runner(settings), vault)
    with Session(vault) as session:
        pages = {page.state: page for page in session.scalars(select(Page))}
        assert sorted(pages) == ["clean", "failed"]
        page = pages["clean"]
        hashes = set(session.scalars(select(SourceFile.sha256)))
        assert hashes == {hashlib.sha256(data).hexdigest() for data in (scan, b"no scan")}
        record, sha256 = json.loads(page.record), page.staged_sha256
    for side in ("source", "masked"):
        for size in ("thumb", "screen", "full"):  # the last is made when it is asked for
            answer = desk.client.get(f"/pictures/{page.id}/{side}/0/{size}/v")
            pixels = cv2.imdecode(np.frombuffer(answer.data, np.uint8), cv2.IMREAD_COLOR)
            assert pixels is not None and answer.mimetype == "image/jpeg", (side, size)
    staged = round_folder(settings, desk.round_id) / "staging" / record["staged"]
    assert hashlib.sha256(read_file(staged)).hexdigest() == sha256
    kinds = {path.relative_to(rounds_folder(settings)).parts[1] for path in sealed_places(settings)}
    assert {"scans", "staging", "thumbnails", "cache", "copies", "pictures"} <= kinds
    assert plain(settings) == []
    # A second look at the folder reads nothing anew, though files are larger than they were.
    assert desk.match()["new"] == 0


def test_kept_papers_are_sealed_under_the_hash_of_what_they_say(
    settings: Settings, desk: Desk
) -> None:
    digest = keep_file(settings, desk.round_id, SIGNED, ".pdf", b"%PDF a signed sheet")
    path = file_path(settings, desk.round_id, SIGNED, digest, ".pdf")
    assert digest == hashlib.sha256(b"%PDF a signed sheet").hexdigest()
    assert path.read_bytes().startswith(MARK)
    assert read_file(path) == b"%PDF a signed sheet"


def filled(settings: Settings) -> dict[Path, bytes]:
    """Plain files of a vault, as they were before it was sealed."""
    seal_below(rounds_folder(settings), None)
    made = {}
    for number in range(3):
        path = scans_folder(settings, 1) / f"0{number}" / "a.jpg"
        path.parent.mkdir(parents=True)
        path.write_bytes(f"诸葛晓岚 {number}".encode() * 99)
        made[path] = path.read_bytes()
    return made


def test_the_command_seals_what_is_there_and_may_be_cut_short(
    settings: Settings, tmp_path: Path
) -> None:
    files = filled(settings)
    key = tmp_path / "elsewhere.key"
    times = {path: path.stat().st_mtime_ns for path in files}
    run = ("seal-vault", "--data", str(settings.data), "--key", str(key), "--port", "0")
    first = CliRunner().invoke(app, run)
    assert first.exit_code == 0, first.output
    assert plain(settings) == []
    assert key.stat().st_mode & 0o77 == 0
    next(iter(files)).write_bytes(files[next(iter(files))])  # as if it had been cut short there
    before = key.read_bytes()
    again = CliRunner().invoke(app, run)
    assert again.exit_code == 0 and plain(settings) == []
    assert key.read_bytes() == before
    unlock(settings.model_copy(update={"vault_key": key}))
    assert {path: read_file(path) for path in files} == files
    assert {path: path.stat().st_mtime_ns for path in list(files)[1:]} == dict(
        list(times.items())[1:]
    )


@pytest.mark.parametrize("forget", [False, True])
def test_rotation_seals_everything_with_a_new_key(
    settings: Settings, key: Path, forget: bool
) -> None:
    files = filled(settings)
    seal_vault(settings, key)
    old = read_keys(key)
    run = ["rotate-key", "--data", str(settings.data), "--key", str(key), "--port", "0"]
    done = CliRunner().invoke(app, run + ["--forget-old"] * forget)
    assert done.exit_code == 0, done.output
    new = read_keys(key)
    assert sealed_for(settings) == new.name != old.name
    assert (old.name in new.names) is not forget
    unlock(settings)
    for path, data in files.items():
        assert read_file(path) == data
        with pytest.raises(Exception, match="另一把密钥"):
            opened(path.read_bytes(), old, path)


def test_a_rotation_that_was_cut_short_is_gone_on_with(settings: Settings, key: Path) -> None:
    files = filled(settings)
    seal_vault(settings, key)

    def power_cut(done: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rotate(settings, key, tell=power_cut)
    unlock(settings)
    assert {path: read_file(path) for path in files} == files
    assert seal_vault(settings, key).done == 2
    write_key_file(key, secrets_of(key)[:1])
    assert {path: read_file(path) for path in files} == files


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("how", ["unset", "missing", "other", "broken", "inside", "public"])
def test_a_lost_or_wrong_key_is_said_at_the_start_and_nothing_is_written(
    settings: Settings, key: Path, how: str
) -> None:
    filled(settings)
    seal_vault(settings, key)
    wrong: Path | None = key.with_name(how)
    said = {
        "unset": "没有设置密钥",
        "missing": "读不到密钥文件",
        "other": "不是此保险库的密钥",
        "broken": "不是完好的密钥文件",
        "inside": "不能放在数据文件夹里",
        "public": "不是此保险库的密钥",
    }
    if how == "unset":
        wrong = None
    elif how == "other":
        write_key_file(key.with_name(how), [new_secret()])
    elif how == "broken":
        key.with_name(how).write_text("AGE-SECRET-KEY-1XXXX\n")
    elif how == "public":
        key.with_name(how).write_text(read_keys(key).name)
    elif how == "inside":
        wrong = settings.data / "vault.key"
        wrong.write_bytes(key.read_bytes())
    before = contents(settings.data)
    asked = settings.model_copy(update={"vault_key": wrong})
    for start in (create_office, Runner, unlock):
        with pytest.raises(RuleError, match=said[how]):
            start(asked)
    if wrong is not None:
        for command in ("seal-vault", "rotate-key"):
            run = (command, "--data", str(settings.data), "--key", str(wrong), "--port", "0")
            refused = CliRunner().invoke(app, run)
            assert refused.exit_code == 2 and said[how] in refused.output, refused.output
    assert contents(settings.data) == before


def test_a_key_that_goes_away_stops_the_work_and_no_page_is_called_failed(
    settings: Settings, desk: Desk, vault: Engine, key: Path, tmp_path: Path
) -> None:
    scan = save(page_about(PEOPLE[0].name), tmp_path / "证书.jpg").read_bytes()
    desk.send("01诸葛晓岚/证书.jpg", scan)
    desk.match()
    with Session(vault) as session:
        file = session.scalars(select(SourceFile)).one()
        job = file_job(session, settings, file)
    away = key.rename(key.with_name("taken away"))
    before = contents(rounds_folder(settings))
    pictures = pictures_folder(settings, desk.round_id)
    with pytest.raises(LockedError, match="读不到密钥文件"):
        with_key(rounds_folder(settings), key, redact_and_picture, job, pictures, file.sha256)
    with pytest.raises(LockedError, match="读不到密钥文件"):
        redact_and_picture(job, pictures, file.sha256)
    assert contents(rounds_folder(settings)) == before
    away.rename(key)
    assert read_file(next(iter(scans_folder(settings, desk.round_id).rglob("*.jpg")))) == scan


def test_a_file_that_no_key_opens_is_named_and_left_alone(settings: Settings, key: Path) -> None:
    filled(settings)
    odd = scans_folder(settings, 1) / "00" / "odd.jpg"
    odd.write_bytes(MARK + b"whatever an applicant sent")
    run = ("seal-vault", "--data", str(settings.data), "--key", str(key), "--port", "0")
    done = CliRunner().invoke(app, run)
    assert done.exit_code == 3 and "odd.jpg" in done.output
    assert odd.read_bytes() == MARK + b"whatever an applicant sent"


def test_an_upload_that_only_looks_sealed_is_a_bad_scan_like_any_other(
    settings: Settings, desk: Desk
) -> None:
    desk.send("01诸葛晓岚/a.jpg", MARK + b"no scan at all")
    desk.match()
    (path,) = scans_folder(settings, desk.round_id).rglob("*.jpg")
    assert plain(settings) == []
    with pytest.raises(UnreadablePage, match="不是扫描图片"), open_file(path):
        pass


def test_the_experts_process_is_given_no_key(settings: Settings) -> None:
    from webapp.settings import review_settings

    assert settings.vault_key is not None
    assert str(settings.vault_key) not in repr(review_settings(settings))
