"""Pages in the vault without OCR: records as the runner would write them, with real pictures."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.office_pages import keep_records
from models.vault_pages import Page
from models.vault_rounds import Entrant
from redactor.file_job import PageRecord, overview_file
from redactor.kept_prints import keep_overview
from redactor.page import Image
from tests.webapp.conftest import add_scan
from webapp.office.work import merged_masks, round_vault
from webapp.settings import Settings

SIZE, DPI = (400, 560), 110


def mask(x: float, y: float, *, kind: str = "name", text: str = "诸葛晓岚") -> dict[str, Any]:
    """A mask of 100 x 20 pixels as the redactor writes it."""
    quad = [[x, y], [x + 100, y], [x + 100, y + 20], [x, y + 20]]
    return {"kind": kind, "quad": quad, "text": text, "score": 0.98, "why": "roster name",
            "finder": "known"}  # fmt: skip


def read_page(masks: Sequence[dict[str, Any]]) -> PageRecord:
    """What a worker tells of a page, without any picture."""
    quality = {"sharpness": 1.0, "dpi": DPI, "flags": []}
    verify = {"state": "clean", "hits": []}
    return PageRecord(1, "a.jpg", 0, "其他", "clean", "", 0.1, masks=tuple(masks), quality=quality,
                      verify=verify)  # fmt: skip


FORMER_UNIT = {**mask(0, 0, kind="unit", text="轮台县第二中学"), "finder": "labels"}
"""A label gave it away; the roster does not know it, and other pages may show it."""


def add_page(
    session: Session,
    settings: Settings,
    round_id: int,
    *,
    masks: Sequence[dict[str, Any]] = (),
    hits: Sequence[dict[str, Any]] = (),
    state: str = "clean",
    number: int = 1,
    entrant: int = 1,
    size: tuple[int, int] = SIZE,
    reading: str = "",
    picture: Image | None = None,
) -> Page:
    """A page of an applicant, its scan on disk and its masked page staged.

    `picture`: the scan's pixels at 110 dpi, instead of a number on white.
    """
    owner = session.scalars(
        select(Entrant).where(Entrant.round_id == round_id, Entrant.number == entrant)
    ).one()
    pixels = np.full((size[1], size[0], 3), 255, np.uint8)
    cv2.putText(pixels, f"{entrant}-{number}", (20, 60), 0, 1.5, (0, 0, 0), 3)
    if picture is not None:
        pixels, size = picture.copy(), (picture.shape[1], picture.shape[0])
    scan = cv2.imencode(".png", pixels)[1].tobytes()
    file = add_scan(session, settings, owner, f"{number}.png", scan)
    for one in masks:
        cv2.fillPoly(pixels, [np.array(one["quad"], np.int32)], (0, 0, 0))
    staged = cv2.imencode(".jpg", pixels)[1].tobytes()
    name = f"{entrant}-{number}.jpg"
    if state != "failed":
        kept = round_vault(settings, round_id)
        (kept.staging / name).write_bytes(staged)
        keep_overview(overview_file(kept.copies, name), pixels, DPI)
    record = PageRecord(
        applicant=entrant,
        source=file.path,
        source_page=0,
        category="其他",
        state=state,
        reason="请查看标出的位置。" if state == "review" else "",
        seconds=0.1,
        staged=None if state == "failed" else name,
        sha256="" if state == "failed" else hashlib.sha256(staged).hexdigest(),
        size=(0, 0) if state == "failed" else size,
        masks=tuple(masks),
        quality={"sharpness": 1.0, "dpi": DPI, "flags": []},
        verify={"state": state, "hits": list(hits)},
        reading=reading,
    )
    (page,) = keep_records(session, file_id=file.id, records=[record.as_json()], merge=merged_masks)
    return page
