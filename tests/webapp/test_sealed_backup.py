"""A sealed backup tells nothing without its key, and with it restores what was there."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner

from models.errors import RuleError
from redactor.sealed_files import MARK, new_secret, read_keys, write_key_file
from tests.webapp.serving_process import ROOT
from tests.webapp.test_backup import files_of, filled, missing
from webapp.backup import back_up
from webapp.backup_places import LEFT_AGE, remove_left_work
from webapp.cli import app
from webapp.restore import restore
from webapp.settings import Settings

__all__ = ["filled"]


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "backup.key"
    write_key_file(path, [new_secret()])
    return path


def test_a_sealed_backup_names_nobody_and_restores_everything(
    filled: Settings, vault: Engine, tmp_path: Path, key: Path
) -> None:
    public = tmp_path / "public.key"
    public.write_text(read_keys(key).name)
    made = back_up(filled, tmp_path / "b", key_file=public)
    parts = [path for path in (tmp_path / "b").rglob("*") if path.is_file()]
    assert len(parts) == made.files + 3
    for path in parts:
        assert path.read_bytes().startswith(MARK), path
        assert not any(word in str(path) for word in ("诸葛", "学历", "rounds")), path
    again = Settings(data=tmp_path / "second" / "data")
    again.data.parent.mkdir()
    assert restore(tmp_path / "b", again, key) == made.files
    assert files_of(again.data) == files_of(filled.data)
    assert missing(again) == []
    plain = back_up(again, tmp_path / "c")
    assert (plain.content, plain.stores) == (made.content, made.stores)
    left = [p for p in (*filled.vault.iterdir(), *tmp_path.iterdir()) if p.name.endswith(".part")]
    assert left == []


def test_without_its_key_nothing_is_restored(filled: Settings, tmp_path: Path, key: Path) -> None:
    back_up(filled, tmp_path / "b", key_file=key)
    other, public = tmp_path / "other.key", tmp_path / "public.key"
    write_key_file(other, [new_secret()])
    public.write_text(read_keys(key).name)
    target = Settings(data=tmp_path / "new")
    for wrong, said in (
        (None, "用 --key 指定"),
        (other, "另一把密钥"),
        (public, "另一把密钥"),
        (tmp_path / "gone.key", "读不到密钥文件"),
    ):
        with pytest.raises(RuleError, match=said):
            restore(tmp_path / "b", target, wrong)
        assert not target.data.exists()


@pytest.mark.parametrize("what", ["files", "manifest.jsonl", "vault.sqlite"])
def test_a_changed_part_of_a_sealed_backup_is_noticed(
    filled: Settings, tmp_path: Path, key: Path, what: str
) -> None:
    back_up(filled, tmp_path / "b", key_file=key)
    place = tmp_path / "b" / what
    path = place if place.is_file() else next(p for p in place.rglob("*") if p.is_file())
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(RuleError, match=r"被改动|不完整"):
        restore(tmp_path / "b", Settings(data=tmp_path / "new"), key)
    assert not (tmp_path / "new").exists()


def test_both_commands_take_the_key(filled: Settings, tmp_path: Path, key: Path) -> None:
    run, out = CliRunner().invoke, str(tmp_path / "b")
    made = run(app, ["backup", out, "--data", str(filled.data), "--key", str(key)])
    assert made.exit_code == 0 and "已加密" in made.output, made.output
    new = str(tmp_path / "new")
    assert run(app, ["restore", out, "--data", new]).exit_code == 2
    done = run(app, ["restore", out, "--data", new, "--key", str(key)])
    assert done.exit_code == 0, done.output
    assert files_of(Path(new)) == files_of(filled.data)


def test_a_key_file_that_is_none_is_said_before_anything_is_copied(
    filled: Settings, tmp_path: Path
) -> None:
    with pytest.raises(RuleError, match="读不到密钥文件"):
        back_up(filled, tmp_path / "b", key_file=tmp_path / "gone.key")
    assert not (tmp_path / "b").exists()


def plain_ones(folder: Path) -> list[str]:
    """Files that a backup has so far and whose first bytes, or whose names, tell something."""
    told = []
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):
            if path.is_file() and not MARK.startswith(path.open("rb").read(len(MARK))):
                told.append(str(path))
        if any(word in str(path) for word in ("诸葛", "学历", "rounds")):
            told.append(str(path))
    return told


class _Watch:
    """Python cannot take an audit hook away again, so there is one for all tests of a process."""

    look: Callable[[], None] | None = None

    def __init__(self) -> None:
        sys.addaudithook(self.heard)

    def heard(self, event: str, _arguments: object) -> None:
        look = self.look
        if look is not None and event in ("open", "os.remove", "os.rename", "os.mkdir"):
            self.look = None  # what it does itself is no event
            look()
            self.look = look


@contextmanager
def at_every_step(look: Callable[[], None]) -> Iterator[None]:
    """Calls `look` before each file or folder that this process opens, makes or takes away."""
    watch = _Watch()
    watch.look = look
    try:
        yield
    finally:
        watch.look = None


def test_at_no_step_is_anything_of_it_plain(filled: Settings, tmp_path: Path, key: Path) -> None:
    """What is there at a step is what a kill at that step leaves."""
    place, told, steps = tmp_path / "disk", set[str](), 0
    place.mkdir()

    def look() -> None:
        nonlocal steps
        steps += 1
        told.update(plain_ones(place))

    with at_every_step(look):
        back_up(filled, place / "b", key_file=key)
    assert steps > 30
    assert told == set()
    with at_every_step(look):
        back_up(filled, place / "open")
    assert told != set()


def test_a_backup_that_was_killed_leaves_no_plain_bytes_for_long(
    filled: Settings, tmp_path: Path, key: Path
) -> None:
    place = tmp_path / "disk"
    place.mkdir()
    work = (
        "import os, signal, sys; from pathlib import Path; from webapp.backup import back_up\n"
        "from webapp.settings import Settings\n"
        "data, out, key = map(Path, sys.argv[1:])\n"
        "back_up(Settings(data=data), out, lambda *_: os._exit(9), key)"
    )
    arguments = [sys.executable, "-c", work, str(filled.data), str(place / "b"), str(key)]
    done = subprocess.run(arguments, cwd=ROOT, env=dict(os.environ), check=False)
    assert done.returncode == 9
    assert any(path.is_file() for path in place.rglob("*"))
    assert plain_ones(place) == []
    (left,) = filled.vault.glob(".*.part")
    assert any(left.iterdir())
    assert remove_left_work(filled) == 0  # somebody may be at it
    assert remove_left_work(filled, time.time() + LEFT_AGE + 60) == 1
    assert not left.exists()
    back_up(filled, place / "b", key_file=key)
    assert plain_ones(place) == []
