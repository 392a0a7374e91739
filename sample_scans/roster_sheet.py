"""Writes the roster (花名册) of the made-up applicants as offices lay it out."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import xlsxwriter

from sample_scans.people import Person

COLUMNS = (
    "序号", "姓名", "性别", "族别", "政治面貌", "身份证号码", "现任专业职务", "获现任专业职务时间",
    "拟晋升专业技术职务", "工作单位", "是否通过", "备注", "曾用名", "单位简称", "曾任职单位", "姓名拼音",  # noqa: E501
    "手机号", "邮箱", "专业", "级别", "免答辩情形", "材料目录",
)  # fmt: skip


def write_roster(path: Path, people: tuple[Person, ...]) -> None:
    """Title row, unit line, header, then one row an applicant; the same people, the same bytes."""
    book = xlsxwriter.Workbook(str(path))
    book.set_properties({"created": datetime(2024, 1, 1), "author": "", "title": "花名册"})
    sheet = book.add_worksheet("花名册")
    title = book.add_format({"bold": True, "font_size": 16, "align": "center"})
    head = book.add_format({"bold": True, "border": 1, "text_wrap": True})
    cell = book.add_format({"border": 1, "num_format": "@"})
    sheet.merge_range(0, 0, 0, len(COLUMNS) - 1, "2024年度专业技术职务任职资格评审花名册", title)
    sheet.write(1, 0, "单位（盖章）：")
    sheet.write_row(2, 0, COLUMNS, head)
    for row, person in enumerate(people, 3):
        unit = person.unit
        # The folder is named only where its name gives no other hint, as users would do.
        folder = person.folder if person.name not in person.folder else ""
        sheet.write_number(row, 0, person.serial, cell)
        values = (
            person.name, person.sex, person.nation, person.politics, person.id_number,
            person.title, person.title_since, person.wanted, unit.full, "", "",
            person.former_name, "；".join(unit.shorts), f"{unit.former}、{unit.former_short}",
            person.pinyin[0], person.phone, person.email, person.specialty, person.level,
            person.exemption, folder,
        )  # fmt: skip
        for column, value in enumerate(values, 1):
            sheet.write_string(row, column, value, cell)
    sheet.set_column(5, 5, 22)
    sheet.set_column(9, 9, 36)
    book.close()
