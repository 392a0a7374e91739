"""Looser matching for the second reading: suspects first, then proof by a closer look.

A suspect is any place that shares enough characters with a name or unit, by sight or by sound
(Chinese names are mistyped as homophones). Most suspects are ordinary words. A suspect stands only
if the closer look leaves no character of the term contradicted by a character that was read surely.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from pypinyin import Style, pinyin
from rapidfuzz.distance import Levenshtein

from redactor.identity import Identity
from redactor.normal_text import bounded, is_han
from redactor.page import Kind
from redactor.shape_alikes import RIVALS
from redactor.streams import Stream
from redactor.term import Script, Term, unit_edits_for
from redactor.unit_forms import unit_parts, unit_terms
from redactor.words import inside_words, is_word

SURE = 0.8
"""A character read with less than this probability contradicts nothing."""
LIKELY_RIVAL = 0.01
"""A rival of the recogniser counts from this probability on."""
LOOKALIKE_BELOW = 0.98
"""Above this probability a character is not taken for its look-alike."""
SHARED = {2: 1.5, 3: 2.0, 4: 3.0}
"""Weight of agreeing characters that makes a suspect, by the length of a term."""
SHARED_SHARE = 0.7
"""The same for longer terms, share of their length."""
SHORTEST_CORE = 4
"""Characters of a unit's own part (without its place) from which a fragment of it tells."""
CORE_SHARE = 0.75
"""Share of that part which a fragment must hold."""

AS_GIVEN = (
    "roster name",
    "former name",
    "given name of the",
    "first two parts",
    "short form given",
)
"""Derivations of names (identity.py) that are the roster's own words."""
UNITS_AS_GIVEN = ("unit", "former unit")


@dataclass(frozen=True)
class Suspect:
    """A term that may stand at source[start:end] of a stream."""

    term: Term
    start: int
    end: int
    why: str


def loose_terms(identity: Identity) -> tuple[Term, ...]:
    """The Chinese names and units as the roster gives them, without the forms derived from them."""
    return tuple(
        term
        for term in identity.terms
        if term.script is Script.HAN
        and term.pattern is None
        and (term.form in UNITS_AS_GIVEN or term.form.startswith(AS_GIVEN))
    )


def suspects(stream: Stream, terms: Iterable[Term]) -> Iterator[Suspect]:
    """Places of a stream that share enough characters with a term; permissive and cheap."""
    text = stream.normal.text
    if sum(map(is_han, text)) < 2:
        return
    where = _where(stream)
    for term in terms:
        needed = SHARED.get(len(term.text), SHARED_SHARE * len(term.text))
        votes: dict[int, float] = defaultdict(float)
        for offset, char in enumerate(term.text):
            places = dict(where.get(char, ()))
            if term.kind is Kind.NAME:
                places |= where.get(sound(char), {})
            for place, weight in places.items():
                votes[place - offset] += weight
        for place in where.get("", ()):
            for start in range(place - len(term.text) + 1, place + 1):
                if start in votes:
                    votes[start] += 0.5
        slack = 1 if len(term.text) >= SHORTEST_CORE else 0
        for start in sorted(votes):
            near = sum(votes[n] for n in range(start - slack, start + slack + 1) if n in votes)
            if near >= needed:
                yield _at(stream, term, start, start + len(term.text), "similar")


def stands(stream: Stream, term: Term) -> Suspect | None:
    """The first place of a closer reading at which nothing contradicts a term, None for none."""
    if term.kind is Kind.UNIT:
        return _unit_stands(stream, term)
    text = stream.normal.text
    for start in range(1 - len(term.text), len(text)):
        why = _name_stands(stream, term, start)
        if why:
            return _at(stream, term, start, start + len(term.text), why)
    return None


