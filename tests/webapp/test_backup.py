"""A backup of a running installation is consistent, and a restored one is the same."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session
from typer.testing import CliRunner

from models.audit import verify_audit
from models.base import open_store
from models.errors import RuleError
from models.migration import migrate
from models.office_rounds import entrants_of
from models.review_pages import ReleasedPage
from models.store_copy import paused
from models.vault_rounds import SourceFile
from redactor.assembly import FIXED_TIME
from tests.models.rounds_sample import CODES
from tests.postgresql_server import Server
from tests.webapp.closed_round import closed_round
from tests.webapp.conftest import add_scan
from webapp.backup import MANIFEST, back_up
from webapp.cli import app
from webapp.office.work import scans_folder
from webapp.restore import restore
from webapp.settings import Settings, prepare_folders, secret_key


@pytest.fixture
def filled(settings: Settings, vault: object, round_id: int) -> Settings:
    """An installation with scans, a released page and a closed round."""
    secret_key(settings.vault)
    with Session(open_store(settings.vault_url)) as session, session.begin():
        for number, person in enumerate(entrants_of(session, round_id)):
            add_scan(session, settings, person, "学历证书.jpg", f"scan {number}".encode())
    with Session(open_store(settings.review_url)) as session, session.begin():
        closed = closed_round(session)
        release(session, settings, closed, 1)
    return settings


def release(session: Session, settings: Settings, closed: int, number: int) -> None:
    """A page for the experts: the file first, then its row."""
    data = secrets.token_bytes(2000)
    path = settings.blind / str(closed) / CODES[0] / f"{number:03d}.jpg"
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(data)
    os.utime(part, (FIXED_TIME, FIXED_TIME))
    part.replace(path)
    for folder in (path.parent, path.parent.parent, settings.blind):
        os.utime(folder, (FIXED_TIME, FIXED_TIME))
    session.add(
        ReleasedPage(
            round_id=closed, code=CODES[0], number=number, category="其他", suffix="jpg",
            width=10, height=10, sha256=hashlib.sha256(data).hexdigest(),
        )
    )  # fmt: skip
    session.flush()


def files_of(folder: Path) -> dict[str, tuple[str, int]]:
    """Path -> hash and time of every file that is no database."""
    return {
        path.relative_to(folder).as_posix(): (
            hashlib.sha256(path.read_bytes()).hexdigest(),
            path.stat().st_mtime_ns,
        )
        for path in folder.rglob("*")
        if path.is_file() and not path.suffix.startswith(".db")
    }


def missing(settings: Settings) -> list[str]:
    """Rows whose file is not there as the row says."""
    wrong = []
    with Session(open_store(settings.vault_url)) as session:
        for file in session.scalars(select(SourceFile)):
            path = scans_folder(settings, file.round_id) / file.path
            if not path.exists() or hashlib.sha256(path.read_bytes()).hexdigest() != file.sha256:
                wrong.append(file.path)
    with Session(open_store(settings.review_url)) as session:
        for page in session.scalars(select(ReleasedPage)):
            path = settings.blind / str(page.round_id) / page.code / f"{page.number:03d}.jpg"
            if not path.exists() or hashlib.sha256(path.read_bytes()).hexdigest() != page.sha256:
                wrong.append(path.name)
    return wrong


def test_a_restored_installation_is_the_same(filled: Settings, tmp_path: Path) -> None:
    made = back_up(filled, tmp_path / "b")
    again = Settings(data=tmp_path / "second machine" / "data")
    again.data.parent.mkdir()
    assert restore(tmp_path / "b", again) == made.files == 4
    assert files_of(again.data) == files_of(filled.data)
    assert missing(again) == []
    twice = back_up(again, tmp_path / "c")
    assert (twice.content, twice.stores) == (made.content, made.stores)
    assert made.stores["vault"].rows["source_file"] == 2
    with Session(open_store(again.review_url)) as session:
        assert verify_audit(session).whole
    for folder in (again.blind, *(p for p in again.blind.rglob("*") if p.is_dir())):
        assert folder.stat().st_mtime == FIXED_TIME
    assert (tmp_path / "b").stat().st_mode & 0o77 == again.data.stat().st_mode & 0o77 == 0
    assert sorted(p.name for p in tmp_path.glob(".*")) == []
    kept = sorted(p.name for p in (tmp_path / "b").iterdir())
    assert kept == ["files", MANIFEST, "review.sqlite", "vault.sqlite"]


def test_the_content_tells_every_difference(filled: Settings, tmp_path: Path) -> None:
    before = back_up(filled, tmp_path / "a").content
    (filled.vault / "more").write_bytes(b"")
    more = back_up(filled, tmp_path / "b").content
    with Session(open_store(filled.vault_url)) as session, session.begin():
        entrants_of(session, 1)[0].level = "高级"
    assert len({before, more, back_up(filled, tmp_path / "c").content}) == 3


def test_no_row_without_its_file_while_people_work(filled: Settings, tmp_path: Path) -> None:
    """Uploads, replaced scans, and releases that come and go, as fast as they can."""
    stop = threading.Event()
    rounds = [0, 0]

    def upload() -> None:
        engine = open_store(filled.vault_url)
        while not stop.wait(0.003):
            with Session(engine) as session, session.begin():
                person = entrants_of(session, 1)[rounds[0] % 2]
                add_scan(session, filled, person, f"{rounds[0]}.jpg", secrets.token_bytes(3000))
            rounds[0] += 1
            if rounds[0] % 5 == 0:
                with Session(engine) as session, session.begin():
                    old = session.scalars(select(SourceFile).limit(1)).one()
                    session.delete(old)
                    session.flush()
                    (scans_folder(filled, 1) / old.path).unlink()

    def let_out() -> None:
        engine = open_store(filled.review_url)
        while not stop.wait(0.003):
            rounds[1] += 1
            with Session(engine) as session, session.begin():
                release(session, filled, 1, rounds[1] + 1)
            if rounds[1] % 4 == 0:
                with Session(engine) as session, session.begin():
                    page = session.get_one(ReleasedPage, (1, CODES[0], rounds[1]))
                    session.delete(page)
                    session.flush()
                    (filled.blind / "1" / CODES[0] / f"{rounds[1]:03d}.jpg").unlink()

    workers = [threading.Thread(target=work) for work in (upload, let_out)]
    for worker in workers:
        worker.start()
    try:
        for number in range(2):
            time.sleep(0.3)
            seen = list(rounds)
            back_up(filled, tmp_path / f"b{number}")
            assert rounds[0] > seen[0] and rounds[1] > seen[1], "nobody worked meanwhile"
    finally:
        stop.set()
        for worker in workers:
            worker.join()
    for number in range(2):
        again = Settings(data=tmp_path / f"d{number}")
        restore(tmp_path / f"b{number}", again)
        assert missing(again) == []
        files = len(list(again.blind.rglob("*.jpg")))
        with Session(open_store(again.review_url)) as session:
            # A page on its way has its file first; one that was taken back has none.
            assert files - len(session.scalars(select(ReleasedPage)).all()) in (0, 1)


def test_writers_wait_and_readers_go_on(filled: Settings) -> None:
    engines = [open_store(url) for url in (filled.vault_url, filled.review_url)]
    with paused(engines):
        reading = sqlite3.connect(filled.vault / "vault.db")
        assert reading.execute("SELECT count(*) FROM entrant").fetchone() == (2,)
        for folder in (filled.vault / "vault.db", filled.review / "review.db"):
            writing = sqlite3.connect(folder, timeout=0.1)
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                writing.execute("BEGIN IMMEDIATE")
    writing.execute("BEGIN IMMEDIATE")


def flipped(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def shorter(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.parametrize("damage", [flipped, shorter, Path.unlink])
@pytest.mark.parametrize("name", [MANIFEST, "vault.sqlite", "review.sqlite", "*学历证书.jpg"])
def test_a_damaged_backup_is_refused(
    filled: Settings, tmp_path: Path, name: str, damage: Callable[[Path], None]
) -> None:
    back_up(filled, tmp_path / "b")
    path = next((tmp_path / "b").rglob(name))
    damage(path)
    there = Settings(data=tmp_path / "d")
    with pytest.raises(RuleError) as error:
        restore(tmp_path / "b", there)
    assert path.name in error.value.sentences[0].en
    assert sorted(p.name for p in tmp_path.iterdir()) == ["b", "data"]


def test_every_damaged_file_is_named(filled: Settings, tmp_path: Path) -> None:
    back_up(filled, tmp_path / "b")
    for path in (tmp_path / "b").rglob("*.jpg"):
        flipped(path)
    with pytest.raises(RuleError) as error:
        restore(tmp_path / "b", Settings(data=tmp_path / "d"))
    assert len(error.value.sentences) == 3 + 1


def test_a_manifest_that_leads_elsewhere_is_refused(filled: Settings, tmp_path: Path) -> None:
    back_up(filled, tmp_path / "b")
    path = tmp_path / "b" / MANIFEST
    lines = path.read_text().splitlines()
    entry = json.loads(lines[3])
    entry["path"] = "vault/../../evil"
    forged = "\n".join([*lines[:3], json.dumps(entry), *lines[4:-1]]) + "\n"
    digest = hashlib.sha256(forged.encode()).hexdigest()
    path.write_text(forged + json.dumps({"sha256": digest}) + "\n")
    with pytest.raises(RuleError, match="清单"):
        restore(tmp_path / "b", Settings(data=tmp_path / "d"))
    assert not (tmp_path / "evil").exists()


def test_where_neither_goes(filled: Settings, tmp_path: Path) -> None:
    with pytest.raises(RuleError) as error:
        back_up(filled, filled.data / "b")
    assert "data folder" in error.value.sentences[0].en
    back_up(filled, tmp_path / "b")
    with pytest.raises(RuleError, match="已存在"):
        back_up(filled, tmp_path / "b")
    with pytest.raises(RuleError, match="不是数据文件夹"):
        back_up(Settings(data=tmp_path / "none"), tmp_path / "c")
    with pytest.raises(RuleError, match="不是空文件夹"):
        restore(tmp_path / "b", filled)
    assert missing(filled) == []
    with pytest.raises(RuleError, match="不是备份"):
        restore(tmp_path, Settings(data=tmp_path / "d"))
    (tmp_path / "d").mkdir()
    restore(tmp_path / "b", Settings(data=tmp_path / "d"))


def test_a_link_is_not_left_out_silently(filled: Settings, tmp_path: Path) -> None:
    (filled.vault / "elsewhere").symlink_to(tmp_path)
    with pytest.raises(RuleError, match="elsewhere"):
        back_up(filled, tmp_path / "b")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["data"]


def test_half_written_files_stay_out(filled: Settings, tmp_path: Path) -> None:
    (filled.vault / ".page.jpg.part").write_bytes(b"half")
    (filled.blind / ".parts").mkdir()
    (filled.blind / ".parts" / "001.jpg").write_bytes(b"copy")
    assert back_up(filled, tmp_path / "b").files == 4


def test_both_commands(filled: Settings, tmp_path: Path) -> None:
    run, env = CliRunner().invoke, {"MANGPING_LANG": "en"}
    out, data = str(tmp_path / "b"), str(tmp_path / "d")
    made = run(app, ["backup", "--data", str(filled.data), out], env=env)
    assert made.exit_code == 0 and "4 files" in made.stderr
    assert run(app, ["restore", out, "--data", data], env=env).exit_code == 0
    again = run(app, ["backup", "--data", data, str(tmp_path / "c")], env=env)
    assert again.stdout == made.stdout and made.stdout.startswith("content ")
    refused = run(app, ["restore", out, "--data", data], env=env)
    assert refused.exit_code == 2 and "not an empty folder" in refused.stderr


def test_postgresql_stores(postgresql_server: Server, tmp_path: Path) -> None:
    """Two databases; the restored ones have the same content and go on counting."""
    names = [f"{store}_{place}" for place in "ab" for store in ("vault", "review")]
    postgresql_server.create(*names)
    urls = [postgresql_server.url(name) for name in names]
    here = Settings(data=tmp_path / "pg", vault_database=urls[0], review_database=urls[1])
    prepare_folders(here)
    for url, store in ((urls[0], "vault"), (urls[1], "review")):
        migrate(open_store(url), store)  # type: ignore[arg-type]
    with Session(open_store(here.review_url)) as session, session.begin():
        release(session, here, closed_round(session), 1)
    made = back_up(here, tmp_path / "b")
    assert made.stores["review"].rows["sheet"] == 6
    there = Settings(data=tmp_path / "d", vault_database=urls[2], review_database=urls[3])
    with pytest.raises(RuleError, match="种类不同"):
        restore(tmp_path / "b", Settings(data=tmp_path / "d"))
    rows = tmp_path / "b" / "review.rows"
    shutil.copy(rows, tmp_path / "kept")
    flipped(rows)
    with pytest.raises(RuleError, match=r"review\.rows"):
        restore(tmp_path / "b", there)
    shutil.copy(tmp_path / "kept", rows)
    restore(tmp_path / "b", there)
    assert back_up(there, tmp_path / "c").content == made.content
    with Session(open_store(there.review_url)) as session, session.begin():
        assert verify_audit(session).whole
        session.execute(text("UPDATE round SET name = name || ' old'"))
        assert closed_round(session) == 2
    assert missing(there) == []
    with pytest.raises(RuleError, match="不是空的"):
        restore(
            tmp_path / "b",
            Settings(data=tmp_path / "e", vault_database=urls[2], review_database=urls[3]),
        )
