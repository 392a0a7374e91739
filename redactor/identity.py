"""From one roster row to everything that a finder must look for (pure, no page involved)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from redactor import citizen_id
from redactor.applicant import Applicant
from redactor.name_forms import (
    DEFAULT_TITLES,
    han_name_terms,
    name_parts,
    native_name_terms,
    pinyin_terms,
    roster_pinyin_terms,
    title_terms,
)
from redactor.normal_text import Normalised, bounded, is_han, key, normalise
from redactor.page import Kind
from redactor.term import Script, Term, Tolerance, literal, unique
from redactor.unit_forms import document_terms, native_unit_terms, short_terms, unit_terms

__all__ = [
    "DEFAULT_TITLES",
    "NOTICE",
    "STRICT",
    "Identity",
    "IdentitySettings",
    "Normalised",
    "Script",
    "Term",
    "Tolerance",
    "bounded",
    "identity_of",
    "is_han",
    "key",
    "normalise",
]

_KNOWN_KINDS = frozenset(
    {Kind.NAME, Kind.UNIT, Kind.DOCUMENT_NUMBER, Kind.ID_NUMBER, Kind.PHONE, Kind.EMAIL}
)


LONG_EMAIL = 16
"""Characters of an e-mail address from which two may be misread and it is still nobody else's."""


@dataclass(frozen=True)
class IdentitySettings:
    """What a profile looks for. `titles`: titles sought after the surname, () for none."""

    kinds: frozenset[Kind] = field(default=_KNOWN_KINDS)
    titles: tuple[str, ...] = ()
    romanised: bool = True


STRICT = IdentitySettings()
NOTICE = IdentitySettings(kinds=frozenset({Kind.NAME, Kind.UNIT}))
"""To the letter of the rule: own name (in any script) and own units."""


@dataclass(frozen=True)
class Identity:
    """All terms of one applicant, longest first. `number` is the roster number; `repr` is bare."""

    number: int
    terms: tuple[Term, ...]

    def of(self, kind: Kind) -> tuple[Term, ...]:
        """The terms of one kind."""
        return tuple(term for term in self.terms if term.kind == kind)

    def __repr__(self) -> str:
        return f"Identity(number={self.number}, terms={len(self.terms)})"


def identity_of(applicant: Applicant, settings: IdentitySettings = STRICT) -> Identity:
    """Everything to look for on this applicant's pages; deterministic and without duplicates."""
    terms = (
        *_names(applicant, settings),
        *_units(applicant),
        *_numbers(applicant),
    )
    return Identity(applicant.number, unique(t for t in terms if t.kind in settings.kinds))


def _names(applicant: Applicant, settings: IdentitySettings) -> Iterator[Term]:
    names = [("roster name", applicant.name)]
    names += [("former name", former) for former in applicant.former_names]
    for source, name in names:
        yield from han_name_terms(name, source)
        yield from title_terms(name, settings.titles)
    for native in applicant.native_names:
        yield from native_name_terms(native, "roster name in its own script")
    if not settings.romanised:
        return
    for written in applicant.pinyin:
        yield from roster_pinyin_terms(written, applicant.name)
    for source, name in names:
        if name_parts(name):
            yield from pinyin_terms(name, f"pinyin of the {source}")


def _units(applicant: Applicant) -> Iterator[Term]:
    units = [("unit", applicant.unit)] + [("former unit", u) for u in applicant.former_units]
    for source, unit in units:
        yield from unit_terms(unit, source)
        yield from document_terms(unit, source)
    for native in applicant.native_units:
        yield from native_unit_terms(native, "unit in its own script")
    for short in applicant.unit_short:
        yield from short_terms(short)
        yield from document_terms(short, "roster short form", whole=True)


def _numbers(applicant: Applicant) -> Iterator[Term]:
    if applicant.id_number:
        yield from _id_terms(applicant.id_number)
    for phone in applicant.phones:
        yield from _phone_terms(phone)
    for email in applicant.emails:
        yield from _email_terms(email)


def _digits(kind: Kind, text: str, form: str, pattern: str | None = None, edits: int = 0) -> Term:
    tolerance = Tolerance.FUZZY if edits else Tolerance.SHAPE
    return Term(kind, text, form, Script.DIGITS, tolerance, True, edits, pattern)


def _id_terms(number: str) -> Iterator[Term]:
    text = key(number)
    yield _digits(Kind.ID_NUMBER, text, "ID number", edits=2)
    old = citizen_id.old_form(text.upper())
    if old:
        yield _digits(Kind.ID_NUMBER, old, "ID number, old 15-digit form", edits=1)
    if citizen_id.is_old(text):
        yield _digits(Kind.ID_NUMBER, citizen_id.new_form(text).lower(), "ID number, 18 digits")


def _phone_terms(phone: str) -> Iterator[Term]:
    digits = re.sub(r"\D", "", key(phone))
    if digits.startswith("0086"):
        digits = digits[4:]
    elif digits.startswith("86") and len(digits) >= 12:
        digits = digits[2:]
    if len(digits) < 6:
        return
    mobile = len(digits) == 11 and digits.startswith("1")
    body = r"[.\-]?".join(digits) if mobile else _fixed_line(digits)
    form = "phone number"
    edits = 1 if len(digits) >= 10 else 0
    yield _digits(Kind.PHONE, digits, form, body, edits)
    yield _digits(
        Kind.PHONE,
        f"86{digits}",
        f"{form} with country code",
        rf"(?:\+|00)?\(?\+?86\)?-?0?{body}",
        edits,
    )
    if not mobile and digits.startswith("0"):
        local = digits[3:] if digits[1] in "12" else digits[4:]
        if len(local) >= 7:
            yield _digits(Kind.PHONE, local, "phone number without area code", literal(local))


def _fixed_line(digits: str) -> str:
    if not digits.startswith("0"):
        return r"-?".join(digits)
    area = 3 if digits[1] in "12" else 4
    return rf"\(?{digits[:area]}\)?-?" + r"[.\-]?".join(digits[area:])


def _email_terms(email: str) -> Iterator[Term]:
    text = key(email)
    local, at, domain = text.partition("@")
    if not at or not local or not domain:
        return
    # So long a text is nobody else's, whatever a full stop was read as.
    alone = len(text) < 12
    edits = 1 if len(text) < LONG_EMAIL else 2
    yield Term(Kind.EMAIL, text, "e-mail address", Script.LATIN, Tolerance.FUZZY, alone, edits)
    if len(local) >= 5:
        yield Term(Kind.EMAIL, local, "local part of the e-mail address", Script.LATIN)
