"""The JSON that tools are compared by: read back whole, refused when it does not fit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.verdicts import Tool, added, load, save
from tests.benchmarks.measurements import item, measurement, page


def test_saved_verdicts_are_read_back_whole(tmp_path: Path) -> None:
    made = measurement((item(), item("partly", on=1, over="stamp")), (page(), page(source="b")))
    save(made, tmp_path / "v.json")
    assert load(tmp_path / "v.json") == made
    assert [p.name for p in tmp_path.iterdir()] == ["v.json"]


def test_wrong_files_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "v.json"
    save(measurement((item(on=3),)), file)
    with pytest.raises(ValueError, match="an item names a page"):
        load(file)
    raw = json.loads(file.read_text("utf-8"))
    file.write_text(json.dumps({**raw, "version": 7}), "utf-8")
    with pytest.raises(ValueError, match="version 7"):
        load(file)


def test_added_items_keep_their_pages() -> None:
    first = measurement((item(), item(on=1)), (page(101), page(101, "b")))
    second = measurement((item("leaked"),), (page(102),))
    both = added([first, second])
    assert [(both.pages[i.page].seed, i.outcome) for i in both.items] == [
        (101, "hidden"), (101, "hidden"), (102, "leaked"),
    ]  # fmt: skip
    assert both.counts["nothing_of"] == 3


def test_verdicts_on_two_tools_are_not_added() -> None:
    other = measurement((item(),), tool=Tool("peer", "1"))
    with pytest.raises(ValueError, match="one tool"):
        added([measurement((item(),)), other])
    with pytest.raises(ValueError, match="one tool"):
        added([])
