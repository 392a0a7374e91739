"""The whole way of one page, from loaded pixels to masked pixels with their reasons."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from redactor import geometry
from redactor.finders.photo_frames import FINDER as PICTURES
from redactor.finders.photo_twins import describe_portraits, open_pictures
from redactor.finders.pictures import Picture
from redactor.finders.prints import NO_PRINTS, Prints
from redactor.finders.seal_text import read_strip
from redactor.finders.seal_twins import describe
from redactor.finders.seals import SealRegion, find_seals
from redactor.identity import Identity
from redactor.judgement import judge
from redactor.layers import Layer
from redactor.lifting import lift_seals
from redactor.masking import fit, paint
from redactor.padding import padded_names
from redactor.page import Finding, Image, Line, Matrix, Reading, SourcePage, State
from redactor.profile import Profile
from redactor.quality import Quality, assess
from redactor.reading import Reader, reader_version, second_reader
from redactor.reading_cache import ReadingCache, reading_key
from redactor.search import Found, distinct, find, find_text
from redactor.second_reading import is_blank_beside_masks, masked_share
from redactor.upright import Upright, read_layer, read_upright, turn
from redactor.verify import second_look

BY_TEXT = frozenset({"known", "patterns", "document_numbers"})
"""Finders that go by what was read, be it print or a seal's own letters. Not cut_units: the other
half of a cut name may stand outside the seal, where it is not sought again."""

DOUBT_MASKED = 0.9
"""Share of a doubtful place under masks from which on nothing of it is left to look at."""


@dataclass(frozen=True, eq=False)
class MaskedPage:
    """A page ready to be encoded. `masked`: upright pixels with solid masks and lifted seals.

    `reading_key`: names `reading` in the cache. `hits`: places that a person must look at, because
    something may still tell who it is there. `prints`: the page's seals and portraits, to be
    sought on other pages. `source_to_output`: homography to `masked` from the pixels as every
    viewer shows them (EXIF orientation applied, PDF rendered). `pictures`: in which another page's
    portrait may stand unmasked; None when they were not sought.
    """

    masked: Image
    reading: Reading
    reading_key: str
    findings: tuple[Finding, ...]
    hits: tuple[Finding, ...]
    prints: Prints
    source_to_output: Matrix
    quality: Quality
    state: State
    reason: str
    pictures: tuple[Picture, ...] | None = None


def redact_page(
    source: SourcePage,
    identity: Identity,
    profile: Profile,
    reader: Callable[[], Reader],
    cache: ReadingCache | None = None,
    second: Callable[[], Reader] = second_reader,
    decided: tuple[Finding, ...] | None = None,
    prints: Prints = NO_PRINTS,
) -> MaskedPage:
    """Load -> read -> find -> mask -> look again.

    `reader` is called when the cache has no reading or something deserves a closer look; `second`
    reads the masked page. `decided`: a person's masks, which stand instead of what is found.
    `prints`: seals and portraits of the dossier's other pages.
    """
    upright, key = read(source, reader, cache)
    page, reading = upright.pixels, upright.reading
    if decided is None:
        found = find(page, source.dpi, reading, identity, profile, reader, upright.seals, prints)
        findings = distinct(fit(page, finding) for finding in found.masks)
        if profile.padded:
            findings = padded_names(page, findings)
        if profile.seals == "lift":
            findings = tuple(replace(f, lifted=f.finder == "seals") for f in findings)
    else:
        found = Found((), (), _seals(page, source.dpi, upright, decided))
        findings = decided
    lifted, findings = lift_seals(
        page, findings, found.seals, lambda strip: read_strip(reader(), strip)
    )
    findings = _under_lifted(lifted, findings, reading, identity, profile, reader)
    masked = paint(lifted, (finding.quad for finding in findings if not finding.lifted))
    doubts = (doubt for doubt in found.doubts if not _is_settled(masked, doubt))
    hits = (*doubts, *second_look(masked, reading, identity, profile, reader, second))
    quality = assess(page, source.dpi, reading)
    state, reason = judge(reading, findings, hits, quality)
    seals = (describe(page, seal, source.dpi) for seal in found.seals)
    return MaskedPage(
        masked=masked,
        reading=reading,
        reading_key=key,
        findings=findings,
        hits=hits,
        prints=Prints(
            tuple(print_ for print_ in seals if print_ is not None),
            describe_portraits(page, findings),
        ),
        source_to_output=geometry.quarter_turn(reading.rotation, source.pixels.shape[1::-1]),
        quality=quality,
        state=state,
        reason=reason,
        pictures=None if decided is not None else open_pictures(found.pictures, findings),
    )


def read(
    source: SourcePage, reader: Callable[[], Reader], cache: ReadingCache | None
) -> tuple[Upright, str]:
    """(the upright page, read, with the lines of a PDF's text layer; its key in the cache)."""
    key = reading_key(source.pixels, reader_version()) if cache else ""
    reading = cache.get(key) if cache else None
    if reading is None:
        upright = read_upright(reader(), source.pixels, source.dpi)
        if cache:
            cache.put(key, upright.reading)
    else:
        upright = Upright(turn(source.pixels, reading.rotation), reading, None)
    size = (source.pixels.shape[1], source.pixels.shape[0])
    turned = geometry.quarter_turn(upright.reading.rotation, size)
    layer = tuple(_turned(line, turned) for line in source.text_layer)
    whole = replace(upright.reading, lines=upright.reading.lines + layer)
    return replace(upright, reading=whole), key


def _is_settled(masked: Image, doubt: Finding) -> bool:
    """Whether masks leave nothing to look at of a doubtful place, or of a picture only paper."""
    if masked_share(masked, doubt.quad) >= DOUBT_MASKED:
        return True
    return doubt.finder == PICTURES and is_blank_beside_masks(masked, doubt.quad)


def _under_lifted(
    page: Image,
    findings: tuple[Finding, ...],
    reading: Reading,
    identity: Identity,
    profile: Profile,
    reader: Callable[[], Reader],
) -> tuple[Finding, ...]:
    """The findings, with the text in lifted seals as it is found now that their ink is gone."""
    for seal in [finding.quad for finding in findings if finding.lifted]:
        x0, y0, x1, y1 = (max(0, round(v)) for v in geometry.bounds(seal))
        left = max(0, x0 - (x1 - x0))
        layer = Layer("lifted", page[y0:y1, left : x1 + (x1 - x0)], (left, y0))
        lines = read_layer(reader(), layer, page.shape)
        now = find_text(replace(reading, lines=lines), identity, profile)
        kept = [f for f in findings if f.finder not in BY_TEXT or not geometry.holds(seal, f.quad)]
        findings = distinct((*kept, *(fit(page, finding) for finding in now)))
    return findings


def _seals(
    page: Image, dpi: float, upright: Upright, decided: tuple[Finding, ...]
) -> tuple[SealRegion, ...]:
    """The page's seals, sought only when one of a person's masks lifts a seal."""
    if not any(finding.lifted for finding in decided):
        return ()
    return find_seals(page, dpi) if upright.seals is None else upright.seals


def _turned(line: Line, matrix: Matrix) -> Line:
    chars = tuple(replace(c, quad=geometry.mapped(c.quad, matrix)) for c in line.chars)
    return replace(line, chars=chars, quad=geometry.mapped(line.quad, matrix))
