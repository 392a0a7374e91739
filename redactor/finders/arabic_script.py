"""Finds the applicant's name and unit in Arabic letters: by reading them, else by their place.

Uyghur script stands in the text layer of PDF files, or is read where the Uyghur reader is
installed (redactor/arabic_reading.py). What nobody can read is masked where it must be a name or
unit: behind such a label, or beside what was found in Chinese, as bilingual forms, cards and
letterheads print both. Unread script near a name that is left is reported for a person's look.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from redactor import geometry
from redactor.arabic_reading import ArabicReader
from redactor.finders.arabic_lines import ARABIC, WIDEST, find_unread_runs
from redactor.finders.known import matches
from redactor.finders.label_words import ANY_LABEL, label_kind
from redactor.identity import Identity
from redactor.normal_text import key, normalise
from redactor.page import Char, Finding, Image, Kind, Line, Quad, Reading
from redactor.streams import Stream, cell_of, streams
from redactor.term import Script

FINDER = "arabic_script"
LOOKS_READABLE, LOOKS_SURE = 0.30, 0.40
"""Likeness from which the Uyghur reader tries a run, and from which looks alone prove it."""
LEAST_LETTERS, LEAST_SHARE = 3, 0.8
"""Arabic letters and their share of all signs from which a run counts as read; other ink gives
fewer."""
READ, READ_WELL = 0.5, 0.75
"""Score from which a long run counts as read, and a short one."""
HALF_READ = 0.4
"""Score from which letters prove the script of a run that looks a little like it, not its words."""
LETTERS_A_HEIGHT = 0.8
"""Letters of a run for each height of its length, however badly it was read; a rule or the edge of
a sheet gives fewer."""
SHORTEST_UNREAD = 2.2
"""Length in heights from which looks alone tell; a name has 4 and more, scribbles less."""
BY_TEXT, BY_PLACE = 0.9, 0.5
"""Scores of findings that were read, and of those told by their place."""
BELOW, ASIDE, BEHIND = 1.3, 3.0, 9.0
"""How far above or below and beside a Chinese finding its translation stands, and how far behind
a label a value, in heights."""
SHORTEST, LONGEST = 0.25, 4.0
"""A translation is that many times as long as the Chinese; shorter ones are other fields, longer
ones are running text."""
OTHER_WORDS = 10
"""Characters of a Chinese line beside the finding; more is running text without a translation."""
NEAR = 3.0
"""Unread script this near to a name or its label, in heights, is reported."""

_LABELS = (
    (Kind.NAME, ("ئىسمى", "ئىسىم", "ئىسىمى", "ئىسىم-فامىلىسى", "ئىسىم فامىلىسى", "فامىلىسى")),
    (Kind.UNIT, ("ئورنى", "ئورۇن", "خىزمەت ئورنى", "خىزمەت ئورۇن", "خىزمەت قىلغان ئورنى",
                 "ئورۇن نامى", "ئىدارىسى نامى")),
)  # fmt: skip
LABEL_OF = {key(word): kind for kind, words in _LABELS for word in words}
"""Uyghur labels of forms and cards: first and family name, place of work."""
_WORDS = {
    Kind.NAME: "name in Arabic letters",
    Kind.UNIT: "unit in Arabic letters",
}


@dataclass(frozen=True, eq=False)
class Written:
    """One run of Arabic letters; `line` is None when it could not be read."""

    quad: Quad
    line: Line | None

    @property
    def label(self) -> tuple[Kind, str] | None:
        """(kind, what stands behind it) when it begins with a label."""
        if self.line is None:
            return None
        text = self.line.text
        for mark in (":", "："):
            head, colon, rest = text.partition(mark)
            if colon and key(head) in LABEL_OF:
                return LABEL_OF[key(head)], rest.strip()
        kind = LABEL_OF.get(key(text))
        return (kind, "") if kind else None


def find_arabic_script(
    pixels: Image,
    reading: Reading,
    identity: Identity,
    found: Sequence[Finding],
    read: ArabicReader | None,
) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """(what to mask, places that a person must look at).

    `found`: what the other finders found on the same upright page; names and units of it that are
    written in Chinese are where translations stand. `read`: arabic_reading.arabic_reader().
    """
    runs = _script_runs(pixels, reading, read)
    texts = [run.line for run in runs if run.line is not None] + logical_lines(reading.lines)
    findings = [f for line in texts for f in find_native(line, reading, identity)]
    named = [f for f in found if f.kind in _WORDS and f.finder != "labels"]
    labels = list(_open_labels(reading))
    for run in runs:
        findings += [
            placed
            for placed in _by_place(run, runs, named, labels, reading)
            if not any(_hides(finding.quad, placed.quad) for finding in findings)
        ]
    doubt = [
        Finding(kind, run.quad, "", BY_PLACE, f"unread script near a {kind}", FINDER)
        for run in runs
        if run.line is None and not any(_hides(f.quad, run.quad) for f in findings)
        for kind in [_near(run, named, labels)]
        if kind is not None
    ]
    return tuple(findings), tuple(doubt)


def find_native(line: Line, reading: Reading, identity: Identity) -> Iterator[Finding]:
    """Findings for the applicant's native name and unit in one line of Arabic letters.

    Whole words are masked: the letters of a word are joined and their places estimated.
    """
    terms = [term for term in identity.terms if term.script is Script.OTHER]
    if not terms:
        return
    for stream in streams(replace(reading, lines=(line,), cells=())):
        taken: list[tuple[int, int]] = []
        for match in matches(stream, terms):
            start, end = _whole_words(stream, match.start, match.end)
            if any(a <= start and end <= b for a, b in taken):
                continue
            taken.append((start, end))
            why = match.term.form + (f", {match.wrong} letters unsure" if match.wrong else "")
            for quad, text in stream.quads(start, end):
                yield Finding(match.term.kind, quad, text, BY_TEXT, why, FINDER)


def logical_lines(lines: Sequence[Line]) -> list[Line]:
    """The Arabic letters of a PDF's text layer as lines in reading order, right to left.

    PDF files hold them in any order and in pieces; dots may come as letters of their own.
    """
    chars = [char for line in lines for char in line.chars if ARABIC.match(char.text)]
    rows: list[list[Char]] = []
    for char in sorted(chars, key=lambda c: float(c.quad[:, 1].mean())):
        _, y0, _, y1 = geometry.bounds(char.quad)
        if rows:
            _, top, _, bottom = geometry.bounds(rows[-1][0].quad)
            if min(y1, bottom) - max(y0, top) > 0.5 * min(y1 - y0, bottom - top):
                rows[-1].append(char)
                continue
        rows.append([char])
    return [_logical(row) for row in rows]


def _logical(row: list[Char]) -> Line:
    """One line of the letters of a row, spaces put where there are gaps."""
    kept: list[Char] = []
    for char in sorted(row, key=lambda c: -float(c.quad[:, 0].mean())):
        x0, y0, x1, y1 = geometry.bounds(char.quad)
        if kept:
            left, _, right, _ = geometry.bounds(kept[-1].quad)
            if char.text == kept[-1].text and min(x1, right) - max(x0, left) > 0.3 * (x1 - x0):
                continue  # the dots of the same letter
            if left - x1 > 0.2 * (y1 - y0):
                kept.append(Char(" ", kept[-1].quad[[0, 0, 3, 3]], 1.0))
        kept.append(char)
    quad = geometry.around([c.quad for c in kept], geometry.rectangle(0, 0, 1, 1))
    return Line(tuple(kept), quad, 1.0, layer="native")


def _whole_words(stream: Stream, start: int, end: int) -> tuple[int, int]:
    source = stream.source
    while start > 0 and not source[start - 1].isspace():
        start -= 1
    while end < len(source) and not source[end].isspace():
        end += 1
    return start, end


def _script_runs(pixels: Image, reading: Reading, read: ArabicReader | None) -> list[Written]:
    """The unread runs that are Arabic letters: as read, or by their looks alone."""
    runs = []
    for run in find_unread_runs(pixels, reading):
        line = read(pixels, run.quad) if read and run.likeness >= LOOKS_READABLE else None
        if line is not None and line.score >= (READ if _is_long(run.quad) else READ_WELL):
            if _is_script(line):
                runs.append(Written(run.quad, line))
        elif _is_long(run.quad) and _may_be_script(line, run.quad):
            half_read = line is not None and line.score >= HALF_READ
            if half_read or run.likeness >= LOOKS_SURE:
                runs.append(Written(run.quad, None))
    return runs


def _is_script(line: Line) -> bool:
    """Whether a line is all but wholly of Arabic letters."""
    letters, signs = len(ARABIC.findall(line.text)), len(line.text.replace(" ", ""))
    return letters >= LEAST_LETTERS and letters >= LEAST_SHARE * signs


def _may_be_script(line: Line | None, quad: Quad) -> bool:
    """Whether a run that nobody read well is of Arabic letters, as many as its length asks for."""
    if line is None:
        return True
    letters = len(ARABIC.findall(line.text))
    dense = letters * geometry.height(quad) >= LETTERS_A_HEIGHT * geometry.width(quad)
    return dense and _is_script(line)


def _is_long(quad: Quad) -> bool:
    return geometry.width(quad) > SHORTEST_UNREAD * geometry.height(quad)


def _open_labels(reading: Reading) -> Iterator[tuple[Kind, Quad]]:
    """Chinese name and unit labels with nothing read behind them in their line."""
    for line in reading.lines:
        if line.layer not in ("ink", "text") or line.vertical:
            continue
        text = normalise(line.text).text.rstrip(":_. ")
        match = next((m for m in ANY_LABEL.finditer(text) if m.end() == len(text)), None)
        kind = label_kind(match) if match is not None else _rest_of_label(text, line.quad)
        if kind is not None and kind in _WORDS:
            yield kind, _written_part(line)


def _rest_of_label(text: str, quad: Quad) -> Kind | None:
    """The kind of a label of which the reader, troubled by the script behind it, left a part."""
    if geometry.width(quad) < (len(text) + 3) * geometry.height(quad):
        return None
    if text in ("名", "姓"):
        return Kind.NAME
    return Kind.UNIT if re.fullmatch("工?作?单?位|工?作单位?", text) else None


def _written_part(line: Line) -> Quad:
    """The box of a line up to its last sign; script behind it may lie in the same box."""
    x0, y0, x1, y1 = geometry.bounds(line.quad)
    last = [char for char in line.chars if not char.text.isspace()][-1]
    left = geometry.bounds(last.quad)[0]
    return geometry.rectangle(x0, y0, min(x1, left + WIDEST * (y1 - y0)), y1)


def _by_place(
    run: Written,
    runs: Sequence[Written],
    named: Sequence[Finding],
    labels: Sequence[tuple[Kind, Quad]],
    reading: Reading,
) -> Iterator[Finding]:
    """What a run must be by what stands around it."""
    own = run.label
    if own is not None:
        kind, rest = own
        value = _part(run, rest) if rest else _left_of(run, runs)
        if value is not None:
            yield _placed(kind, value, "behind its Uyghur label")
        return
    for finding in named:
        if _translates(run.quad, finding, reading):
            yield _placed(finding.kind, run.quad, f"beside the {finding.kind} in Chinese")
            return
    for kind, label in labels:
        if _follows(run.quad, label, reading):
            yield _placed(kind, run.quad, "behind a Chinese label")
            return


def _placed(kind: Kind, quad: Quad, where: str) -> Finding:
    return Finding(kind, quad, "", BY_PLACE, f"{_WORDS[kind]}, {where}", FINDER)


def _part(run: Written, rest: str) -> Quad:
    """The left part of a run, with what stands behind the label and its colon."""
    line = run.line
    assert line is not None
    chars = line.chars[-len(rest) :]
    x0, y0, _, y1 = geometry.bounds(run.quad)
    return geometry.rectangle(x0, y0, max(geometry.bounds(c.quad)[2] for c in chars), y1)


def _left_of(run: Written, runs: Sequence[Written]) -> Quad | None:
    """The nearest run in the same row to the left, where the value of a Uyghur label stands."""
    x0, y0, _, y1 = geometry.bounds(run.quad)
    best: tuple[float, Quad] | None = None
    for other in runs:
        _, oy0, ox1, oy1 = geometry.bounds(other.quad)
        gap = x0 - ox1
        same_row = min(y1, oy1) - max(y0, oy0) > 0.4 * min(y1 - y0, oy1 - oy0)
        near = same_row and -2 < gap < BEHIND * (y1 - y0)
        if other is not run and near and not other.label and (best is None or gap < best[0]):
            best = gap, other.quad
    return best[1] if best else None


def _translates(quad: Quad, finding: Finding, reading: Reading) -> bool:
    """Whether a run stands where the translation of a Chinese name or unit stands."""
    home = _line_at(finding.quad, reading)
    if home is not None and len(home.text) - len(finding.text) > OTHER_WORDS:
        return False
    x0, y0, x1, y1 = geometry.bounds(quad)
    fx0, fy0, fx1, fy1 = geometry.bounds(finding.quad)
    tall = max(y1 - y0, fy1 - fy0)
    if not SHORTEST * (fx1 - fx0) < x1 - x0 < LONGEST * max(fx1 - fx0, 2 * tall):
        return False
    across = min(y1, fy1) - max(y0, fy0)
    along = min(x1, fx1) - max(x0, fx0)
    cell = cell_of(finding.quad, reading.cells)
    if cell >= 0 and cell == cell_of(quad, reading.cells):
        return True
    if across > 0.3 * min(y1 - y0, fy1 - fy0):
        return -along < ASIDE * tall or (-along < BEHIND * tall and _free(quad, finding, reading))
    return along > 0.3 * min(x1 - x0, fx1 - fx0) and -across < BELOW * tall


def _free(quad: Quad, finding: Finding, reading: Reading) -> bool:
    """Whether nothing was read between a finding and a run to its right in the same row."""
    x0, y0, _, y1 = geometry.bounds(quad)
    right = geometry.bounds(finding.quad)[2]
    between = geometry.rectangle(right + 2, y0, max(x0, right + 3), y1)
    return x0 > right and not any(
        geometry.overlap(between, char.quad) > 0
        for line in reading.lines
        if abs(float(line.quad[:, 1].mean()) - (y0 + y1) / 2) < y1 - y0
        for char in line.chars
        if not char.text.isspace()
    )


def _follows(quad: Quad, label: Quad, reading: Reading) -> bool:
    """Whether a run is the value of a Chinese label: right of it, or in the next cell."""
    x0, y0, _, y1 = geometry.bounds(quad)
    _, ly0, lx1, ly1 = geometry.bounds(label)
    tall = max(y1 - y0, ly1 - ly0)
    same_row = min(y1, ly1) - max(y0, ly0) > 0.3 * min(y1 - y0, ly1 - ly0)
    if not same_row or x0 < lx1 - tall:
        return False
    cell, home = cell_of(quad, reading.cells), cell_of(label, reading.cells)
    if cell >= 0 and home >= 0 and cell != home:
        left = geometry.bounds(reading.cells[cell])[0]
        return abs(left - geometry.bounds(reading.cells[home])[2]) < tall
    return x0 - lx1 < BEHIND * tall


def _near(
    run: Written, named: Sequence[Finding], labels: Sequence[tuple[Kind, Quad]]
) -> Kind | None:
    """The kind of the name or unit, or of its label, that a run stands close to."""
    x0, y0, x1, y1 = geometry.bounds(run.quad)
    for kind, quad in [*((f.kind, f.quad) for f in named), *labels]:
        fx0, fy0, fx1, fy1 = geometry.bounds(quad)
        low = min(y1 - y0, fy1 - fy0)
        aside, apart = max(x0 - fx1, fx0 - x1), max(y0 - fy1, fy0 - y1)
        same_row = -apart > 0.3 * low
        if aside < (BEHIND if same_row else NEAR) * low and apart < NEAR * low:
            return kind
    return None


def _line_at(quad: Quad, reading: Reading) -> Line | None:
    """The read line that holds the middle of a quad."""
    x, y = quad.mean(axis=0)
    for line in reading.lines:
        x0, y0, x1, y1 = geometry.bounds(line.quad)
        if x0 <= x <= x1 and y0 <= y <= y1:
            return line
    return None


def _hides(mask: Quad, quad: Quad) -> bool:
    """Whether a mask covers all but the rim of a quad."""
    x0, y0, x1, y1 = geometry.bounds(mask)
    qx0, qy0, qx1, qy1 = geometry.bounds(quad)
    wide, high = min(x1, qx1) - max(x0, qx0), min(y1, qy1) - max(y0, qy0)
    return wide > 0 and high > 0 and wide * high > 0.9 * (qx1 - qx0) * (qy1 - qy0)
