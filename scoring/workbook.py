"""The workbook of a tally: summary, every candidate with live formulas, pools, rules and hash."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Any

import xlsxwriter
from xlsxwriter.exceptions import FileCreateError
from xlsxwriter.worksheet import Worksheet

from scoring.case import Case, cases
from scoring.points import exact_text, rounded_text
from scoring.policy import Policy
from scoring.result import BASIS, OUTCOME, CandidateResult, Result
from scoring.round import SUBJECTS, Round
from scoring.substitution import Key, pool_key
from scoring.workbook_block import Block, Cells, Formats

# A prefecture's round has 50 to 500 candidates: up to here each has a sheet of its own. Larger
# rounds stack the same blocks on shared sheets, since no program opens 20,000 sheets.
SHEETS_UP_TO = 500
_ROWS_PER_SHEET = 1_000_000
_POOLS = "答辩平均分"
_FIXED = datetime(1980, 1, 1)


def write_workbook(
    path: Path, round_: Round, policy: Policy, result: Result, hashes: tuple[str, str]
) -> None:
    """Write the workbook. `hashes` are sha256 of the tally and of its input.

    Totals are formulas over the scores as given; each agrees with the exact result. The file is
    written to `path` directly: give a temporary path and move it.
    """
    many = len(result.candidates) > SHEETS_UP_TO
    options = {"strings_to_formulas": False, "strings_to_urls": False, "constant_memory": many}
    book = xlsxwriter.Workbook(str(path), options)
    # The same tally makes the same bytes, whenever it is written.
    book.set_properties({"created": _FIXED})
    places = policy.places
    formats = Formats(
        bold=book.add_format({"bold": True}),
        head=book.add_format({"bold": True, "bg_color": "#E8EEF4", "border": 1}),
        wrap=book.add_format({"text_wrap": True, "valign": "top"}),
        rounded=book.add_format({"num_format": "0." + "0" * places if places else "0"}),
    )
    summary = book.add_worksheet("评审结果汇总表")
    all_cases = {case.candidate.code: case for case in cases(round_)}
    pool_rows = _pool_rows(result, all_cases, policy)
    pool_sheet = book.add_worksheet(_POOLS)
    cells = _blocks(book, formats, round_, policy, result, all_cases, pool_rows)
    _summary(summary, formats, round_, policy, result, cells, hashes)
    _pools(pool_sheet, formats, result, pool_rows, cells)
    _rulings(book.add_worksheet("裁定与更正"), formats, round_)
    _policy(book.add_worksheet("政策"), formats, policy)
    _proof(book.add_worksheet("校验"), formats, hashes)
    try:
        book.close()
    except FileCreateError as error:
        raise OSError(str(error)) from error


def summary_order(result: Result) -> list[CandidateResult]:
    """Candidates by rank, those without one last, then by code."""
    last = len(result.candidates) + 1
    return sorted(result.candidates, key=lambda item: (item.rank or last, item.code))


def _blocks(
    book: Any,
    formats: Formats,
    round_: Round,
    policy: Policy,
    result: Result,
    all_cases: dict[str, Case],
    pool_rows: dict[Key, tuple[int, CandidateResult]],
) -> dict[str, Cells]:
    own_sheets = len(result.candidates) <= SHEETS_UP_TO
    cells: dict[str, Cells] = {}
    sheet, row, number = None, 0, 0
    for item in result.candidates:
        case = all_cases[item.code]
        if sheet is None or own_sheets or row > _ROWS_PER_SHEET:
            number += 1
            code = re.sub(r"[\[\]:*?/\\']", "_", item.code)
            name = f"{number:03d} {code}"[:31] if own_sheets else f"逐人计分{number}"
            sheet, row = book.add_worksheet(name), 0
            sheet.set_column(0, 0, 18)
        block = Block(sheet, row, formats, policy, round_.committee)
        entry = pool_rows.get(pool_key(case.candidate, policy))
        pool_cell = f"'{_POOLS}'!D{entry[0] + 1}" if entry else ""
        cells[item.code] = block.write(case, item, pool_cell)
        row = block.row
    return cells


def _pool_rows(
    result: Result, all_cases: dict[str, Case], policy: Policy
) -> dict[Key, tuple[int, CandidateResult]]:
    """Row of each pool's average, with one candidate who was given it."""
    rows: dict[Key, tuple[int, CandidateResult]] = {}
    row = 1
    for item in result.candidates:
        key = pool_key(all_cases[item.code].candidate, policy)
        if item.defence.basis == "substituted" and key not in rows:
            rows[key] = (row, item)
            row += len(item.defence.pool) + 2
    return rows


def _pools(
    sheet: Worksheet,
    formats: Formats,
    result: Result,
    pool_rows: dict[Key, tuple[int, CandidateResult]],
    cells: dict[str, Cells],
) -> None:
    by_code = {item.code: item for item in result.candidates}
    sheet.write_row(0, 0, ["专业", "级别", "人员", "答辩分", "精确值", "人数"], formats.head)
    for row, item in sorted(pool_rows.values(), key=lambda entry: entry[0]):
        members, points = item.defence.pool, item.defence.points
        assert points is not None
        sheet.write_row(row, 0, [item.specialty, "", "平均"], formats.bold)
        formula = f"=AVERAGE(D{row + 2}:D{row + 1 + len(members)})"
        sheet.write_formula(row, 3, formula, None, float(points))
        sheet.write_string(row, 4, exact_text(points))
        sheet.write_number(row, 5, len(members))
        for offset, code in enumerate(members, start=1):
            member = by_code[code]
            value = member.defence.points
            sheet.write_row(row + offset, 0, [member.specialty, member.level, code])
            sheet.write_formula(
                row + offset, 3, f"={cells[code].defence_exact}", None, float(value or 0)
            )


