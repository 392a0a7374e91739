"""Uploads: a browser sends folders and ZIPs in chunks, and goes on where it stopped."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

from flask import (
    Blueprint,
    current_app,
    flash,
    g,
    jsonify,
    redirect,
    render_template,
    request,
    url_for,
)
from sqlalchemy import func, select
from werkzeug.wrappers import Response

from models.errors import RuleError, Sentence
from models.office_files import give_folder, hashes_at, replace_files, unmatched_folders
from models.office_progress import progress
from models.office_uploads import (
    Announced,
    LeftOut,
    begin_uploads,
    end_upload,
    notes_of,
    recent_notes,
    size_problem,
    start_anew,
)
from models.vault_rounds import Entrant, OfficeRound, SourceFile, Upload
from redactor.applicant import Roster
from redactor.folder_match import FolderOwners
from webapp.language import sentences_of, t
from webapp.office.app import signed_in, vault
from webapp.office.matching import default_folder, find_files, owned_by, roster_of
from webapp.office.placing import Folders, place_upload, wrapping
from webapp.office.rounds import entrant_or_404, round_or_404, said
from webapp.office.scans import (
    LARGEST_CHUNK,
    NoRoomError,
    OutOfStepError,
    bytes_there,
    only_one,
    part_file,
    refuse_without_room,
    safe_path,
    take_chunk,
)
from webapp.office.standing import closed_folders_of
from webapp.security import allow
from webapp.settings import Settings

pages = Blueprint("uploads", __name__)
View = TypeVar("View", bound=Callable[..., Any])
DESK = ("clerk", "admin")
CHUNK = 4 << 20
"""Bytes of a chunk: a few seconds on slow Wi-Fi, so that little is sent twice."""
BATCH = 200
"""Files announced in one request."""
MOST_GUESSES = 20
"""Folders of which the applicant is guessed, as each costs milliseconds."""
NOBODY = Roster(Path(), "", ())


def _settings() -> Settings:
    settings: Settings = current_app.config["SETTINGS"]
    return settings


@pages.route("/rounds/<int:round_id>/uploads")
@allow(*DESK)
def upload_page(round_id: int) -> str:
    found = round_or_404(round_id)
    entrant_id = request.args.get("entrant", type=int)
    entrant = entrant_or_404(found.id, entrant_id) if entrant_id is not None else None
    people = vault().scalar(
        select(func.count()).select_from(Entrant).where(Entrant.round_id == found.id)
    )
    return render_template(
        "uploads.html",
        round=found,
        chunk=CHUNK,
        batch=BATCH,
        entrant=entrant,
        folder=default_folder(vault(), entrant) if entrant else "",
        applicants=people,
        state=progress(vault(), round_id=found.id),
        notes=recent_notes(vault(), round_id=found.id, limit=50),
    )


def for_scripts(view: View) -> View:
    """A view that scripts call: what is wrong comes as JSON with sentences."""

    @wraps(view)
    def answered(*args: Any, **kwargs: Any) -> Any:
        try:
            return view(*args, **kwargs)
        except RuleError as error:
            g.undo = True
            body: dict[str, Any] = {"sentences": sentences_of(error)}
            if isinstance(error, OutOfStepError):
                return jsonify(body | {"received": error.received}), 409
            return jsonify(body), 507 if isinstance(error, NoRoomError) else 400

    return answered  # type: ignore[return-value]


@pages.route("/rounds/<int:round_id>/uploads/layout", methods=["POST"])
@allow(*DESK)
@for_scripts
def layout(round_id: int) -> Response:
    """Which dropped folders only wrap the applicants' folders, so that they are left out."""
    found = round_or_404(round_id)
    paths = _strings(_json(), "paths", most=20_000)
    roster = roster_of(vault(), found.id)
    return jsonify({"wrapped": wrapping(paths, owned_by(roster))})


