"""What a code says, and the number printed beside it, so that masking the bars is not in vain."""

from __future__ import annotations

import base64
import binascii
import quopri
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from urllib.parse import unquote

import numpy as np
from rapidfuzz import fuzz

from redactor import geometry
from redactor.finders.known import matches
from redactor.identity import Identity
from redactor.normal_text import is_han
from redactor.page import Char, Finding, Kind, Line, Quad
from redactor.streams import Stream

SHORTEST = 6
"""Letters and digits from which a number of the page is compared with what a code says."""
FUZZY = 10
"""Letters and digits from which one in eight may be misread."""
ALIKE = 87.0
"""Likeness of two such numbers, percent."""
BESIDE = 1.6
"""Distance between a bar code and its number, in line heights of the number."""
OVERHANG = 0.15
"""How far that number may reach beyond the code's ends, as a share of the code's length."""
MOST_BESIDE = 2
"""Numbers printed beside one code: above and below it."""
MARGIN = 0.12
"""Margin of a mask, in line heights: covers the blur at a glyph's edge."""
_DATE = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:[0-3]\d)?")
_SHAPES = str.maketrans("OQDILSBZG", "000115826")


def describe_code(text: str, identity: Identity) -> str:
    """Which terms of the applicant a code's text holds, in words for `Finding.why`.

    The text is also tried as it stands in links (percent escapes of UTF-8 or GBK), vCards, JSON,
    base64, and as GBK or UTF-8 that was taken for another encoding. '' when it says nothing.
    """
    if not text:
        return ""
    forms = dict.fromkeys(
        match.term.form
        for spelling in spellings(text)
        for match in matches(Stream(spelling, (None,) * len(spelling), ()), identity.terms)
        if not match.wrong
    )
    return f"holds {', '.join(forms)}" if forms else "holds nothing of the roster"


def described(findings: Sequence[Finding], identity: Identity) -> tuple[Finding, ...]:
    """The findings of codes, those with a text also telling whose they are."""
    return tuple(
        replace(f, why=f"{f.why}, {said}") if (said := describe_code(f.text, identity)) else f
        for f in findings
    )


def spellings(text: str) -> tuple[str, ...]:
    """The text and everything that it may stand for, without repetition; the text itself first."""
    found = {text: None}
    for _ in range(2):  # a link may hold base64, and a vCard quoted-printable
        for spelling in tuple(found):
            for other in _unpacked(spelling):
                if other and "\ufffd" not in other:
                    found[other] = None
    # vCards write the surname and the given name apart.
    for spelling in tuple(found):
        found[re.sub(r"[;,\\]", "", spelling)] = None
    return tuple(found)


def _unpacked(text: str) -> Iterator[str]:
    for encoding in ("utf-8", "gb18030"):
        yield unquote(text, encoding, errors="replace").replace("+", " ")
        if re.search(r"=[0-9A-F]{2}", text):
            soft = re.sub(r"=\r?\n", "", text).encode("utf-8", errors="replace")
            yield _text(quopri.decodestring(soft), encoding)
        for taken_for in ("latin-1", "cp1252", "cp932", "big5", "gb18030"):
            yield _text(_bytes(text, taken_for), encoding)
        for word in re.findall(r"[A-Za-z0-9+/_-]{8,}={0,2}", text):
            yield _text(_base64(word), encoding)
    yield re.sub(r"\\u([0-9a-fA-F]{4})", lambda m: chr(int(m[1], 16)), text)


def _bytes(text: str, encoding: str) -> bytes:
    """The text in an encoding, empty where it has no place in it."""
    try:
        return text.encode(encoding)
    except UnicodeError:
        return b""


def _text(raw: bytes, encoding: str) -> str:
    """What the bytes say in an encoding, '' where they are no text in it."""
    try:
        text = raw.decode(encoding)
    except UnicodeError:
        return ""
    return text if all(c.isprintable() or c.isspace() for c in text) else ""


def _base64(word: str) -> bytes:
    plain = word.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except binascii.Error:
        return b""


