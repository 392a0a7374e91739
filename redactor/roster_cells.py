"""Opens .xlsx, .xls and .csv rosters as plain grids, and turns raw cells into text."""

from __future__ import annotations

import contextlib
import csv
import io
import re
import unicodedata
import zipfile
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import IO
from xml.parsers import expat

import openpyxl
import xlrd
from openpyxl.utils import column_index_from_string, get_column_letter, range_boundaries

from redactor.errors import UsageError
from redactor.sealed_files import read_file

MAX_BYTES = 50_000_000
MOST_CELLS = 2_000_000
"""Of a sheet, empty ones included: twenty columns of 100,000 people."""
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

CellValue = str | int | float | bool | datetime | date | None


@dataclass(frozen=True)
class Grid:
    """One sheet. `rows[r][c]`, both from 0. `filled`: cells that repeat the top of a merged one."""

    name: str
    rows: tuple[tuple[CellValue, ...], ...]
    filled: frozenset[tuple[int, int]] = frozenset()

    def at(self, row: int, column: int) -> CellValue:
        """A cell's value, None outside of the sheet."""
        cells = self.rows[row] if row < len(self.rows) else ()
        return cells[column] if column < len(cells) else None


def read_grids(path: Path) -> tuple[Grid, ...]:
    """All sheets of a file; its content, not its name, decides the format. UsageError else."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UsageError(
                f"名册 {path.name} 超过 {MAX_BYTES // 1_000_000} MB，不像名册。"
                "请另存一份只含名册的文件。",
                f"The roster {path.name} is larger than {MAX_BYTES // 1_000_000} MB. Save a file "
                "that holds the roster only.",
            )
        data = read_file(path)
    except OSError as error:
        raise UsageError(
            f"无法打开名册 {path}：{error.strerror}。请核对路径，或关闭正在使用它的程序。",
            f"The roster {path} cannot be opened: {error.strerror}. Check the path, or close the "
            "program that uses it.",
        ) from error
    if data.startswith(_ZIP):
        return _xlsx(data, path)
    if data.startswith(_OLE):
        return _xls(data, path)
    if re.match(rb"\s*(?:\xef\xbb\xbf)?\s*<(?:!doctype|html|\?xml|table|meta)", data[:200], re.I):
        raise UsageError(
            f"名册 {path.name} 其实是网页格式。请用 Excel 打开后另存为 .xlsx。",
            f"The roster {path.name} is in fact a web page. Open it in Excel and save it as .xlsx.",
        )
    return (_csv(data, path),)


class _TooManyCells(Exception):
    """A sheet reaches further than any list of people."""


def _damaged(path: Path, error: Exception) -> UsageError:
    if isinstance(error, _TooManyCells):
        return UsageError(
            f"名册 {path.name} 的工作表范围过大（超过 {MOST_CELLS // 10_000} 万个单元格，含空白），"
            "未读取。请把名单单独复制到新的工作簿后另存为 .xlsx。",
            f"A sheet of the roster {path.name} reaches over more than {MOST_CELLS:,} cells, empty "
            "ones included, and was not read. Copy the list alone into a new workbook and save it "
            "as .xlsx.",
        )
    what = type(error).__name__
    return UsageError(
        f"名册 {path.name} 已损坏或有密码（{what}）。请用 Excel 打开，去掉密码后另存为 .xlsx。",
        f"The roster {path.name} is damaged or has a password ({what}). Open it in Excel, remove "
        "the password and save it as .xlsx.",
    )


def _xlsx(data: bytes, path: Path) -> tuple[Grid, ...]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(item.file_size for item in archive.infolist()) > 10 * MAX_BYTES:
                raise ValueError("too large when unpacked")
            _refuse_wide(archive)
        book = openpyxl.load_workbook(io.BytesIO(data), data_only=True)
        return tuple(_openpyxl_grid(sheet) for sheet in book.worksheets)
    except Exception as error:  # openpyxl lets many kinds out of a damaged file
        raise _damaged(path, error) from error


def _refuse_wide(archive: zipfile.ZipFile) -> None:
    """_TooManyCells when a sheet spans too many cells, however few it holds.

    A few bytes suffice to merge a whole sheet or to fill its last cell; openpyxl then makes all
    17,179,869,184 cells between. Any part of the file may be a sheet.
    """
    for item in archive.infolist():
        with archive.open(item) as part, contextlib.suppress(expat.ExpatError):
            _refuse_wide_part(part)  # what is no XML cannot be a sheet


def _refuse_wide_part(part: IO[bytes]) -> None:
    count = rows = columns = merged = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal count, rows, columns, merged
        name = tag.rpartition(" ")[2]
        if name == "c":
            count += 1
            if place := re.fullmatch(r"([A-Za-z]{1,3})(\d{1,7})", attributes.get("r", "")):
                columns = max(columns, column_index_from_string(place[1]))
                rows = max(rows, int(place[2]))
        elif name == "row" and re.fullmatch(r"\d{1,7}", attributes.get("r", "")):
            rows = max(rows, int(attributes["r"]))
        elif name == "mergeCell":
            left, top, right, bottom = range_boundaries(attributes.get("ref", ""))
            merged += (right - left + 1) * (bottom - top + 1)
        if max(count, rows * columns, merged) > MOST_CELLS:
            raise _TooManyCells

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = start
    parser.ParseFile(part)


def _openpyxl_grid(sheet: openpyxl.worksheet.worksheet.Worksheet) -> Grid:
    rows = [list(row) for row in sheet.iter_rows(values_only=True)]
    spans = [(r.min_row - 1, r.max_row, r.min_col - 1) for r in sheet.merged_cells.ranges]
    return _grid(sheet.title, rows, spans)


def _xls(data: bytes, path: Path) -> tuple[Grid, ...]:
    try:
        said = io.StringIO()  # it would print what it finds odd
        book = xlrd.open_workbook(file_contents=data, formatting_info=True, logfile=said)
        return tuple(_xlrd_grid(sheet, book.datemode) for sheet in book.sheets())
    except Exception as error:  # as above
        raise _damaged(path, error) from error


def _xlrd_grid(sheet: xlrd.sheet.Sheet, datemode: int) -> Grid:
    if sheet.nrows * sheet.ncols > MOST_CELLS:
        raise _TooManyCells
    rows = [
        [_xlrd_value(sheet.cell(r, c), datemode) for c in range(sheet.ncols)]
        for r in range(sheet.nrows)
    ]
    spans = [(low, high, left) for low, high, left, _ in sheet.merged_cells]
    return _grid(sheet.name, rows, spans)


def _xlrd_value(cell: xlrd.sheet.Cell, datemode: int) -> CellValue:
    if cell.ctype == xlrd.XL_CELL_DATE:
        moment: datetime = xlrd.xldate_as_datetime(cell.value, datemode)
        return moment
    if cell.ctype == xlrd.XL_CELL_ERROR:
        return str(xlrd.error_text_from_code.get(cell.value, "#ERR"))
    if cell.ctype in (xlrd.XL_CELL_EMPTY, xlrd.XL_CELL_BLANK):
        return None
    value: CellValue = cell.value
    return value


def _grid(name: str, rows: list[list[CellValue]], spans: list[tuple[int, int, int]]) -> Grid:
    """Fills merged cells downwards (first column of each), never sideways: titles are wide."""
    filled = set()
    for low, high, column in spans:
        for row in range(low + 1, min(high, len(rows))):
            if column < len(rows[low]) and column < len(rows[row]):
                rows[row][column] = rows[low][column]
                filled.add((row, column))
    return Grid(name, tuple(tuple(row) for row in rows), frozenset(filled))


def _csv(data: bytes, path: Path) -> Grid:
    text = _decoded(data, path)
    head = text[:4000]
    delimiter = max(",\t;", key=lambda mark: (head.count(mark), mark == ","))
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise _damaged(path, error) from error
    # ="0123" is how programs keep Excel from turning text into numbers.
    tidy = (tuple(re.sub(r'^="(.*)"$', r"\1", cell) or None for cell in row) for row in rows)
    return Grid(path.name, tuple(tidy))


def _decoded(data: bytes, path: Path) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    else:
        encodings = ["utf-8-sig", "gb18030"]
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise UsageError(
        f"无法识别名册 {path.name} 的格式：既不是 Excel 文件，也不是 UTF-8 或 GB18030 编码的 CSV。"
        "请用 Excel 另存为 .xlsx。",
        f"The roster {path.name} is neither an Excel file nor a CSV in UTF-8 or GB18030. Save it "
        "as .xlsx.",
    )


def text_of(value: CellValue) -> str:
    """A cell as trimmed text in NFKC: whole numbers without .0, dates as YYYY-MM-DD."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        value = int(value)
    text = unicodedata.normalize("NFKC", str(value))
    text = "".join(c for c in text if unicodedata.category(c) != "Cf")
    return text.strip().lstrip("'’").strip()


def date_text(value: CellValue) -> str:
    """A date cell as text; an Excel serial number (whole, 1954-2064) is turned into its day."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        if 20000 <= value <= 60000 and float(value).is_integer():
            return (date(1899, 12, 30) + timedelta(days=int(value))).isoformat()
        if 195000 <= value <= 209912 and float(value).is_integer():
            return f"{int(value) // 100}-{int(value) % 100:02d}"
    return text_of(value)


def is_number(value: CellValue) -> bool:
    """Whether the sheet holds a number, which keeps 15 digits at most."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def column_letter(column: int) -> str:
    """Letter of a column counted from 0."""
    return str(get_column_letter(column + 1))
