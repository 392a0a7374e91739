"""A round as a workbook: every bad cell reported with sheet, row, column and remedy, at once."""

from __future__ import annotations

import unicodedata
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.utils import get_column_letter

from scoring.errors import InputError, Problem, Sentence, problem
from scoring.policy import Policy
from scoring.round import Round
from scoring.round_reading import build_round
from scoring.round_rows import RoundRows, Row, RowPlace
from scoring.round_sheets import (
    BALLOTS,
    CANDIDATES,
    CORRECTIONS,
    DEFENCE,
    MEETING,
    MEETING_ITEMS,
    REQUIRED,
    RULINGS,
    SHEETS,
    SheetShape,
)

MOST_CELLS = 5_000_000
"""Of all sheets, empty ones included."""
_NUMBERS = ("yes", "no", "abstain", "spoiled")


def read_round_xlsx(path: Path, policy: Policy) -> Round:
    """The checked round in a workbook with the sheets of `round_sheets`.

    Rows above the headings are skipped, and so are empty rows. Raises InputError with every
    problem of the workbook.
    """
    try:
        sheets = _cells(path)
    except Exception as error:  # openpyxl lets many kinds out of a damaged file
        raise InputError(
            problem(
                f"工作簿 {path} 无法读取：{error}。请另存为 .xlsx。",
                f"The workbook {path} cannot be read: {error}. Save it as .xlsx.",
            )
        ) from error
    problems: list[Problem] = []
    tables = {}
    for shape in (*REQUIRED, CORRECTIONS):
        if shape.name in sheets:
            tables[shape.name] = _table(shape, sheets[shape.name], policy, problems)
        elif shape is not CORRECTIONS:
            problems.append(
                problem(
                    f"缺少工作表“{shape.name}”。请补上（可以只有表头）。",
                    f"Sheet '{shape.name}' is missing. Add it (headings alone will do).",
                )
            )
    rows = _rows(tables, problems)
    try:
        round_ = build_round(rows, policy)
    except InputError as error:
        # A sheet that is missing or has no headings explains itself; do not report its echo.
        raise InputError([*problems, *error.problems]) from error
    if problems:
        raise InputError(problems)
    return round_


