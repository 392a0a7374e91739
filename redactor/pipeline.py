"""The whole way of one page, from loaded pixels to masked pixels with their reasons."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from redactor import geometry
from redactor.errors import Sentence
from redactor.finders.codes import find_codes
from redactor.finders.document_numbers import find_document_numbers
from redactor.finders.faces import find_faces
from redactor.finders.known import find_known
from redactor.finders.labels import find_labels
from redactor.finders.patterns import find_patterns
from redactor.finders.photo_frames import FINDER as PHOTO_FRAMES
from redactor.finders.photo_frames import find_empty_photo_frames
from redactor.finders.pictures import find_pictures
from redactor.finders.seal_text import read_strip
from redactor.finders.seals import find_seals, seal_findings
from redactor.identity import Identity
from redactor.masking import fit, paint
from redactor.page import Finding, Image, Kind, Line, Matrix, Reading, SourcePage, State
from redactor.profile import Profile
from redactor.quality import Quality, assess
from redactor.reading import Reader, reader_version, second_reader
from redactor.reading_cache import ReadingCache, reading_key
from redactor.streams import streams
from redactor.upright import read_page, turn
from redactor.verify import FINDER as SECOND_READING
from redactor.verify import second_look

LEGIBLE = 0.6
"""Score of a labelled value from which it was read; the notice masks only what may be the own."""
EMPTY_FRAME = 0.8
"""Likeness from which a picture without a face must be looked at by a person."""
SAME_PLACE = 0.95
"""Overlap of two masks of one kind from which the second adds nothing."""
FEWEST_CHARACTERS = 4
"""Legible characters from which a page counts as read: a certificate's title has as many."""
POORLY_READ = 0.6
"""Mean character probability below which a page of text counts as not read."""


@dataclass(frozen=True, eq=False)
class MaskedPage:
    """A page ready to be encoded. `masked`: upright pixels with solid masks.

    `reading_key`: names `reading` in the cache. `hits`: places that a person must look at, because
    something may still tell who it is there. `source_to_output`: homography to `masked` from the
    pixels as every viewer shows them (EXIF orientation applied, PDF rendered).
    """

    masked: Image
    reading: Reading
    reading_key: str
    findings: tuple[Finding, ...]
    hits: tuple[Finding, ...]
    source_to_output: Matrix
    quality: Quality
    state: State
    reason: str


def redact_page(
    source: SourcePage,
    identity: Identity,
    profile: Profile,
    reader: Callable[[], Reader],
    cache: ReadingCache | None = None,
    second: Callable[[], Reader] = second_reader,
    decided: tuple[Finding, ...] | None = None,
) -> MaskedPage:
    """Load -> read -> find -> mask -> look again.

    `reader` is called when the cache has no reading or something deserves a closer look; `second`
    reads the masked page. `decided`: a person's masks, which stand instead of what is found.
    """
    page, reading, key = read(source, reader, cache)
    if decided is None:
        findings, doubt = find(page, source.dpi, reading, identity, profile, reader)
        findings = distinct(fit(page, finding) for finding in findings)
    else:
        findings, doubt = decided, ()
    masked = paint(page, (finding.quad for finding in findings))
    turned = geometry.quarter_turn(reading.rotation, source.pixels.shape[1::-1])
    quality = assess(page, source.dpi, reading)
    hits = (*doubt, *second_look(masked, reading, identity, profile, reader, second))
    state, reason = judge(reading, findings, hits, quality)
    return MaskedPage(masked, reading, key, findings, hits, turned, quality, state, reason)


def read(
    source: SourcePage, reader: Callable[[], Reader], cache: ReadingCache | None
) -> tuple[Image, Reading, str]:
    """(the upright page, its reading with the lines of a PDF's text layer, key in the cache)."""
    key = reading_key(source.pixels, reader_version()) if cache else ""
    reading = cache.get(key) if cache else None
    if reading is None:
        page, reading = read_page(reader(), source.pixels, source.dpi)
        if cache:
            cache.put(key, reading)
    else:
        page = turn(source.pixels, reading.rotation)
    size = (source.pixels.shape[1], source.pixels.shape[0])
    turned = geometry.quarter_turn(reading.rotation, size)
    layer = tuple(_turned(line, turned) for line in source.text_layer)
    return page, replace(reading, lines=reading.lines + layer), key


