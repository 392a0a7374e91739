"""Ordinary words are told from names, and doubt always falls on the side of masking."""

from __future__ import annotations

import pytest

from redactor.words import inside_words, is_word, ordinary_use


def placed(text: str, name: str) -> tuple[str, int, int]:
    start = text.index(name)
    return text, start, start + len(name)


@pytest.mark.parametrize(
    ("text", "name"), [("桃李明年开花", "李明"), ("国王一号机组", "王一"), ("工作高峰期", "作高")]
)
def test_cut_by_words_on_both_sides(text: str, name: str) -> None:
    assert inside_words(*placed(text, name))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("李明同志", "李明"),
        ("由李明主持", "李明"),
        ("李明天来", "李明"),
        ("请李明天来", "李明"),
        ("姓名：李明", "李明"),
        ("（李明）", "李明"),
        ("李明", "李明"),
        ("参加人：张三、李明、王五", "李明"),
    ],
)
def test_a_name_that_may_stand_alone_is_not_inside_words(text: str, name: str) -> None:
    assert not inside_words(*placed(text, name))


@pytest.mark.parametrize("text", ["感到很高兴", "高兴地说", "大家非常高兴", "高兴极了"])
def test_a_name_that_is_a_word_used_as_the_word(text: str) -> None:
    assert ordinary_use(*placed(text, "高兴"))


@pytest.mark.parametrize("text", ["高兴同志", "姓名高兴", "工程师高兴主持", "高兴"])
def test_a_name_that_is_a_word_used_as_the_name(text: str) -> None:
    assert not ordinary_use(*placed(text, "高兴"))


def test_only_words_have_an_ordinary_use() -> None:
    assert is_word("高兴")
    assert not is_word("李晓岚")
    assert not ordinary_use(*placed("很李晓岚地", "李晓岚"))
