"""Serves the pictures of pages to people who may see them, privately and for good.

A picture that the workers have not made is made here when it is asked for.
"""

from __future__ import annotations

import json
import threading
from contextlib import suppress
from typing import Any

from flask import Blueprint, Response, abort, current_app, request
from sqlalchemy import select

from models.vault_pages import Page
from models.vault_rounds import SourceFile
from redactor.errors import RedactorError
from redactor.kept_pictures import read_picture
from redactor.sealed_files import read_file
from webapp.office.app import vault
from webapp.office.derivatives import picture_source, pictures_folder, source_name
from webapp.office.reader_process import read_apart
from webapp.office.work import round_vault, scans_folder
from webapp.page_pictures import WIDTHS, keep_pictures, picture_file
from webapp.security import allow
from webapp.settings import Settings

pages = Blueprint("pictures", __name__)
SIDES = ("source", "masked")
TURNS = (0, 90, 180, 270)
FOREVER = 31_536_000
_ONE_AT_A_TIME = threading.Lock()
"""A page that several people open at once is decoded once, and memory holds one."""


@pages.route("/pictures/<int:page_id>/<side>/<int:rotation>/<size>/<version>")
@allow("admin", "clerk")
def picture(page_id: int, side: str, rotation: int, size: str, version: str) -> Response:
    """One picture. `version` only makes the address new when the pixels are."""
    return send_picture(page_id, side, rotation, size)


def send_picture(page_id: int, side: str, rotation: int, size: str) -> Response:
    """The picture of a page, for views that have decided that the visitor may see it."""
    if side not in SIDES or size not in WIDTHS or rotation not in TURNS:
        abort(404)
    row = vault().execute(
        select(Page.round_id, Page.staged_sha256, Page.source_page, SourceFile.sha256,
               SourceFile.path)
        .join(SourceFile, SourceFile.id == Page.file_id)
        .where(Page.id == page_id)
    ).one_or_none()  # fmt: skip
    if row is None:
        abort(404)
    if side == "source":
        name = source_name(row.sha256, row.source_page, rotation)
    else:
        name = row.staged_sha256[:32]
    if not name:
        abort(404)
    settings: Settings = current_app.config["SETTINGS"]
    path = picture_file(pictures_folder(settings, row.round_id), name, size)
    tag = f"{name}-{size}"
    if tag in request.if_none_match:
        response = Response(status=304)
    else:
        if not path.exists():
            with _ONE_AT_A_TIME:
                _make(settings, page_id, side, rotation, size, name)
                if not path.exists():
                    abort(404)
        response = Response(read_file(path), mimetype="image/jpeg")
    response.set_etag(tag)
    # For this browser only; the name changes with the pixels, so it need never ask again.
    response.headers["Cache-Control"] = f"private, max-age={FOREVER}, immutable"
    return response


def _make(settings: Settings, page_id: int, side: str, rotation: int, size: str, name: str) -> None:
    """Makes a picture that is missing, where its page can be had."""
    page = vault().get_one(Page, page_id)
    folder = pictures_folder(settings, page.round_id)
    if side == "masked":
        record: dict[str, Any] = json.loads(page.record)
        staged = record.get("staged")
        staging = round_vault(settings, page.round_id).staging
        pixels = read_picture(staging / staged) if staged else None
        if pixels is not None:
            keep_pictures(folder, name, pixels, (size,))
        return
    file = vault().get_one(SourceFile, page.file_id)
    scan = scans_folder(settings, page.round_id) / file.path
    with suppress(RedactorError):
        read_apart(settings, picture_source, scan, page.source_page, rotation, folder, name, size)
