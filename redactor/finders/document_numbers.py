"""Finds document numbers with the code of the applicant's unit: 巴林草〔2024〕12号."""

from __future__ import annotations

import re
from collections.abc import Iterator

from redactor.identity import Identity
from redactor.page import Finding, Kind
from redactor.streams import Stream

NUMBER = re.compile(r"(?P<code>[\u3400-\u9fff]{2,7})\((?P<year>(?:19|20)\d\d)\)第?\d{1,5}号")


def find_document_numbers(stream: Stream, identity: Identity) -> Iterator[Finding]:
    """Numbers whose code is made of characters of a unit, in the unit's order (新地三)."""
    units = [term.text for term in identity.of(Kind.UNIT)]
    for match in NUMBER.finditer(stream.normal.text):
        code = match["code"]
        for size in range(len(code), 1, -1):
            if any(_drawn_from(code[-size:], unit) for unit in units):
                start = match.end("code") - size
                origin = stream.normal.origin
                for quad, text in stream.quads(origin[start], origin[match.end() - 1] + 1):
                    why = "document number with the unit's code"
                    yield Finding(Kind.DOCUMENT_NUMBER, quad, text, 0.9, why, "document_numbers")
                break


def _drawn_from(code: str, unit: str) -> bool:
    """Whether `code` is a subsequence of `unit` that starts where the unit starts."""
    if not unit.startswith(code[0]):
        return False
    rest = iter(unit)
    return all(char in rest for char in code)
