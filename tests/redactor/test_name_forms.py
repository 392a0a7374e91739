"""Forms of a name: surnames, readings, orders, initials, parts and spellings."""

from __future__ import annotations

import re

import pytest

from redactor.name_forms import (
    han_name_terms,
    name_parts,
    pinyin_terms,
    roster_pinyin_terms,
    surname_and_given,
    title_terms,
)
from redactor.normal_text import key
from redactor.term import Term, Tolerance


def hits(terms: list[Term], text: str) -> list[Term]:
    """Terms that match the whole of a text."""
    return [
        t
        for t in terms
        if re.fullmatch(t.pattern or re.escape(t.text), key(text)) and t.written_apart(text)
    ]


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("诸葛明远", ("诸葛", "明远")),
        ("欧阳修", ("欧阳", "修")),
        ("欧阳", ("欧", "阳")),
        ("李明", ("李", "明")),
        ("第五伦", ("第五", "伦")),
    ],
)
def test_surnames(name: str, parts: tuple[str, str]) -> None:
    assert surname_and_given(name) == parts


@pytest.mark.parametrize("mark", list("·•・．.﹒-‧"))
def test_parts_at_every_interpunct(mark: str) -> None:
    assert name_parts(f"阿布都热合曼{mark}买买提") == ("阿布都热合曼", "买买提")


def test_given_name_alone_only_for_interpunct_names() -> None:
    texts = {t.text for t in han_name_terms("古丽娜尔·吐尔逊·艾力", "roster name")}
    assert {"古丽娜尔吐尔逊艾力", "古丽娜尔吐尔逊", "古丽娜尔"} <= texts
    assert "吐尔逊" not in texts and "艾力" not in texts
    assert {t.text for t in han_name_terms("张晓岚", "roster name")} == {"张晓岚"}


def test_spelling_variants() -> None:
    texts = {t.text for t in han_name_terms("阿布都热合曼·买买提", "roster name")}
    assert {"阿卜杜热合曼买买提", "阿布都热合曼麦麦提", "阿卜杜热合曼"} <= texts


def test_short_names_allow_look_alikes_only() -> None:
    (term,) = han_name_terms("李明", "roster name")
    assert (term.tolerance, term.edits, term.standalone) == (Tolerance.SHAPE, 0, True)


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("单晓", "Shan Xiao"),
        ("曾国强", "ZENG Guoqiang"),
        ("仇和", "Qiu He"),
        ("解缙", "Xie Jin"),
        ("查理明", "Zha Liming"),
        ("尉迟恭", "Yuchi Gong"),
        ("欧阳乐", "Ouyang Le"),
        ("欧阳乐", "Ouyang Yue"),
        ("吕梁", "Lv Liang"),
        ("吕梁", "Lü Liang"),
        ("吕梁", "LYU Liang"),
        ("吕梁", "Lu Liang"),
        ("张晓岚", "Zhang Xiao-Lan"),
        ("张晓岚", "Xiaolan ZHANG"),
        ("张晓岚", "X.L. Zhang"),
        ("张晓岚", "X L Zhang"),
        ("张晓岚", "X.-L. Zhang"),
        ("张晓岚", "Zhang, X. L."),
        ("张晓岚", "ZHANG XL"),
        ("张晓岚", "ZhangXL"),
        ("张西安", "Zhang Xi'an"),
    ],
)
def test_computed_pinyin(name: str, written: str) -> None:
    assert hits(list(pinyin_terms(name)), written)


@pytest.mark.parametrize("word", ["Lim", "LIM", "mli"])
def test_initials_need_a_gap(word: str) -> None:
    terms = list(pinyin_terms("李明"))
    assert not hits(terms, word)
    assert hits(terms, "Li M.")


@pytest.mark.parametrize(
    ("cell", "name", "written"),
    [
        ("Abdurahman Mamat", "阿布都热合曼·买买提", "Abdurahman·Mamat"),
        ("Abdurahman Mamat", "阿布都热合曼·买买提", "Mamat, Abdurahman"),
        ("Abdurahman Mamat", "阿布都热合曼·买买提", "ABDURAHMAN"),
        ("Abdurahman Mamat", "阿布都热合曼·买买提", "A. Mamat"),
        ("Mamat, Abdurahman", "阿布都热合曼·买买提", "Abdurahman Mamat"),
        ("Xiaolan Zhang", "张晓岚", "Zhang X. L."),
        ("ZhangXiaolan", "张晓岚", "Xiaolan Zhang"),
        ("Cheung Hiu-laam", "张晓岚", "Hiulaam Cheung"),
        ("Cheung Hiu-laam", "张晓岚", "H. L. Cheung"),
        ("Lü Liang", "吕梁", "Lu Liang"),
        ("Victor Li", "李维", "Victor Li"),
    ],
)
def test_roster_pinyin(cell: str, name: str, written: str) -> None:
    assert hits(list(roster_pinyin_terms(cell, name)), written)


def test_roster_pinyin_given_name_of_others_is_not_alone() -> None:
    terms = list(roster_pinyin_terms("Zhang Xiaolan", "张晓岚"))
    assert not hits(terms, "Xiaolan") and not hits(terms, "Zhang")


def test_titles() -> None:
    texts = {t.text for t in title_terms("诸葛明远", ("工", "老师"))}
    assert texts == {"诸葛工", "诸葛老师"}
    assert not list(title_terms("古丽娜尔·吐尔逊", ("工",)))


@pytest.mark.parametrize("name", ["", " ", "·", "Anna"])
def test_odd_names_raise_nothing(name: str) -> None:
    assert all(t.text for t in (*han_name_terms(name, "x"), *pinyin_terms(name)))
    assert not list(roster_pinyin_terms("  ", name))
