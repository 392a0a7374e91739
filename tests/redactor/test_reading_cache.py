"""The cache gives back exactly the reading that was put, or nothing."""

from __future__ import annotations

import stat
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from redactor import geometry
from redactor.errors import OutputError
from redactor.page import Char, Line, Reading
from redactor.reading_cache import ReadingCache, reading_key
from tests.redactor.golden.boxes import line, reading

NUMBERS = st.floats(-2000, 8000, width=32)
SHARES = st.integers(0, 10_000).map(lambda n: n / 10_000)
CHARS = st.builds(
    Char,
    st.text(min_size=1, max_size=2).filter(lambda t: "\x00" not in t and t.isprintable()),
    st.lists(NUMBERS, min_size=8, max_size=8).map(lambda v: np.array(v, float).reshape(4, 2)),
    SHARES,
    st.lists(st.tuples(st.sampled_from("己已巳明朋"), SHARES), max_size=3).map(tuple),
)
LINES = st.builds(
    Line,
    st.lists(CHARS, max_size=6).map(tuple),
    st.lists(NUMBERS, min_size=8, max_size=8).map(lambda v: np.array(v, float).reshape(4, 2)),
    SHARES,
    st.booleans(),
    st.sampled_from(["ink", "lifted", "pale"]),
)
READINGS = st.builds(
    Reading,
    st.lists(LINES, max_size=5).map(tuple),
    st.lists(st.just(geometry.rectangle(1, 2, 30, 40)), max_size=3).map(tuple),
    st.tuples(st.integers(1, 9000), st.integers(1, 9000)),
    st.sampled_from([0, 90, 180, 270]),
    st.text(alphabet="PP-OCRv6+3.7", max_size=20),
)


def plain(value: Reading) -> object:
    """A reading as comparable values."""
    return (
        [
            (
                [(c.text, c.quad.tolist(), c.score, c.others) for c in x.chars],
                x.quad.tolist(),
                x.score,
                x.vertical,
                x.layer,
            )
            for x in value.lines
        ],
        [cell.tolist() for cell in value.cells],
        value.size,
        value.rotation,
        value.reader,
    )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(READINGS)
def test_round_trip(tmp_path: Path, value: Reading) -> None:
    cache = ReadingCache(tmp_path / "cache")
    cache.put("ab12", value)
    kept = cache.get("ab12")
    assert kept is not None
    assert plain(kept) == plain(value)


def test_the_key_changes_with_every_pixel_the_shape_and_the_reader() -> None:
    pixels = np.zeros((4, 6, 3), np.uint8)
    one = pixels.copy()
    one[3, 5, 2] = 1
    keys = [
        reading_key(pixels, "v1"),
        reading_key(one, "v1"),
        reading_key(pixels.reshape(6, 4, 3), "v1"),
        reading_key(pixels, "v2"),
    ]
    assert len(set(keys)) == 4
    assert reading_key(np.asfortranarray(pixels), "v1") == keys[0]


@pytest.mark.parametrize("rest", [b"", b"PK\x03\x04 half a file", b"\x93NUMPY"])
def test_a_broken_file_counts_as_absent(tmp_path: Path, rest: bytes) -> None:
    cache = ReadingCache(tmp_path)
    assert cache.get("ab12") is None
    cache.put("ab12", reading(line("李明")))
    (tmp_path / "ab" / "ab12.npz").write_bytes(rest)
    assert cache.get("ab12") is None


def test_a_cut_off_file_counts_as_absent(tmp_path: Path) -> None:
    cache = ReadingCache(tmp_path)
    cache.put("ab12", reading(line("李明")))
    file = tmp_path / "ab" / "ab12.npz"
    for size in range(0, file.stat().st_size, 97):
        file.write_bytes(file.read_bytes()[:-97])
        assert cache.get("ab12") is None, size


def test_the_cache_is_private_and_leaves_no_parts(tmp_path: Path) -> None:
    cache = ReadingCache(tmp_path / "cache")
    cache.put("ab12", reading(line("李明")))
    for folder in (tmp_path / "cache", tmp_path / "cache" / "ab"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [p.name for p in (tmp_path / "cache").rglob("*") if p.is_file()] == ["ab12.npz"]


def test_a_cache_that_cannot_be_written_is_an_output_error(tmp_path: Path) -> None:
    """A full disk must stop the batch with its sentence, not with a traceback."""
    cache = ReadingCache(tmp_path)
    (tmp_path / "ab").write_text("a file where the folder should be")
    with pytest.raises(OutputError, match="--resume"):
        cache.put("ab12", reading(line("李明")))
