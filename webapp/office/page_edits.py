"""Changes of a page's masks, as the review page's script sends them."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Callable
from typing import Any

from flask import Blueprint, abort, current_app, g, jsonify, request
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from models.errors import RuleError, Sentence
from models.office_jobs import EDIT, add_job
from models.office_pages import CHANGED_MEANWHILE, edit_masks, masks_of, redo, undo
from models.release_lock import require_not_released
from models.vault_pages import Page
from models.vault_rounds import Entrant
from redactor.page import Kind
from webapp.language import sentences_of
from webapp.office.app import signed_in, vault
from webapp.office.everywhere import WAYS, do_the_same, text_under
from webapp.office.pages import CLERKS, status_part
from webapp.security import allow

pages = Blueprint("page_edits", __name__)
MOST_CHANGES = 2_000
"""Masks that one edit may touch: more is no page."""


@pages.route("/pages/<int:page_id>/masks", methods=["POST"])
@allow(*CLERKS)
def change_masks(page_id: int) -> AnyResponse | tuple[str, int]:
    """JSON {on, remove: [i], change: [{index, quad, kind}], add: [{quad, kind}]}; i: places in the
    list of masks of revision `on`. 409 with the page as it is now when somebody was quicker."""
    page = _page(page_id)
    asked = request.get_json()
    try:
        on = int(asked["on"])
        if on != page.revision:
            raise RuleError(CHANGED_MEANWHILE)
        masks, what = changed(
            masks_of(vault(), page),
            asked,
            size=tuple(json.loads(page.record)["size"]),
            text=functools.partial(text_under, current_app.config["SETTINGS"], page),
        )
    except (KeyError, TypeError, ValueError, IndexError):
        abort(400)
    except RuleError as error:
        return _refused(page_id, error)
    return _edited(lambda by: edit_masks(vault(), page_id=page_id, masks=masks, what=what, on=on,
                                         by=by), page_id)  # fmt: skip


@pages.route("/pages/<int:page_id>/undo", methods=["POST"])
@allow(*CLERKS)
def undo_edit(page_id: int) -> AnyResponse | tuple[str, int]:
    _page(page_id)
    on = request.get_json().get("on")
    return _edited(lambda by: undo(vault(), page_id=page_id, by=by, on=on), page_id)


@pages.route("/pages/<int:page_id>/redo", methods=["POST"])
@allow(*CLERKS)
def redo_edit(page_id: int) -> AnyResponse | tuple[str, int]:
    _page(page_id)
    on = request.get_json().get("on")
    return _edited(lambda by: redo(vault(), page_id=page_id, by=by, on=on), page_id)


@pages.route("/pages/<int:page_id>/check-again", methods=["POST"])
@allow(*CLERKS)
def check_again(page_id: int) -> AnyResponse | tuple[str, int]:
    """A check that broke is asked for once more."""
    page = _page(page_id)
    if page.state == "checking":
        add_job(vault(), round_id=page.round_id, kind="remask", target=page.id, priority=EDIT)
    return status_part(page), 200


@pages.route("/pages/<int:page_id>/dossiers")
@allow(*CLERKS)
def dossiers(page_id: int) -> AnyResponse:
    """Ids of the round's dossiers, the page's own first: the browser does one after another."""
    page = _page(page_id)
    ids = vault().scalars(
        select(Entrant.id)
        .where(Entrant.round_id == page.round_id)
        .order_by(Entrant.id != page.entrant_id, Entrant.number)
    )
    return jsonify(list(ids))


@pages.route("/pages/<int:page_id>/everywhere", methods=["POST"])
@allow(*CLERKS)
def everywhere(page_id: int) -> AnyResponse | tuple[str, int]:
    """JSON {on, index, way: text|place|seal, what: add|remove, dossier}: how many pages changed.

    `left` says so when another dossier is with the experts and was not touched.
    """
    page = _page(page_id)
    asked = request.get_json()
    try:
        on, index, dossier = int(asked["on"]), int(asked["index"]), int(asked["dossier"])
        way, what = asked["way"], asked["what"]
        masks = masks_of(vault(), page)
        if way not in WAYS or what not in ("add", "remove") or not 0 <= index < len(masks):
            abort(400)
    except (KeyError, TypeError, ValueError):
        abort(400)
    entrant = vault().get(Entrant, dossier)
    if entrant is None or entrant.round_id != page.round_id:
        abort(404)
    if page.entrant_id != entrant.id:
        try:
            require_not_released(vault(), [entrant.id])
        except RuleError as error:
            # The browser goes on to the next dossier and tells which were left as they are.
            return jsonify(pages=0, left=sentences_of(error))
    try:
        if on != page.revision:
            raise RuleError(CHANGED_MEANWHILE)
        count = do_the_same(
            vault(),
            page=page,
            mask=masks[index],
            entrant_id=entrant.id,
            way=way,
            remove=what == "remove",
            by=signed_in().login,
        )
    except RuleError as error:
        g.undo = True
        return jsonify(sentences=sentences_of(error)), 409  # type: ignore[return-value]
    return jsonify(pages=count)


def changed(
    masks: list[dict[str, Any]],
    asked: dict[str, Any],
    *,
    size: tuple[float, float],
    text: Callable[[Any], str] = lambda _quad: "",
) -> tuple[list[dict[str, Any]], str]:
    """(the masks after a change, what kind of change it is). ValueError for what is no change.

    A mask whose box moved is a person's. `size`: the page's width and height in pixels. `text`:
    what was read in a box, so that the same can be sought elsewhere.
    """
    remove = {int(index) for index in asked.get("remove", ())}
    change = {int(one["index"]): one for one in asked.get("change", ())}
    add = asked.get("add", ())
    touched = remove | set(change)
    if not (touched or add) or len(touched) + len(add) > MOST_CHANGES:
        raise ValueError("nothing, or too much, to change")
    if any(not 0 <= index < len(masks) for index in touched):
        raise ValueError("no such mask")
    result = []
    for index, mask in enumerate(masks):
        if index in remove:
            continue
        if index in change:
            kind = Kind(change[index].get("kind", mask["kind"]))
            mask = {**mask, "kind": str(kind)}
            if "quad" in change[index]:
                moved = _drawn(change[index]["quad"], kind, size)
                mask = {**moved, "text": text(moved["quad"]) or mask["text"]}
        result.append(mask)
    for one in add:
        drawn = _drawn(one["quad"], Kind(one["kind"]), size)
        result.append({**drawn, "text": text(drawn["quad"])})
    return result, "draw" if add else "change" if change else "delete"


def _drawn(quad: Any, kind: Kind, size: tuple[float, float]) -> dict[str, Any]:
    """A person's mask, in the form of report.json."""
    corners = [[float(x), float(y)] for x, y in quad]
    if len(corners) != 4 or not all(math.isfinite(v) for corner in corners for v in corner):
        raise ValueError("no quad")
    inside = [
        [round(min(max(v, 0.0), limit), 1) for v, limit in zip(corner, size, strict=True)]
        for corner in corners
    ]
    if _area(inside) < 4:
        raise RuleError(Sentence("遮盖框太小，未保存。", "The box is too small and was not kept."))
    return {
        "kind": str(kind),
        "quad": inside,
        "text": "",
        "score": 1.0,
        "why": "drawn by a person",
        "finder": "person",
    }


def _area(quad: list[list[float]]) -> float:
    pairs = zip(quad, quad[1:] + quad[:1], strict=True)
    return abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in pairs)) / 2


def _edited(change: Any, page_id: int) -> AnyResponse | tuple[str, int]:
    try:
        page = change(signed_in().login)
    except RuleError as error:
        return _refused(page_id, error)
    return status_part(page), 200


def _refused(page_id: int, error: RuleError) -> tuple[str, int]:
    """The page as it is now, under what is wrong; the browser keeps the person's boxes."""
    g.undo = True
    said = status_part(_page(page_id))
    code = 409 if error.sentences == (CHANGED_MEANWHILE,) else 422
    return jsonify(sentences=sentences_of(error), status=said), code  # type: ignore[return-value]


def _page(page_id: int) -> Page:
    return vault().get(Page, page_id) or abort(404)
