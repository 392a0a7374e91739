"""Opens the key after the lock, by two persons, and writes 是否通过 into the roster as it came."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from flask import (
    Blueprint,
    abort,
    current_app,
    flash,
    redirect,
    render_template,
    request,
    send_file,
    url_for,
)
from flask.wrappers import Response as FlaskResponse
from werkzeug.wrappers import Response

from models.errors import RuleError, Sentence
from models.office_log import record_event
from models.office_papers import rosters_of
from models.office_rounds import entrants_of
from models.office_unsealing import (
    ask_unsealing,
    confirm_unsealing,
    is_unsealed,
    require_unsealed,
    unsealing_of,
)
from models.review import Round
from models.vault_rounds import Entrant, OfficeRound
from scoring.round_json import strict_json
from webapp.language import t
from webapp.office.app import review, signed_in, undone, vault
from webapp.office.committee import DESK, opened, opened_or_404, second_of_form
from webapp.office.kept_files import ROSTERS, file_path, keep_imported
from webapp.office.outcome import tallies_of
from webapp.office.passed_roster import write_passed
from webapp.office.reader_process import read_sheet_apart
from webapp.office.roster_preview import keep_roster, preview_of
from webapp.office.rounds import round_or_404
from webapp.security import allow

pages = Blueprint("unseal", __name__)
SHOWN = 100


def decisions_of(there: Round) -> tuple[int, dict[str, str]]:
    """(number of the last frozen tally, code -> decision in it); RuleError where there is none."""
    kept = tallies_of(there)
    if not kept:
        raise RuleError(Sentence("还没有锁定的汇总。", "No tally is locked yet."))
    body = strict_json(kept[-1].body)
    return kept[-1].number, {item["code"]: item["decision"] for item in body["candidates"]}


@pages.route("/rounds/<int:round_id>/unseal")
@allow(*DESK)
def overview(round_id: int) -> str:
    return _page(round_or_404(round_id), [])


def _page(found: OfficeRound, problems: list[str]) -> str:
    there = opened(found)
    values: dict[str, Any] = {"unsealing": unsealing_of(vault(), found.id)}
    if there is not None and is_unsealed(vault(), found.id):
        number, decisions = decisions_of(there)
        people = entrants_of(vault(), found.id)
        start = max(request.args.get("from", 0, type=int), 0)
        with_result = [person for person in people if person.code in decisions]
        values |= {
            "number": number,
            "people": [
                (person, decisions[person.code]) for person in with_result[start : start + SHOWN]
            ],
            "more": start + SHOWN if len(with_result) > start + SHOWN else None,
            "total": len(with_result),
            "left": len(people) - len(with_result),
            "rosters": rosters_of(vault(), found.id),
        }
    return render_template("unseal.html", round=found, there=there, problems=problems, **values)


@pages.route("/rounds/<int:round_id>/unseal/ask", methods=["POST"])
@allow(*DESK)
def ask(round_id: int) -> Response | tuple[str, int]:
    """The first person asks."""
    found = round_or_404(round_id)
    there = opened_or_404(found)
    try:
        if request.form.get("confirm") != "yes":
            raise RuleError(Sentence("请先勾选确认。", "Tick the box to confirm first."))
        ask_unsealing(
            vault(), review(), round_id=found.id, review_id=there.id, by=signed_in().login
        )
    except RuleError as error:
        return _refused(round_id, error)
    flash(t("已申请启封，请另一人确认。", "Asked for; now another person confirms."))
    return redirect(url_for("unseal.overview", round_id=round_id), 303)


@pages.route("/rounds/<int:round_id>/unseal/confirm", methods=["POST"])
@allow(*DESK)
def confirm(round_id: int) -> Response | tuple[str, int]:
    """Another person confirms with the own password, at whichever desk."""
    found = round_or_404(round_id)
    there = opened_or_404(found)
    waiting = unsealing_of(vault(), found.id)
    try:
        second = second_of_form(waiting.asked_by if waiting is not None else "")
        confirm_unsealing(
            vault(), review(), round_id=found.id, review_id=there.id, confirmed_by=second,
            by=signed_in().login,
        )  # fmt: skip
    except RuleError as error:
        return _refused(round_id, error)
    flash(t("已启封，两库均有记录。", "Unsealed; both stores keep a record."))
    return redirect(url_for("unseal.overview", round_id=round_id), 303)


@pages.route("/rounds/<int:round_id>/unseal/rosters", methods=["POST"])
@allow(*DESK)
def keep(round_id: int) -> Response | tuple[str, int]:
    """Keeps a roster that was imported before rosters were kept; it changes no applicant."""
    found = round_or_404(round_id)
    settings = current_app.config["SETTINGS"]
    file = request.files.get("roster")
    try:
        require_unsealed(vault(), found.id)
        name = (file.filename if file is not None else "") or ""
        path = keep_roster(settings, found.id, name, file.read() if file is not None else b"")
        shown, roster = preview_of(settings, path, entrants_of(vault(), found.id))
        if roster is None or not shown.rows:
            raise RuleError(
                [sentence for row in shown.rows for cell in row.cells for sentence in cell.problems]
                or Sentence("文件中没有申报人。", "The file lists no applicant.")
            )
        keep_imported(
            vault(), settings, round_id=found.id, path=path, sheet=shown.sheet,
            name=Path(name.replace("\\", "/")).name, by=signed_in().login,
        )  # fmt: skip
        path.unlink(missing_ok=True)
    except RuleError as error:
        return _refused(round_id, error)
    return redirect(url_for("unseal.overview", round_id=round_id), 303)


@pages.route("/rounds/<int:round_id>/unseal/rosters/<int:file_id>", methods=["POST"])
@allow(*DESK)
def roster(round_id: int, file_id: int) -> FlaskResponse | tuple[str, int]:
    """A kept roster with 是否通过 filled in from the last locked tally; the download is logged."""
    found = round_or_404(round_id)
    there = opened_or_404(found)
    kept = next((one for one in rosters_of(vault(), found.id) if one.id == file_id), None)
    if kept is None:
        abort(404)
    settings = current_app.config["SETTINGS"]
    path = file_path(settings, found.id, ROSTERS, kept.sha256, kept.suffix)
    try:
        require_unsealed(vault(), found.id)
        number, decisions = decisions_of(there)
        people = entrants_of(vault(), found.id)
        written = read_sheet_apart(settings, write_passed, path, by_person(people, decisions))
    except RuleError as error:
        return _refused(round_id, error)
    details = {"roster": kept.sha256, "tally": number, "rows": written.rows}
    record_event(
        vault(), actor=signed_in().login, action="roster.passed", round_id=found.id, details=details
    )
    return send_file(
        io.BytesIO(written.data),
        as_attachment=True,
        download_name=f"{Path(kept.name).stem}-{t('是否通过', 'passed')}-{number}{written.suffix}",
    )


def by_person(people: list[Entrant], decisions: dict[str, str]) -> dict[tuple[int, str], str]:
    """(roster number, name) -> decision, of those who have one."""
    return {
        (person.number, person.name): decisions[person.code]
        for person in people
        if person.code in decisions
    }


def _refused(round_id: int, error: RuleError) -> tuple[str, int]:
    return _page(round_or_404(round_id), undone(error)), 422
