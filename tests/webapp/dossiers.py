"""Dossiers whose masked pages lie staged and proven, made without any OCR."""

from __future__ import annotations

import hashlib
import json

import cv2
import numpy as np
from sqlalchemy.orm import Session

from models.office_pages import set_record
from models.vault_pages import Page
from models.vault_rounds import Entrant
from redactor.attachment import CATEGORIES
from redactor.file_job import PageRecord
from redactor.masking import encode
from tests.webapp.conftest import add_scan
from webapp.office.work import round_vault
from webapp.settings import Settings

SIZE = (310, 440)
"""Width and height of every page in pixels."""


def add_page(
    session: Session,
    settings: Settings,
    entrant: Entrant,
    number: int,
    *,
    state: str = "clean",
    name: str = "",
    category: str = CATEGORIES[0],
    quality: dict[str, object] | None = None,
    scan: bytes = b"",
    masked: bytes = b"",
) -> Page:
    """A scan of an applicant with its masked page; `name`: the scan's file name.

    `scan`, `masked`: their bytes, where a test needs real ones.
    """
    file = add_scan(session, settings, entrant, name or f"第{number}份.jpg", scan or b"%d" % number)
    file.state, file.category, file.position = "done", category, number
    data = masked or page_bytes(entrant.id, number)
    height, width = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE).shape
    staged = f"{hashlib.sha256(data).hexdigest()[:32]}-0000.jpg"
    (round_vault(settings, entrant.round_id).staging / staged).write_bytes(data)
    mask = {
        "kind": "name",
        "quad": [[20, 20], [120, 20], [120, 40], [20, 40]],
        "text": entrant.name,
        "score": 0.9,
        "why": "roster name",
        "finder": "names",
    }
    failed = state == "failed"
    record = PageRecord(
        applicant=entrant.number,
        source=file.path,
        source_page=0,
        category=category,
        state=state,
        reason="文件损坏" if failed else "",
        seconds=1.0,
        staged=None if failed else staged,
        sha256="" if failed else hashlib.sha256(data).hexdigest(),
        size=(width, height),
        masks=() if failed else (mask,),
        quality=quality or {"sharpness": 0.8, "dpi": 200, "flags": []},
        verify={"state": state, "hits": [mask] if state == "review" else []},
    )
    page = Page(
        round_id=entrant.round_id,
        entrant_id=entrant.id,
        file_id=file.id,
        source_page=0,
        position=number * 10_000,
        category=category,
        found=json.dumps(list(record.masks), ensure_ascii=False),
    )
    set_record(page, json.loads(json.dumps(record.as_json())))
    session.add(page)
    session.flush()
    return page


def page_bytes(entrant: int, number: int) -> bytes:
    """A JPEG as the redactor encodes it, different for each page."""
    pixels = np.full((SIZE[1], SIZE[0], 3), 255, np.uint8)
    cv2.rectangle(pixels, (20, 20), (120, 40), (0, 0, 0), -1)
    cv2.rectangle(pixels, (20, 60), (20 + 7 * entrant, 60 + 9 * number), (30, 90, 160), -1)
    return encode(pixels, "jpg", 200)
