"""Serves the pages' pictures to the experts who hold the dossier, and to them only.

A tablet asks again whenever it shows a picture and is told in a few bytes that nothing changed,
so that a page which is frozen is gone at once, also from tablets that had it.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from pathlib import Path

import cv2
import numpy as np
from flask import Blueprint, Response, abort, current_app, request

from models.seat_dossiers import StoredPage, stored_page
from webapp.folder_rights import like_parent
from webapp.page_pictures import WIDTHS, keep_pictures, picture_file
from webapp.review.app import REVIEWER, review, signed_in
from webapp.security import allow
from webapp.settings import ReviewSettings

pages = Blueprint("pictures", __name__)
logger = logging.getLogger(__name__)
SMALLER = ("thumb", "1x", "2x")
SIZES = (*SMALLER, "full")
TYPES = {"jpg": "image/jpeg", "png": "image/png"}
FROZEN = 423
BUSY = 503
"""Not to be had at this moment; the tablet asks again."""
_FEW = threading.BoundedSemaphore(3)
"""So many threads at most make pictures or wait for it; scores need the others."""
_ONE_AT_A_TIME = threading.Lock()


@pages.route("/d/<code>/pictures/<name>/<size>")
@allow(REVIEWER)
def picture(code: str, name: str, size: str) -> Response:
    """A page's picture. `name` is of its pixels and tells neither order nor time."""
    me = signed_in()
    page = stored_page(review(), me.round_id, me.seat, code, name)
    if page is None or size not in SIZES:
        abort(404)
    if page.frozen:
        return Response(status=FROZEN)
    review().rollback()  # nobody's save waits while files are read
    tag = f"{name}-{size}"
    if tag in request.if_none_match:
        response = Response(status=304)
    else:
        settings: ReviewSettings = current_app.config["SETTINGS"]
        file = settings.blind / str(me.round_id) / code / f"{page.number:03d}.{page.suffix}"
        if _is_whole(page, size):
            found = _whole(file, page)
        else:
            found = _smaller(settings.folder / "pictures", file, page, size)
        if found is None:
            return Response(status=BUSY, headers={"Retry-After": "1"})
        response = Response(found[0], mimetype=found[1])
    response.set_etag(tag)
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def _is_whole(page: StoredPage, size: str) -> bool:
    """Whether that size is the released page itself, because nothing is enlarged."""
    return size == "full" or page.width <= WIDTHS[size]


def _whole(file: Path, page: StoredPage) -> tuple[bytes, str] | None:
    """The released page and its type; None unless its hash is the one that was released."""
    try:
        data = file.read_bytes()
    except OSError:
        data = b""
    if hashlib.sha256(data).hexdigest() != page.sha256:
        # For a moment while the office replaces a page; otherwise the office must look.
        logger.error("%s/%s is not the page that was released", file.parent.name, file.name)
        return None
    return data, TYPES[page.suffix]


def _smaller(folder: Path, file: Path, page: StoredPage, size: str) -> tuple[bytes, str] | None:
    """A smaller picture, made with the other sizes when it is first asked for."""
    if not folder.exists():
        folder.mkdir(mode=0o700, exist_ok=True)
        like_parent(folder)
    path = picture_file(folder, page.sha256, size)
    if not path.exists():
        if not _FEW.acquire(blocking=False):
            return None
        try:
            with _ONE_AT_A_TIME:
                made = path.exists() or _make(folder, file, page)
        finally:
            _FEW.release()
        if not made:
            return None
    return path.read_bytes(), "image/jpeg"


def _make(folder: Path, file: Path, page: StoredPage) -> bool:
    """Makes all smaller pictures of a page; whether it is the page that was released."""
    whole = _whole(file, page)
    if whole is None:
        return False
    pixels = cv2.imdecode(np.frombuffer(whole[0], np.uint8), cv2.IMREAD_COLOR)
    wanted = [size for size in SMALLER if not _is_whole(page, size)]
    keep_pictures(folder, page.sha256, np.asarray(pixels, np.uint8), wanted)
    return True