@pages.route("/rounds/<int:round_id>/uploads/begin", methods=["POST"])
@allow(*DESK)
@for_scripts
def begin(round_id: int) -> Response:
    """Announces files; the answer says of each where to go on, or why it is not wanted."""
    found = round_or_404(round_id)
    answers: list[dict[str, Any]] = []
    wanted: list[tuple[int, Announced]] = []
    for number, file in enumerate(_announced(_json())):
        answers.append({"state": "refused", "received": 0, "note": ""})
        try:
            path = safe_path(file.path).as_posix()
        except RuleError as error:
            answers[number]["note"] = " ".join(sentences_of(error))
            continue
        problem = size_problem(file)
        if problem is not None:
            answers[number]["note"] = t(problem.zh, problem.en)
            continue
        wanted.append((number, Announced(path, file.size, file.modified)))
    uploads = begin_uploads(vault(), round_id=found.id, files=[file for _, file in wanted])
    missing = 0
    now_there = hashes_at(vault(), round_id=found.id, paths=[file.path for _, file in wanted])
    for (number, _), upload in zip(wanted, uploads, strict=True):
        # A refused one gets another chance; one that was replaced since is wanted back.
        if upload.state == "refused" or now_there.get(upload.path, upload.sha256) != upload.sha256:
            start_anew(upload)
        if upload.state == "receiving":
            upload.received = min(upload.size, bytes_there(_settings(), found.id, upload.id))
            missing += upload.size - upload.received
        answers[number] = {
            "id": upload.id,
            "state": upload.state,
            "received": upload.received,
            "note": _known(upload),
        }
    if missing:
        refuse_without_room(_settings(), missing)
    return jsonify({"files": answers})


def _known(upload: Upload) -> str:
    if upload.state == "receiving":
        return ""
    return t(
        "此文件以前已上传，未重复上传。", "This file was uploaded before; it was not sent again."
    )


@pages.route("/rounds/<int:round_id>/uploads/<upload_id>/chunk", methods=["POST"])
@allow(*DESK)
@for_scripts
def chunk(round_id: int, upload_id: str) -> Response:
    """Takes the bytes from `offset` on; the last ones put the file among the scans."""
    found = round_or_404(round_id)
    offset = request.args.get("offset", type=int)
    data = request.get_data(cache=False)
    if offset is None or offset < 0 or len(data) > LARGEST_CHUNK:
        raise RuleError(
            Sentence("分块的位置或大小不对，请刷新页面后继续上传。",
                     "The chunk's place or size is wrong; reload the page and go on.")
        )  # fmt: skip
    upload = vault().get(Upload, upload_id)
    if upload is None or upload.round_id != found.id:
        raise RuleError(
            Sentence("没有这个上传任务，请刷新页面后重新选择文件。",
                     "There is no such upload; reload the page and choose the files again.")
        )  # fmt: skip
    state, size, path = upload.state, upload.size, upload.path
    if state != "receiving":
        return jsonify(_answer(upload, notes_of(upload)))
    # Bytes are written, hashed and unpacked without a transaction: others want to write, too.
    vault().commit()
    settings = _settings()
    with only_one(f"upload {upload_id}"):
        vault().refresh(upload)
        if upload.state != "receiving":
            return jsonify(_answer(upload, notes_of(upload)))
        vault().commit()
        part = part_file(settings, round_id, upload_id)
        if data:
            refuse_without_room(settings, len(data))
        received = take_chunk(part, size, offset, data)
        if received < size:
            return jsonify({"state": "receiving", "received": received, "notes": []})
        with only_one(f"place {round_id}"):
            folders = _folders(found, path)
            vault().commit()
            placed = place_upload(settings, round_id, safe_path(path), part, folders)
        replace_files(vault(), round_id=round_id, paths=placed.replaced, by=signed_in().login)
        upload.received = received
        end_upload(
            vault(),
            upload=upload,
            state=placed.state,
            sha256=placed.sha256,
            left_out=placed.left_out,
            by=signed_in().login,
        )
        vault().commit()
    return jsonify(_answer(upload, list(placed.left_out)))


def _folders(found: OfficeRound, path: str) -> Folders:
    """What placing a file asks of the round's folders; only archives bring folders of their own."""
    roster = roster_of(vault(), found.id) if path.lower().endswith(".zip") else NOBODY
    return Folders(owned_by(roster), closed_folders_of(vault(), found))


def _answer(upload: Upload, left_out: list[LeftOut]) -> dict[str, Any]:
    return {
        "state": upload.state,
        "received": upload.received,
        "notes": [[item.path, t(item.sentence.zh, item.sentence.en)] for item in left_out],
    }


@pages.route("/rounds/<int:round_id>/uploads/match", methods=["POST"])
@allow(*DESK)
@for_scripts
def match(round_id: int) -> Response:
    """All has come: the files are found, matched to their applicants, and queued."""
    found = round_or_404(round_id)
    fresh, left_out = find_files(vault(), _settings(), found.id, signed_in().login)
    states = [file.state for file in fresh]
    return jsonify(
        {
            "new": len(fresh),
            "unmatched": states.count("unmatched"),
            "duplicates": [
                [file.path, t(f"与 {file.reason} 完全相同，未重复处理。",
                              f"The very same as {file.reason}; it is not used twice.")]
                for file in fresh
                if file.state == "duplicate"
            ],
            "notes": [[item.path, t(item.sentence.zh, item.sentence.en)] for item in left_out],
        }
    )  # fmt: skip


