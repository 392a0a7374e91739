"""Damaged files are refused with the reader's own error, no other (longer: benchmarks/fuzz.py)."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fuzzing import TARGETS, Target, explore, outcome, packed_file, rosters, round_books


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_a_damaged_file_is_read_or_refused(target: Target, tmp_path: Path) -> None:
    explore(target, tmp_path, times=25)


def book_of(sheet: str) -> Callable[[bytes], bytes]:
    """A workbook whose sheets are all this XML."""

    def made(sample: bytes) -> bytes:
        with zipfile.ZipFile(io.BytesIO(sample)) as packed:
            members = {name: packed.read(name) for name in packed.namelist()}
        space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
        for name in members:
            if "worksheets/sheet" in name:
                members[name] = f'<worksheet xmlns="{space}">{sheet}</worksheet>'.encode()
        return packed_file(members)

    return made


FIRST = '<row r="1"><c r="A1"><v>1</v></c></row>'
LAST = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
WIDE = {
    "last cell": f"<sheetData>{FIRST}{LAST}</sheetData>",
    "merged": f'<sheetData>{FIRST}</sheetData><mergeCells><mergeCell ref="A1:XFD1048576"/>'
    "</mergeCells>",
    "many merged": f"<sheetData>{FIRST}</sheetData><mergeCells>"
    + '<mergeCell ref="A1:Z9999"/>' * 9
    + "</mergeCells>",
    "cells without numbers": f"<sheetData><row>{'<c/>' * 2_000_001}</row></sheetData>",
}
"""Workbooks of a few kB that would fill the memory; all of them once did, or took minutes."""
LONG_ROWS = (
    '<dimension ref="A1:XFD1048576"/><sheetData>'
    + "".join(f'<row r="{n}"/>' for n in range(1, 1_000))
    + "</sheetData>"
)


@pytest.mark.parametrize("sheet", WIDE.values(), ids=WIDE)
@pytest.mark.parametrize("name", ["roster", "experts"])
def test_a_sheet_that_spans_too_many_cells_is_refused_before_they_are_made(
    name: str, sheet: str, tmp_path: Path
) -> None:
    target = target_of(name)
    with pytest.raises(target.errors, match="范围过大"):
        target.read(book_of(sheet)(rosters()[0]), tmp_path)


def test_a_round_with_endless_rows_is_refused(tmp_path: Path) -> None:
    target = target_of("round workbook")
    with pytest.raises(target.errors, match="too many cells"):
        target.read(book_of(LONG_ROWS)(round_books()[0]), tmp_path)


def test_a_workbook_without_a_sheet_lists_no_experts(tmp_path: Path) -> None:
    """Found by the long run: a workbook of charts alone is a whole file."""

    def without_sheets(sample: bytes) -> bytes:
        with zipfile.ZipFile(io.BytesIO(sample)) as packed:
            members = {name: packed.read(name) for name in packed.namelist()}
        book = members["xl/workbook.xml"].decode()
        members["xl/workbook.xml"] = re.sub(r"<sheets>.*</sheets>", "<sheets/>", book).encode()
        return packed_file(members)

    book = without_sheets(rosters()[0])
    assert outcome(target_of("experts"), book, tmp_path) == ""
    assert outcome(target_of("roster"), book, tmp_path) == "RosterError"


POLICIES = {
    "nested": b"a = " + b"[" * 3_000 + b"]" * 3_000,
    "dotted": b"[" + b".".join([b"a"] * 2_000) + b"]\n",
    "digits": b"[notice]\nyear = " + b"9" * 5_000,
    "exponent": b'extends = "science_bazhou_2024"\n[defence]\nmax = 1e999999999\n',
}


@pytest.mark.parametrize("text", POLICIES.values(), ids=POLICIES)
def test_a_policy_beyond_all_measure_is_refused(text: bytes, tmp_path: Path) -> None:
    assert outcome(target_of("policy"), text, tmp_path) == "PolicyError"


def target_of(name: str) -> Target:
    (found,) = (target for target in TARGETS if target.name == name)
    return found
