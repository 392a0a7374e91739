"""The workbook that a secretary fills in: empty with lists to choose from, or a round's data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import xlsxwriter

from scoring.points import decimal_text
from scoring.policy import GROUNDS, Policy
from scoring.round import ATTENDANCE, SUBJECTS, Round
from scoring.round_sheets import (
    BALLOTS,
    CANDIDATES,
    CORRECTIONS,
    DEFENCE,
    MEETING,
    MEETING_ITEMS,
    RULINGS,
    SHEETS,
    VALUES,
    SheetShape,
)

_ROWS = 5000
_ZH_VALUES = {"revoked": "撤销", "keep": "计入", "drop": "不计入", "pass": "通过", "fail": "未通过"}
assert set(_ZH_VALUES.values()) <= set(VALUES)


def write_round_workbook(path: Path, policy: Policy, round_: Round | None = None) -> None:
    """Write a round's workbook with the rubric's columns; without `round_` an empty template."""
    book = xlsxwriter.Workbook(str(path), {"strings_to_formulas": False, "strings_to_urls": False})
    bold = book.add_format({"bold": True, "bg_color": "#E8EEF4", "border": 1})
    criteria = [criterion.name for criterion in policy.criterion]
    tables: list[tuple[SheetShape, list[str], list[list[Any]]]] = [
        (MEETING, [], _meeting(round_)),
        (CANDIDATES, [], _candidates(round_)),
        (SHEETS, criteria, _sheets(round_, policy)),
        (DEFENCE, [], _defence(round_)),
        (BALLOTS, [], _ballots(round_)),
        (RULINGS, [], _rulings(round_)),
        (CORRECTIONS, [], _corrections(round_)),
    ]
    for shape, more, rows in tables:
        sheet = book.add_worksheet(shape.name)
        headings = [*shape.headings, *more]
        sheet.write_row(0, 0, headings, bold)
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, len(headings) - 1, 14)
        for index, row in enumerate(rows, start=1):
            sheet.write_row(index, 0, row)
        for column, name in enumerate(shape.headings.values()):
            if name in shape.words and name != "value":
                words = [word for word in shape.words[name] if not word.isascii()]
                sheet.data_validation(
                    1, column, _ROWS, column, {"validate": "list", "source": words}
                )
    book.close()


def _meeting(round_: Round | None) -> list[list[Any]]:
    if round_ is None:
        return [[item] for item in MEETING_ITEMS]
    committee = round_.committee
    values: list[Any] = [round_.year]
    if committee:
        names = ", ".join(committee.attendance)
        values += [committee.members, committee.present, names, committee.chair]
    else:
        values += ["", "", "", ""]
    values += [round_.version, round_.replaces]
    return [list(pair) for pair in zip(MEETING_ITEMS, values, strict=True)]


def _candidates(round_: Round | None) -> list[list[Any]]:
    return [
        [
            item.code,
            item.specialty,
            item.level,
            ATTENDANCE[item.defence],
            GROUNDS[item.ground][0] if item.ground else "",
            "是" if item.disqualified else "",
            "是" if item.disqualified_after_lock else "",
        ]
        for item in (round_.candidates if round_ else ())
    ]


def _sheets(round_: Round | None, policy: Policy) -> list[list[Any]]:
    if round_ is None:
        return []
    recused = {(item.reviewer, item.code) for item in round_.recusals}
    rows = []
    for sheet in round_.sheets:
        away = (sheet.reviewer, sheet.code) in recused
        state = "回避" if away else "排除" if sheet.excluded else "有效"
        scores = [
            decimal_text(sheet.scores[c.id]) if c.id in sheet.scores else ""
            for c in policy.criterion
        ]
        rows.append([sheet.reviewer, sheet.code, state, sheet.reason, *scores])
    held = {(sheet.reviewer, sheet.code) for sheet in round_.sheets}
    return rows + [[reviewer, code, "回避"] for reviewer, code in sorted(recused - held)]


def _defence(round_: Round | None) -> list[list[Any]]:
    if round_ is None:
        return []
    scored = [[item.judge, item.code, decimal_text(item.score)] for item in round_.defence_scores]
    judged = [
        ["", code, "", "通过" if passed else "未通过"]
        for code, passed in round_.defence_results.items()
    ]
    return scored + judged


def _ballots(round_: Round | None) -> list[list[Any]]:
    items = round_.ballots.items() if round_ else ()
    return [[code, b.yes, b.no, b.abstain, b.spoiled] for code, b in items]


def _rulings(round_: Round | None) -> list[list[Any]]:
    return [
        [item.code, SUBJECTS[item.subject], _ZH_VALUES.get(item.value, item.value)]
        + [item.reason, item.by]
        for item in (round_.rulings if round_ else ())
    ]


def _corrections(round_: Round | None) -> list[list[Any]]:
    return [
        [item.item, item.old, item.new, item.reason, *item.by]
        for item in (round_.corrections if round_ else ())
    ]