def _summary(
    sheet: Worksheet,
    formats: Formats,
    round_: Round,
    policy: Policy,
    result: Result,
    cells: dict[str, Cells],
    hashes: tuple[str, str],
) -> None:
    title = policy.notice.title if policy.notice else policy.name or ""
    committee = round_.committee
    sheet.write_string(
        0, 0, f"评审结果汇总表　{round_.year}年度　第 {round_.version} 版", formats.bold
    )
    sheet.write_string(1, 0, f"依据：{title}")
    if committee:
        sheet.write_string(2, 0, f"评委会 {committee.members} 人，出席 {committee.present} 人")
    sheet.write_string(3, 0, f"结果校验码 sha256：{hashes[0]}")
    row = 4
    for warning in result.warnings:
        sheet.write_string(row, 0, warning.zh)
        row += 1
    heads = ["名次", "编码", "专业", "级别", "评审得分", "答辩依据", "答辩得分", "总分", "同意"]
    sheet.write_row(row, 0, [*heads, "计票基数", "结果", "说明"], formats.head)
    sheet.freeze_panes(row + 1, 2)
    sheet.repeat_rows(row)
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)
    places = policy.places
    for item in summary_order(result):
        row += 1
        said = " ".join(reason.zh for reason in item.reasons)
        # Spreadsheets do not fit the height of wrapped rows by themselves on opening.
        sheet.set_row(row, 15 * max(1, -(-len(said) // 28)))
        if item.rank:
            sheet.write_number(row, 0, item.rank)
        sheet.write_row(row, 1, [item.code, item.specialty, item.level])
        refs = cells[item.code]
        for column, ref, value in (
            (4, refs.review, item.review.points),
            (6, refs.defence, item.defence.points),
            (7, refs.total, item.total),
        ):
            if value is not None:
                number = float(rounded_text(value, places))
                sheet.write_formula(row, column, f"={ref}", formats.rounded, number)
        sheet.write_string(row, 5, BASIS[item.defence.basis])
        if item.vote:
            sheet.write_number(row, 8, item.vote.yes)
            sheet.write_number(row, 9, item.vote.denominator)
        sheet.write_string(row, 10, OUTCOME[item.decision])
        sheet.write_string(row, 11, said, formats.wrap)
    sheet.set_column(0, 0, 6)
    sheet.set_column(1, 10, 11)
    sheet.set_column(11, 11, 60)


def _rulings(sheet: Worksheet, formats: Formats, round_: Round) -> None:
    sheet.write_row(0, 0, ["编码", "事项", "内容", "理由", "裁定人"], formats.head)
    row = 1
    for item in sorted(round_.rulings, key=lambda r: (r.code, r.subject)):
        values = [item.code, SUBJECTS[item.subject], item.value, item.reason, item.by]
        sheet.write_row(row, 0, values)
        row += 1
    heads = ["更正事项", "原值", "新值", "原因", "签认人"]
    sheet.write_row(row + 1, 0, heads, formats.head)
    for offset, change in enumerate(round_.corrections, start=2):
        values = [change.item, change.old, change.new, change.reason, "、".join(change.by)]
        sheet.write_row(row + offset, 0, values)
    sheet.set_column(0, 4, 24)


def _policy(sheet: Worksheet, formats: Formats, policy: Policy) -> None:
    sheet.write_row(0, 0, ["项", "内容"], formats.head)
    for row, (key, value) in enumerate(flat(policy.document()), start=1):
        sheet.write_row(row, 0, [key, value])
    sheet.set_column(0, 0, 34)
    sheet.set_column(1, 1, 90)


def flat(value: Any, path: str = "") -> list[tuple[str, str]]:
    """A nested document as (dotted key, text) lines; entries of lists are numbered from 1."""
    if isinstance(value, dict):
        return [line for key, item in value.items() for line in flat(item, f"{path}.{key}")]
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        return [line for i, item in enumerate(value, start=1) for line in flat(item, f"{path}.{i}")]
    text = "、".join(map(str, value)) if isinstance(value, list) else str(value)
    return [(path.lstrip("."), text)]


def _proof(sheet: Worksheet, formats: Formats, hashes: tuple[str, str]) -> None:
    sheet.write_row(0, 0, ["结果 sha256", hashes[0]], formats.bold)
    sheet.write_row(1, 0, ["输入 sha256", hashes[1]])
    lines = (
        "本表由 RESULT.json 同一次汇总生成。复核：mangping verify-tally RESULT.json，"
        "打印的校验码应与本表和签字纪要上的一致。",
        "本表的公式用于查看计算过程；以精确值（分数）为准，四舍五入只在显示时做一次。",
    )
    for row, line in enumerate(lines, start=3):
        sheet.write_string(row, 0, line)
    sheet.set_column(0, 0, 16)