def _cells(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of the sheets that a round has. ValueError when they span too many cells."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    left = MOST_CELLS
    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    try:
        for shape in (*REQUIRED, CORRECTIONS):
            if shape.name not in book.sheetnames:
                continue
            rows = found.setdefault(shape.name, [])
            for row in book[shape.name].iter_rows(values_only=True):
                rows.append(row)
                # A row counts even when it is empty: its number alone makes all those above it.
                left -= len(row) + 1
                if left < 0:
                    raise ValueError("too many cells")
    finally:
        book.close()
    return found


def _table(
    shape: SheetShape, cells: list[tuple[Any, ...]], policy: Policy, problems: list[Problem]
) -> list[Row]:
    headings = dict(shape.headings)
    if shape is SHEETS:
        for criterion in policy.criterion:
            headings[criterion.id] = headings[criterion.name] = f"scores.{criterion.id}"
    top = next((i for i, row in enumerate(cells) if _is_header(shape, headings, row)), None)
    if top is None:
        if any(value is not None for row in cells for value in row) or shape.name == "会议":
            wanted = "、".join(shape.headings)
            problems.append(
                problem(
                    f"工作表“{shape.name}”找不到表头行。表头应有：{wanted}。",
                    f"Sheet '{shape.name}' has no heading row. Headings: {wanted}.",
                )
            )
        return []
    columns: dict[str, tuple[str, str]] = {}
    fields: dict[int, str] = {}
    for index, value in enumerate(cells[top]):
        heading = _plain(value)
        if not heading or heading == "备注":
            continue
        name, letter = headings.get(heading, ""), get_column_letter(index + 1)
        place = Sentence(f"工作表“{shape.name}”{letter} 列", f"sheet '{shape.name}', {letter}")
        if not name:
            what = Sentence(
                f"不认识的表头“{heading}”。可用：{'、'.join(headings)}、备注。",
                f"Unknown heading '{heading}'. Known: {', '.join(headings)}, 备注.",
            )
            problems.append(Problem(place, what))
        elif name in columns:
            what = Sentence(
                f"表头“{heading}”重复。请只保留一列。", f"Heading '{heading}' is there twice."
            )
            problems.append(Problem(place, what))
        else:
            columns[name] = (letter, heading)
            fields[index] = name
    found = []
    for number, row in enumerate(cells[top + 1 :], start=top + 2):
        values = {name: _value(shape, name, row[i]) for i, name in fields.items() if i < len(row)}
        if any(value is not None for value in values.values()):
            found.append(Row(values, RowPlace(shape.name, number, columns)))
    return found


def _is_header(shape: SheetShape, headings: dict[str, str], row: tuple[Any, ...]) -> bool:
    names = {headings.get(_plain(value)) for value in row}
    return set(shape.needed) <= names


def _plain(value: Any) -> str:
    text = "" if value is None else str(value)
    return "".join(unicodedata.normalize("NFKC", text).split())


def _value(shape: SheetShape, name: str, value: Any) -> Any:
    """A cell as the checks want it; what fits nothing is passed on for them to report."""
    if isinstance(value, str):
        value = unicodedata.normalize("NFKC", value).strip()
        if not value:
            return None
    words = shape.words.get(name, {})
    folded = {unicodedata.normalize("NFKC", key): item for key, item in words.items()}
    if isinstance(value, str) and value in folded:
        return folded[value]
    if name in _NUMBERS:
        return _whole(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return number_text(value)
    return value


def _whole(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and value.isdecimal():
        return int(value)
    return value


def number_text(value: int | float) -> str:
    """What was typed into a number cell: 26.5 -> "26.5", 12.0 -> "12", with no binary tail.

    A number that a formula computed may have more digits than anyone typed; it keeps them, and
    the check of a score then refuses it.
    """
    return f"{Decimal(repr(value)).normalize():f}"


def _rows(tables: dict[str, list[Row]], problems: list[Problem]) -> RoundRows:
    head = _head(tables.get(MEETING.name, []), problems)
    sheets, recusals = [], []
    for row in tables.get(SHEETS.name, []):
        values = dict(row.values)
        state = values.pop("state", None) or "valid"
        if state == "recused":
            recusals.append(
                Row({"reviewer": values.get("reviewer"), "code": values.get("code")}, row.place)
            )
        if state not in ("valid", "excluded", "recused"):
            what = Sentence(
                f"“{state}”不是评分表状态。可用：有效、排除、回避。",
                f"'{state}' is no state of a sheet. Use 有效, 排除 or 回避.",
            )
            problems.append(Problem(row.place.at("state"), what))
        scores = {k[7:]: values.pop(k) for k in list(values) if k.startswith("scores.")}
        scored = any(value is not None for value in scores.values())
        if state != "recused" or scored:
            excluded = state == "excluded"
            sheets.append(Row({**values, "scores": scores, "excluded": excluded}, row.place))
    defence_scores, defence_results = [], []
    for row in tables.get(DEFENCE.name, []):
        code, passed = row.values.get("code"), row.values.get("passed")
        if passed is not None:
            defence_results.append(Row({"code": code, "passed": passed}, row.place))
        if row.values.get("score") is not None or passed is None:
            values = {key: row.values.get(key) for key in ("judge", "code", "score")}
            defence_scores.append(Row(values, row.place))
    corrections = [
        Row(
            {
                **{k: v for k, v in row.values.items() if k not in ("first", "second")},
                "by": [row.values.get("first"), row.values.get("second")],
            },
            row.place,
        )
        for row in tables.get(CORRECTIONS.name, [])
    ]
    return RoundRows(
        head,
        tables.get(CANDIDATES.name, []),
        sheets,
        recusals,
        defence_scores,
        defence_results,
        [Row({**row.values}, row.place) for row in tables.get(BALLOTS.name, [])],
        tables.get(RULINGS.name, []),
        corrections,
    )


def _head(rows: list[Row], problems: list[Problem]) -> Row:
    """The 会议 sheet as the head of a round; each item keeps the place of its own row."""
    values: dict[str, Any] = {}
    columns: dict[str, tuple[str, str]] = {}
    for row in rows:
        name = MEETING_ITEMS.get(_plain(row.values.get("item")))
        if name is None:
            wanted = "、".join(MEETING_ITEMS)
            what = Sentence(f"不认识的项目。可用：{wanted}。", f"Unknown item. Known: {wanted}.")
            problems.append(Problem(row.place.at("item"), what))
        elif row.values.get("value") is not None:
            values[name] = row.values["value"]
    for name in ("year", "members", "present", "version"):
        if name in values:
            values[name] = _whole(values[name])
    committee: dict[str, Any] = {
        k: values.pop(k) for k in ("members", "present", "chair") if k in values
    }
    names = str(values.pop("attendance", "")).replace("、", ",").replace("，", ",")
    attendance = [name.strip() for name in names.split(",") if name.strip()]
    if attendance:
        committee["attendance"] = attendance
    if committee:
        values["committee"] = committee
    for zh, name in MEETING_ITEMS.items():
        columns[name] = columns[f"committee.{name}"] = ("B", zh)
    return Row(values, RowPlace(MEETING.name, 1, columns))
