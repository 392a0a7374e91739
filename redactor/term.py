"""What a matcher looks for: a normalised text, how it was derived, how strictly it must fit."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from redactor.normal_text import is_han
from redactor.page import Kind


class Script(StrEnum):
    """Which characters a term is made of; OTHER is e.g. Uyghur in Arabic letters, or mixed."""

    HAN = "han"
    LATIN = "latin"
    DIGITS = "digits"
    OTHER = "other"


class Tolerance(StrEnum):
    """EXACT: not one character may differ. SHAPE: only look-alikes. FUZZY: also `edits` others."""

    EXACT = "exact"
    SHAPE = "shape"
    FUZZY = "fuzzy"


@dataclass(frozen=True)
class Term:
    """One thing to look for in normalised text.

    `text`: key, in the form of normal_text.normalise, never empty. `form`: derivation, shown to
    the clerk. `edits`: whole characters that may be wrong, missing or extra beyond look-alikes
    (0 unless FUZZY). `standalone`: counts only where normal_text.bounded says that it stands
    alone, or (Chinese) where the matcher has other proof that it is not part of a longer word.
    `pattern`: a regular expression over normalised text, for terms with optional characters;
    it always matches `text` except for document numbers, where `text` is the organ's code.
    `split`: letters before (after, if negative) the join of surname and
    initials; a match counts only when `written_apart` holds for its source text.
    """

    kind: Kind
    text: str
    form: str
    script: Script
    tolerance: Tolerance = Tolerance.EXACT
    standalone: bool = True
    edits: int = 0
    pattern: str | None = None
    split: int | None = None

    def written_apart(self, source: str) -> bool:
        """Whether the *source* text of a match parts surname and initials (always, if no split).

        They are parted by anything that is no letter, or by a capital after a small letter, so
        that "Lim" is not taken for "Li M".
        """
        if self.split is None:
            return True
        places = [i for i, char in enumerate(source) if char.isalpha()]
        at = self.split if self.split > 0 else len(places) + self.split
        if not 0 < at < len(places):
            return False
        left, right = places[at - 1], places[at]
        return right - left > 1 or (source[left].islower() and source[right].isupper())


def script_of(text: str) -> Script:
    """Script of a normalised key."""
    if all(is_han(c) for c in text):
        return Script.HAN
    if any(is_han(c) for c in text):
        # A unit with digits or brackets in its name is still read and matched as Chinese.
        return Script.HAN
    if all(c.isdigit() or c in "+()-x" for c in text) and any(c.isdigit() for c in text):
        return Script.DIGITS
    if all(c.isascii() for c in text):
        return Script.LATIN
    return Script.OTHER


def edits_for(length: int) -> int:
    """Characters that OCR may get wrong in a Chinese term of this length (0, 1, 2, 3)."""
    return 0 if length < 4 else 1 if length < 8 else 2 if length < 14 else 3


def unit_edits_for(length: int) -> int:
    """The same for units, which differ from their neighbours by a character or two."""
    return 0 if length < 7 else 1 if length < 14 else 2


def han_term(kind: Kind, text: str, form: str, *, standalone: bool = False) -> Term:
    """A term whose tolerance follows from its length; one of 2 characters must stand alone."""
    allowed = unit_edits_for if kind == Kind.UNIT else edits_for
    edits = 0 if standalone else allowed(len(text))
    tolerance = Tolerance.FUZZY if edits else Tolerance.SHAPE
    alone = standalone or len(text) <= 2
    return Term(kind, text, form, script_of(text), tolerance, alone, edits)


def native_term(kind: Kind, text: str, form: str) -> Term:
    """A term in the script of a minority; joined letters are misread more often than Chinese."""
    edits = 0 if len(text) < 6 else min(4, len(text) // 6)
    tolerance = Tolerance.FUZZY if edits else Tolerance.EXACT
    return Term(kind, text, form, script_of(text), tolerance, not edits, edits)


def unique(terms: Iterable[Term]) -> tuple[Term, ...]:
    """Terms without repeated (kind, text, pattern), the first derivation kept, longest first."""
    seen: dict[tuple[Kind, str, str | None], Term] = {}
    for term in terms:
        if term.text:
            seen.setdefault((term.kind, term.text, term.pattern), term)
    return tuple(sorted(seen.values(), key=lambda t: (-len(t.text), t.kind, t.text, t.form)))


def literal(text: str) -> str:
    """Regular expression for exactly this text."""
    return re.escape(text)