def find_printed_numbers(codes: Sequence[Finding], lines: Sequence[Line]) -> list[Finding]:
    """The numbers of the page that say what its codes say.

    A run of letters and digits counts when it is part of a decoded text (or holds such a part, as
    the verification code of a link) wherever it stands, or when it holds five digits or more and
    stands just above or below a code and within its length, decoded or not. Kind.CODE, as a code
    can be drawn again from its number: the two are switched together.
    """
    words = {word for code in codes for word in _words(code.text)}
    numbers = [
        geometry.around([c.quad for c in run], line.quad)
        for line in lines
        for run in _runs(line)
        if _is_number("".join(c.text for c in run))
    ]
    # What was judged by its looks and has many numbers around it is more likely a table.
    alone = [
        code
        for code in codes
        if code.text or sum(_beside(quad, code.quad) for quad in numbers) <= MOST_BESIDE
    ]
    found = []
    for line in lines:
        for run in _runs(line):
            written = "".join(c.text for c in run)
            quad = geometry.around([c.quad for c in run], line.quad)
            if any(_same(written, word) for word in words):
                why = "number that a code on this page holds"
            elif _is_number(written) and any(_beside(quad, code.quad) for code in alone):
                why = "number printed beside a code"
            else:
                continue
            margin = MARGIN * min(geometry.height(quad), geometry.width(quad))
            wider = geometry.grown(quad, margin, margin)
            found.append(Finding(Kind.CODE, wider, written, 0.9, why, "codes"))
    return found


def _words(text: str) -> Iterator[str]:
    """The parts of a code's text that may be printed: the whole, and its words with a digit."""
    for word in (text, *re.split(r"[^0-9A-Za-z-]+", text)):
        squeezed = _squeezed(word)
        has_digit = any(c.isdigit() for c in word)
        if has_digit and len(squeezed) >= SHORTEST and not any(map(is_han, word)):
            yield squeezed


def _runs(line: Line) -> Iterator[list[Char]]:
    """Pieces of a line without Chinese characters or punctuation that parts numbers."""
    run: list[Char] = []
    for char in (*line.chars, None):
        if char is not None and re.fullmatch(r"[0-9A-Za-z\s*.\-—_/()<>]+", char.text):
            run.append(char)
            continue
        while run and not run[0].text.isalnum():
            run.pop(0)
        while run and not run[-1].text.isalnum():
            run.pop()
        if run:
            yield run
        run = []


def _squeezed(text: str) -> str:
    """Letters and digits alone, look-alikes made one."""
    return re.sub(r"[^0-9A-Z]", "", text.upper()).translate(_SHAPES)


def _same(written: str, word: str) -> bool:
    read = _squeezed(written)
    shorter = min(len(read), len(word))
    if shorter < SHORTEST or not any(c.isdigit() for c in written):
        return False
    if _DATE.fullmatch(read):
        return False  # the day of issue stands in many numbers, and on the page for its own sake
    if read in word or word in read:
        return True
    return shorter >= FUZZY and fuzz.partial_ratio(read, word) >= ALIKE


def _is_number(written: str) -> bool:
    digits, signs = (sum(map(test, written)) for test in (str.isdigit, str.isalnum))
    return digits >= 5 and 2 * digits >= signs


def _beside(number: Quad, code: Quad) -> bool:
    """Whether a number stands just above or below a code, in either reading direction of it."""
    return any(_below_or_above(number, side) for side in (code, np.roll(code, 1, axis=0)))


def _below_or_above(number: Quad, code: Quad) -> bool:
    long, thick = geometry.width(code), geometry.height(code)
    line = min(geometry.height(number), geometry.width(number))
    right, down = (code[1] - code[0]) / max(long, 1e-6), (code[3] - code[0]) / max(thick, 1e-6)
    along = (number - code[0]) @ right
    across = (number - code[0]) @ down
    room = OVERHANG * long
    level = float(np.ptp(across)) < 0.5 * float(np.ptp(along))
    within = along.min() > -room and along.max() < long + room
    gap = max(float(across.min()) - thick, -float(across.max()))
    return bool(level and within and gap < BESIDE * line)
