"""Writes quality.xlsx: which pages the office sends back to which applicant, why, how to mend them.

The list goes to applicants, so it is in Chinese and holds no blind code.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import xlsxwriter

from redactor.applicant import Applicant
from redactor.errors import Sentence
from redactor.page import State
from redactor.quality import quality_of
from redactor.quality_advice import advice
from redactor.whole_file import write_whole

COLUMNS = ("序号", "姓名", "文件", "页", "问题", "说明", "改进办法")
_WIDTHS = (6, 18, 48, 6, 26, 44, 52)
_REJECTED = "无法处理"
"""What a page or file is said to be that could not be opened; its reason says why."""
_ASK = "请检查该文件能否正常打开，另存为 JPG 或 PDF 后重新提交。"


@dataclass(frozen=True)
class Fault:
    """One row: `page` counts from 1, 0 for a whole file; `number` 0 when nobody is known."""

    number: int
    name: str
    file: str
    page: int
    problem: str
    figures: str
    remedy: str


def write_quality_list(
    path: Path,
    values: Mapping[str, Any],
    applicants: Sequence[Applicant],
    problems: Sequence[tuple[str, Sentence]] = (),
) -> int:
    """Writes the list as .xlsx and returns its number of rows; an empty list is written, too.

    `values`: those of report.json. `problems`: files that were left out, with the reason
    (batch.Outcome.problems). OutputError when the file cannot be written.
    """
    rows = faults(values, applicants, problems)
    buffer = io.BytesIO()
    # A cell is what was typed: a file name that begins with = is no formula.
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(buffer, options) as book:
        sheet = book.add_worksheet("需重新提交")
        bold = book.add_format({"bold": True, "bottom": 1})
        wrapped = book.add_format({"text_wrap": True, "valign": "top"})
        sheet.write_row(0, 0, COLUMNS, bold)
        for at, row in enumerate(rows, 1):
            cells = (row.number or "", row.name, row.file, row.page or "", row.problem,
                     row.figures, row.remedy)  # fmt: skip
            sheet.write_row(at, 0, cells, wrapped)
        for column, width in enumerate(_WIDTHS):
            sheet.set_column(column, column, width)
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, max(1, len(rows)), len(COLUMNS) - 1)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(0)
    write_whole(path, buffer.getvalue())
    return len(rows)


def faults(
    values: Mapping[str, Any],
    applicants: Sequence[Applicant],
    problems: Sequence[tuple[str, Sentence]] = (),
) -> tuple[Fault, ...]:
    """All rows in roster order, pages before left-out files; files of nobody known come last."""
    names = {applicant.number: applicant.name for applicant in applicants}
    pages = values["pages"]
    rows = [fault for page in pages for fault in _of_page(page, names)]
    owner = {_folder(page["source"]): page["applicant"] for page in pages}
    for where, what in problems:
        number = owner.get(_folder(where), 0)
        rows.append(Fault(number, names.get(number, ""), where, 0, _REJECTED, what.zh, _ASK))
    order = {applicant.number: at for at, applicant in enumerate(applicants)}
    return tuple(sorted(rows, key=lambda row: order.get(row.number, len(order))))


def _of_page(page: Mapping[str, Any], names: Mapping[int, str]) -> Iterator[Fault]:
    who = page["applicant"], names.get(page["applicant"], "")
    place = page["source"], page["source_page"] + 1
    if page["state"] == State.FAILED:
        yield Fault(*who, *place, _REJECTED, page["reason"], _ASK)
        return
    for one in advice(quality_of(page["quality"])):
        yield Fault(*who, *place, one.problem.zh, one.figures.zh, one.remedy.zh)


def _folder(source: str) -> str:
    """The applicant's folder of a path below the scans, "" for a file beside the folders."""
    parts = PurePosixPath(source).parts
    return parts[0] if len(parts) > 1 else ""
