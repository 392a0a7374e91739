"""Looks for words in everything that went over the wire, however they are written down."""

from __future__ import annotations

import base64
import hashlib
import html
import io
import json
import re
import unicodedata
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from urllib.parse import quote, quote_plus

import numpy as np
import PIL.ExifTags
import PIL.Image as Pillow
from pypinyin import lazy_pinyin
from werkzeug.test import TestResponse

AFTERWARDS = " afterwards"
SHORTEST = 6
"""Bytes of a needle; shorter ones stand in random pixels by chance."""


@dataclass(frozen=True)
class Seen:
    """One answer. `place`: whose request of what it was; `text`: status line and headers;
    `inner`: what its picture or cookie holds when it is opened."""

    place: str
    status: int
    text: bytes
    body: bytes
    inner: bytes
    static: bool = False


def seen(place: str, answer: TestResponse) -> Seen:
    """An answer with everything in it that can be opened."""
    head = [answer.status, *(f"{name}: {value}" for name, value in answer.headers.items())]
    inner = [_opened_cookie(value) for value in answer.headers.getlist("Set-Cookie")]
    if (answer.mimetype or "").startswith("image/") and answer.data:
        inner.append(picture_facts(answer.data))
    static = answer.request.path.startswith("/static/")
    text = "\n".join(head).encode("utf-8", "surrogateescape")
    return Seen(place, answer.status_code, text, answer.data, b"\n".join(inner), static)


def _opened_cookie(value: str) -> bytes:
    """The readable part of a signed cookie."""
    found = []
    for part in re.split(r"[=;.]", value):
        try:
            data = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
        except ValueError:
            continue
        found.append(data)
        try:
            found.append(zlib.decompress(data))
        except zlib.error:
            continue
    return b"\n".join(found)


@cache
def picture_facts(data: bytes) -> bytes:
    """Everything that Pillow finds in a picture beside its pixels, tags and blocks decoded."""
    with Pillow.open(io.BytesIO(data)) as picture:
        picture.load()
        exif = picture.getexif()
        tags = {PIL.ExifTags.TAGS.get(key, str(key)): value for key, value in exif.items()}
        tags |= {str(key): value for key, value in exif.get_ifd(0x8769).items()}
        blocks = [*picture.info.items(), *tags.items(), *getattr(picture, "applist", [])]
        said = []
        for name, value in blocks:
            raw = value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")
            said.append(str(name).encode() + b"=" + raw)
    return b"\n".join(said)


def spellings(word: str) -> set[bytes]:
    """A word in every way in which a page, a file or a header could hold it; lower-case bytes."""
    plain = {word, *(unicodedata.normalize(form, word) for form in ("NFC", "NFD", "NFKC", "NFKD"))}
    plain |= {"".join(word.split()), " ".join(word), word[::-1]}
    if any("\u4e00" <= char <= "\u9fff" for char in word):
        syllables = lazy_pinyin(re.sub(r"[^\u4e00-\u9fff]", "", word))
        plain |= {joint.join(syllables) for joint in ("", " ", "-", "_")}
        for at in range(1, len(syllables)):  # surname and given name
            plain.add("".join(syllables[:at]) + " " + "".join(syllables[at:]))
            plain.add("".join(syllables[at:]) + " " + "".join(syllables[:at]))
    found: set[bytes] = set()
    for text in plain:
        raw = text.encode()
        found |= {raw, text.encode("gb18030"), text.encode("utf-16-le"), text.encode("utf-16-be")}
        found |= {raw.hex().encode(), quote(text, safe="").encode(), quote_plus(text).encode()}
        found |= {json.dumps(text)[1:-1].encode(), html.escape(text).encode()}
        found |= {text.encode("ascii", "xmlcharrefreplace"), text.encode("unicode_escape")}
        found.add("".join(f"&#x{ord(char):x};" for char in text).encode())
        found |= _base64(raw) | _base64(text.encode("gb18030"))
        found |= {hashlib.new(kind, raw).hexdigest().encode() for kind in ("md5", "sha1", "sha256")}
    return {needle.lower() for needle in found if len(needle) >= SHORTEST}


