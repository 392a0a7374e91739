"""How long rounds stay in the vault, and their destruction by two once that time is over."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime

from flask import Blueprint, abort, current_app, flash, redirect, render_template, request
from flask import url_for as address_of
from flask.wrappers import Response as FlaskResponse
from sqlalchemy import Engine, func, select
from werkzeug.wrappers import Response

from models.errors import RuleError, Sentence
from models.office_destruction import (
    Due,
    begin_destruction,
    destruction_due,
    destructions,
    give_up,
    set_retention,
    take_up_again,
)
from models.vault_accounts import OfficeEvent
from models.vault_destruction import Destruction
from models.vault_rounds import OfficeRound
from webapp.destruction import certificate_of, destroy_vault
from webapp.destruction_pdf import certificate_pdf
from webapp.language import sentences_of, t
from webapp.logs import log_of
from webapp.office.app import review, signed_in, undone, vault
from webapp.office.committee import second_of_form
from webapp.office.rounds import round_or_404
from webapp.security import allow
from webapp.settings import Settings

pages = Blueprint("retention", __name__)
EXTENSION = "destroyer"
CONFIRM = Sentence("请先勾选确认。", "Tick the box to confirm first.")
NO_DAYS = Sentence("保存天数应为整数。", "The days to keep a round must be a whole number.")


class Destroyer:
    """Carries destructions out beside the pages, one at a time; a large one takes long."""

    def __init__(self, settings: Settings, vault: Engine, review: Engine) -> None:
        self._stores = (settings, vault, review)
        self._turn = threading.Lock()
        self.round_id: int | None = None
        """The round that is being destroyed now."""
        self.problems: dict[int, RuleError] = {}
        """Why a destruction stopped, by round."""

    def start(self, begun: Destruction) -> None:
        """Carries out or goes on with a destruction that is begun; RuleError while another runs."""
        if not self._turn.acquire(blocking=False):
            raise RuleError(
                Sentence(
                    "另一批次正在销毁，请等它完成。",
                    "Another round is being destroyed. Wait until that is done.",
                )
            )
        self.round_id = begun.office_round_id
        self.problems.pop(self.round_id, None)
        named = (begun.office_round_id, begun.asked_by, begun.confirmed_by)
        threading.Thread(target=self._work, args=named, daemon=True, name="destroyer").start()

    def _work(self, round_id: int, by: str, confirmed_by: str) -> None:
        try:
            destroy_vault(
                *self._stores, round_id=round_id, reason="", by=by, confirmed_by=confirmed_by
            )
        except RuleError as error:
            self.problems[round_id] = error
        except Exception:
            # It stays begun, and the page offers to go on with it.
            log_of("destruction").exception("failed")
            self.problems[round_id] = RuleError(
                Sentence("销毁中断，请查看日志后继续。", "It was cut short. See the log and go on.")
            )
        finally:
            self.round_id = None
            self._turn.release()


@dataclass(frozen=True)
class Kept:
    """A round in the vault. `last_act`: day of the newest entry in its log, "" for none."""

    round: OfficeRound
    due: Due | None
    last_act: str


@pages.route("/retention")
@allow("admin")
def overview() -> str:
    return _page([])


def _page(problems: list[str]) -> str:
    due = {found.round_id: found for found in destruction_due(vault(), review())}
    acts = {
        row.round_id: row.at
        for row in vault().execute(
            select(OfficeEvent.round_id, func.max(OfficeEvent.at).label("at")).group_by(
                OfficeEvent.round_id
            )
        )
    }
    begun = [one for one in destructions(vault()) if one.state != "done"]
    hidden = {one.office_round_id for one in begun}
    rounds = vault().scalars(select(OfficeRound).order_by(OfficeRound.id.desc()))
    working = _destroyer()
    return render_template(
        "retention.html",
        problems=problems,
        kept=[
            Kept(one, due.get(one.id), str(acts.get(one.id) or "")[:10])
            for one in rounds
            if one.id not in hidden
        ],
        begun=[
            (one, sentences_of(working.problems[one.office_round_id]))
            if one.office_round_id in working.problems
            else (one, [])
            for one in begun
        ],
        working=working.round_id,
        done=[one for one in destructions(vault()) if one.state == "done"],
        today=_today(),
    )


def _today() -> date:
    return datetime.now(UTC).date()


def _destroyer() -> Destroyer:
    found = current_app.extensions.get(EXTENSION)
    if not isinstance(found, Destroyer):
        stores = current_app.extensions
        found = Destroyer(current_app.config["SETTINGS"], stores["vault"], stores["review"])
        current_app.extensions[EXTENSION] = found
    return found


def _done(act: Callable[[], None], said: str) -> Response | tuple[str, int]:
    try:
        act()
    except RuleError as error:
        return _page(undone(error)), 422
    flash(said)
    return redirect(address_of("retention.overview"), 303)


@pages.route("/retention/<int:round_id>/days", methods=["POST"])
@allow("admin")
def days(round_id: int) -> Response | tuple[str, int]:
    """Sets how long a round is kept; an empty field sets no period."""
    found = round_or_404(round_id)
    text = request.form.get("days", "").strip()

    def act() -> None:
        if text and not (text.isdecimal() and len(text) < 7):
            raise RuleError(NO_DAYS)
        kept = int(text) if text else None
        set_retention(vault(), round_id=found.id, days=kept, by=signed_in().login)

    return _done(act, t("保存期已设定。", "The period is set."))


@pages.route("/retention/<int:round_id>/give-up", methods=["POST"])
@allow("admin")
def abandon(round_id: int) -> Response | tuple[str, int]:
    """Declares a round abandoned that nobody will ever close."""
    found = round_or_404(round_id)

    def act() -> None:
        _require_confirmed()
        give_up(
            vault(),
            review(),
            round_id=found.id,
            reason=request.form.get("reason", ""),
            by=signed_in().login,
            today=_today(),
        )

    return _done(act, t("已登记中止，保存期从今天起算。", "Declared abandoned as of today."))


@pages.route("/retention/<int:round_id>/take-up", methods=["POST"])
@allow("admin")
def take_up(round_id: int) -> Response | tuple[str, int]:
    found = round_or_404(round_id)

    def act() -> None:
        take_up_again(vault(), round_id=found.id, by=signed_in().login)

    return _done(act, t("已撤销中止登记。", "The round is no longer declared abandoned."))


@pages.route("/retention/<int:round_id>/destroy", methods=["POST"])
@allow("admin")
def destroy(round_id: int) -> Response | tuple[str, int]:
    """Two persons destroy a round's part of the vault; the work itself goes on beside the page."""
    found = round_or_404(round_id)
    me = signed_in().login

    def act() -> None:
        _require_confirmed()
        other = second_of_form(me)
        begun = begin_destruction(
            vault(),
            review(),
            round_id=found.id,
            reason=request.form.get("reason", ""),
            by=me,
            confirmed_by=other,
            today=_today(),
        )
        _start(begun)

    return _done(act, t("正在销毁。刷新页面查看进展。", "It is being destroyed. Reload the page to "
                        "see how far it is."))  # fmt: skip


