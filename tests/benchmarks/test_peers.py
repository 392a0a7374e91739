"""A peer measured unfairly proves nothing: what it is told, and how its pages are judged."""

from __future__ import annotations

import importlib
import re
from types import ModuleType

import numpy as np
import pytest

from benchmarks.peers import judged, terms
from redactor.applicant import Applicant
from sample_scans.truth import Item, PageTruth

NAME = Item("name", "张岚", "plain", 1, True, (((40.0, 40.0), (80, 40), (80, 80), (40, 80)),))
PAGE = PageTruth("a.jpg", 0, 1, "plain", (200, 300), 0, 200, ("clean",), (NAME,), (), ())


@pytest.fixture
def presidio(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The peer's script, which finds its neighbours as a script does."""
    monkeypatch.syspath_prepend("benchmarks")
    return importlib.import_module("peer_presidio")


@pytest.mark.parametrize(
    "text", ["努尔买买提·托合提", "努尔买买提 托 合 提", "努 尔 买买提 • 托合提"]
)
def test_a_name_is_found_however_its_characters_are_spaced(presidio: ModuleType, text: str) -> None:
    found = re.search(presidio.spaced("努尔买买提·托合提"), f"姓名 {text} 性别")
    assert found is not None and found.group() == text


def test_words_are_cut_into_han_characters_and_latin_runs(presidio: ModuleType) -> None:
    cut = presidio.pieces("张岚:A1", 100.0, 70.0)
    assert [piece for piece, _, _ in cut] == ["张", "岚", ":A1"]
    assert cut[0][1:] == (100.0, 20.0)
    assert sum(width for _, _, width in cut) == pytest.approx(70.0)


def test_latin_characters_of_a_line_are_joined(presidio: ModuleType) -> None:
    box = [[0, 0], [9, 0], [9, 9], [0, 9]]
    line = [(c, 0.9, [[x + 10 * i, y] for x, y in box]) for i, c in enumerate("岚139")]
    joined = presidio.runs(line)
    assert [text for text, _, _ in joined] == ["岚", "139"]
    assert max(x for x, _ in joined[1][1]) == 39


def test_a_deny_list_holds_all_texts_of_the_roster_and_no_empty_class() -> None:
    person = Applicant(1, 1, "张岚", "巴州林草局", unit_short=("林草局",), phones=("13900001234",))
    assert terms(person) == {
        "NAME": ["张岚"],
        "UNIT": ["巴州林草局", "林草局"],
        "NUMBER": ["13900001234"],
    }
    assert terms(Applicant(1, 1, "张岚", "", former_names=())) == {"NAME": ["张岚"]}


def test_a_peer_page_is_judged_from_its_pixels() -> None:
    source = np.full((300, 200, 3), 255, np.uint8)
    source[50:70:4, 45:75] = 0
    source[200:210:3, 20:180] = 0
    masked = source.copy()
    masked[38:82, 38:82] = 0
    verdict, (item,) = judged(7, PAGE, source, masked, 1.5)
    assert (verdict.state, verdict.placed, item.outcome) == ("clean", True, "hidden")
    _, (item,) = judged(7, PAGE, source, source, 1.5)
    assert item.outcome == "leaked"


def test_a_page_that_a_peer_failed_on_was_not_let_out() -> None:
    verdict, (item,) = judged(7, PAGE, np.full((300, 200, 3), 255, np.uint8), None, None)
    assert (verdict.state, item.outcome, verdict.lost) == ("failed", "held", 0)
