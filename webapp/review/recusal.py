"""An expert's recusal (回避) from a dossier: before opening it or later; it closes at once."""

from __future__ import annotations

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from models.errors import RuleError
from models.rounds import record_recusal
from models.seat_sheets import seat_sheet
from webapp.language import sentences_of, t
from webapp.review.app import REVIEWER, review, signed_in
from webapp.security import allow

pages = Blueprint("recusal", __name__)
REASONS = {
    "family": ("亲属关系", "A relative"),
    "unit": ("现在或曾在同一单位", "The same work unit, now or before"),
    "teacher": ("师生或指导关系", "Teacher and student"),
    "work": ("合作者、共同成果", "Work done together"),
    "interest": ("其他利害关系", "Another interest"),
    "knows": ("认出了申报人，难以公正评审", "I recognise who it is and cannot judge freely"),
}
LONGEST_DETAIL = 200


@pages.route("/d/<code>/recusal", methods=["GET", "POST"])
@allow(REVIEWER)
def form(code: str) -> AnyResponse | str | tuple[str, int]:
    me = signed_in()
    found = seat_sheet(review(), me.round_id, me.seat, code)
    if found is None:
        abort(404)
    if found.state == "recused":
        return redirect(url_for("front.front_page"))
    if request.method in ("GET", "HEAD"):
        return _form(code, [])
    chosen = request.form.get("reason", "")
    detail = request.form.get("detail", "").replace("\0", "").strip()
    if chosen not in REASONS or len(detail) > LONGEST_DETAIL:
        g.undo = True
        problem = t(
            f"请选择一项理由；补充说明不超过 {LONGEST_DETAIL} 字。",
            f"Choose a reason; a remark has at most {LONGEST_DETAIL} characters.",
        )
        return _form(code, [problem]), 422
    # The office reads the reasons in Chinese, whatever the tablet's language.
    reason = REASONS[chosen][0] + (f"；{detail}" if detail else "")
    try:
        record_recusal(
            review(), round_id=me.round_id, reviewer=me.seat, code=code, reason=reason, by=me.seat
        )
    except RuleError as error:
        g.undo = True
        return _form(code, sentences_of(error)), 422
    flash(t(f"您已回避 {code}，它已关闭。", f"You are recused from {code}; it is closed."))
    return redirect(url_for("front.front_page"))


def _form(code: str, problems: list[str]) -> str:
    return render_template("recusal.html", code=code, problems=problems, reasons=REASONS)
