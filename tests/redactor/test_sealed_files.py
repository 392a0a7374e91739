"""Sealed files: only a key opens them, what was changed is told, plain ones are read as ever."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from redactor.errors import UnreadablePage, UsageError
from redactor.kept_pictures import read_picture
from redactor.page import Char, Line, Reading
from redactor.reading_cache import ReadingCache
from redactor.sealed_files import (
    MARK,
    LockedError,
    blocks_of,
    content_hash,
    head_of,
    move_in,
    new_secret,
    opened,
    read_file,
    read_keys,
    seal_below,
    sealed,
    secrets_of,
    write_file,
    write_key_file,
)

DATA = "诸葛晓岚的扫描件".encode() * 300


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "key"
    write_key_file(path, [new_secret()])
    return path


@pytest.fixture
def folder(tmp_path: Path, key: Path) -> Iterator[Path]:
    """A folder that is sealed as long as the test runs."""
    made = tmp_path / "sealed"
    made.mkdir()
    seal_below(made, key)
    yield made
    seal_below(made, None)


def test_what_is_written_below_is_sealed_and_read_as_before(folder: Path, tmp_path: Path) -> None:
    inside, outside = folder / "deep" / "a.jpg", tmp_path / "b.jpg"
    inside.parent.mkdir()
    for path in (inside, outside):
        write_file(path, DATA)
        assert read_file(path) == b"".join(blocks_of(path)) == DATA
        assert content_hash(path) == hashlib.sha256(DATA).hexdigest()
        assert head_of(path, 5) == DATA[:5]
    assert inside.read_bytes().startswith(MARK)
    assert "晓岚".encode() not in inside.read_bytes()
    assert outside.read_bytes() == DATA
    plain = folder / "from before"
    plain.write_bytes(DATA)
    assert read_file(plain) == DATA


def test_a_file_is_moved_in_sealed_and_is_never_missing(folder: Path, tmp_path: Path) -> None:
    source = tmp_path / "upload.part"
    source.write_bytes(MARK + DATA)  # a file that only looks sealed is one like any other
    move_in(source, folder / "a.jpg")
    assert not source.exists()
    assert read_file(folder / "a.jpg") == MARK + DATA
    assert [path.name for path in folder.iterdir()] == ["a.jpg"]


@pytest.mark.parametrize("how", ["cut", "changed", "longer"])
def test_a_sealed_file_that_was_changed_is_told_and_not_read(folder: Path, how: str) -> None:
    path = folder / "a.jpg"
    write_file(path, DATA)
    whole = path.read_bytes()
    at = len(whole) - 40
    changed = {
        "cut": whole[:-20],
        "changed": whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :],
        "longer": whole + b"x",
    }
    path.write_bytes(changed[how])
    with pytest.raises(UnreadablePage, match=r"a\.jpg"):
        read_file(path)


def test_without_its_key_a_file_is_locked_and_stays_as_it_is(folder: Path, key: Path) -> None:
    path = folder / "a.jpg"
    write_file(path, DATA)
    before = path.read_bytes()
    old = secrets_of(key)
    write_key_file(key, [new_secret()])
    with pytest.raises(LockedError, match="另一把密钥"):
        read_file(path)
    write_key_file(key, [new_secret(), *old])  # noticed without a new start
    assert read_file(path) == DATA
    key.unlink()
    for work in (lambda: read_file(path), lambda: write_file(path, b"other")):
        with pytest.raises(LockedError, match="读不到密钥文件"):
            work()
    assert path.read_bytes() == before


def test_a_reading_is_kept_sealed_and_never_made_anew_for_want_of_a_key(
    folder: Path, key: Path
) -> None:
    quad = np.zeros((4, 2))
    line = Line((Char("诸", quad, 0.9),), quad, 0.9)
    reading = Reading((line,), (), (10, 10), 0, "test")
    cache = ReadingCache(folder / "cache")
    cache.put("ab" * 32, reading)
    (kept,) = (path for path in folder.rglob("*") if path.is_file())
    assert kept.read_bytes().startswith(MARK)
    found = cache.get("ab" * 32)
    assert found is not None and found.lines[0].text == "诸"
    write_key_file(key, [new_secret()])
    with pytest.raises(LockedError):
        cache.get("ab" * 32)
    with pytest.raises(LockedError):
        read_picture(kept)


def test_key_files_are_private_and_what_is_none_is_refused(tmp_path: Path, key: Path) -> None:
    assert key.stat().st_mode & 0o77 == 0
    assert len(secrets_of(key)) == len(read_keys(key).secret) == 1
    public = tmp_path / "public"
    public.write_text(f"# for backups\n{read_keys(key).name}\n")
    assert opened(sealed(DATA, read_keys(public)), read_keys(key), key) == DATA
    with pytest.raises(LockedError):
        opened(sealed(DATA, read_keys(public)), read_keys(public), public)
    wrong = tmp_path / "wrong"
    for text in (
        "",
        "# nothing\n",
        "password\n",
        key.read_text() + "more\n",
        "AGE-SECRET-KEY-1A\n",
    ):
        wrong.write_text(text)
        with pytest.raises(UsageError):
            read_keys(wrong)
        wrong.unlink()
    with pytest.raises(UsageError, match="密钥遗失"):
        read_keys(wrong)


@settings(max_examples=25, deadline=None)
@given(data=st.binary(max_size=70_000))
def test_any_bytes_come_back(data: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("keys") / "key"
    write_key_file(path, [new_secret()])
    keys = read_keys(path)
    assert opened(sealed(data, keys), keys, path) == data
