"""Finds the header row of a roster by its column names, whatever stands above it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from redactor.normal_text import key
from redactor.roster_cells import CellValue, Grid, text_of

HEADINGS: Mapping[str, tuple[str, ...]] = {
    "number": ("序号", "编号", "序列", "顺序号"),
    "name": ("姓名", "申报人", "申报人姓名", "姓名全称"),
    "gender": ("性别",),
    "ethnicity": ("族别", "民族"),
    "political": ("政治面貌",),
    "id_number": ("身份证号码", "身份证号", "身份证", "公民身份号码",
                  "居民身份证号码", "证件号码", "公民身份证号码"),
    "current_title": ("现任专业职务", "现任专业技术职务", "现专业技术职务", "现职称"),
    "title_since": ("获现任专业职务时间", "获现任专业技术职务时间", "任现职时间", "取得时间"),
    "target_title": ("拟晋升专业技术职务", "拟晋升专业职务", "申报职称", "拟评职称",
                     "申报专业技术职务"),
    "unit": ("工作单位", "单位", "单位名称", "所在单位", "现工作单位", "工作单位名称"),
    "passed": ("是否通过",),
    "remark": ("备注",),
    "former_names": ("曾用名", "原名"),
    "unit_short": ("单位简称", "单位简写"),
    "former_units": ("曾任职单位", "曾工作单位", "原工作单位", "以往单位"),
    "pinyin": ("姓名拼音", "拼音", "姓名拼写"),
    "native_names": ("民族文字姓名", "少数民族文字姓名", "民文姓名", "维文姓名", "维吾尔文姓名",
                     "维语姓名"),
    "native_units": ("民族文字单位", "民族文字工作单位", "民文单位", "维文单位", "维吾尔文单位",
                     "维语单位", "维文工作单位", "维文单位名称"),
    "phones": ("手机号", "手机", "电话", "联系电话", "手机号码", "联系方式", "电话号码"),
    "emails": ("邮箱", "电子邮箱", "电子邮件", "email"),
    "specialty": ("专业", "申报专业"),
    "level": ("级别", "申报级别"),
    "exemption": ("免答辩情形", "免答辩"),
    "folder": ("材料目录", "文件夹", "材料文件夹"),
}  # fmt: skip
"""Field of Applicant -> its headings, the usual one first."""
FIELD_OF = {key(heading): field for field, row in HEADINGS.items() for heading in row}
_NATIVE = re.compile(
    r"(?:维吾尔|哈萨克|柯尔克孜|蒙古|藏|维|哈|柯|蒙|藏|少数民族|民族|民)(?:文字|文|语)"
)
"""Names a script: 姓名(维文) is another column than 姓名."""
_REQUIRED = {"name": "姓名", "unit": "工作单位"}
HEADER_WITHIN = 40
"""Rows from the top in which the header must stand."""


@dataclass(frozen=True)
class Header:
    """`columns`: field -> column from 0; data starts at row `first`, from 0."""

    columns: Mapping[str, int]
    headings: Mapping[str, str]
    first: int


def plain_heading(value: CellValue) -> str:
    """A heading without spaces, line breaks, marks and what stands in brackets."""
    text = key(text_of(value))
    return re.sub(r"\(.*?\)|[*:：_.]", "", text)


def field_of(value: CellValue) -> str | None:
    """The field that a heading names, None for none."""
    known = FIELD_OF.get(plain_heading(value))
    written = key(text_of(value))
    if known in ("name", "unit") and _NATIVE.search(written):
        return "native_names" if known == "name" else "native_units"
    if known is None and _NATIVE.match(written):
        rest = FIELD_OF.get(_NATIVE.sub("", plain_heading(value), count=1))
        return {"name": "native_names", "unit": "native_units"}.get(rest or "")
    return known


def find_header(grid: Grid) -> Header | None:
    """The first row with 姓名 and 工作单位 (or synonyms), None when there is none."""
    for row in range(min(len(grid.rows), HEADER_WITHIN)):
        columns = _columns(grid, row, {})
        if all(field in columns for field in _REQUIRED):
            first = row + 1
            # A header of two rows: its tall cells are merged and so repeat below.
            while (first, columns["name"]) in grid.filled:
                columns = _columns(grid, first, columns)
                first += 1
            names = {f: " ".join(text_of(grid.at(row, c)).split()) for f, c in columns.items()}
            return Header(columns, names, first)
    return None


def _columns(grid: Grid, row: int, known: Mapping[str, int]) -> dict[str, int]:
    columns = dict(known)
    for column, value in enumerate(grid.rows[row]):
        field = field_of(value)
        if field is not None:
            columns.setdefault(field, column)
    return columns
