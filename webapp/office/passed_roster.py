"""Writes 是否通过 into a roster as it was sent: the same sheet, every other cell as it stood."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from pathlib import Path

import openpyxl
from openpyxl import Workbook
from openpyxl.cell.cell import MergedCell
from openpyxl.worksheet.worksheet import Worksheet

from models.errors import RuleError, Sentence
from redactor.applicant import Applicant
from redactor.errors import UsageError
from redactor.roster import RosterError, read_roster
from redactor.roster_cells import read_grids
from redactor.roster_header import find_header
from redactor.sealed_files import read_file
from webapp.office.old_workbook import modern
from webapp.redactor_errors import rule_error

HEADING = "是否通过"
WORDS = {"pass": "是", "fail": "否", "undetermined": "待裁定"}


@dataclass(frozen=True)
class Written:
    """A roster with the outcome. `rows`: how many were filled. `left`: rows without a result."""

    data: bytes
    suffix: str
    rows: int
    left: tuple[str, ...]
    note: Sentence | None = None


def write_passed(path: Path, decisions: Mapping[tuple[int, str], str]) -> Written:
    """The roster at `path` with each applicant's outcome in 是否通过.

    `decisions`: (number, name) -> pass, fail or undetermined. A row of nobody in it keeps what
    it says. The column is put behind the last one where the sheet lacks it. An .xls becomes an
    .xlsx that says and looks the same. RuleError for a file that is no roster.
    """
    try:
        grids = read_grids(path)
        roster = read_roster(path, grids)
    except RosterError as error:
        raise RuleError([Sentence(c.problem.zh, c.problem.en) for c in error.cells]) from error
    except UsageError as error:
        raise rule_error(error) from error
    grid = next(grid for grid in grids if grid.name == roster.sheet)
    header = find_header(grid)
    if header is None:
        raise RuleError(Sentence("花名册没有表头。", "The roster has no header row."))
    cells = {
        person.row: WORDS[decisions[person.number, person.name]]
        for person in roster.applicants
        if (person.number, person.name) in decisions
    }
    left = tuple(_who(person) for person in roster.applicants if person.row not in cells)
    known = header.columns.get("passed")
    column = known if known is not None else max(len(row) for row in grid.rows)
    if known is None:
        cells[header.first] = HEADING
    rows = len(cells) - (known is None)
    data = read_file(path)
    if data.startswith(b"PK\x03\x04"):
        book = openpyxl.load_workbook(io.BytesIO(data), rich_text=True)
        return Written(
            _filled(book, roster.sheet, column, cells, fresh=known is None), ".xlsx", rows, left
        )
    if path.suffix.lower() == ".csv":
        return Written(_csv(data, column, cells), ".csv", rows, left)
    note = Sentence(
        "原花名册是旧格式 .xls，已另存为 .xlsx：内容、字体、边框、列宽、合并、批注相同，"
        "公式保留为数值。",
        "The roster was an old .xls and is saved as .xlsx: cells, fonts, borders, widths, merges "
        "and notes are the same; formulas stay as their values.",
    )
    book = modern(data)
    return Written(
        _filled(book, roster.sheet, column, cells, fresh=known is None), ".xlsx", rows, left, note
    )


def _who(person: Applicant) -> str:
    return f"{person.number} {person.name}"


def _filled(
    book: Workbook, sheet: str, column: int, cells: Mapping[int, str], *, fresh: bool
) -> bytes:
    _fill(book[sheet], column, cells)
    for row in cells if fresh and column else ():
        # A new column looks like the one before it.
        book[sheet].cell(row, column + 1)._style = copy(book[sheet].cell(row, column)._style)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _fill(sheet: Worksheet, column: int, cells: Mapping[int, str]) -> None:
    """`column` from 0, rows from 1."""
    for row, text in cells.items():
        cell = sheet.cell(row, column + 1)
        if isinstance(cell, MergedCell):
            raise RuleError(
                Sentence(
                    f"工作表“{sheet.title}”第 {row} 行的“{HEADING}”与别的单元格合并，无法填写。"
                    "请取消合并后重新上传花名册。",
                    f"Row {row} of {HEADING} in the sheet {sheet.title} is merged with another "
                    "cell. Unmerge it and upload the roster again.",
                )
            )
        cell.value = text


def _csv(data: bytes, column: int, cells: Mapping[int, str]) -> bytes:
    """Every other cell keeps its text, and the file its encoding and delimiter."""
    encoding = _encoding(data)
    text = data.decode(encoding)
    head = text[:4000]
    delimiter = max(",\t;", key=lambda mark: (head.count(mark), mark == ","))
    out = io.StringIO()
    ending = "\r\n" if "\r\n" in text else "\n"
    writer = csv.writer(out, delimiter=delimiter, lineterminator=ending)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    for number, row in enumerate(reader, 1):
        if number in cells:
            row += [""] * (column + 1 - len(row))
            row[column] = cells[number]
        writer.writerow(row)
    return out.getvalue().encode(encoding)


def _encoding(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    for encoding in ("utf-8-sig" if data.startswith(b"\xef\xbb\xbf") else "utf-8", "gb18030"):
        try:
            data.decode(encoding)
        except UnicodeDecodeError:
            continue
        return encoding
    raise RuleError(Sentence("花名册的编码无法识别。", "The roster's encoding is not known."))
