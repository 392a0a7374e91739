"""Leftovers go: pictures of replaced files and uploads that nobody ended; what is needed stays."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from models.office_files import replace_files
from models.vault_pages import Page
from models.vault_rounds import SourceFile
from tests.webapp.page_rows import add_page, mask
from webapp.office.derivatives import pictures_folder, source_name
from webapp.office.leftovers import DAY, sweep
from webapp.office.scans import part_file
from webapp.page_pictures import picture_file
from webapp.runner import Runner
from webapp.settings import Settings


def touch(path: Path, days: float) -> Path:
    path.write_bytes(b"x")
    then = time.time() - days * DAY
    os.utime(path, (then, then))
    return path


@pytest.fixture
def pictures(settings: Settings, vault: Engine, round_id: int) -> list[Path]:
    """The pictures of a page's source and of its masked side, some days old."""
    with Session(vault) as session, session.begin():
        page = add_page(session, settings, round_id, masks=[mask(10, 100)])
        sha256 = session.get_one(SourceFile, page.file_id).sha256
        names = [source_name(sha256, 0, 0), page.staged_sha256[:32]]
    folder = pictures_folder(settings, round_id)
    return [touch(picture_file(folder, name, "thumb"), 3) for name in names]


def replace(vault: Engine, round_id: int) -> None:
    with Session(vault) as session, session.begin():
        paths = session.scalars(select(SourceFile.path)).all()
        replace_files(session, round_id=round_id, paths=paths, by="clerk")
        assert session.scalars(select(Page)).all() == []


def test_pictures_of_a_replaced_file_go(
    settings: Settings, vault: Engine, round_id: int, pictures: list[Path]
) -> None:
    with Session(vault) as session:
        assert sweep(session, settings) == 0
        assert all(path.exists() for path in pictures)
    replace(vault, round_id)
    with Session(vault) as session:
        assert sweep(session, settings) == 2
    assert not any(path.exists() for path in pictures)


def test_pictures_that_were_just_made_stay(
    settings: Settings, vault: Engine, round_id: int, pictures: list[Path]
) -> None:
    replace(vault, round_id)
    touch(pictures[0], 0.5)
    with Session(vault) as session:
        assert sweep(session, settings) == 1
    assert pictures[0].exists()


def test_an_upload_that_nobody_ended_goes_after_a_week(
    settings: Settings, vault: Engine, round_id: int
) -> None:
    old, young = (part_file(settings, round_id, name) for name in ("old", "young"))
    touch(old, 7.1)
    touch(young, 6.9)
    other = touch(old.parent / "something.zip", 30)
    with Session(vault) as session:
        assert sweep(session, settings) == 1
    assert (old.exists(), young.exists(), other.exists()) == (False, True, True)


def test_what_cannot_be_removed_stops_nothing(
    settings: Settings, vault: Engine, round_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck, free = (part_file(settings, round_id, name) for name in ("a-stuck", "free"))
    touch(stuck, 8)
    touch(free, 8)
    unlink = Path.unlink

    def refuse(path: Path, missing_ok: bool = False) -> None:
        if path == stuck:
            raise PermissionError(path)
        unlink(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", refuse)
    with Session(vault) as session:
        assert sweep(session, settings) == 1
    assert (stuck.exists(), free.exists()) == (True, False)


def test_the_runner_sweeps(settings: Settings, vault: Engine, round_id: int) -> None:
    old = touch(part_file(settings, round_id, "old"), 8)
    Runner(settings).sweep()
    assert not old.exists()
