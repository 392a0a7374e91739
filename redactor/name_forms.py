"""All ways in which one person's name may stand on a page, in Chinese characters and romanised."""

from __future__ import annotations

import itertools
import re
import tomllib
from collections.abc import Iterator, Sequence
from functools import cache
from importlib import resources
from typing import Any

from pypinyin import Style, lazy_pinyin, pinyin

from redactor.normal_text import is_han, key
from redactor.page import Kind
from redactor.term import Script, Term, Tolerance, han_term, literal, native_term, script_of

DEFAULT_TITLES = (
    "工",
    "老师",
    "主任",
    "局长",
    "处长",
    "科长",
    "站长",
    "所长",
    "院长",
    "校长",
    "教授",
)

_INTERPUNCT = re.compile(r"[·•・･‧∙⋅．.﹒]|(?<=[^\x00-\x7f])[-－‐–](?=[^\x00-\x7f])")
_MAX_SPELLINGS = 48
_MAX_READINGS = 8
LONG_PINYIN = 7
"""Letters of a romanised name from which rivals of the recogniser count."""


@cache
def _facts() -> dict[str, Any]:
    text = (resources.files("redactor") / "data" / "names.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@cache
def _compound_surnames() -> tuple[str, ...]:
    return tuple(sorted(set(_facts()["compound_surnames"].split()), key=lambda s: (-len(s), s)))


def surname_and_given(name: str) -> tuple[str, str]:
    """Surname and given name of a normalised Chinese name without interpunct."""
    for surname in _compound_surnames():
        if name.startswith(surname) and len(name) > len(surname):
            return surname, name[len(surname) :]
    return name[:1], name[1:]


def name_parts(name: str) -> tuple[str, ...]:
    """The parts of a name between interpuncts, normalised; one part for other names."""
    if not any(is_han(c) for c in name):
        return (key(name),) if key(name) else ()
    return tuple(part for part in (key(p) for p in _INTERPUNCT.split(name)) if part)


def han_name_terms(name: str, source: str) -> Iterator[Term]:
    """Terms for a name in its own script. `source`: e.g. "roster name", "former name".

    Of an interpunct name the first part (the given name) is sought alone too. The later parts
    are fathers' or clan names that many share, so they are never sought alone. The given name
    of other Chinese names is an ordinary word too often and is not sought alone either.
    """
    parts = name_parts(name)
    full = "".join(parts)
    if not full:
        return
    if script_of(full) is not Script.HAN:
        yield Term(Kind.NAME, full, source, script_of(full))
        return
    yield han_term(Kind.NAME, full, source)
    if len(parts) > 1:
        if len(parts) > 2:
            yield han_term(Kind.NAME, parts[0] + parts[1], f"first two parts of the {source}")
        if len(parts[0]) >= 2:
            alone = len(parts[0]) < 4
            yield han_term(Kind.NAME, parts[0], f"given name of the {source}", standalone=alone)
    if len(parts) > 1 or len(full) > 4:
        for variant in _spellings(full):
            yield _spelling(variant, f"other spelling of the {source}", alone=False)
        if len(parts) > 1:
            for variant in _spellings(parts[0]):
                if len(variant) >= 2:
                    alone = len(variant) < 4
                    form = f"other spelling of the given name of the {source}"
                    yield _spelling(variant, form, alone=alone)


def native_name_terms(name: str, source: str) -> Iterator[Term]:
    """Terms for a name in the script of a minority: whole, and its given name alone.

    Uyghur endings (of, to, from ...) may follow. A given name is often a word, too, so it must
    stand alone but for them.
    """
    words = [key(word) for word in _INTERPUNCT.sub(" ", name).split()]
    yield native_term(Kind.NAME, "".join(words), source)
    if len(words) > 1 and len(words[0]) >= 4:
        pattern = literal(words[0]) + rf"(?:{'|'.join(_endings())})?"
        form = f"given name of the {source}"
        yield Term(Kind.NAME, words[0], form, Script.OTHER, pattern=pattern)


@cache
def _endings() -> tuple[str, ...]:
    """Endings of Uyghur nouns, longest first, so that the alternative tries the longest."""
    found = {key(ending) for ending in _facts()["uyghur"]["endings"].split()}
    return tuple(sorted(found, key=lambda ending: (-len(ending), ending)))


def _spelling(text: str, form: str, *, alone: bool) -> Term:
    # Only look-alikes may differ: a spelling variant is a step away from the roster already.
    return Term(Kind.NAME, text, form, Script.HAN, Tolerance.SHAPE, alone or len(text) <= 2)


def _spellings(name: str) -> tuple[str, ...]:
    """Other spellings of a name of a minority by the table of name elements, without itself."""
    found = [name]
    for group in _facts()["spellings"]["groups"]:
        keys = sorted((key(g) for g in group), key=lambda g: (-len(g), g))
        for known in tuple(found):
            here = next((g for g in keys if g in known), None)
            if here is not None and len(found) < _MAX_SPELLINGS:
                # A shorter element inside a longer one is no spelling of it (阿布都 / 阿布都拉).
                same = [g for g in keys if g != here and len(g) - len(here) in (-1, 0, 1)]
                found += [known.replace(here, g, 1) for g in same if g not in here]
    return tuple(dict.fromkeys(found[1:_MAX_SPELLINGS]))


def title_terms(name: str, titles: Sequence[str]) -> Iterator[Term]:
    """Surname + title (张工, 欧阳老师), only for names without interpunct."""
    parts = name_parts(name)
    if len(parts) != 1 or script_of(parts[0]) is not Script.HAN or len(parts[0]) > 5:
        return
    surname, _ = surname_and_given(parts[0])
    for title in titles:
        term = han_term(Kind.NAME, surname + key(title), "surname and title", standalone=True)
        yield Term(term.kind, term.text, term.form, term.script, Tolerance.EXACT, True)


# ---- romanised -------------------------------------------------------------------------------


def _syllables(text: str) -> list[tuple[str, ...]]:
    """Readings per character (ü as v), the phrase-aware one first."""
    first = lazy_pinyin(text, style=Style.NORMAL, v_to_u=False)
    if len(first) != len(text):
        return []
    every = [pinyin(c, style=Style.NORMAL, heteronym=True, v_to_u=False)[0] for c in text]
    rows = zip(first, every, strict=True)
    tidy = [tuple(dict.fromkeys(_plain(s) for s in (best, *more))) for best, more in rows]
    return tidy if all(all(s.isascii() and s.isalpha() for s in row) for row in tidy) else []


def _plain(syllable: str) -> str:
    return syllable.replace("ü", "v")


def _readings(text: str) -> list[tuple[str, ...]]:
    """Up to 8 readings of a text, each a tuple of syllables."""
    rows = [row[:3] for row in _syllables(text)]
    if not rows:
        return []
    return list(itertools.islice(itertools.product(*rows), _MAX_READINGS))


def _surname_readings(surname: str) -> list[tuple[str, ...]]:
    known = _facts()["surname_readings"].get(surname)
    if known:
        return [(reading,) for reading in known]
    first = _readings(surname)[:1]
    return [("".join(row),) for row in first]


def _letters(syllables: Sequence[str]) -> str:
    """Pattern of syllables written together, hyphenated or pointed; v also as u and yu."""
    return "[-'.,]?".join(re.sub(r"^([ln])v", r"\1(?:v|yu|u)", literal(s)) for s in syllables)


def _text(syllables: Sequence[str]) -> str:
    return "".join(re.sub(r"^([ln])v", r"\1u", s) for s in syllables)


def _latin(text: str, pattern: str, form: str, split: int | None = None) -> Term:
    return Term(Kind.NAME, text, form, Script.LATIN, Tolerance.EXACT, True, 0, pattern, split)


def _whole(text: str, pattern: str, form: str) -> Term:
    """A surname with its given name: in one so long a letter may be what the reader doubted."""
    how = Tolerance.SHAPE if len(text) >= LONG_PINYIN else Tolerance.EXACT
    return Term(Kind.NAME, text, form, Script.LATIN, how, True, 0, pattern)


def _orders(family: Sequence[str], given: Sequence[str], source: str) -> Iterator[Term]:
    """Both orders in full and with initials; everything else (case, spaces) is normalised."""
    f, g = _letters(family), _letters(given)
    ft, gt = _text(family), _text(given)
    yield _whole(ft + gt, f"{f}[-,.;]?{g}", f"{source}, surname first")
    yield _whole(gt + ft, f"{g}[-,.;]?{f}", f"{source}, given name first")
    initials = [s[0] for s in given]
    yield from _initials(f, ft, initials, source)
    if len(given) > 1:
        yield from _initials(f, ft, initials[:1], source)


def _initials(f: str, ft: str, initials: Sequence[str], source: str) -> Iterator[Term]:
    dotted = r"\.?[-,]?".join(initials) + r"\.?"
    short = "".join(initials)
    n = len(initials)
    yield _latin(ft + short, f"{f}[,.]?{dotted}", f"{source}, surname and initials", -n)
    yield _latin(short + ft, f"{dotted}[,]?{f}", f"{source}, initials and surname", n)


def pinyin_terms(name: str, source: str = "pinyin of the name") -> Iterator[Term]:
    """Romanised forms computed from the characters."""
    parts = name_parts(name)
    if not parts or any(script_of(p) is not Script.HAN or not p.isalpha() for p in parts):
        return
    if len(parts) > 1:
        rows = [_readings(p)[:1] for p in parts]
        if all(rows):
            words = [r[0] for r in rows]
            yield from _word_orders([_text(w) for w in words], [_letters(w) for w in words], source)
        return
    surname, given = surname_and_given(parts[0])
    if not given:
        return
    for family in _surname_readings(surname):
        for reading in _readings(given):
            yield from _orders(family, reading, source)


def _word_orders(texts: Sequence[str], patterns: Sequence[str], source: str) -> Iterator[Term]:
    """First word = given name. All in order, surname first, given alone, initial + surname."""
    given, rest = texts[0], "".join(texts[1:])
    sep = "[-,.;']?"
    rest_pattern = sep.join(patterns[1:])
    yield _whole(given + rest, sep.join(patterns), f"{source}, given name first")
    if not rest:
        return
    yield _whole(rest + given, f"{rest_pattern}{sep}{patterns[0]}", f"{source}, surname first")
    if len(given) >= 4:
        yield _latin(given, patterns[0], f"{source}, given name alone")
    if len(rest) >= 3:
        first = literal(given[0])
        form = f"{source}, initial and surname"
        yield _latin(given[0] + rest, rf"{first}[.,]?{rest_pattern}", form, 1)
        form = f"{source}, surname and initial"
        yield _latin(rest + given[0], rf"{rest_pattern}[.,]?{first}\.?", form, -1)


def roster_pinyin_terms(written: str, name: str) -> Iterator[Term]:
    """Forms from the 姓名拼音 cell, which knows better than any table how the person writes.

    Words are split at spaces, commas, interpuncts and inner capitals. For a Chinese name without
    interpunct the word that reads like the surname is the surname, else the first one.
    """
    source = "roster pinyin"
    comma = "," in written or "，" in written
    spaced = re.sub(r"(?<=[a-zü])(?=[A-Z])", " ", written)
    words = [w for w in (key(p) for p in re.split(r"[\s,，·•・/]+", spaced)) if w]
    words = [w for w in (re.sub(r"[^a-z0-9'\-]", "", w) for w in words) if w]
    if not words:
        return
    parts = name_parts(name)
    if len(words) == 1 or len(parts) != 1:
        if comma:
            words = words[1:] + words[:1]
        patterns = [_roster_letters(w) for w in words]
        yield from _word_orders([_bare(w) for w in words], patterns, source)
        return
    surname, given = surname_and_given(parts[0])
    known = {_text(r) for r in _surname_readings(surname)}
    last = _bare(words[-1]) in known and _bare(words[0]) not in known and not comma
    family = words[-1] if last else words[0]
    rest = words[:-1] if last else words[1:]
    syllables = [s for w in rest for s in w.split("-") if s]
    if len(syllables) == 1 and len(given) > 1:
        syllables = _split(_bare(syllables[0]), given)
    yield from _orders([_bare(family)], [_bare(s) for s in syllables], source)


def _bare(word: str) -> str:
    return re.sub(r"[-']", "", word)


def _roster_letters(word: str) -> str:
    return "[-']?".join(literal(p) for p in re.split(r"[-']", word) if p)


def _split(word: str, given: str) -> list[str]:
    """'xiaolan' -> ['xiao', 'lan'] when the characters' readings fit, else unsplit."""
    rows = [[s.replace("v", "u") for s in row] for row in _syllables(given)]
    for row in itertools.islice(itertools.product(*rows), 64):
        if "".join(row) == word:
            return list(row)
    return [word]
