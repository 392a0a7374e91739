"""A round with as many applicants and pages as one asks for, made as rows, without any OCR."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from itertools import islice

import cv2
import numpy as np
from sqlalchemy import Engine, insert, select
from sqlalchemy.orm import Session

from models.base import utc_now
from models.office_pages import set_record
from models.office_rounds import make_round
from models.vault_pages import Job, Page
from models.vault_rounds import Entrant, SourceFile
from redactor.applicant import Applicant
from redactor.attachment import CATEGORIES
from redactor.blind_code import new_codes
from redactor.file_job import PageRecord
from webapp.office.work import round_vault, scans_folder
from webapp.settings import Settings

POLICY = "science_bazhou_2024"
SIZE = (620, 877)
"""Width and height of every page in pixels."""
STATES = ("clean", "review", "clean", "failed", "checking", "review", "clean")
AT_ONCE = 5_000


@dataclass(frozen=True)
class Furnished:
    """Ids of what was made."""

    round_id: int
    entrants: tuple[int, ...]
    files: tuple[int, ...]
    pages: tuple[int, ...]


def furnish(
    vault: Engine,
    settings: Settings,
    *,
    entrants: int = 2,
    pages: int = 4,
    name: str = "2024年度科技系列",
    pictures: bool = True,
) -> Furnished:
    """A round; each applicant has `pages` files of one page, of every state and category.

    The pictures of all pages are one and the same; without `pictures` there are rows only.
    """
    with Session(vault) as session, session.begin():
        made = make_round(
            session,
            name=name,
            year=2024,
            policy_name=POLICY,
            policy=(files("scoring") / "policies" / f"{POLICY}.toml").read_text("utf-8"),
            profile="strict",
            committee_members=9,
            by="test",
        )
        round_id = made.id
        codes = new_codes(entrants, [])
        _put(session, Entrant, (_entrant(round_id, n, code) for n, code in enumerate(codes, 1)))
        people = _ids(session, Entrant, round_id)
        _put(
            session,
            SourceFile,
            (_file(round_id, e, k, n) for k, e in enumerate(people) for n in range(pages)),
        )
        scans = _ids(session, SourceFile, round_id)
        _put(
            session,
            Page,
            (_page(round_id, people[k // pages], f, k, k % pages) for k, f in enumerate(scans)),
        )
        _put(session, Job, (_job(round_id, f, k) for k, f in enumerate(scans)))
        done = _ids(session, Page, round_id)
    if pictures:
        _draw(settings, round_id, len(people), pages)
    return Furnished(round_id, tuple(people), tuple(scans), tuple(done))


def _put(session: Session, table: type, rows: Iterator[dict[str, object]]) -> None:
    while part := list(islice(rows, AT_ONCE)):
        session.execute(insert(table), part)


def _ids(session: Session, table: type, round_id: int) -> list[int]:
    chosen = select(table.id).where(table.round_id == round_id)  # type: ignore[attr-defined]
    return list(session.scalars(chosen.order_by(table.id)))  # type: ignore[attr-defined]


def _entrant(round_id: int, number: int, code: str) -> dict[str, object]:
    person = Applicant(number, number + 3, f"诸葛{number}", f"第{number}中学")
    return {
        "round_id": round_id,
        "number": number,
        "name": person.name,
        "unit": person.unit,
        "specialty": "实验技术",
        "level": "中级",
        "row": json.dumps(dataclasses.asdict(person), ensure_ascii=False, sort_keys=True),
        "code": code,
    }


def _path(entrant: int, number: int) -> str:
    return f"{entrant:05d}/证书{number}.jpg"


def _file(round_id: int, entrant_id: int, entrant: int, number: int) -> dict[str, object]:
    path = _path(entrant, number)
    state = STATES[(entrant + number) % len(STATES)]
    return {
        "round_id": round_id,
        "entrant_id": entrant_id,
        "path": path,
        "folder": path.split("/")[0],
        "category": CATEGORIES[number % len(CATEGORIES)],
        "sha256": hashlib.sha256(path.encode()).hexdigest(),
        "size": 1000,
        "position": number,
        "state": "failed" if state == "failed" else "done",
        "received_at": utc_now(),
    }


def _page(
    round_id: int, entrant_id: int, file_id: int, number: int, position: int
) -> dict[str, object]:
    state = STATES[number % len(STATES)]
    mask = {
        "kind": "name",
        "quad": [[60, 100], [260, 100], [260, 140], [60, 140]],
        "text": "诸葛",
        "score": 0.9,
        "why": "roster name",
        "finder": "names",
    }
    failed = state == "failed"
    record = PageRecord(
        applicant=1,
        source=f"{number}.jpg",
        source_page=0,
        category=CATEGORIES[0],
        state="clean" if state == "checking" else state,
        reason="无法读取 / cannot be read" if failed else "",
        seconds=1.0,
        staged=None if failed else "page.jpg",
        sha256="" if failed else "0" * 64,
        size=SIZE,
        masks=() if failed else (mask,),
        quality={"sharpness": 0.8, "dpi": 75, "flags": ["blurred"] if number % 3 else []},
        verify={"state": state, "hits": [mask] if state == "review" else []},
        thumbnail=None if failed else "page.jpg",
    )
    page = Page(
        round_id=round_id,
        entrant_id=entrant_id,
        file_id=file_id,
        source_page=0,
        position=position * 10_000,
        category=record.category,
        found=json.dumps(list(record.masks), ensure_ascii=False),
    )
    # The columns that the queue and the lists rest on are made where the runner makes them.
    set_record(page, json.loads(json.dumps(record.as_json())))
    page.state, page.risk = state, (number * 37) % 1001
    return {c.key: v for c in Page.__table__.columns if (v := getattr(page, c.key)) is not None}


def _job(round_id: int, file_id: int, number: int) -> dict[str, object]:
    failed = STATES[number % len(STATES)] == "failed"
    return {
        "round_id": round_id,
        "kind": "redact",
        "target": file_id,
        "state": "failed" if failed else "done",
        "error": "UnreadablePage" if failed else "",
        "created_at": utc_now(),
        "finished_at": utc_now(),
    }


def _draw(settings: Settings, round_id: int, entrants: int, pages: int) -> None:
    white = np.full((SIZE[1], SIZE[0], 3), 255, np.uint8)
    cv2.rectangle(white, (60, 100), (260, 140), (0, 0, 0), -1)
    data = cv2.imencode(".jpg", white)[1].tobytes()
    vault = round_vault(settings, round_id)
    for folder in (vault.staging, vault.thumbnails):
        (folder / "page.jpg").write_bytes(data)
    for entrant in range(entrants):
        for number in range(pages):
            path = scans_folder(settings, round_id) / _path(entrant, number)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
