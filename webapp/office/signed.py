"""Signed score sheets: printed with codes, scanned back, and a drawn sample keyed again."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import zxingcpp
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
from models.office_papers import draws_of, keep_draw, keep_totals, note_scan, rekeyed_of, scans_of
from models.review import Round
from models.vault_results import AuditDraw
from models.vault_rounds import OfficeRound
from redactor.errors import UnreadablePage
from redactor.loading import Limits, count_pages, load_page
from redactor.sealed_files import read_file
from scoring.points import decimal_text, parse_points
from scoring.signature_sheets import ReadBarcode, SignatureSheet, read_barcode
from scoring.signed_sheet_audit import Mismatch, compare, draw
from webapp.language import t
from webapp.office.app import review, signed_in, undone, vault
from webapp.office.committee import DESK, opened, opened_or_404, policy_in_force
from webapp.office.kept_files import SIGNED, file_path, keep_file
from webapp.office.reader_process import read_apart
from webapp.office.rounds import round_or_404
from webapp.security import allow
from webapp.settings import Settings
from webapp.signing import seat_pdf, sheets_to_sign, stored_totals

pages = Blueprint("signed", __name__)
SUFFIXES = (".pdf", ".jpg", ".jpeg", ".png", ".tif", ".tiff")
LIMITS = Limits(file_bytes=60_000_000, pages=500)


@dataclass(frozen=True)
class SeatPapers:
    """A seat's sheets: how many are to be signed, and which came back as they are now."""

    seat: str
    sheets: int
    back: tuple[str, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True)
class Drawn:
    """A drawn sheet. `keyed` "": nobody read the paper yet."""

    name: str
    keyed: str
    mismatch: Mismatch | None


@pages.route("/rounds/<int:round_id>/signed")
@allow(*DESK)
def overview(round_id: int) -> str:
    return _page(round_or_404(round_id), [])


def _page(found: OfficeRound, problems: list[str]) -> str:
    there = opened(found)
    values: dict[str, Any] = {}
    if there is not None and there.phase != "scoring":
        sheets = sheets_to_sign(review(), there.id)
        scans = scans_of(vault(), found.id)
        codes = [
            read
            for scan in scans
            for text in json.loads(scan.codes)
            if (read := read_barcode(text)) is not None
        ]
        seats, stale = _seats(sheets, codes)
        values = {
            "seats": seats,
            "stale": stale,
            "scans": [(scan, len(json.loads(scan.codes))) for scan in scans],
            "draws": draws_of(vault(), found.id),
            "total": sum(map(len, sheets.values())),
        }
    return render_template("signed.html", round=found, there=there, problems=problems, **values)


def _seats(
    sheets: Mapping[str, list[SignatureSheet]], codes: list[ReadBarcode]
) -> tuple[list[SeatPapers], list[str]]:
    """(each seat's papers, papers that are not of the sheets as they are now)."""
    read = set(codes)
    rows, known = [], set()
    for seat, mine in sheets.items():
        wanted = {sheet.code: read_barcode(sheet.barcode) for sheet in mine}
        back = tuple(code for code, barcode in wanted.items() if barcode in read)
        known |= {barcode for barcode in wanted.values() if barcode is not None}
        missing = tuple(code for code in wanted if code not in back)
        rows.append(SeatPapers(seat, len(mine), back, missing))
    stale = sorted(f"{one.seat} × {one.code} v{one.version}" for one in read - known)
    return rows, stale


@pages.route("/rounds/<int:round_id>/signed/sheets/<seat>.pdf")
@allow(*DESK)
def sheets(round_id: int, seat: str) -> FlaskResponse:
    """A reviewer's sheets for signing."""
    found = round_or_404(round_id)
    there = opened_or_404(found)
    policy = policy_in_force(found)
    if there.phase == "scoring" or policy is None or seat not in sheets_to_sign(review(), there.id):
        abort(404)
    data = seat_pdf(review(), there.id, seat, policy)
    return send_file(io.BytesIO(data), mimetype="application/pdf", download_name=f"{seat}.pdf")


@pages.route("/rounds/<int:round_id>/signed", methods=["POST"])
@allow(*DESK)
def upload(round_id: int) -> Response | tuple[str, int]:
    """Keeps scans of signed sheets and reads their codes."""
    found = round_or_404(round_id)
    opened_or_404(found)
    me, settings = signed_in().login, current_app.config["SETTINGS"]
    vault().rollback()  # reading a scan takes seconds, in which others may write

    def act() -> None:
        kept = []
        for file in request.files.getlist("scans"):
            name = Path((file.filename or "").replace("\\", "/")).name
            suffix, data = Path(name).suffix.lower(), file.read()
            if suffix not in SUFFIXES or not data:
                raise RuleError(
                    Sentence(
                        f"“{name}”不是扫描件。请选择 PDF、JPG、PNG 或 TIFF。",
                        f'"{name}" is no scan. Choose PDF, JPG, PNG or TIFF.',
                    )
                )
            digest = keep_file(settings, round_id, SIGNED, suffix, data)
            path = file_path(settings, round_id, SIGNED, digest, suffix)
            try:
                count, codes = codes_of(settings, path)
            except UnreadablePage as error:
                path.unlink(missing_ok=True)
                sentence = error.sentence
                raise RuleError(
                    Sentence(f"{name}：{sentence.zh}", f"{name}: {sentence.en}")
                ) from error
            kept.append((digest, suffix, name, count, codes))
        if not kept:
            raise RuleError(Sentence("请选择扫描件。", "Choose the scans."))
        for digest, suffix, name, count, codes in kept:
            note_scan(
                vault(), round_id=round_id, sha256=digest, suffix=suffix, name=name, pages=count,
                codes=codes, by=me,
            )  # fmt: skip

    return _done(round_id, act, t("扫描件已保存。", "The scans are kept."), "signed.overview")


