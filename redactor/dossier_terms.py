"""What was masked on one page of a dossier and must be looked for on all of its pages (pure).

The roster does not know everything: a label gives away a former unit, a bar code a certificate's
number. The same text may stand on another page without a label.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from redactor.identity import Identity
from redactor.normal_text import is_han, key
from redactor.page import Kind
from redactor.term import Script, Term, Tolerance, han_term, unique
from redactor.unit_forms import is_organisation
from redactor.words import is_word

BY_LABEL_OR_FORM = frozenset({"labels", "patterns", "document_numbers", "codes", "letterheads"})
"""Finders whose findings the roster need not know."""
LEGIBLE = 0.8
"""Score of a mask from which its text was read well enough to be looked for elsewhere."""
NAME_LENGTHS = range(2, 5)
SHORTEST_UNIT, SHORTEST_ADDRESS, SHORTEST_NUMBER = 6, 8, 8
FEWEST_DIGITS = 4
"""Digits in a number: fewer make a word, not a number."""
_RUN = re.compile(r"[0-9a-z]+(?:[.\-][0-9a-z]+)*")
FORM = "masked on another page"


def dossier_terms(masks: Iterable[Mapping[str, Any]], identity: Identity) -> tuple[Term, ...]:
    """Terms for texts that were masked in a dossier and that `identity` does not hold.

    `masks`: those of all its pages, as in report.json. Only texts that are surely a name, unit,
    address or number come back: a label that was misread must not blank a word everywhere.
    """
    known = {term.text for term in identity.terms}
    terms = (
        term
        for mask in masks
        if mask["finder"] in BY_LABEL_OR_FORM and mask["score"] >= LEGIBLE
        for term in _terms(Kind(mask["kind"]), key(mask["text"]))
    )
    return unique(term for term in terms if term.text not in known)


def _terms(kind: Kind, text: str) -> Iterator[Term]:
    if kind in (Kind.NAME, Kind.SIGNATURE):
        if len(text) in NAME_LENGTHS and all(map(is_han, text)) and not is_word(text):
            yield han_term(Kind.NAME, text, FORM, standalone=len(text) < 3)
    elif kind is Kind.UNIT:
        if len(text) >= SHORTEST_UNIT and is_organisation(text):
            yield han_term(Kind.UNIT, text, FORM)
    elif kind is Kind.ADDRESS:
        if len(text) >= SHORTEST_ADDRESS:
            yield Term(kind, text, FORM, Script.HAN, Tolerance.SHAPE, False)
    elif kind is Kind.DOCUMENT_NUMBER:
        yield Term(kind, text, FORM, Script.HAN, Tolerance.SHAPE)
    else:
        # The text of a code may be an address on the web; its long numbers are what is printed.
        found = Kind.CERT_NUMBER if kind is Kind.CODE else kind
        for run in _RUN.findall(text):
            digits = sum(c.isdigit() for c in run)
            if len(run) >= SHORTEST_NUMBER and digits >= FEWEST_DIGITS:
                yield Term(found, run, FORM, Script.DIGITS, Tolerance.SHAPE)
