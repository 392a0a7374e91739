"""The reports show every page, every mask and why, and are safe to open."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest

from redactor.assembly import BlindPage
from redactor.file_job import PageRecord
from redactor.page import Kind
from redactor.report import KIND_NAMES, report_values, write_html, write_json, write_key
from redactor.thumbnail import COLOURS
from tests.redactor.golden.boxes import person

RECORD = PageRecord(
    applicant=1,
    source="01李明/<b>证书</b>.jpg",
    source_page=0,
    category="论文",
    state="clean",
    reason="",
    seconds=1.0,
    staged="a.jpg",
    sha256="00",
    size=(10, 20),
    masks=(
        {
            "kind": "name",
            "quad": [[0, 0], [1, 0], [1, 1], [0, 1]],
            "text": "<script>alert(1)</script>",
            "score": 1.0,
            "why": "roster name",
            "finder": "known",
        },
    ),
    verify={
        "state": "review",
        "hits": [
            {
                "kind": "unit",
                "quad": [[0, 0], [1, 0], [1, 1], [0, 1]],
                "text": "<u>某局",
                "score": 0.5,
                "why": "like a unit",
                "finder": "second reading",
            }
        ],
    },
    thumbnail="a.jpg",
)
PAGES = [
    BlindPage("K7QF-3M", 1, RECORD, "K7QF-3M/001.jpg", None),
    BlindPage(
        "K7QF-3M",
        2,
        replace(RECORD, state="failed", reason="文件不完整", staged=None, thumbnail=None),
        None,
        None,
    ),
]


def values() -> dict[str, object]:
    return report_values(PAGES, "strict", "reader 1", "2026-01-01T00:00:00+00:00", 12.345)


def test_report_json_is_what_was_measured(tmp_path: Path) -> None:
    write_json(tmp_path / "report.json", values())
    read = json.loads((tmp_path / "report.json").read_text("utf-8"))
    assert read["seconds"] == 12.35 or read["seconds"] == 12.34
    assert [p["output"] for p in read["pages"]] == ["K7QF-3M/001.jpg", None]
    assert read["pages"][1]["reason"] == "文件不完整"
    assert read["pages"][0]["masks"][0]["text"] == "<script>alert(1)</script>"


def test_report_html_shows_masks_reasons_and_problems_and_runs_nothing(tmp_path: Path) -> None:
    write_html(tmp_path / "report.html", values(), [("坏<i>文件", "打不开，请重新扫描。")])
    page = (tmp_path / "report.html").read_text("utf-8")
    assert "<script" not in page
    assert "<b>证书" not in page
    assert "<i>文件" not in page
    assert "<u>" not in page
    assert "请查看 单位" in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    for text in (
        "花名册姓名",
        "像单位名称",
        "文件不完整",
        "打不开，请重新扫描。",
        "K7QF-3M",
        "thumbnails/a.jpg",
    ):
        assert text in page
    assert "http" not in page


def test_report_html_in_english(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MANGPING_LANG", "en")
    write_html(tmp_path / "report.html", values(), [])
    page = (tmp_path / "report.html").read_text("utf-8")
    assert "1 verified, 0 to review, 1 failed" in page
    assert 'lang="en"' in page


def test_key_xlsx_is_text_and_no_formula(tmp_path: Path) -> None:
    people = [person("李明"), replace(person("=1+1"), number=2), replace(person("王五"), number=3)]
    write_key(tmp_path / "key.xlsx", people, {1: "K7QF-3M", 2: "PPPP-PP"})
    sheet = openpyxl.load_workbook(tmp_path / "key.xlsx").active
    assert sheet is not None
    rows = list(sheet.iter_rows(min_row=2))
    assert [(r[0].value, r[1].value, r[2].value) for r in rows[::2]] == [
        (1, "李明", "K7QF-3M"),
        (3, "王五", None),
    ]
    assert rows[1][1].data_type == "s", "a name that looks like a formula must stay text"


def test_every_kind_has_a_name_and_a_colour() -> None:
    assert set(KIND_NAMES) == {str(kind) for kind in Kind}
    assert set(COLOURS) == set(Kind)
