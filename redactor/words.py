"""Tells a short name from the same characters inside ordinary words: 李明 is not in 桃李明年."""

from __future__ import annotations

import functools
import re

import rjieba

CONTEXT = 8
"""Characters on each side that decide how a text falls into words."""
ORDINARY_BEFORE = re.compile("(?:很|非常|十分|感到|太|真|不|更|特别|格外|令人|深感)$")
ORDINARY_AFTER = re.compile("^(?:地|极了|不已|兴兴|得)")
_BREAK = re.compile(r"[^\u3400-\u9fff〇]")


def inside_words(text: str, start: int, end: int) -> bool:
    """Whether text[start:end] (Chinese) is cut by words on both sides, as 国王|一号 cuts 王一.

    One cut side is not enough: 李明天来 may be 李 明天 来 or 李明 天来, and a leak is the worse
    error.
    """
    before = _BREAK.split(text[max(0, start - CONTEXT) : start])[-1]
    after = _BREAK.split(text[end : end + CONTEXT], maxsplit=1)[0]
    if not before or not after:
        return False
    edges, place = set(), 0
    for word in _dictionary().cut(before + text[start:end] + after, False):
        place += len(word)
        edges.add(place)
    return len(before) not in edges and len(before) + end - start not in edges


def ordinary_use(text: str, start: int, end: int) -> bool:
    """Whether a name that is also a word (高兴) is used as the word: 很高兴, 高兴地."""
    if not is_word(text[start:end]):
        return False
    return bool(ORDINARY_BEFORE.search(text[:start]) or ORDINARY_AFTER.search(text[end:]))


def is_word(text: str) -> bool:
    """Whether the dictionary holds `text` as a word."""
    return bool(_dictionary().has_word(text))


@functools.cache
def _dictionary() -> rjieba.Jieba:
    return rjieba.Jieba()
