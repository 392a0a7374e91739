"""A list of experts as people have one: pasted lines or a sheet, with a header or without."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from models.errors import RuleError, Sentence
from models.office_experts import ExpertRow, is_seat
from redactor.errors import UsageError
from redactor.roster_cells import CellValue, read_grids, text_of
from webapp.redactor_errors import rule_error

LARGEST = 5 << 20
LONGEST_TEXT = 200_000
HEADINGS: Mapping[str, Sentence] = {
    "seat": Sentence("席位", "seat"),
    "name": Sentence("姓名", "name"),
    "unit": Sentence("工作单位", "unit"),
    "former_units": Sentence("曾任职单位", "former units"),
    "specialties": Sentence("专业", "specialties"),
    "relatives": Sentence("亲属", "relatives"),
    "phone": Sentence("电话", "phone"),
    "capacity": Sentence("评审份数上限", "limit"),
}
"""Column -> its usual heading."""
_ALSO = {
    "seat": ("席位号", "评委编号", "编号"),
    "name": ("专家", "专家姓名", "评委", "评委姓名"),
    "unit": ("单位", "所在单位", "单位名称"),
    "former_units": ("曾工作单位", "原工作单位"),
    "specialties": ("评审专业", "研究方向", "从事专业", "specialty"),
    "relatives": ("亲属姓名", "应回避亲属"),
    "phone": ("手机", "手机号", "联系电话"),
    "capacity": ("上限", "份数上限"),
}
_FIELD_OF = {
    text.casefold(): field
    for field, said in HEADINGS.items()
    for text in (said.zh, said.en, *_ALSO[field])
}
_PLAIN_ORDER = ("name", "unit", "specialties", "phone")
"""Columns of a list without a header; a seat may stand in front."""
_LISTS = ("former_units", "specialties", "relatives")


def pasted_experts(text: str) -> list[ExpertRow]:
    """The experts of pasted lines: columns parted by tabs, commas, or else spaces."""
    if len(text) > LONGEST_TEXT:
        raise RuleError(Sentence("名单过长，请分批粘贴。", "The list is too long; paste parts."))
    lines = text.splitlines()
    mark = next((m for m in (r"\t", r"[,，]") if any(re.search(m, line) for line in lines)), r"\s+")
    return _experts([tuple(re.split(mark, line.strip(" "))) for line in lines])


def experts_of_file(name: str, data: bytes, folder: Path) -> list[ExpertRow]:
    """The experts of an .xlsx, .xls or .csv; `folder`: private, for the moment of reading."""
    if (
        not data
        or len(data) > LARGEST
        or Path(name).suffix.lower() not in (".xlsx", ".xls", ".csv")
    ):
        raise RuleError(
            Sentence(
                "请选择专家名单（.xlsx、.xls 或 .csv，不超过 5 MB，不能为空）。",
                "Choose the list of experts: .xlsx, .xls or .csv, not empty, up to 5 MB.",
            )
        )
    with tempfile.TemporaryDirectory(dir=folder, prefix="experts-") as place:
        path = Path(place) / f"list{Path(name).suffix.lower()}"
        path.write_bytes(data)
        try:
            grids = read_grids(path)
        except UsageError as error:
            raise rule_error(error) from error
    return _experts(grids[0].rows if grids else ())  # a workbook may have charts alone


def expert_of_form(values: Mapping[str, str], seat: str) -> ExpertRow:
    """One expert of a form's fields; RuleError when the limit is no number."""
    cells = tuple(values.get(field, "") for field in HEADINGS)
    columns = {field: at for at, field in enumerate(HEADINGS)}
    problems: list[Sentence] = []
    row = _expert((seat, *cells[1:]), columns, 1, problems)
    if problems:
        raise RuleError(problems)
    return row


def _experts(rows: Sequence[Sequence[CellValue]]) -> list[ExpertRow]:
    found: list[ExpertRow] = []
    problems: list[Sentence] = []
    columns: dict[str, int] | None = None
    for number, cells in enumerate(rows, 1):
        if not any(text_of(cell) for cell in cells):
            continue
        header = _header(cells)
        if header is not None:
            columns = header
        elif columns is not None:
            found.append(_expert(cells, columns, number, problems))
        elif sum(bool(text_of(cell)) for cell in cells) > 1 or len(rows) == 1:
            found.append(_expert(cells, _plain_columns(cells), number, problems))
        # One filled cell above the first person is a title.
    if problems:
        raise RuleError(problems)
    return found


def _header(cells: Sequence[CellValue]) -> dict[str, int] | None:
    """Field -> column where the cells are headings, None where they are somebody."""
    found: dict[str, int] = {}
    for at, cell in enumerate(cells):
        field = _FIELD_OF.get(re.sub(r"\s|[(（].*", "", text_of(cell)).casefold())
        if field is not None:
            found.setdefault(field, at)
    return found if "name" in found and len(found) > 1 else None


def _plain_columns(cells: Sequence[CellValue]) -> dict[str, int]:
    first = 1 if is_seat(_seat(text_of(cells[0]))) else 0
    columns = {field: at for at, field in enumerate(_PLAIN_ORDER, first)}
    return columns | ({"seat": 0} if first else {})


def _expert(
    cells: Sequence[CellValue], columns: Mapping[str, int], number: int, problems: list[Sentence]
) -> ExpertRow:
    def text(field: str) -> str:
        at = columns.get(field, -1)
        return " ".join(text_of(cells[at]).split()) if 0 <= at < len(cells) else ""

    def listed(field: str) -> str:
        parts = (part.strip() for part in re.split(r"[;；、,，]", text(field)))
        return "；".join(dict.fromkeys(part for part in parts if part))

    limit = text("capacity")
    if limit and not (limit.isascii() and limit.isdecimal() and len(limit) <= 5):
        problems.append(
            Sentence(
                f"第 {number} 行的评审份数上限“{limit[:20]}”不是整数。",
                f'Row {number}: the limit "{limit[:20]}" is no whole number.',
            )
        )
        limit = ""
    return ExpertRow(
        number,
        text("name"),
        seat=_seat(text("seat")),
        unit=text("unit"),
        phone=text("phone"),
        capacity=int(limit) if limit else None,
        **{field: listed(field) for field in _LISTS},
    )


def _seat(text: str) -> str:
    """r3 and 3 become R03 where a seat is written; anything else stays, to be told as wrong."""
    found = re.fullmatch(r"[Rr]?0*([1-9]\d{0,3})", text.strip())
    return f"R{int(found.group(1)):02d}" if found else text.strip()
