"""Asks every finder that a profile wants about one upright page, in the order they need each other.

Text first, because it says where labels stand; then what is found by its looks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from redactor import geometry
from redactor.arabic_reading import arabic_reader
from redactor.finders.arabic_script import find_arabic_script
from redactor.finders.card_ghosts import find_card_ghosts
from redactor.finders.code_text import described, find_printed_numbers
from redactor.finders.codes import find_codes
from redactor.finders.copied_frames import find_copied_frames
from redactor.finders.cut_units import find_cut_units
from redactor.finders.document_numbers import find_document_numbers
from redactor.finders.embossed import find_embossed
from redactor.finders.faces import apart_from_print, find_faces
from redactor.finders.fingerprints import PALE_PRINT, find_fingerprints
from redactor.finders.handwriting import find_handwriting
from redactor.finders.known import find_known
from redactor.finders.labels import find_labels
from redactor.finders.letterheads import find_letterheads
from redactor.finders.lost_characters import find_with_lost
from redactor.finders.patterns import find_patterns
from redactor.finders.photo_frames import find_empty_photo_frames, find_false_codes
from redactor.finders.photo_twins import find_photo_twins
from redactor.finders.pictures import Picture, find_pictures, text_quads
from redactor.finders.prints import NO_PRINTS, Prints
from redactor.finders.row_ends import find_row_ends
from redactor.finders.row_starts import find_row_starts
from redactor.finders.seal_edges import find_seal_edges
from redactor.finders.seal_text import read_strip
from redactor.finders.seal_twins import find_twins
from redactor.finders.seals import SealRegion, doubtful_seals, find_seals, seal_findings
from redactor.finders.stacked_units import find_stacked_units
from redactor.finders.touching_ink import find_touching_ink
from redactor.finders.unit_rests import find_rests_beside, under
from redactor.finders.watermarks import find_copies, watermark_lines
from redactor.identity import Identity
from redactor.page import Finding, Image, Kind, Reading
from redactor.profile import Profile
from redactor.reading import Reader
from redactor.streams import streams

LEGIBLE = 0.6
"""Score of a labelled value from which it was read; the notice masks only what may be the own."""
EMPTY_FRAME = 0.8
"""Likeness from which a picture without a face must be looked at by a person."""
SAME_PLACE = 0.95
"""Overlap of two masks of one kind from which the second adds nothing."""


@dataclass(frozen=True, eq=False)
class Found:
    """`masks`: what the profile asks to hide. `doubts`: places that a person must look at.

    `seals`: all seals of the page, masked or not. `pictures`: what may be photos, masked or not.
    """

    masks: tuple[Finding, ...]
    doubts: tuple[Finding, ...]
    seals: tuple[SealRegion, ...]
    pictures: tuple[Picture, ...] = ()


def find(
    page: Image,
    dpi: float,
    reading: Reading,
    identity: Identity,
    profile: Profile,
    reader: Callable[[], Reader],
    seals: tuple[SealRegion, ...] | None = None,
    prints: Prints = NO_PRINTS,
) -> Found:
    """Everything that the finders of `profile` find on an upright page.

    `reader` reads the ring of a seal where it matters whose it is. `seals`: the page's seals if
    they were sought already. `prints`: seals and portraits of the dossier's other pages.
    """
    kinds = profile.kinds
    masks = [*find_text(reading, identity, profile)]
    pale = replace(reading, lines=watermark_lines(reading.lines, reading.size))
    masks += find_copies(page, [f for s in streams(pale) for f in find_known(s, identity)])
    masks += [
        finding
        for finding in find_labels(page, reading, kinds)
        if profile.others or finding.score < LEGIBLE
    ]
    doubts: list[Finding] = []
    if Kind.CODE in kinds:
        decoded = described(find_codes(page, reading.lines), identity)
        masks += [*decoded, *find_printed_numbers(decoded, reading.lines)]
    regions: tuple[SealRegion, ...] = ()
    if Kind.SEAL in kinds:
        sought = find_seals(page, dpi, doubtful=True) if seals is None else seals
        doubts += doubtful_seals(sought)
        regions = tuple(region for region in sought if region.sure)
        doubts += find_copied_frames(page, dpi, regions, reading)
        masks += seal_findings(
            page,
            regions,
            lambda strip: read_strip(reader(), strip),
            identity,
            keep_others=not profile.others,
        )
        masks += find_twins(page, dpi, prints.seals, masks)
        if profile.seals != "lift":
            whole = [mask.quad for mask in masks if mask.kind is Kind.SEAL]
            masks += find_seal_edges(page, dpi, whole, reading.lines)
        embossed = find_embossed(page, dpi, [region.quad for region in regions])
        masks += embossed.sure
        doubts += embossed.doubtful
    sealed = [mask for mask in masks if mask.kind is Kind.SEAL]
    masks += find_rests_beside(reading, identity, under(masks), under(sealed))
    if Kind.SIGNATURE in kinds:
        quads = [region.quad for region in regions]
        fingerprints = find_fingerprints(page, dpi, quads, reading.lines)
        masks += fingerprints.sure
        signed = [m.quad for m in masks if m.kind in (Kind.NAME, Kind.SIGNATURE)]
        for doubt in fingerprints.doubtful:
            # A pale thumb print on a signature is one; its margin takes all of it in.
            on_name = any(geometry.overlap(doubt.quad, quad) > 0 for quad in signed)
            (masks if on_name and doubt.why.startswith(PALE_PRINT) else doubts).append(doubt)
        red = [region.quad for region in regions if region.ink == "red"]
        masks += find_handwriting(page, dpi, reading, masks, red)
        masks += find_touching_ink(page, dpi, masks, reading)
    if Kind.UNIT in kinds:
        masks += find_letterheads(page, reading, identity, profile.others)
    pictures: tuple[Picture, ...] = ()
    if Kind.EYES in kinds:
        # What was read or decoded is no picture; a seal's box may hold a whole photo.
        coded = [mask for mask in masks if mask.kind is Kind.CODE]
        codes = [mask.quad for mask in coded]
        pictures = find_pictures(page, dpi, (*text_quads(reading.lines), *codes))
        seen = find_faces(page, dpi, bool(reading.lines), profile.faces, pictures)
        faces = apart_from_print(seen, reading.lines)
        known = (*masks, *faces)
        faces += find_photo_twins(page, dpi, prints.portraits, pictures, known)
        frames = find_empty_photo_frames(page, dpi, faces, reading.lines, pictures, codes)
        masks += faces
        doubts += [frame for frame in frames if frame.score >= EMPTY_FRAME]
        doubts += find_false_codes(reading.lines, coded, faces)
        masks += find_card_ghosts(page, reading.lines, faces, masks)
    foreign, unread = find_arabic_script(page, reading, identity, masks, arabic_reader())
    masks += foreign
    doubts += unread
    return Found(tuple(masks), tuple(doubts), regions, pictures)


def find_text(reading: Reading, identity: Identity, profile: Profile) -> Iterator[Finding]:
    """Findings that need no pixels: re-matching a cached reading is only this."""
    for stream in streams(reading):
        yield from find_known(stream, identity)
        yield from find_cut_units(stream, identity)
        if Kind.DOCUMENT_NUMBER in profile.kinds:
            yield from find_document_numbers(stream, identity)
        if profile.others:
            yield from find_patterns(stream, profile.kinds)
    # What is surmised comes last: of two masks at one place the first is kept.
    yield from find_row_ends(reading, identity)
    yield from find_with_lost(reading, identity)
    yield from find_row_starts(reading, identity)
    yield from find_stacked_units(reading, identity)


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
