"""Finds what the roster says of the applicant, tolerant of what OCR confuses.

A character of the page fits a character of a term when it is the same, when the recogniser
thought of it as a rival, or when the two look alike and the recogniser was not sure. Candidates
come from an inverted index over one stream; the distance is rapidfuzz's.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein

from redactor import geometry
from redactor.identity import Identity
from redactor.normal_text import bounded, is_han, key, simplified_characters
from redactor.page import Finding, Kind, Quad
from redactor.shape_alikes import RIVALS
from redactor.streams import Stream
from redactor.term import Script, Term, Tolerance
from redactor.words import inside_words, is_word, ordinary_use

RIVAL_PROBABILITY = 0.01
"""A rival of the recogniser counts from this probability on."""
CONFIDENT = 0.95
"""Above this probability a character is not taken for its look-alike."""
ILLEGIBLE = 0.4
"""Below this probability a character may be any other."""
HALF_SEEN = 0.99
"""The same in a watermark, whose strokes the print over it has cut."""
LONG_NAME = 3
"""Characters of a name of which a look-alike may stand for one that was read surely."""
LOST_SHARE = 3
"""One character in so many may be missing in a watermark of four and more; it is masked, too."""


@dataclass(frozen=True)
class Match:
    """term found at source[start:end] of a stream; `wrong`: characters that differ."""

    term: Term
    start: int
    end: int
    wrong: int


def find_known(stream: Stream, identity: Identity) -> list[Finding]:
    """Findings for every term of an identity in one stream, longest first, none inside another."""
    taken: list[tuple[int, int]] = []
    findings = []
    for match in matches(stream, identity.terms):
        if any(a <= match.start and match.end <= b for a, b in taken):
            continue
        taken.append((match.start, match.end))
        why = match.term.form + (f", {match.wrong} characters unsure" if match.wrong else "")
        lost = len(match.term.text) - len(key(stream.source[match.start : match.end]))
        for quad, text in stream.quads(match.start, match.end):
            if stream.is_pale:
                quad = _with_missing(quad, text, lost)
            score = 1.0 - match.wrong / max(len(match.term.text), 1)
            findings.append(Finding(match.term.kind, quad, text, score, why, "known"))
    return findings


def _with_missing(quad: Quad, text: str, lost: int) -> Quad:
    """A watermark's quad with room on both sides for the characters that were not read."""
    if lost <= 0:
        return quad
    room = min(1.0, lost / max(len(text), 1)) * geometry.width(quad)
    return geometry.grown(quad, room, 0)


def matches(stream: Stream, terms: Iterable[Term]) -> Iterator[Match]:
    """All places of a stream that fit a term, in the order of the terms."""
    text = stream.normal.text
    if not text:
        return
    fits = _Fits(stream)
    for term in terms:
        spans = (
            ((m.start(), m.end(), 0) for m in re.finditer(term.pattern, text) if m.group())
            if term.pattern
            else fits.places(term)
        )
        for start, end, wrong in spans:
            match = _in_source(stream, term, start, end, wrong)
            if match is not None and _stands(stream, match, start, end):
                yield match
        # An organ's code alone, half seen in a watermark, is nobody's.
        if term.pattern and term.tolerance is not Tolerance.EXACT and not stream.is_pale:
            for start, end, wrong in fits.places(term):
                match = _in_source(stream, term, start, end, wrong)
                if wrong and match is not None and _stands(stream, match, start, end):
                    yield match


def _in_source(stream: Stream, term: Term, start: int, end: int, wrong: int) -> Match | None:
    index = stream.normal.origin
    if end <= start:
        return None
    return Match(term, index[start], index[end - 1] + 1, wrong)


def _stands(stream: Stream, match: Match, start: int, end: int) -> bool:
    """Whether a match is the thing itself and not part of a longer word or number."""
    term = match.term
    if not term.written_apart(stream.source[match.start : match.end]):
        return False
    if not term.standalone:
        return True
    if term.script is not Script.HAN:
        return bounded(stream.source, match.start, match.end)
    text = stream.normal.text
    if ordinary_use(text, start, end):
        return False
    source = stream.source
    if bounded(source, match.start, match.end):
        return True
    # A two-character word of the language that is no name here: both its neighbours read on.
    return not inside_words(*_around(source, match.start, match.end))


def _around(source: str, start: int, end: int) -> tuple[str, int, int]:
    """The match with its neighbours of the same row, spaces and marks inside it removed."""
    left = re.split(r"[^\u3400-\u9fff〇]", source[:start])[-1]
    right = re.split(r"[^\u3400-\u9fff〇]", source[end:], maxsplit=1)[0]
    inner = "".join(c for c in source[start:end] if is_han(c))
    return left + inner + right, len(left), len(left) + len(inner)


