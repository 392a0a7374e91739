"""The list that goes back to applicants names every bad page, its figures and the remedy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openpyxl

from redactor.applicant import Applicant
from redactor.errors import Sentence
from redactor.quality import FLAGS, Quality, quality_values
from redactor.quality_list import COLUMNS, faults, write_quality_list

PEOPLE = [Applicant(7, 4, "诸葛明远", "三中"), Applicant(3, 5, "=李明", "三中")]


def page(applicant: int, source: str, number: int = 0, **changes: Any) -> dict[str, Any]:
    return {
        "dossier": "K7QF-3M",
        "applicant": applicant,
        "source": source,
        "source_page": number,
        "state": "clean",
        "reason": "",
        "quality": quality_values(Quality(0.9, 200)),
        **changes,
    }


def bad(*flags: str, **figures: float) -> dict[str, Any]:
    return quality_values(Quality(0.31, 84, flags, figures))


PAGES = [
    page(3, "03李明/论文.pdf", 1, quality=bad("blurred", "small", width=640, height=900)),
    page(3, "03李明/论文.pdf", 0),
    page(3, "03李明/证书.jpg", state="failed", reason="文件不完整。", quality={}),
    page(7, "诸葛明远/=表.jpg", state="review", quality=bad("upside_down", rotation=180)),
]
PROBLEMS = [
    ("03李明/说明.docx", Sentence("不支持 Word 文件。", "Word files are not supported.")),
    ("散页.jpg", Sentence("不在任何申报人的文件夹中。", "In nobody's folder.")),
]


def rows(path: Path) -> list[tuple[Any, ...]]:
    return list(openpyxl.load_workbook(path).active.iter_rows(values_only=True))


def test_the_list_has_one_row_for_each_fault_in_roster_order(tmp_path: Path) -> None:
    path = tmp_path / "quality.xlsx"
    assert write_quality_list(path, {"pages": PAGES}, PEOPLE, PROBLEMS) == 6
    header, *body = rows(path)
    assert header == COLUMNS
    assert [row[:5] for row in body] == [
        (7, "诸葛明远", "诸葛明远/=表.jpg", 1, "页面上下颠倒"),
        (3, "=李明", "03李明/论文.pdf", 2, "图像模糊"),
        (3, "=李明", "03李明/论文.pdf", 2, "图像太小，文字难以辨认"),
        (3, "=李明", "03李明/证书.jpg", 1, "无法处理"),
        (3, "=李明", "03李明/说明.docx", None, "无法处理"),
        (None, None, "散页.jpg", None, "无法处理"),
    ]
    said = {row[4]: row[5] for row in body[:4]}
    assert "0.31" in said["图像模糊"]
    assert "640 × 900" in said["图像太小，文字难以辨认"]
    assert said["无法处理"] == "文件不完整。"
    assert all(row[6].startswith("请") for row in body)


def test_no_row_tells_the_blind_code(tmp_path: Path) -> None:
    every = [page(3, "03李明/论文.pdf", n, quality=bad(flag)) for n, flag in enumerate(FLAGS)]
    path = tmp_path / "quality.xlsx"
    assert write_quality_list(path, {"pages": every}, PEOPLE) == len(FLAGS)
    assert not any("K7QF" in str(cell) for row in rows(path) for cell in row)


def test_good_pages_make_an_empty_list(tmp_path: Path) -> None:
    path = tmp_path / "quality.xlsx"
    assert write_quality_list(path, {"pages": [PAGES[1]]}, PEOPLE) == 0
    assert rows(path) == [COLUMNS]


def test_an_unknown_applicant_is_listed_without_a_name() -> None:
    (row,) = faults({"pages": [page(9, "x/a.jpg", quality=bad("dark"))]}, PEOPLE)
    assert (row.number, row.name, row.page) == (9, "", 1)
