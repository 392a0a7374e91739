"""Reads the masked pixels again and says whether the page may leave without a person's look.

Everything that the second look gives is a hit, and a hit means review: the page is never mended
here, because what the first look missed once it may have missed twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from redactor import geometry
from redactor.finders.known import find_known
from redactor.finders.labels import find_labels
from redactor.finders.patterns import find_patterns
from redactor.finders.unit_rests import find_rests_beside
from redactor.identity import Identity
from redactor.loose_match import loose_terms, stands, suspects
from redactor.page import Finding, Image, Line, Reading
from redactor.profile import Profile
from redactor.reading import Reader
from redactor.second_reading import MASKED_SHARE, evened, is_sure, masked_share, read_again
from redactor.streams import Stream, streams

FINDER = "second reading"
LEGIBLE = 0.6
"""Score of a labelled value from which it was read."""
BEFORE = 0.4
"""Share of the place before a value that is masked when the label's value was there."""
BESIDE = 0.3
"""Share of the room beside the rest of a unit or name that is masked when it is one."""
CLOSER = 0.12
"""Room around a line that is read closer, line heights."""


def second_look(
    masked: Image,
    reading: Reading,
    identity: Identity,
    profile: Profile,
    reader: Callable[[], Reader],
    second: Callable[[], Reader],
) -> tuple[Finding, ...]:
    """What still tells who it is on a masked upright page, as far as text goes.

    `reading`: the first one, for its ruled cells and its sure lines. `second`: a reader with
    models of another size; `reader`, the first one, looks closer where the second suspects
    something.
    """
    page = evened(masked)
    lines = read_again(second(), masked, page, reading.lines)
    again = replace(reading, lines=lines)
    hits: list[Finding] = []
    for finding in (
        *_told(masked, again, identity, profile),
        *_suspected(page, again, identity, reader),
    ):
        seen = any(geometry.holds(hit.quad, finding.quad) for hit in hits)
        if not seen and masked_share(masked, finding.quad) < MASKED_SHARE:
            hits.append(replace(finding, finder=FINDER))
    return tuple(hits)


def _told(
    masked: Image, reading: Reading, identity: Identity, profile: Profile
) -> Iterator[Finding]:
    for stream in streams(reading):
        yield from find_known(stream, identity)
        if profile.others:
            yield from find_patterns(stream, profile.kinds)
    yield from find_rests_beside(reading, identity, lambda q: masked_share(masked, q) > BESIDE)
    for finding in find_labels(masked, reading, profile.kinds):
        if profile.others and finding.score >= LEGIBLE and not _follows_mask(masked, finding):
            yield finding


def _follows_mask(masked: Image, finding: Finding) -> bool:
    """Whether a mask ends where the value begins: the label's own value is under it."""
    length = max(geometry.width(finding.quad), 1.0)
    before = 2 * geometry.height(finding.quad) / length
    strip = geometry.between(finding.quad, -before, 0.0)
    return masked_share(masked, strip) > BEFORE


def _suspected(
    page: Image, reading: Reading, identity: Identity, reader: Callable[[], Reader]
) -> Iterator[Finding]:
    """`page`: the masked page, evened."""
    terms = loose_terms(identity)
    closer: dict[int, Stream | None] = {}
    for stream in streams(reading):
        for suspect in suspects(stream, terms):
            for place in dict.fromkeys(
                at[0] for at in stream.places[suspect.start : suspect.end] if at is not None
            ):
                line = stream.lines[place]
                if id(line) not in closer:
                    closer[id(line)] = _read_closer(reader, page, line)
                again = closer[id(line)]
                sure = stands(again, suspect.term) if again is not None else None
                if again is not None and sure is not None:
                    for quad, text in again.quads(sure.start, sure.end):
                        why = f"{sure.why}: {suspect.term.text}"
                        yield Finding(suspect.term.kind, quad, text, 0.5, why, FINDER)


def _read_closer(reader: Callable[[], Reader], page: Image, line: Line) -> Stream | None:
    """One line read by the first reader from pixels it has not seen; None when it reads nothing.

    A line that was read surely stands as it is: a homophone of a name may stand in it.
    """
    if is_sure(line):
        return streams(Reading((line,), (), (0, 0), 0, ""))[0]
    room = CLOSER * min(geometry.height(line.quad), geometry.width(line.quad))
    lines = reader().read_lines(page, [geometry.grown(line.quad, room, room)])
    if not lines:
        return None
    (stream, *_) = streams(Reading(lines[:1], (), (0, 0), 0, ""))
    return stream