def codes_of(settings: Settings, path: Path) -> tuple[int, list[str]]:
    """(pages of a scan, what the codes of signature sheets on them say, each once)."""
    count = read_apart(settings, count_pages, path, LIMITS)
    found: dict[str, None] = {}
    for number in range(count):  # each page has its own time, and lets others have a turn
        found |= dict.fromkeys(read_apart(settings, codes_on, path, number))
    return count, list(found)


def codes_on(path: Path, number: int) -> list[str]:
    """What the codes of signature sheets on a page of a scan say."""
    codes = zxingcpp.read_barcodes(load_page(path, number, LIMITS).pixels)
    return [code.text.strip() for code in codes if read_barcode(code.text) is not None]


@pages.route("/rounds/<int:round_id>/signed/scans/<int:scan_id>")
@allow(*DESK)
def scan(round_id: int, scan_id: int) -> FlaskResponse:
    """A kept scan as it was uploaded."""
    found = round_or_404(round_id)
    kept = next((one for one in scans_of(vault(), found.id) if one.id == scan_id), None)
    if kept is None:
        abort(404)
    path = file_path(current_app.config["SETTINGS"], found.id, SIGNED, kept.sha256, kept.suffix)
    if not path.is_file():
        abort(404)
    return send_file(io.BytesIO(read_file(path)), as_attachment=True, download_name=kept.name)


@pages.route("/rounds/<int:round_id>/signed/draws", methods=["POST"])
@allow(*DESK)
def new_draw(round_id: int) -> Response | tuple[str, int]:
    """Draws sheets to key again; the seed alone decides which."""
    found = round_or_404(round_id)
    there = _locked(found)

    def act() -> None:
        size = request.form.get("size", "").strip()
        drawn = draw(
            request.form.get("seed", "")[:200],
            stored_totals(review(), there.id),
            int(size) if size.isdecimal() and len(size) < 7 else 0,
        )
        keep_draw(
            vault(), round_id=found.id, seed=drawn.seed, sheets=drawn.sheets, of=drawn.of,
            by=signed_in().login,
        )  # fmt: skip

    return _done(round_id, act, t("已抽样。", "The sample is drawn."), "signed.overview")


@pages.route("/rounds/<int:round_id>/signed/draws/<int:number>")
@allow(*DESK)
def sample(round_id: int, number: int) -> str:
    return _sample(round_or_404(round_id), number, [])


def _sample(found: OfficeRound, number: int, problems: list[str]) -> str:
    drawn = _draw_or_404(found, number)
    there = _locked(found)
    names = json.loads(drawn.sheets)
    keyed = rekeyed_of(vault(), found.id, number)
    stored = stored_totals(review(), there.id)
    wrong = {
        one.sheet: one
        for one in compare(
            {name: stored[name] for name in names if name in stored},
            {name: Fraction(text) for name, text in keyed.items()},
        )
    }
    rows = [
        Drawn(name, keyed.get(name, ""), wrong.get(name) if name in keyed else None)
        for name in names
    ]
    return render_template(
        "signed_draw.html",
        round=found,
        drawn=drawn,
        rows=rows,
        decimal=decimal_text,
        left=sum(not row.keyed for row in rows),
        wrong=sum(row.mismatch is not None for row in rows),
        problems=problems,
    )


@pages.route("/rounds/<int:round_id>/signed/draws/<int:number>", methods=["POST"])
@allow(*DESK)
def rekey(round_id: int, number: int) -> Response | tuple[str, int]:
    """Keeps totals as read from the paper; the store's are not shown before."""
    found = round_or_404(round_id)
    drawn = _draw_or_404(found, number)
    try:
        totals, problems = {}, []
        for at, name in enumerate(json.loads(drawn.sheets)):
            text = request.form.get(f"total-{at}", "").strip()
            if not text:
                continue
            try:
                totals[name] = decimal_text(parse_points(text))
            except ValueError:
                problems.append(
                    Sentence(
                        f"{name} 的合计“{text}”不是分数，如 43.5。",
                        f'{name}: "{text}" is no number of points such as 43.5.',
                    )
                )
        if problems or not totals:
            raise RuleError(problems or Sentence("请录入合计。", "Enter the totals."))
        keep_totals(vault(), round_id=found.id, draw=number, totals=totals, by=signed_in().login)
    except RuleError as error:
        return _sample(round_or_404(round_id), number, undone(error)), 422
    flash(t("已保存并比对。", "Kept and compared."))
    return redirect(url_for("signed.sample", round_id=round_id, number=number), 303)


def _draw_or_404(found: OfficeRound, number: int) -> AuditDraw:
    chosen = (one for one in draws_of(vault(), found.id) if one.number == number)
    return next(chosen, None) or abort(404)


def _locked(found: OfficeRound) -> Round:
    there = opened_or_404(found)
    return there if there.phase != "scoring" else abort(404)


def _done(
    round_id: int, act: Callable[[], None], said: str, endpoint: str
) -> Response | tuple[str, int]:
    try:
        act()
    except RuleError as error:
        return _page(round_or_404(round_id), undone(error)), 422
    flash(said)
    return redirect(url_for(endpoint, round_id=round_id), 303)
