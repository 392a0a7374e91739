"""The applicants of a round: the roster is previewed and imported, one applicant is mended."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from flask import (
    Blueprint,
    current_app,
    flash,
    g,
    redirect,
    render_template,
    request,
    url_for,
)
from werkzeug.wrappers import Response

from models.errors import RuleError
from models.office_files import redact_again
from models.office_progress import counts_of, some_entrants
from models.office_rounds import change_entrant, entrants_of, put_entrants
from models.vault_rounds import OfficeRound
from redactor.applicant import Applicant
from redactor.blind_code import new_codes
from redactor.roster import RosterError, check_row
from redactor.roster_header import field_of
from scoring.policy import GROUNDS
from webapp.language import sentences_of, t
from webapp.office.app import signed_in, vault
from webapp.office.kept_files import keep_imported
from webapp.office.matching import find_files
from webapp.office.roster_preview import (
    entrant_row,
    keep_roster,
    kept_roster,
    preview_of,
    same_row,
)
from webapp.office.rounds import entrant_or_404, round_or_404
from webapp.office.work import applicant_of
from webapp.security import allow
from webapp.settings import Settings

pages = Blueprint("entrants", __name__)
DESK = ("clerk", "admin")
LISTS = (
    "former_names",
    "pinyin",
    "native_names",
    "unit_short",
    "former_units",
    "native_units",
    "phones",
    "emails",
)
TEXTS = (
    "name",
    "id_number",
    "unit",
    "specialty",
    "level",
    "exemption",
    "folder",
    "gender",
    "ethnicity",
    "political",
    "current_title",
    "title_since",
    "target_title",
    "remark",
)


def _settings() -> Settings:
    settings: Settings = current_app.config["SETTINGS"]
    return settings


@pages.route("/rounds/<int:round_id>/roster")
@allow(*DESK)
def roster(round_id: int) -> str:
    return _roster(round_or_404(round_id), [])


def _roster(found: OfficeRound, problems: list[str]) -> str:
    wanted = request.args.get("q", "").strip()[:100]
    people, more = some_entrants(
        vault(), round_id=found.id, after=request.args.get("after", 0, type=int), wanted=wanted
    )
    counts = counts_of(vault(), [person.id for person in people])
    return render_template(
        "roster.html",
        round=found,
        people=people,
        counts=counts,
        more=more,
        wanted=wanted,
        problems=problems,
    )


@pages.route("/rounds/<int:round_id>/roster", methods=["POST"])
@allow(*DESK)
def preview(round_id: int) -> str | tuple[str, int]:
    """Shows an uploaded roster; nothing of it is in the round before it is confirmed."""
    found = round_or_404(round_id)
    file = request.files.get("roster")
    try:
        path = keep_roster(
            _settings(),
            found.id,
            (file.filename if file is not None else "") or "",
            file.read() if file is not None else b"",
        )
        shown, roster = preview_of(_settings(), path, entrants_of(vault(), found.id))
    except RuleError as error:
        g.undo = True
        return _roster(found, sentences_of(error)), 422
    page = render_template(
        "roster_preview.html",
        round=found,
        preview=shown,
        token=path.name,
        file_name=file.filename if file is not None else "",
    )
    return page if roster is not None else (page, 422)


@pages.route("/rounds/<int:round_id>/roster/confirm", methods=["POST"])
@allow(*DESK)
def confirm(round_id: int) -> Response:
    """Imports the roster that was shown, if it still fits what is in the round by now."""
    found = round_or_404(round_id)
    path = kept_roster(_settings(), found.id, request.form.get("token", ""))
    entrants = entrants_of(vault(), found.id)
    shown, roster = preview_of(_settings(), path, entrants)
    if roster is None:
        raise RuleError(
            [sentence for row in shown.rows for cell in row.cells for sentence in cell.problems]
        )
    there = {entrant.number: entrant for entrant in entrants}
    rows = [
        entrant_row(person)
        for person in roster.applicants
        if person.number not in there or not same_row(there[person.number].row, person)
    ]
    fresh = [row.number for row in rows if row.number not in there]
    codes = new_codes(len(fresh), [entrant.code for entrant in entrants])
    new, changed = put_entrants(
        vault(),
        round_id=found.id,
        rows=rows,
        codes=dict(zip(fresh, codes, strict=True)),
        by=signed_in().login,
    )
    again = redact_again(vault(), entrant_ids=[entrant.id for entrant in changed])
    flash(
        t(
            f"已导入：新增 {len(new)} 人，更新 {len(changed)} 人，重新比对 {again} 个文件。",
            f"Imported: {len(new)} new, {len(changed)} changed, {again} files matched again.",
        )
    )
    if new or changed:
        # Folders that were nobody's may be somebody's now.
        find_files(vault(), _settings(), found.id, signed_in().login)
    keep_imported(
        vault(), _settings(), round_id=found.id, path=path, sheet=shown.sheet,
        name=request.form.get("file_name", ""), by=signed_in().login,
    )  # fmt: skip
    path.unlink(missing_ok=True)
    return redirect(url_for("entrants.roster", round_id=found.id), 303)


@pages.route("/rounds/<int:round_id>/roster/<int:entrant_id>", methods=["GET", "POST"])
@allow(*DESK)
def edit(round_id: int, entrant_id: int) -> Response | str | tuple[str, int]:
    """Mends one applicant; the dossier is matched anew from its readings."""
    found = round_or_404(round_id)
    entrant = entrant_or_404(found.id, entrant_id)
    before = applicant_of(entrant)
    if request.method in ("GET", "HEAD"):
        return _edit(found, entrant_id, _texts(before), {})
    values = {name: request.form.get(name, "").strip() for name in (*TEXTS, *LISTS)}
    try:
        checked = check_row(values, before.number)
    except RosterError as error:
        g.undo = True
        bad: dict[str, list[str]] = {}
        for cell in error.cells:
            field = field_of(cell.heading) or "name"
            bad.setdefault(field, []).append(t(cell.problem.zh, cell.problem.en))
        return _edit(found, entrant_id, values, bad), 422
    now = replace(checked, row=before.row, passed=before.passed)
    by = signed_in().login
    if not change_entrant(vault(), entrant_id=entrant_id, row=entrant_row(now), by=by):
        flash(t("没有改动。", "Nothing was changed."))
        return redirect(url_for("entrants.roster", round_id=found.id), 303)
    again = redact_again(vault(), entrant_ids=[entrant_id])
    flash(
        t(
            f"已保存。{again} 个文件正按新的信息重新比对（不必重新识别）。",
            f"Saved. {again} files are being matched anew, without reading them again.",
        )
    )
    return redirect(url_for("progress.dossier", round_id=found.id, entrant_id=entrant_id), 303)


def _edit(
    found: OfficeRound, entrant_id: int, values: dict[str, str], bad: dict[str, list[str]]
) -> str:
    return render_template(
        "entrant.html",
        round=found,
        entrant=entrant_or_404(found.id, entrant_id),
        values=values,
        bad=bad,
        fields=_labels(),
        grounds={zh: t(zh, en) for zh, en in GROUNDS.values()},
    )


def _texts(applicant: Applicant) -> dict[str, str]:
    values: dict[str, Any] = asdict(applicant)
    return {
        name: "\n".join(values[name]) if name in LISTS else str(values[name] or "")
        for name in (*TEXTS, *LISTS)
    }


def _labels() -> dict[str, tuple[str, str]]:
    """Field -> (label, help)."""
    one_each = t("每行一个", "one on each line")
    return {
        "name": (t("姓名", "Name"), ""),
        "id_number": (t("身份证号码", "ID number"), ""),
        "former_names": (t("曾用名", "Former names"), one_each),
        "pinyin": (
            t("姓名拼音、拼写变体", "Pinyin, spelling variants"),
            t("每行一个，如 Zhang Xiaolan", "one on each line, such as Zhang Xiaolan"),
        ),
        "native_names": (t("民族文字姓名", "Name in the script of a minority"), one_each),
        "unit": (t("工作单位（全称）", "Work unit, in full"), ""),
        "unit_short": (
            t("单位简称", "Short forms of the unit"),
            t("每行一个，如 州林草局", "one on each line"),
        ),
        "former_units": (t("曾任职单位", "Former units"), one_each),
        "native_units": (t("民族文字单位", "Unit in the script of a minority"), one_each),
        "phones": (t("手机号", "Phones"), one_each),
        "emails": (t("邮箱", "E-mail"), one_each),
        "specialty": (t("专业", "Specialty"), ""),
        "level": (t("级别", "Level"), ""),
        "exemption": (t("免答辩情形", "Exempt from the defence"), ""),
        "folder": (
            t("材料目录", "Folder of scans"),
            t("文件夹名与姓名对不上时填写", "where the folder's name does not tell whose it is"),
        ),
        "gender": (t("性别", "Gender"), ""),
        "ethnicity": (t("族别", "Ethnicity"), ""),
        "political": (t("政治面貌", "Political status"), ""),
        "current_title": (t("现任专业职务", "Present title"), ""),
        "title_since": (t("获现任专业职务时间", "Since"), ""),
        "target_title": (t("拟晋升专业技术职务", "Title applied for"), ""),
        "remark": (t("备注", "Remark"), ""),
    }
