"""A seat's own score sheet: what its tablets read, save again and again, and submit once."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, Response, g, jsonify, request
from flask_wtf.csrf import generate_csrf

from models.errors import RuleError, Sentence
from models.rounds import InputError, OrderError, get_round
from models.seat_access import Member, confirm_identity
from models.seat_sheets import SeatSheet, seat_sheet
from models.sheet_versions import ConflictError, StoredSheet, read_version
from models.sheets import save_draft, submit_sheet
from webapp.language import moment, t
from webapp.review.app import REVIEWER, review, signed_in
from webapp.review.identity import tried
from webapp.review.sheet_form import Line, check_complete, draft_of, lines_of, points_text
from webapp.security import allow

pages = Blueprint("sheet", __name__)
Answer = tuple[Response, int]


@pages.route("/d/<code>/sheet")
@allow(REVIEWER)
def sheet(code: str) -> Answer:
    me = signed_in()
    found = seat_sheet(review(), me.round_id, me.seat, code)
    if found is None or found.state == "recused":
        return _closed(found)
    return jsonify(sheet_values(code, me, found)), 200


@pages.app_context_processor
def panel() -> dict[str, object]:
    """Lets a dossier's page hold its sheet: `score_sheet(code)`, None when the seat has none."""

    def score_sheet(code: str) -> dict[str, object] | None:
        me = signed_in()
        found = seat_sheet(review(), me.round_id, me.seat, code)
        return None if found is None or found.state == "recused" else sheet_values(code, me, found)

    return {"score_sheet": score_sheet}


@pages.route("/d/<code>/sheet", methods=["PUT"])
@allow(REVIEWER)
def save(code: str) -> Answer:
    """Keeps a draft: 200 {version, newest}, or why not, with the stored version on a conflict."""
    me, body = signed_in(), request.get_json()
    if (body.get("round"), body.get("seat")) != (me.round_id, me.seat):
        return _another_seat()
    get_round(review(), me.round_id)  # its policy and places stay what this sheet is read by
    found = seat_sheet(review(), me.round_id, me.seat, code)
    if found is None:
        return _closed(found)
    try:
        draft = draft_of(body, lines_of(found.policy, found.places), found.places)
        version = save_draft(
            review(),
            sheet_id=found.sheet_id,
            scores=draft.scores,
            comment=draft.comment,
            notes=draft.notes,
            base_version=draft.base_version,
            save_id=draft.save_id,
            by=me.seat,
        )
    except RuleError as error:
        return _refused(error, found)
    # Another device may have gone on from a save whose answer was lost on this one.
    return jsonify(version=version, newest=max(version, found.version)), 200


@pages.route("/d/<code>/submit", methods=["POST"])
@allow(REVIEWER)
def submit(code: str) -> Answer:
    """Submits a sheet and locks it, with the PIN or password of the card."""
    me, body = signed_in(), request.get_json()
    if (body.get("round"), body.get("seat")) != (me.round_id, me.seat):
        return _another_seat()
    secret = str(body.get("secret", ""))
    held = tried(me, secret)
    get_round(review(), me.round_id)  # its policy stays what this sheet is held against
    found = seat_sheet(review(), me.round_id, me.seat, code)
    if found is None:
        return _closed(found)
    try:
        lines = lines_of(found.policy, found.places)
        draft = draft_of(body, lines, found.places)
        check_complete(draft.scores, lines, found.places)
        if not confirm_identity(review(), member=me, secret=secret, tried=held):
            # Not undone: a wrong PIN counts.
            wrong = Sentence("PIN 或密码不正确，尚未提交。", "The PIN or password is wrong.")
            return _sentences("secret", [wrong], 403)
        version = submit_sheet(
            review(),
            sheet_id=found.sheet_id,
            scores=draft.scores,
            comment=draft.comment,
            notes=draft.notes,
            base_version=draft.base_version,
            rules=[line.rule for line in lines],
            save_id=draft.save_id,
            by=me.seat,
        )
    except RuleError as error:
        return _refused(error, found)
    stored = read_version(review(), found.sheet_id, version)
    return jsonify(version=version, state="submitted", at=moment(stored.at)), 200


