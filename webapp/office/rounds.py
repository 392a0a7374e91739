"""A round: set up, changed, and the page from which everything in it is reached."""

from __future__ import annotations

from datetime import datetime
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
    url_for,
)
from sqlalchemy import func, select
from werkzeug.wrappers import Response

from models.errors import RuleError, Sentence
from models.kept_sentence import kept_sentence
from models.office_files import redact_again
from models.office_progress import progress
from models.office_rounds import change_round, make_round
from models.vault_accounts import ROLES
from models.vault_rounds import Entrant, OfficeRound
from scoring.policy_table import SILENT, side_by_side
from webapp.language import sentences_of, t
from webapp.office.app import signed_in, vault
from webapp.office.policies import policy_of
from webapp.policy_texts import own_policy, shipped_text, shipped_titles
from webapp.security import allow

pages = Blueprint("rounds", __name__)
DESK = ("clerk", "admin")
OWN = "own"
KEEP = "keep"


def round_or_404(round_id: int) -> OfficeRound:
    """The round of a page's address."""
    return vault().get(OfficeRound, round_id) or abort(404)


def entrant_or_404(round_id: int, entrant_id: int) -> Entrant:
    """An applicant of the round of a page's address, and of no other round."""
    entrant = vault().get(Entrant, entrant_id)
    if entrant is None or entrant.round_id != round_id:
        abort(404)
    return entrant


def said(text: str) -> str:
    """A kept sentence in the language of this request."""
    sentence = kept_sentence(text)
    return t(sentence.zh, sentence.en)


@pages.app_template_global()
def link_to(endpoint: str, **values: Any) -> str | None:
    """The address of a page that another part brings; None where that part is not there."""
    return url_for(endpoint, **values) if endpoint in current_app.view_functions else None


@pages.app_template_global()
def profile_name(profile: str) -> str:
    """What a profile is called."""
    return {
        "strict": t("严格：遮盖一切可识别信息", "strict: everything that identifies"),
        "notice": t("按通知：只遮姓名、单位、眼睛", "notice: own name, units, eyes"),
    }.get(profile, profile)


@pages.route("/rounds/new", methods=["GET", "POST"])
@allow(*DESK)
def new_round() -> Response | str | tuple[str, int]:
    if request.method in ("GET", "HEAD"):
        values = {
            "year": str(datetime.now().year),
            "profile": "strict",
            "two_person_release": "yes",
        }
        return _form(None, values, [])
    try:
        settings = _settings(None)
        made = make_round(vault(), **settings, by=signed_in().login)
    except RuleError as error:
        g.undo = True
        return _form(None, request.form.to_dict(), sentences_of(error)), 422
    flash(t("批次已建立，请导入花名册。", "The round is set up; import the roster."))
    return redirect(url_for("rounds.hub", round_id=made.id), 303)


@pages.route("/rounds/<int:round_id>")
@allow(*ROLES)
def hub(round_id: int) -> str:
    found = round_or_404(round_id)
    people = vault().scalar(
        select(func.count()).select_from(Entrant).where(Entrant.round_id == found.id)
    )
    rules, problems = _rules(found)
    return render_template(
        "round_hub.html",
        round=found,
        people=people,
        state=progress(vault(), round_id=found.id),
        rules=rules,
        problems=problems,
    )


def _rules(found: OfficeRound) -> tuple[list[tuple[str, str]], list[str]]:
    """(what the policy says, rule by rule, without its silences; what is wrong with it)."""
    if not found.policy:
        return [], []
    try:
        rows = side_by_side([policy_of(found)])
    except RuleError as error:
        return [], sentences_of(error)
    said_rows = [(t(rule.zh, rule.en), t(value.zh, value.en)) for rule, (value,) in rows]
    return [(rule, value) for rule, value in said_rows if value != SILENT], []


@pages.route("/rounds/<int:round_id>/settings", methods=["GET", "POST"])
@allow(*DESK)
def settings(round_id: int) -> Response | str | tuple[str, int]:
    found = round_or_404(round_id)
    if request.method in ("GET", "HEAD"):
        values = {
            "name": found.name,
            "year": str(found.year),
            "policy": KEEP,
            "profile": found.profile,
            "committee_members": str(found.committee_members),
            "submit_until": found.submit_until,
            "two_person_release": "yes" if found.two_person_release else "",
        }
        return _form(found, values, [])
    try:
        chosen = _settings(found)
        anew = change_round(vault(), round_id=found.id, **chosen, by=signed_in().login)
    except RuleError as error:
        g.undo = True
        return _form(round_or_404(round_id), request.form.to_dict(), sentences_of(error)), 422
    flash(t("设置已保存。", "The settings are saved."))
    if anew:
        people = vault().scalars(select(Entrant.id).where(Entrant.round_id == found.id)).all()
        count = redact_again(vault(), entrant_ids=people)
        flash(
            t(
                f"遮盖方案已更换，{count} 个文件将重新遮盖（不必重新识别）。",
                f"The profile changed: {count} files are masked anew, without reading them again.",
            )
        )
    return redirect(url_for("rounds.hub", round_id=found.id), 303)


def _form(office_round: OfficeRound | None, values: dict[str, str], problems: list[str]) -> str:
    return render_template(
        "round_form.html",
        round=office_round,
        values=values,
        policies=shipped_titles(),
        problems=problems,
    )


def _settings(found: OfficeRound | None) -> dict[str, Any]:
    """The form's settings; RuleError with every field that holds no value of its kind."""
    problems: list[Sentence] = []
    year = _number("year", Sentence("年度", "Year"), problems)
    members = _number("committee_members", Sentence("评委会人数", "Committee"), problems)
    until = request.form.get("submit_until", "").strip()
    if until and not _is_moment(until):
        problems.append(
            Sentence("提交截止时间的格式不对，如 2026-11-30T18:00。",
                     "The deadline is no time such as 2026-11-30T18:00.")
        )  # fmt: skip
    policy_name, policy = None, None
    try:
        policy_name, policy = _policy(found)
    except RuleError as error:
        problems += error.sentences
    if problems:
        raise RuleError(problems)
    return {
        "name": request.form.get("name", ""),
        "year": year,
        "profile": request.form.get("profile", ""),
        "committee_members": members,
        "submit_until": until,
        "two_person_release": request.form.get("two_person_release") == "yes",
        "policy_name": policy_name,
        "policy": policy,
    }


def _policy(found: OfficeRound | None) -> tuple[str | None, str | None]:
    chosen = request.form.get("policy", "")
    if chosen == KEEP and found is not None:
        return None, None
    if chosen == OWN:
        file = request.files.get("policy_file")
        if file is None or not file.filename:
            raise RuleError(
                Sentence("请选择本单位的政策文件（.toml）。", "Choose the office's policy file.")
            )
        return own_policy(file.filename, file.read())
    if chosen not in shipped_titles():
        raise RuleError(Sentence("请选择一份政策。", "Choose a policy."))
    return chosen, shipped_text(chosen)


def _number(name: str, label: Sentence, problems: list[Sentence]) -> int:
    text = request.form.get(name, "").strip()
    if text.isdecimal() and len(text) < 7:
        return int(text)
    problems.append(
        Sentence(
            f"{label.zh}应为整数，现为“{text}”。", f'{label.en}: write a number, not "{text}".'
        )
    )
    return 0


def _is_moment(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return len(text) <= 40