def find(
    page: Image,
    dpi: float,
    reading: Reading,
    identity: Identity,
    profile: Profile,
    reader: Callable[[], Reader],
) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """(all findings that the profile asks for, places that a person must look at).

    `reader` reads the ring of a seal where it matters whose it is.
    """
    found = [*find_text(reading, identity, profile)]
    found += [
        finding
        for finding in find_labels(page, reading, profile.kinds)
        if profile.others or finding.score < LEGIBLE
    ]
    if Kind.CODE in profile.kinds:
        found += find_codes(page)
    if Kind.SEAL in profile.kinds:
        found += seal_findings(
            page,
            find_seals(page, dpi),
            lambda strip: read_strip(reader(), strip),
            identity,
            keep_others=not profile.others,
        )
    doubt: tuple[Finding, ...] = ()
    if Kind.EYES in profile.kinds:
        pictures = find_pictures(page, dpi)
        faces = find_faces(page, dpi, bool(reading.lines), profile.faces, pictures)
        frames = find_empty_photo_frames(page, dpi, faces, reading.lines, pictures)
        doubt = tuple(frame for frame in frames if frame.score >= EMPTY_FRAME)
        found += faces
    return tuple(found), doubt


def find_text(reading: Reading, identity: Identity, profile: Profile) -> Iterator[Finding]:
    """Findings that need no pixels: re-matching a cached reading is only this."""
    for stream in streams(reading):
        yield from find_known(stream, identity)
        if Kind.DOCUMENT_NUMBER in profile.kinds:
            yield from find_document_numbers(stream, identity)
        if profile.others:
            yield from find_patterns(stream, profile.kinds)


def distinct(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Without those that cover the same place as an earlier one of their kind."""
    kept: list[Finding] = []
    for finding in findings:
        if not any(
            other.kind == finding.kind and geometry.overlap(other.quad, finding.quad) > SAME_PLACE
            for other in kept
        ):
            kept.append(finding)
    return tuple(kept)


def judge(
    reading: Reading,
    findings: tuple[Finding, ...],
    hits: tuple[Finding, ...],
    quality: Quality,
) -> tuple[State, str]:
    """Whether the page may be believed; the reason when a person must look.

    A page of which nothing could be read proves nothing: unless it is blank, or a photo whose
    face was found, somebody has to see it.
    """
    if hits:
        return State.REVIEW, str(_HITS[hits[0].finder])
    if "blurred" in quality.flags:
        return State.REVIEW, str(_BLURRED)
    if "blank" in quality.flags:
        return State.CLEAN, ""
    scores = [c.score for line in reading.lines if line.layer == "ink" for c in line.chars]
    legible = sum(score >= POORLY_READ for score in scores)
    pictured = any(f.kind in (Kind.EYES, Kind.FACE, Kind.CODE) for f in findings)
    if legible < FEWEST_CHARACTERS and not pictured:
        return State.REVIEW, str(_NOTHING_READ)
    if len(scores) >= FEWEST_CHARACTERS and float(np.mean(scores)) < POORLY_READ:
        return State.REVIEW, str(_POORLY_READ)
    return State.CLEAN, ""


_HITS = {
    SECOND_READING: Sentence(
        "复核时在遮盖后的页面上仍读到疑似身份信息，请查看标出的位置。",
        "A second reading of the masked page found what may still tell who it is. Look at the "
        "places shown.",
    ),
    PHOTO_FRAMES: Sentence(
        "页面上有疑似照片，但未找到人脸，请查看标出的位置。",
        "There seems to be a photo without a face that could be found. Look at the place shown.",
    ),
}
"""What a person is told, by the finder of a hit."""
_BLURRED = Sentence(
    "页面模糊，遮盖可能不全。请查看，或请申报人重新扫描。",
    "The page is blurred and masks may be missing. Look at it, or have it scanned again.",
)
_NOTHING_READ = Sentence(
    "页面上几乎没有识别出文字，也没有找到人像。请查看。",
    "Hardly any text was read on the page, and no face was found. Look at it.",
)
_POORLY_READ = Sentence(
    "页面文字识别不可靠，遮盖可能不全。请查看，或请申报人重新扫描。",
    "The text was read unreliably and masks may be missing. Look at it, or have it scanned again.",
)


def _turned(line: Line, matrix: Matrix) -> Line:
    chars = tuple(replace(c, quad=geometry.mapped(c.quad, matrix)) for c in line.chars)
    return replace(line, chars=chars, quad=geometry.mapped(line.quad, matrix))
