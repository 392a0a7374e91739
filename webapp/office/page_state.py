"""What the review page is told of a page: its masks, hits and pictures, as plain values."""

from __future__ import annotations

import json
from typing import Any

from flask import url_for
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.office_pages import following_edit, masks_of
from models.vault_pages import Job, Page
from models.vault_rounds import SourceFile
from webapp.office.page_words import kind_name, reason_text, why_text


def page_values(session: Session, page: Page) -> dict[str, Any]:
    """Everything that the script of the review page works with. Quads are in output pixels."""
    record = json.loads(page.record)
    checking = page.state == "checking"
    file = session.get_one(SourceFile, page.file_id)
    return {
        "id": page.id,
        "revision": page.revision,
        "state": page.state,
        "reason": reason_text(page.reason),
        "decision": page.decision,
        "seen": page.staged_sha256[:16],
        "size": record["size"],
        "masks": [_place(mask) for mask in masks_of(session, page)],
        "painted": [mask["quad"] for mask in record["masks"]] if checking else None,
        # What the second reading said of the masks before an edit does not hold for these.
        "hits": [] if checking else [_place(hit) for hit in record["verify"]["hits"]],
        "pictures": pictures_of(page, record, file.sha256),
        "undo": page.revision > 0,
        "redo": following_edit(session, page) is not None,
    }


def pictures_of(page: Page, record: dict[str, Any], file_sha256: str) -> dict[str, str | None]:
    """Addresses of a page's pictures by side and size; None for those that cannot be."""
    rotation = record["rotation"]
    versions = {"source": file_sha256[:12], "masked": page.staged_sha256[:12]}
    return {
        f"{side}_{size}": url_for(
            "pictures.picture",
            page_id=page.id,
            side=side,
            rotation=rotation,
            size=size,
            version=version,
        )
        if version
        else None
        for side, version in versions.items()
        for size in ("screen", "full")
    }


def check_failed(session: Session, page: Page) -> bool:
    """Whether a page stays "checking" because its job broke too often."""
    if page.state != "checking":
        return False
    jobs = session.scalars(
        select(Job.state).where(
            Job.round_id == page.round_id,
            Job.state.in_(("waiting", "running", "failed")),
            Job.kind == "remask",
            Job.target == page.id,
        )
    ).all()
    return bool(jobs) and all(state == "failed" for state in jobs)


def _place(mask: dict[str, Any]) -> dict[str, Any]:
    return {
        "kind": mask["kind"],
        "name": kind_name(mask["kind"]),
        "quad": mask["quad"],
        "text": mask["text"],
        "score": mask["score"],
        "why": why_text(mask["why"]),
        "own": mask["finder"] == "person",
    }