@pages.route("/rounds/<int:round_id>/unmatched")
@allow(*DESK)
def unmatched(round_id: int) -> str:
    return _unmatched(round_id, [])


def _unmatched(round_id: int, problems: list[str]) -> str:
    found = round_or_404(round_id)
    folders = [
        (folder, files, count, said(reason))
        for folder, files, count, reason in unmatched_folders(vault(), round_id=found.id)
    ]
    people = vault().execute(
        select(Entrant.number, Entrant.name, Entrant.unit)
        .where(Entrant.round_id == found.id)
        .order_by(Entrant.number)
    )
    return render_template(
        "unmatched.html",
        round=found,
        folders=folders,
        people=list(people) if folders else [],
        guesses=_guesses(found.id, [folder for folder, *_ in folders[:MOST_GUESSES]]),
        duplicates=_duplicates(found.id),
        problems=problems,
    )


def _guesses(round_id: int, folders: list[str]) -> dict[str, str]:
    """Folder -> the one applicant its name points at, who has another folder; a person decides."""
    if not folders:
        return {}
    owners = FolderOwners(roster_of(vault(), round_id))
    found = {folder: owners.owner(folder) for folder in folders}
    return {
        folder: f"{owner.number} {owner.name} · {owner.unit}"
        for folder, owner in found.items()
        if owner is not None
    }


def _duplicates(round_id: int) -> list[tuple[str, str]]:
    chosen = (
        select(SourceFile.path, SourceFile.reason)
        .where(SourceFile.round_id == round_id, SourceFile.state == "duplicate")
        .order_by(SourceFile.path)
        .limit(100)
    )
    return [(path, twin) for path, twin in vault().execute(chosen)]


@pages.route("/rounds/<int:round_id>/unmatched", methods=["POST"])
@allow(*DESK)
def give(round_id: int) -> Response | tuple[str, int]:
    """Gives a folder to the applicant that a person chose."""
    found = round_or_404(round_id)
    folder = request.form.get("folder", "")
    number = numbered(request.form.get("entrant", ""))
    entrant = vault().scalar(
        select(Entrant).where(Entrant.round_id == found.id, Entrant.number == number)
    )
    if entrant is None:
        g.undo = True
        problem = t(
            f"请为文件夹“{folder}”从列表中选择一位申报人（以序号开头）。",
            f'Choose an applicant from the list for "{folder}" (it begins with the number).',
        )
        return _unmatched(found.id, [problem]), 422
    count = give_folder(
        vault(), round_id=found.id, folder=folder, entrant_id=entrant.id, by=signed_in().login
    )
    flash(
        t(
            f"“{folder}”的 {count} 个文件已归入 {entrant.number} 号 {entrant.name}。",
            f'{count} files of "{folder}" now belong to number {entrant.number}, {entrant.name}.',
        )
    )
    if request.form.get("back") == "dossier":
        target = url_for("progress.dossier", round_id=found.id, entrant_id=entrant.id)
    else:
        target = url_for("uploads.unmatched", round_id=found.id)
    return redirect(target, 303)


def numbered(text: str) -> int:
    """The number at the start of what a person chose from the list of applicants; -1 for none."""
    match = re.match(r"\s*(\d{1,7})(?!\d)", text)
    return int(match.group(1)) if match else -1


def _json() -> dict[str, Any]:
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise _incomplete()
    return body


def _incomplete() -> RuleError:
    return RuleError(
        Sentence("请求不完整，请刷新页面后重试。", "The request is incomplete; reload the page.")
    )


def _strings(body: dict[str, Any], key: str, most: int) -> list[str]:
    values = body.get(key)
    if not isinstance(values, list) or len(values) > most:
        raise _incomplete()
    if not all(isinstance(value, str) for value in values):
        raise _incomplete()
    return values


def _announced(body: dict[str, Any]) -> list[Announced]:
    files = body.get("files")
    if not isinstance(files, list) or len(files) > BATCH:
        raise _incomplete()
    return [_one_announced(file) for file in files]


def _one_announced(file: object) -> Announced:
    values = file if isinstance(file, dict) else {}
    path, size, modified = (values.get(key) for key in ("path", "size", "modified"))
    if not isinstance(path, str) or not isinstance(size, int) or not isinstance(modified, int):
        raise _incomplete()
    if not (0 <= size < 2**53 and 0 <= modified < 2**53):
        raise _incomplete()
    return Announced(path, size, modified)
