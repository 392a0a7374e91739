"""Lines as a reader would return them, from plain text: no pixels, no models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from redactor import geometry
from redactor.applicant import Applicant
from redactor.identity import STRICT, Identity, IdentitySettings, identity_of
from redactor.page import Char, Finding, Line, Quad, Reading
from redactor.streams import Stream, streams

Others = Mapping[int, tuple[tuple[str, float], ...]]
PAGE = (1600, 2200)


def line(
    text: str,
    x: float = 100,
    y: float = 100,
    em: float = 40,
    score: float = 0.999,
    scores: Mapping[int, float] | None = None,
    others: Others | None = None,
    layer: str = "ink",
) -> Line:
    """A box of text whose characters are `em` wide (ASCII: half) and `em` high."""
    chars = []
    at = x
    for index, char in enumerate(text):
        wide = em / 2 if char.isascii() else em
        quad = geometry.rectangle(at, y, at + wide, y + em)
        own = (scores or {}).get(index, score)
        chars.append(Char(char, quad, own, (others or {}).get(index, ())))
        at += wide
    return Line(tuple(chars), geometry.rectangle(x, y, at, y + em), score, False, layer)


def column(text: str, x: float = 800, y: float = 100, em: float = 40) -> Line:
    """Stacked characters, read downwards; their quads begin at the top right corner."""
    chars = []
    for index, char in enumerate(text):
        top = y + index * em
        quad = geometry.rectangle(x, top, x + em, top + em)[[1, 2, 3, 0]]
        chars.append(Char(char, quad, 0.999))
    whole = geometry.rectangle(x, y, x + em, y + em * len(text))[[1, 2, 3, 0]]
    return Line(tuple(chars), whole, 0.999, True)


def reading(*lines: Line, cells: Sequence[Quad] = ()) -> Reading:
    """A page that holds these lines."""
    return Reading(tuple(lines), tuple(cells), PAGE, 0, "plain text")


def stream(text: str, **how: object) -> Stream:
    """The only stream of a page with one line."""
    (only,) = streams(reading(line(text, **how)))  # type: ignore[arg-type]
    return only


def person(name: str = "李明", unit: str = "", **more: object) -> Applicant:
    """A roster row."""
    return Applicant(number=1, row=4, name=name, unit=unit, **more)  # type: ignore[arg-type]


def identity(
    name: str = "李明", unit: str = "", settings: IdentitySettings = STRICT, **more: object
) -> Identity:
    """What is sought for a roster row."""
    return identity_of(person(name, unit, **more), settings)


def texts(findings: Sequence[Finding]) -> list[str]:
    """What the findings hide, sorted."""
    return sorted(finding.text for finding in findings)