@pages.route("/retention/destructions/<int:destruction_id>/go-on", methods=["POST"])
@allow("admin")
def go_on(destruction_id: int) -> Response | tuple[str, int]:
    """Goes on with a destruction that was cut short; the two who began it stand for it."""
    begun = vault().get(Destruction, destruction_id) or abort(404)

    def act() -> None:
        if begun.state == "done":
            raise RuleError(Sentence("此次销毁已完成。", "This destruction is done."))
        _start(begun)

    return _done(act, t("继续销毁。", "The destruction goes on."))


def _start(begun: Destruction) -> None:
    # The work has sessions of its own, which wait for this one's transaction.
    vault().flush()
    vault().expunge(begun)
    vault().commit()
    review().rollback()
    _destroyer().start(begun)


def _require_confirmed() -> None:
    if request.form.get("confirm") != "yes":
        raise RuleError(CONFIRM)


@pages.route("/retention/destructions/<int:destruction_id>/certificate.<kind>")
@allow("admin")
def certificate(destruction_id: int, kind: str) -> FlaskResponse:
    """The certificate of a destruction that is done, as PDF or JSON."""
    done = vault().get(Destruction, destruction_id) or abort(404)
    if done.state != "done" or kind not in ("pdf", "json"):
        abort(404)
    certificate_of(done)  # refuses one that was changed
    data = certificate_pdf(done) if kind == "pdf" else done.certificate.encode()
    types = {"pdf": "application/pdf", "json": "application/json"}
    response = FlaskResponse(data, mimetype=types[kind])
    name = f"destruction-{done.id}.{kind}"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
