"""Reads the roster (花名册) of a round; every cell that cannot be used is reported at once."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from redactor import citizen_id
from redactor.applicant import Applicant, Roster
from redactor.errors import Sentence
from redactor.folder_match import FolderMatches, FolderProblem, match_folders
from redactor.normal_text import is_han, key
from redactor.roster_cells import (
    CellValue,
    Grid,
    column_letter,
    date_text,
    is_number,
    read_grids,
    text_of,
)
from redactor.roster_errors import BadCell, RosterError, roster_error
from redactor.roster_header import HEADER_WITHIN, HEADINGS, Header, field_of, find_header
from redactor.roster_values import is_email, is_native, is_other_paper, is_phone, whole_id

__all__ = [
    "Applicant",
    "BadCell",
    "FolderMatches",
    "FolderProblem",
    "Roster",
    "RosterError",
    "check_row",
    "match_folders",
    "read_roster",
]

_FORMER = re.compile(r"^(.+?)\((?:曾用名|原名|又名|现名)?:?([^()]*)\)$")


def read_roster(path: Path, grids: Sequence[Grid] | None = None) -> Roster:
    """The applicants of a .xlsx, .xls or .csv roster; RosterError or UsageError when unusable.

    `grids`: its sheets, where they were read already.
    """
    grids = read_grids(path) if grids is None else grids
    found = [(grid, header) for grid in grids if (header := find_header(grid)) is not None]
    if not found:
        raise RosterError(
            f"名册 {path.name} 中找不到表头。请在前 {HEADER_WITHIN} 行内，"
            "写上“姓名”和“工作单位”两列的表头。",
            f"The roster {path.name} has no header row. Within the first {HEADER_WITHIN} rows "
            "there must be one with the columns 姓名 and 工作单位.",
        )
    reads = [_Reader(grid, header) for grid, header in found]
    used = next((r for r in reads if r.rows), None)
    if used is None:
        raise RosterError(
            f"名册 {path.name} 的表头下没有申报人。请填写后再试。",
            f"The roster {path.name} has no applicant below its header. Fill it in and try again.",
        )
    applicants = used.applicants()
    if used.bad:
        raise roster_error(path, used.bad)
    warnings = list(used.warnings)
    for other in reads:
        if other is not used and other.rows:
            warnings.append(
                Sentence(
                    f"工作表“{other.grid.name}”也像名册，但只使用了“{used.grid.name}”。"
                    "如需使用，请合并到一个工作表。",
                    f'Sheet "{other.grid.name}" looks like a roster too, but only '
                    f'"{used.grid.name}" was used. Put all applicants into one sheet.',
                )
            )
    return Roster(path, used.grid.name, applicants, tuple(warnings))


def check_row(values: Mapping[str, str], number: int) -> Applicant:
    """One applicant from a form: field of Applicant -> text, lists split as in a cell.

    RosterError with every bad value; `field_of(cell.heading)` names a bad cell's field.
    """
    named = {**values, "number": str(number)}
    headings = {field: HEADINGS[field][0] for field in named}
    row: tuple[CellValue, ...] = tuple(text or None for text in named.values())
    grid = Grid("", (tuple(headings.values()), row))
    reader = _Reader(grid, Header({f: i for i, f in enumerate(named)}, headings, 1))
    reader.rows = [1]  # also where hardly anything is filled in
    (applicant,) = reader.applicants()
    if reader.bad:
        raise roster_error(Path(), reader.bad)
    return applicant


class _Reader:
    """Reads the rows below one header, collecting bad cells and warnings."""

    def __init__(self, grid: Grid, header: Header) -> None:
        self.grid, self.header = grid, header
        self.bad: list[BadCell] = []
        self.warnings: list[Sentence] = []
        self.rows = [r for r in range(header.first, len(grid.rows)) if self._is_person(r)]

    def applicants(self) -> tuple[Applicant, ...]:
        if "id_number" not in self.header.columns:
            self._warn("没有“身份证号码”列，无法按号码查找。", "There is no column 身份证号码.")
        numbers = self._numbers()
        people = tuple(self._applicant(row, numbers[row]) for row in self.rows)
        self._find_repeats(people)
        return people

    # -- cells

    def _value(self, row: int, field: str) -> CellValue:
        column = self.header.columns.get(field)
        return None if column is None else self.grid.at(row, column)

    def _text(self, row: int, field: str) -> str:
        text = " ".join(text_of(self._value(row, field)).split())
        if re.fullmatch(r"#(?:N/A|REF!|VALUE!|NAME\?|DIV/0!|NUM!|NULL!|ERR)", text, re.I):
            self._fault(
                row,
                field,
                "公式出错；请改为直接填写内容。",
                "the formula fails; write the value itself.",
            )
            return ""
        return text

    def _list(self, row: int, field: str, marks: str = r"[；;、,，\n]") -> tuple[str, ...]:
        rows = [row, *self._continued(row)]
        parts: list[str] = []
        for each in rows:
            if each == row or (each, self.header.columns.get(field, -1)) not in self.grid.filled:
                parts += re.split(marks, text_of(self._value(each, field)))
        return tuple(dict.fromkeys(" ".join(p.split()) for p in parts if p.strip()))

    def _continued(self, row: int) -> Iterator[int]:
        """Further rows of a person whose name cell is merged over them."""
        below = row + 1
        while (below, self.header.columns["name"]) in self.grid.filled:
            yield below
            below += 1

    def _fault(self, row: int, field: str, zh: str, en: str) -> None:
        column = column_letter(self.header.columns[field])
        heading = self.header.headings[field]
        self.bad.append(BadCell(self.grid.name, row + 1, column, heading, Sentence(zh, en)))

    def _warn(self, zh: str, en: str) -> None:
        sheet = self.grid.name
        self.warnings.append(Sentence(f"工作表“{sheet}”：{zh}", f'Sheet "{sheet}": {en}'))

    def _is_person(self, row: int) -> bool:
        """False for empty rows, footers (填表人), repeated headers and continued rows."""
        columns = self.header.columns
        if (row, columns["name"]) in self.grid.filled:
            return False
        own = {
            field
            for field, column in columns.items()
            if (row, column) not in self.grid.filled and text_of(self.grid.at(row, column))
        }
        if field_of(self._value(row, "name")) == "name":
            return False
        return bool(own & {"name", "id_number"}) or len(own - {"number", "remark"}) >= 2

    # -- fields

    def _numbers(self) -> dict[int, int]:
        """Number of each row: 序号 where it is given, else the next free one."""
        given: dict[int, int] = {}
        for row in self.rows:
            match = re.fullmatch(r"0*(\d{1,7})[.、]?", text_of(self._value(row, "number")))
            if match and int(match.group(1)) > 0:
                given[row] = int(match.group(1))
            elif text_of(self._value(row, "number")):
                self._fault(
                    row,
                    "number",
                    "序号不是正整数；请填数字或留空。",
                    "this is no whole number; write one or leave it empty.",
                )
        rows_of: dict[str, list[int]] = defaultdict(list)
        for row, number in given.items():
            rows_of[str(number)].append(row)
        self._repeated(rows_of, "number", "序号")
        used, free = set(given.values()), 1
        for row in self.rows:
            if row not in given:
                while free in used:
                    free += 1
                given[row] = free
                used.add(free)
        return given

    def _applicant(self, row: int, number: int) -> Applicant:
        name, former = self._name(row)
        texts = {
            field: self._text(row, field)
            for field in (
                "gender",
                "ethnicity",
                "political",
                "current_title",
                "target_title",
                "passed",
                "remark",
                "specialty",
                "level",
                "exemption",
            )
        }
        return Applicant(
            number=number,
            row=row + 1,
            name=name,
            unit=self._unit(row),
            id_number=self._id_number(row),
            title_since=date_text(self._value(row, "title_since")),
            former_names=tuple(dict.fromkeys((*former, *self._list(row, "former_names")))),
            unit_short=self._short_forms(row),
            former_units=self._list(row, "former_units"),
            pinyin=self._list(row, "pinyin", r"[；;、\n]"),
            native_names=self._native(row, "native_names"),
            native_units=self._native(row, "native_units"),
            phones=self._checked(
                row,
                "phones",
                r"[；;、,，/\n]",
                is_phone,
                "不是电话号码；请填数字，多个用“；”隔开。",
                "this is no phone number; write digits, several split by ；.",
            ),
            emails=self._checked(
                row,
                "emails",
                r"[；;、,，\s]",
                is_email,
                "不是邮箱地址；请填 名称@域名。",
                "this is no e-mail address; write name@domain.",
            ),
            folder=text_of(self._value(row, "folder")) or None,
            **texts,
        )

    def _name(self, row: int) -> tuple[str, tuple[str, ...]]:
        text = self._text(row, "name")
        former: tuple[str, ...] = ()
        match = _FORMER.match(text)
        if match:
            text = match.group(1)
            inside = match.group(2).strip()
            former = (inside,) if len(inside) >= 2 else ()
        if any(is_han(c) for c in text):
            text = re.sub(r"(?<=[^\x00-\x7f]) (?=[^\x00-\x7f])", "", text.strip())
        letters = [c for c in text if c.isalpha()]
        if not text:
            self._fault(row, "name", "没有姓名；请填写。", "the name is missing; write it.")
        elif len(letters) < 2 or re.search(r"[\d、,，;；/]", text):
            self._fault(
                row,
                "name",
                "不像一个人的姓名；每行只填一人，不带数字。",
                "this is not one person's name; one person a row, no digits.",
            )
        return text, former

    def _unit(self, row: int) -> str:
        text = self._text(row, "unit")
        if any(is_han(c) for c in text):
            text = re.sub(r"(?<=[^\x00-\x7f]) (?=[^\x00-\x7f])", "", text)
        if not text:
            self._fault(
                row,
                "unit",
                "没有工作单位；请填写全称，确无单位的填“无”。",
                "the work unit is missing; write it in full, or 无.",
            )
        return text

    def _short_forms(self, row: int) -> tuple[str, ...]:
        forms = self._list(row, "unit_short")
        if any(len(key(form)) < 2 for form in forms):
            self._fault(
                row,
                "unit_short",
                "单位简称只有一个字，会误遮大量文字；请删去或写长一些。",
                "a short form of one character would mask much else; lengthen it.",
            )
        return forms

    def _native(self, row: int, field: str) -> tuple[str, ...]:
        return self._checked(
            row,
            field,
            r"[；;、،؛\n]",
            is_native,
            "不是民族文字；请用民族文字填写，没有的留空。",
            "this is not written in the script of a minority; leave it empty if there is none.",
        )

    def _checked(
        self, row: int, field: str, marks: str, good: Callable[[str], bool], zh: str, en: str
    ) -> tuple[str, ...]:
        values = self._list(row, field, marks)
        if not all(good(value) for value in values):
            self._fault(row, field, zh, en)
        return values

    def _id_number(self, row: int) -> str | None:
        value = self._value(row, "id_number")
        text = re.sub(r"[\s\-]", "", text_of(value)).upper().replace("Х", "X")
        if not text:
            if "id_number" in self.header.columns:
                self._warn(f"第 {row + 1} 行没有身份证号码。", f"row {row + 1} has no ID number.")
            return None
        if (is_number(value) and isinstance(value, int | float) and value >= 1e15) or re.search(
            r"\dE\+?\d+$", text
        ):
            zh = "号码存成了数字，Excel 只保留前 15 位；请把该列设为“文本”格式后重新输入。"
            en = "it is stored as a number, of which Excel keeps 15 digits; format the column as "
            self._fault(row, "id_number", zh, en + "text and type it again.")
        elif len(text) == 15:
            if not citizen_id.is_old(text):
                self._id_fault(row, "不是有效的 15 位号码", "this is no valid 15-digit number")
        elif is_other_paper(text):
            self._warn(
                f"第 {row + 1} 行的证件号码不是居民身份证号码，将原样查找；请核对。",
                f"row {row + 1} has the number of another paper than the ID card; it is looked for "
                "as written. Check it.",
            )
        elif not citizen_id.has_form(text):
            self._id_fault(row, "应为 18 位（末位可为 X）", "18 characters are expected")
        elif citizen_id.birth_date(text) is None:
            self._id_fault(row, "其中的出生日期不存在", "there is no such birth date")
        elif not citizen_id.checksum_holds(text):
            self._id_fault(row, "校验码不符，号码有误", "the check character does not fit")
        return text

    def _id_fault(self, row: int, zh: str, en: str) -> None:
        self._fault(
            row,
            "id_number",
            f"{zh}；请对照身份证改正，使用其他证件的请留空。",
            f"{en}; compare it with the card, or leave it empty for other papers.",
        )

    # -- the whole sheet

    def _find_repeats(self, people: Sequence[Applicant]) -> None:
        ids: dict[str, list[int]] = defaultdict(list)
        folders: dict[str, list[int]] = defaultdict(list)
        names: dict[str, list[int]] = defaultdict(list)
        for person in people:
            if person.id_number:
                ids[whole_id(person.id_number)].append(person.row - 1)
            if person.folder:
                folders[person.folder].append(person.row - 1)
            if person.name:
                names[key(person.name)].append(person.row)
        self._repeated(ids, "id_number", "身份证号码")
        self._repeated(folders, "folder", "材料目录")
        for rows in names.values():
            if len(rows) > 1:
                listed = ", ".join(map(str, rows))
                self._warn(
                    f"第 {listed} 行姓名相同；文件夹名须带序号或身份证号码才能区分。",
                    f"rows {listed} have the same name; their folders must hold 序号 or ID number.",
                )

    def _repeated(self, rows_of: Mapping[str, list[int]], field: str, what: str) -> None:
        for rows in rows_of.values():
            for row in rows if len(rows) > 1 else ():
                others = ", ".join(str(r + 1) for r in rows if r != row)
                self._fault(
                    row,
                    field,
                    f"与第 {others} 行的{what}相同；请改正或删去重复的行。",
                    f"the same {what} as in row {others}; mend it or delete the row.",
                )
