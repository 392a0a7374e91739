"""Locks the tally: numbered records with their documents, corrections by two, the archive."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import (
    Blueprint,
    abort,
    current_app,
    flash,
    g,
    redirect,
    render_template,
    request,
    send_file,
    url_for,
)
from flask.wrappers import Response as FlaskResponse
from sqlalchemy import select
from werkzeug.wrappers import Response

from models.audit import audit_head
from models.errors import RuleError, Sentence
from models.review import PolicySnapshot, Round, Tally
from models.round_export import export_round
from models.rounds import advance_round, get_round
from models.tallies import freeze_tally
from models.vault_rounds import OfficeRound
from scoring.canonical import canonical_json
from scoring.difference import Difference, differences
from scoring.minutes_pdf import write_minutes
from scoring.outputs import json_text
from scoring.round_json import strict_json
from scoring.workbook import write_workbook
from webapp.archive import Archived, write_archive
from webapp.language import sentences_of, t
from webapp.office.app import review, signed_in, undone, vault
from webapp.office.committee import DESK, opened, opened_or_404, require_neutral, second_of_form
from webapp.office.outcome import (
    Outcome,
    kept_outcome,
    outcome_of,
    tallies_of,
)
from webapp.office.rounds import round_or_404
from webapp.office.work import round_folder
from webapp.security import allow

pages = Blueprint("tally", __name__)
CONFIRM = Sentence("请先勾选确认，再操作。", "Tick the box to confirm, then do it again.")


@pages.app_template_global()
def result_item(item: str) -> str:
    """What a value of a result is called."""
    return {
        "rank": t("名次", "rank"),
        "review_points": t("评审分", "review points"),
        "defence": t("答辩", "defence"),
        "total": t("总分", "total"),
        "vote": t("投票", "vote"),
        "decision": t("结果", "decision"),
    }.get(item, item)


@dataclass(frozen=True)
class Shown:
    """A frozen tally as it is listed. `sha256`: as printed on its minutes and workbook."""

    kept: Tally
    sha256: str
    undetermined: int


@pages.route("/rounds/<int:round_id>/tally")
@allow(*DESK)
def overview(round_id: int) -> str:
    return _page(round_or_404(round_id), [])


def _page(found: OfficeRound, problems: list[str], archived: Archived | None = None) -> str:
    there = opened(found)
    values: dict[str, Any] = {}
    if there is not None:
        kept = tallies_of(there)
        outcome: Outcome | None = None
        try:
            outcome = outcome_of(found, there)
            values["changed"] = not kept or _changed(found, there, kept[-1])
        except RuleError as error:
            problems = [*problems, *sentences_of(error)]
        values |= {
            "outcome": outcome,
            "kept": [_shown(one) for one in kept],
            "head": audit_head(review()),
            "archived": archived,
            "has_archive": _archive_path(found).exists(),
        }
        if outcome is not None:
            decisions = [item.decision for item in outcome.result.candidates]
            values["open"] = decisions.count("undetermined")
    return render_template("tally.html", round=found, there=there, problems=problems, **values)


def _shown(kept: Tally) -> Shown:
    body = strict_json(kept.body)
    open_ = sum(item["decision"] == "undetermined" for item in body["candidates"])
    return Shown(kept, body["sha256"], open_)


def _changed(found: OfficeRound, there: Round, last: Tally) -> bool:
    """Whether a tally made now would differ from the last one."""
    now = outcome_of(found, there, version=last.number).document
    before = strict_json(last.body)
    return canonical_json(now) != canonical_json(before)


@pages.route("/rounds/<int:round_id>/tally", methods=["POST"])
@allow(*DESK)
def freeze(round_id: int) -> Response | tuple[str, int]:
    """Freezes what was shown under the next number; from the second on by two, with a reason."""
    found = round_or_404(round_id)
    there = opened_or_404(found)
    me = signed_in().login

    def act() -> None:
        if request.form.get("confirm") != "yes":
            raise RuleError(CONFIRM)
        get_round(review(), there.id, change=True)  # nothing changes between count and record
        outcome = outcome_of(found, there)
        if request.form.get("input") != outcome.document["input_sha256"]:
            raise RuleError(
                Sentence(
                    "您查看之后数据有变动，没有锁定。请核对下面的新数据。",
                    "The round changed after you looked; nothing was locked. Check it anew.",
                )
            )
        second, reason = None, ""
        if tallies_of(there):
            reason = require_neutral(found, None, request.form.get("reason", ""))
            second = second_of_form(me)
        freeze_tally(
            review(),
            round_id=there.id,
            body=json_text(outcome.document),
            by=me,
            reason=reason,
            confirmed_by=second,
        )

    return _done(found, act, t("汇总已锁定并编号。", "The tally is locked and numbered."))


@pages.route("/rounds/<int:round_id>/tally/close", methods=["POST"])
@allow(*DESK)
def close(round_id: int) -> Response | tuple[str, int]:
    """Ends the meeting; identities may be unsealed and the round archived afterwards."""
    found = round_or_404(round_id)
    there = opened_or_404(found)

    def act() -> None:
        if request.form.get("confirm") != "yes":
            raise RuleError(CONFIRM)
        get_round(review(), there.id, change=True)
        kept = tallies_of(there)
        if not kept or _changed(found, there, kept[-1]):
            raise RuleError(
                Sentence(
                    "请先锁定与现有数据一致的汇总，再结束本轮。",
                    "Lock a tally of the present data first, then close the round.",
                )
            )
        advance_round(review(), round_id=there.id, to="closed", by=signed_in().login)

    return _done(found, act, t("本轮已结束。", "The round is closed."))


def _done(found: OfficeRound, act: Callable[[], None], said: str) -> Response | tuple[str, int]:
    try:
        act()
    except RuleError as error:
        return _page(found, undone(error)), 422
    flash(said)
    return redirect(url_for("tally.overview", round_id=found.id), 303)


@pages.route("/rounds/<int:round_id>/tally/<int:number>/difference")
@allow(*DESK)
def difference(round_id: int, number: int) -> str:
    """What a numbered re-tally changed, with the corrections and rulings behind it."""
    found = round_or_404(round_id)
    there = opened_or_404(found)
    kept = {one.number: one for one in tallies_of(there)}
    if number < 2 or number not in kept:
        abort(404)
    old, new = strict_json(kept[number - 1].body), strict_json(kept[number].body)
    rows: tuple[Difference, ...] = differences(old, new)
    known = old["input"]["corrections"]
    return render_template(
        "tally_difference.html",
        round=found,
        kept=kept[number],
        rows=rows,
        corrections=[item for item in new["input"]["corrections"] if item not in known],
        rulings=[item for item in new["input"]["rulings"] if item not in old["input"]["rulings"]],
        hashes=(old["sha256"], new["sha256"]),
    )


@pages.route("/rounds/<int:round_id>/tally/<int:number>/<name>")
@allow(*DESK)
def document(round_id: int, number: int, name: str) -> FlaskResponse:
    """RESULT.json as frozen, or workbook or minutes printed from it."""
    there = opened_or_404(round_or_404(round_id))
    kept = next((one for one in tallies_of(there) if one.number == number), None)
    if kept is None or name not in ("result.json", "result.xlsx", "minutes.pdf"):
        abort(404)
    if name == "result.json":
        return _download(kept.body.encode(), f"RESULT-{number}.json")
    outcome = kept_outcome(kept)
    write = write_workbook if name == "result.xlsx" else write_minutes
    with tempfile.TemporaryDirectory(prefix="mangping-") as folder:
        path = Path(folder) / name
        write(path, outcome.round, outcome.policy, outcome.result, outcome.hashes)
        return _download(path.read_bytes(), f"{Path(name).stem}-{number}{Path(name).suffix}")


@pages.route("/rounds/<int:round_id>/tally/input/<name>")
@allow(*DESK)
def input_file(round_id: int, name: str) -> FlaskResponse:
    """ROUND and policy as `mangping tally` reads them, to repeat the tally elsewhere."""
    there = opened_or_404(round_or_404(round_id))
    if name == "round.json":
        try:
            text = json_text(export_round(review(), there.id))
        except RuleError:
            abort(404)
    elif name == "office.toml":
        text = review().scalar(
            select(PolicySnapshot.text)
            .filter_by(round_id=there.id)
            .order_by(PolicySnapshot.number.desc())
            .limit(1)
        ) or abort(404)
    else:
        abort(404)
    return _download(text.encode(), name)


@pages.route("/rounds/<int:round_id>/tally/archive", methods=["POST"])
@allow(*DESK)
def archive(round_id: int) -> str | tuple[str, int]:
    """Packs the closed round, and says its hash and the head of its chain for the receipt."""
    found = round_or_404(round_id)
    there = opened_or_404(found)
    path = _archive_path(found)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        archived = write_archive(path, review(), there.id, vault=vault())
    except RuleError as error:
        g.undo = True
        return _page(found, sentences_of(error)), 422
    return _page(found, [], archived)


@pages.route("/rounds/<int:round_id>/tally/archive.zip")
@allow(*DESK)
def archive_file(round_id: int) -> FlaskResponse:
    """The archive that was packed last."""
    path = _archive_path(round_or_404(round_id))
    if not path.exists():
        abort(404)
    return send_file(path, as_attachment=True, download_name=f"archive-{round_id}.zip")


def _archive_path(found: OfficeRound) -> Path:
    return round_folder(current_app.config["SETTINGS"], found.id) / "archive" / "archive.zip"


def _download(data: bytes, name: str) -> FlaskResponse:
    return send_file(io.BytesIO(data), as_attachment=True, download_name=name)
