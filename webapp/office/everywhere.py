"""What a person did with one mask, done on the other pages of a dossier: same text, place, seal."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.errors import RuleError, Sentence
from models.office_pages import edit_masks, masks_of
from models.vault_pages import Page
from models.vault_rounds import SourceFile
from redactor import geometry
from redactor.file_job import overview_file
from redactor.finders.known import find_known
from redactor.finders.seal_twins import SealPrint, describe, find_twins
from redactor.finders.seals import find_seals
from redactor.identity import Identity
from redactor.kept_pictures import read_picture
from redactor.kept_prints import OVERVIEW_DPI
from redactor.normal_text import key
from redactor.page import Finding, Kind, Quad
from redactor.reading_cache import ReadingCache
from redactor.streams import streams
from redactor.term import Term, Tolerance, han_term, script_of
from webapp.office.derivatives import pictures_folder, source_name
from webapp.office.work import round_vault
from webapp.page_pictures import picture_file
from webapp.settings import Settings

WAYS = ("text", "place", "seal")
SAME_SIZE = 0.02
"""Two pages are equally large when their sides differ by no more than this share."""
SAME_PLACE = 0.5
"""Two boxes are the same place from this overlap on."""
SHORTEST_TEXT, LONGEST_TEXT = 2, 200


def do_the_same(
    session: Session,
    *,
    page: Page,
    mask: dict[str, Any],
    entrant_id: int,
    way: str,
    remove: bool,
    by: str,
) -> int:
    """Adds such a mask on the other pages of a dossier, or removes such masks; pages changed.

    `way`: "text" wherever the mask's text is read, "place" at the same place of equally large
    pages, "seal" wherever the same seal stands. RuleError when the mask does not tell enough.
    """
    text = key(mask["text"])
    if way == "text" and len(text) < SHORTEST_TEXT:
        raise RuleError(
            Sentence(
                "此遮盖没有识别出文字，无法按文字查找。请改用“同一位置”。",
                "No text was read under this mask, so it cannot be sought by its text. Use the "
                "same place instead.",
            )
        )
    prints = _prints(session, page, mask) if way == "seal" and not remove else ()
    count = 0
    others = select(Page).where(
        Page.entrant_id == entrant_id, Page.id != page.id, Page.state != "failed"
    )
    for other in session.scalars(others.order_by(Page.position)).all():
        masks = masks_of(session, other)
        if remove:
            kept = [one for one in masks if not _alike(page, mask, other, one, way)]
        else:
            there = [np.asarray(one["quad"], np.float64) for one in masks]
            kept = masks + [
                _drawn(mask, quad)
                for quad in _places(session, page, mask, other, way, prints)
                if not any(geometry.holds(box, quad) for box in there)
            ]
        if len(kept) != len(masks):
            edit_masks(
                session, page_id=other.id, masks=kept, what="everywhere", on=other.revision, by=by
            )
            count += 1
    return count


def text_places(cache: ReadingCache, reading_key: str, term: Term) -> list[Quad]:
    """Where a term stands on a page, by the reading that was kept of it."""
    reading = cache.get(reading_key) if reading_key else None
    if reading is None:
        return []
    identity = Identity(0, (term,))
    return [f.quad for stream in streams(reading) for f in find_known(stream, identity)]


def text_under(settings: Settings, page: Page, quad: Quad) -> str:
    """What was read on a page inside a box, in reading order; "" when nothing was."""
    reading_key = json.loads(page.record)["reading"]
    cache = _cache(round_vault(settings, page.round_id).cache)
    reading = cache.get(reading_key) if reading_key else None
    if reading is None:
        return ""
    corners = np.asarray(quad, np.float32)
    lines = sorted(reading.lines, key=lambda line: tuple(line.quad.mean(axis=0)[::-1]))
    return "".join(
        char.text
        for line in lines
        if line.layer in ("ink", "text")
        for char in line.chars
        if cv2.pointPolygonTest(corners, tuple(map(float, char.quad.mean(axis=0))), False) >= 0
    )[:LONGEST_TEXT]


def _places(
    session: Session,
    page: Page,
    mask: dict[str, Any],
    other: Page,
    way: str,
    prints: tuple[SealPrint, ...],
) -> Iterator[Quad]:
    record = json.loads(other.record)
    if way == "place":
        if _equally_large(page, other):
            yield np.asarray(mask["quad"], np.float64)
    elif way == "text":
        folder = round_vault(_settings(), other.round_id).cache
        yield from text_places(_cache(folder), record["reading"], _term(mask))
    elif prints and record["staged"]:
        small = read_picture(
            overview_file(round_vault(_settings(), other.round_id).copies, record["staged"])
        )
        if small is not None:
            scale = record["size"][0] / small.shape[1]
            found = [_finding(one, 1 / scale) for one in record["masks"]]
            dpi = min(OVERVIEW_DPI, float(record["quality"]["dpi"]))
            for twin in find_twins(small, dpi, prints, found):
                yield twin.quad * scale


def _alike(page: Page, mask: dict[str, Any], other: Page, one: dict[str, Any], way: str) -> bool:
    """Whether a mask of another page is of the kind that shall go."""
    if one["kind"] != mask["kind"]:
        return False
    if way == "text":
        return key(one["text"]) == key(mask["text"])
    if way == "seal":
        return bool(one["kind"] == Kind.SEAL and one["text"] == mask["text"])
    quads = (np.asarray(mask["quad"], np.float64), np.asarray(one["quad"], np.float64))
    return _equally_large(page, other) and geometry.overlap(*quads) >= SAME_PLACE


def _prints(session: Session, page: Page, mask: dict[str, Any]) -> tuple[SealPrint, ...]:
    """What the seal under a mask looks like, from the picture of the source page."""
    record = json.loads(page.record)
    file = session.get_one(SourceFile, page.file_id)
    name = source_name(file.sha256, page.source_page, record["rotation"])
    folder = pictures_folder(_settings(), page.round_id)
    pixels = read_picture(picture_file(folder, name, "screen"))
    if pixels is not None:
        scale = pixels.shape[1] / record["size"][0]
        dpi = float(record["quality"]["dpi"]) * scale
        box = np.asarray(mask["quad"], np.float64) * scale
        found = [
            seal
            for seal in find_seals(pixels, dpi)
            if geometry.holds(box, seal.quad) or geometry.overlap(box, seal.quad) >= SAME_PLACE
        ]
        prints = tuple(p for seal in found if (p := describe(pixels, seal, dpi)) is not None)
        if prints:
            return prints
    raise RuleError(
        Sentence(
            "框内未辨认出印章，无法在其他页上查找。请把框画在整个印章上，或改用“同一位置”。",
            "No seal could be made out in the box, so it cannot be sought elsewhere. Draw the box "
            "around the whole seal, or use the same place instead.",
        )
    )


def _term(mask: dict[str, Any]) -> Term:
    text = key(mask["text"])
    kind = Kind(mask["kind"])
    if script_of(text) == "han":
        return han_term(kind, text, "the same as on another page")
    return Term(kind, text, "the same as on another page", script_of(text), Tolerance.SHAPE)


def _drawn(mask: dict[str, Any], quad: Quad) -> dict[str, Any]:
    return {
        "kind": mask["kind"],
        "quad": np.round(quad, 1).tolist(),
        "text": mask["text"],
        "score": 1.0,
        "why": "the same as on another page, by a person",
        "finder": "person",
    }


def _finding(mask: dict[str, Any], scale: float) -> Finding:
    quad = np.asarray(mask["quad"], np.float64) * scale
    return Finding(Kind(mask["kind"]), quad, "", 1.0, "", "")


def _equally_large(page: Page, other: Page) -> bool:
    mine, its = (json.loads(one.record)["size"] for one in (page, other))
    return all(abs(a - b) <= SAME_SIZE * a for a, b in zip(mine, its, strict=True))


@functools.cache
def _cache(folder: Path) -> ReadingCache:
    return ReadingCache(folder)


def _settings() -> Settings:
    settings: Settings = current_app.config["SETTINGS"]
    return settings