class _Fits:
    """What each place of a stream may be, and where a character may stand."""

    def __init__(self, stream: Stream) -> None:
        self._text, self._may, self._free = stream.normal.text, [], []
        self._where: dict[str, list[int]] = defaultdict(list)
        self._pale = stream.is_pale
        illegible = HALF_SEEN if self._pale else ILLEGIBLE
        simple = simplified_characters()
        for place, (own, at) in enumerate(zip(self._text, stream.normal.origin, strict=True)):
            char = stream.char(at)
            may = {own}
            if char is not None:
                may |= {
                    simple.get(text, text).lower()
                    for text, probability in char.others
                    if probability >= RIVAL_PROBABILITY
                }
                if char.score < CONFIDENT:
                    may |= set(RIVALS.get(own, ()))
            self._may.append(may)
            self._free.append(char is not None and char.score < illegible)
            for option in may:
                self._where[option].append(place)

    def places(self, term: Term) -> Iterator[tuple[int, int, int]]:
        """(start, end, characters that differ) of everything that fits a term."""
        length = len(term.text)
        exact = [m.start() for m in re.finditer(f"(?={re.escape(term.text)})", self._text)]
        yield from ((start, start + length, 0) for start in exact)
        if term.tolerance is Tolerance.EXACT:
            return
        yield from ((start, start + length, 1) for start in self._with_alike(term))
        spare, edits = self._spare(term), self._edits(term)
        votes: Counter[int] = Counter()
        for offset, char in enumerate(term.text):
            for place in self._where.get(char, ()):
                votes[place - offset] += 1
        needed = max(1 if self._pale else 2, length - max(edits, spare + term.edits))
        tried: set[int] = set(exact)
        for start in sorted(votes):
            near = range(start - edits, start + edits + 1)
            # An extra or missing character shifts the rest: votes of near starts add up.
            if sum(votes.get(n, 0) for n in near) < needed or start in tried:
                continue
            best = self._align(term, start, spare)
            if best is not None and not any(abs(best[0] - t) < length for t in exact):
                tried.update(near)
                yield best

    def _with_alike(self, term: Term) -> Iterator[int]:
        """Places of a long enough name of which one character is a look-alike, however sure the
        reader is: it takes rare characters for common ones."""
        if term.kind is not Kind.NAME or term.script is not Script.HAN:
            return
        for place, char in enumerate(term.text) if len(term.text) >= LONG_NAME else ():
            for rival in RIVALS.get(char, ()):
                text = term.text[:place] + rival + term.text[place + 1 :]
                start = self._text.find(text)
                while start >= 0:
                    yield start
                    start = self._text.find(text, start + len(text))

    def _spare(self, term: Term) -> int:
        """How many illegible characters a term of this length may have besides its edits."""
        if term.script is not Script.HAN:
            return 0
        return len(term.text) * 2 // 3 if self._pale else len(term.text) // 3

    def _edits(self, term: Term) -> int:
        """How many characters may be wrong, missing or extra."""
        whole = term.pattern is None and term.script is Script.HAN and len(term.text) >= 4
        if self._pale and whole:
            return max(term.edits, len(term.text) // LOST_SHARE)
        return term.edits

    def _wrong(self, term: Term, free: int, spare: int) -> int:
        """How many characters of a window may differ, `free` of which are illegible."""
        # Lost and illegible are no two excuses: else nothing of a watermark need be seen.
        return max(self._edits(term), term.edits + min(free, spare))

    def _align(self, term: Term, start: int, spare: int) -> tuple[int, int, int] | None:
        """The best window near `start`: characters that fit count as equal."""
        edits = self._edits(term)
        best: tuple[int, int, int, int] | None = None
        length = len(term.text)
        for first in range(max(0, start - edits), start + edits + 1):
            for size in range(length - edits, length + edits + 1):
                window = self._text[first : first + size]
                if size < 2 or len(window) < size or first < 0:
                    continue
                bent, free = self._bent(first, size, term.text)
                allowed = self._wrong(term, free, spare)
                distance = Levenshtein.distance(bent, term.text, score_cutoff=allowed)
                if distance > allowed:
                    continue
                wrong = Levenshtein.distance(window, term.text)
                ranked = (distance, wrong, abs(size - length), first)
                if best is None or ranked < best:
                    best, span = ranked, (first, first + size, wrong)
        return span if best is not None else None

    def _bent(self, first: int, size: int, text: str) -> tuple[str, int]:
        """The window with fitting characters replaced by the term's, and how many are illegible."""
        wanted = set(text)
        bent, free = [], 0
        for k in range(size):
            place = first + k
            own = self._text[place]
            if own not in wanted:
                here = text[k] if k < len(text) else ""
                options = self._may[place] & wanted
                if here in options:
                    own = here
                elif options:
                    own = min(options)
                elif self._free[place]:
                    free += 1
            bent.append(own)
        return "".join(bent), free


def is_common_word(identity: Identity) -> bool:
    """Whether a name of the identity is also an ordinary word, so that a person should look."""
    return any(is_word(term.text) for term in identity.terms if len(term.text) == 2)