def _name_stands(stream: Stream, term: Term, start: int) -> str:
    """Why a name may stand at `start` of the normal text, "" when something speaks against it."""
    text = stream.normal.text
    seen = heard = 0
    for offset, wanted in enumerate(term.text):
        place = start + offset
        if not 0 <= place < len(text):
            continue
        own = text[place]
        char = stream.char(stream.normal.origin[place])
        if own == wanted or wanted in _options(stream, place):
            seen += 1
        elif is_han(own) and sound(own) == sound(wanted):
            heard += 1
        elif char is None or char.score >= SURE or not is_han(own):
            return ""
    length = len(term.text)
    first, last = max(start, 0), min(start + length, len(text))
    if seen + heard < max(2, length - max(1, length // 3)) or seen == 0:
        return ""
    whole = seen + heard == length
    if length == 2 and heard and _is_prose(stream, first, last):
        return ""
    if not whole and _is_prose(stream, first, last):
        return ""
    if whole and not heard and not _is_prose(stream, first, last, short_only=True):
        return "read closer"
    if heard:
        return "" if length == 2 and not _tones_agree(text[first:last], term.text) else "homophone"
    return "" if whole else "fragment of a name"


def _unit_stands(stream: Stream, term: Term) -> Suspect | None:
    text, wanted = stream.normal.text, term.text
    allowed = unit_edits_for(len(wanted)) + (len(wanted) >= 8)
    bent = "".join(
        next((c for c in wanted if c in _options(stream, i)), own) for i, own in enumerate(text)
    )
    for start in range(max(1, len(text) - len(wanted) + allowed + 1)):
        window = bent[start : start + len(wanted)]
        if Levenshtein.distance(window, wanted, score_cutoff=allowed) <= allowed:
            return _at(stream, term, start, start + len(wanted), "like a unit")
    core = _core(wanted)
    size = math.ceil(CORE_SHARE * len(core))
    for cut in range(len(core) - size + 1) if len(core) >= SHORTEST_CORE else ():
        place = bent.find(core[cut : cut + size])
        if place >= 0 and size < len(core):
            return _at(stream, term, place, place + size, "fragment of a unit")
    return None


def _core(unit: str) -> str:
    """A unit without its places when that part is its own, "" when many share it (人民医院)."""
    body = "".join(unit_parts(unit).levels)
    distinctive = any(
        term.text == body and "without place" in term.form for term in unit_terms(unit, "unit")
    )
    return body if distinctive else ""


def _where(stream: Stream) -> dict[str, dict[int, float]]:
    """Places of each character and of each sound, with weights; "" for what may be anything."""
    found: dict[str, dict[int, float]] = defaultdict(dict)
    for place, own in enumerate(stream.normal.text):
        for option in {own, *_options(stream, place)}:
            found[option][place] = 1.0
        if is_han(own):
            found[sound(own)].setdefault(place, 1.0)
        char = stream.char(stream.normal.origin[place])
        if char is not None and char.score < SURE:
            found[""][place] = 0.5
    return found


def _options(stream: Stream, place: int) -> set[str]:
    """What else the character at a place of the normal text may be."""
    char = stream.char(stream.normal.origin[place])
    if char is None:
        return set()
    options = {text.lower() for text, share in char.others if share >= LIKELY_RIVAL}
    if char.score < LOOKALIKE_BELOW:
        options |= set(RIVALS.get(stream.normal.text[place], ()))
    return options


@cache
def sound(char: str) -> str:
    """The usual toneless reading of one Chinese character, marked as a sound."""
    return "~" + pinyin(char, style=Style.NORMAL, errors="ignore")[0][0] if is_han(char) else char


def _tones_agree(text: str, name: str) -> bool:
    tones = [pinyin(part, style=Style.TONE3, errors="ignore") for part in (text, name)]
    return tones[0] == tones[1]


def _is_prose(stream: Stream, start: int, end: int, *, short_only: bool = False) -> bool:
    """Whether the characters there are words of the text and no name standing alone."""
    text, source = stream.normal.text, stream.source
    if short_only and end - start > 2:
        return False
    origin = stream.normal.origin
    if bounded(source, origin[start], origin[end - 1] + 1):
        return not short_only and is_word(text[start:end])
    return is_word(text[start:end]) or inside_words(text, start, end)


def _at(stream: Stream, term: Term, start: int, end: int, why: str) -> Suspect:
    origin = stream.normal.origin
    first = min(max(start, 0), len(origin) - 1)
    last = max(first, min(end, len(origin)) - 1)
    return Suspect(term, origin[first], origin[last] + 1, why)
