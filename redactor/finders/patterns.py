"""Finds numbers and addresses that identify anyone, whoever's they are, by form and checksum."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from redactor import citizen_id
from redactor.normal_text import bounded
from redactor.page import Finding, Kind
from redactor.streams import Stream


@dataclass(frozen=True)
class Pattern:
    """A form of text over normalised text; `proves` rejects what only looks like it.

    `unspaced`: figures of several cells or columns side by side are not one number.
    """

    kind: Kind
    name: str
    regex: re.Pattern[str]
    proves: Callable[[str], bool] = lambda _: True
    unspaced: bool = False


def luhn(digits: str) -> bool:
    """Checksum of bank cards (ISO/IEC 7812-1)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _plausible_date(number: str) -> bool:
    """An 18-digit number with a believable birth date, whose checksum OCR may have spoilt."""
    return (
        number[6:8] in ("19", "20")
        and "01" <= number[10:12] <= "12"
        and ("01" <= number[12:14] <= "31")
    )


def _is_citizens(number: str) -> bool:
    return citizen_id.checksum_holds(number.upper()) or _plausible_date(number)


PATTERNS = (
    Pattern(
        Kind.ID_NUMBER,
        "citizen ID number",
        re.compile(r"[1-9]\d{16}[\dx]"),
        _is_citizens,
    ),
    Pattern(
        Kind.PHONE,
        "mobile number",
        re.compile(r"(?:\(?\+?(?:86|0086)\)?)?1[3-9]\d[ .]?\d{4}[ .]?\d{4}"),
    ),
    Pattern(
        Kind.PHONE, "partly hidden mobile number", re.compile(r"1[3-9]\d{2,7}[x*]{2,8}\d{0,4}")
    ),
    Pattern(Kind.PHONE, "fixed-line number", re.compile(r"\(?0\d{2,3}\)?[-—]?[2-9]\d{6,7}")),
    Pattern(
        Kind.EMAIL,
        "e-mail address",
        re.compile(
            r"[a-z0-9][a-z0-9._%+\-]*@[a-z0-9\-]+(?:[.,][a-z0-9\-]+)*[.,](?:com|cn|net|org|edu)(?:[.,]cn)?"
        ),
    ),
    Pattern(Kind.CERT_NUMBER, "bank card number", re.compile(r"[3-6]\d{15,18}"), luhn),
    # Graduation and degree certificates have 17 or 18 digits, and nothing that is judged has.
    Pattern(
        Kind.CERT_NUMBER,
        "number as long as a diploma's",
        re.compile(r"[1-9]\d{16,17}(?!x)"),
        lambda n: len(n) < 18 or not _is_citizens(n),
        unspaced=True,
    ),
)


def find_patterns(stream: Stream, kinds: frozenset[Kind]) -> Iterator[Finding]:
    """Findings of every pattern whose kind is asked for, in one stream."""
    text, index = stream.normal.text, stream.normal.origin
    for pattern in PATTERNS:
        if pattern.kind not in kinds:
            continue
        for match in pattern.regex.finditer(text):
            start, end = index[match.start()], index[match.end() - 1] + 1
            if not bounded(stream.source, start, end) or not pattern.proves(match.group()):
                continue
            if pattern.unspaced and any(map(str.isspace, stream.source[start:end])):
                continue
            for quad, found in stream.quads(start, end):
                yield Finding(pattern.kind, quad, found, 0.9, pattern.name, "patterns")