def _base64(raw: bytes) -> set[bytes]:
    """What is common to all texts in base64 that hold `raw`, at each of three places."""
    found = set()
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + raw)
        whole = encoded[[0, 2, 3][before] : (before + len(raw)) * 8 // 6]
        found |= {whole, whole.replace(b"+", b"-").replace(b"/", b"_")}
    return found


@dataclass
class Words:
    """Words to look for, in all their spellings."""

    words: Sequence[str]
    _found: dict[bytes, str] = field(init=False)
    _starts: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self._found = {needle: word for word in self.words for needle in spellings(word)}
        starts = {int.from_bytes(needle[:4], "little") for needle in self._found}
        self._starts = np.array(sorted(starts), np.uint32)
        self._by_start: dict[bytes, list[bytes]] = {}
        for needle in self._found:
            self._by_start.setdefault(needle[:4], []).append(needle)

    def within(self, data: bytes) -> set[str]:
        """The words that stand somewhere in `data`."""
        data = data.lower()
        if len(data) < 4:
            return set()
        # Four bytes at every place, compared with the starts of all needles at once.
        padded = np.frombuffer(data, np.uint8).astype(np.uint32)
        four = padded[:-3] | padded[1:-2] << 8 | padded[2:-1] << 16 | padded[3:] << 24
        at = np.minimum(np.searchsorted(self._starts, four), len(self._starts) - 1)
        found = set()
        for place in np.flatnonzero(self._starts[at] == four):
            for needle in self._by_start[data[place : place + 4]]:
                if data.startswith(needle, place):
                    found.add(self._found[needle])
        return found


def leaks(words: Words, answers: Iterable[Seen]) -> list[str]:
    """ "place: word" for each word that an answer tells; the same bytes are read once."""
    known: dict[bytes, set[str]] = {}
    found = []
    for answer in answers:
        for part in (answer.text, answer.body, answer.inner):
            key = hashlib.sha256(part).digest()
            if key not in known:
                known[key] = words.within(part)
            found += [f"{answer.place}: {word}" for word in sorted(known[key])]
    return found


def years(answers: Iterable[Seen], *told: int) -> list[str]:
    """Where an answer holds a date of one of the years; static files are alike everywhere."""
    listed = "|".join(map(str, told))
    pattern = rf"(?:{listed})[-/:.年]\d|\w (?:{listed}) \d\d:|\d/\d\d?/(?:{listed})"
    # Seconds since 1970, as numbers of seconds, milliseconds or more; no digits behind a point.
    stamps = "|".join(str(_stamp(year))[:3] for year in told)
    found = []
    for answer in answers:
        if answer.static:
            continue
        text = (answer.text + b"\n" + answer.inner).decode("utf-8", "replace")
        if not answer.body.startswith((b"\xff\xd8", b"\x89PNG")):
            text += answer.body.decode("utf-8", "replace")
        since = rf"(?<![\w.])(?:{stamps})\d{{7}}(?:\d{{3}})*\b"
        hits = re.findall(pattern, text) + re.findall(since, text)
        found += [f"{answer.place}: {hit}" for hit in hits]
    return found


def _stamp(year: int) -> int:
    return (year - 1970) * 31_556_952 + 86_400 * 60


def out_of_order(codes: Sequence[str], answers: Iterable[Seen]) -> list[str]:
    """Answers that list blind codes in another order than that of the codes themselves.

    The page after an act says first what was done, so it is left out. Codes are random: of n!
    orders one is theirs, so no other order passes by accident.
    """
    pattern = re.compile("|".join(map(re.escape, codes)).encode())
    found = []
    for answer in answers:
        if answer.place.endswith(AFTERWARDS):
            continue
        listed = list(dict.fromkeys(pattern.findall(answer.body)))
        if listed != sorted(listed):
            found.append(f"{answer.place}: {b' '.join(listed).decode()}")
    return found