def sheet_values(code: str, me: Member, found: SeatSheet) -> dict[str, object]:
    """A sheet as its panel needs it. Points are decimal strings; nothing of anybody else's."""
    lines: tuple[Line, ...] = ()
    problems: Sequence[Sentence] = ()
    try:
        lines = lines_of(found.policy, found.places)
    except InputError as error:
        problems = error.sentences
    stored = read_version(review(), found.sheet_id, found.version)
    return {
        "code": code,
        "round": me.round_id,
        "seat": me.seat,
        "state": found.state,
        "phase": found.phase,
        "editable": found.editable and bool(lines),
        "places": found.places,
        "rubric": [
            {
                "id": line.id,
                "name": line.name,
                "guidance": line.guidance,
                "max": points_text(line.maximum, found.places),
                "step": points_text(line.step, found.places),
            }
            for line in lines
        ],
        "problems": [t(problem.zh, problem.en) for problem in problems],
        # So that a page outlives the sign-in it was opened under.
        "token": generate_csrf(),
        **_stored_values(stored, found.places),
    }


def _stored_values(stored: StoredSheet, places: int) -> dict[str, object]:
    return {
        "version": stored.number,
        "scores": {key: points_text(points, places) for key, points in stored.scores.items()},
        "comment": stored.comment,
        "notes": {str(page): text for page, text in stored.notes.items()},
        "at": moment(stored.at),
    }


def _another_seat() -> Answer:
    """The page that sends was opened by a seat that is not signed in here any more."""
    other = Sentence(
        "本设备现由另一席位登录。您的修改仍存在本机，请重新登录您的席位后再发送。",
        "Another seat is signed in on this device now. Your changes stay on it; sign in with your "
        "card again to send them.",
    )
    return _sentences("seat", [other], 409)


def _closed(found: SeatSheet | None) -> Answer:
    """Why this seat does not get a sheet at all."""
    if found is None:
        absent = Sentence(
            "这份材料没有分配给您，或已改派。如有疑问，请联系办公室。",
            "This dossier is not assigned to you, or no longer. Ask the office if in doubt.",
        )
        return _sentences("unassigned", [absent], 404)
    recused = Sentence("您已回避这份材料，它已关闭。", "You are recused from this dossier.")
    return _sentences("recused", [recused], 403)


def _refused(error: RuleError, found: SeatSheet) -> Answer:
    g.undo = True
    if isinstance(error, ConflictError):
        stored = _stored_values(error.stored, found.places)
        return jsonify(error="conflict", sentences=_in_language(error), stored=stored), 409
    if isinstance(error, InputError):
        return _sentences("invalid", error.sentences, 422)
    if not isinstance(error, OrderError):
        return _sentences("secret", error.sentences, 403)
    if found.state == "recused":
        return _closed(found)
    if found.state == "submitted":
        said = Sentence(
            "此评分表已提交并锁定。如需更正，请联系秘书退回。",
            "This sheet is submitted and locked. Ask the secretary to open it again.",
        )
        return _sentences("submitted", [said], 409)
    if found.state == "excluded":
        said = Sentence(
            "此评分表已被办公室排除，不能再修改。",
            "The office has excluded this sheet; it cannot be changed.",
        )
        return _sentences("excluded", [said], 409)
    return _sentences("locked", error.sentences, 409)


def _sentences(error: str, sentences: Sequence[Sentence], status: int) -> Answer:
    g.undo = g.get("undo", False) or error != "secret"
    return jsonify(error=error, sentences=[t(said.zh, said.en) for said in sentences]), status


def _in_language(error: RuleError) -> list[str]:
    return [t(said.zh, said.en) for said in error.sentences]
