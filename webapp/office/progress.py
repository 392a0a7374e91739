"""How far a round is: pages a minute, time left, what failed and why, and the levers to pull."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from sqlalchemy import func, select
from werkzeug.wrappers import Response

from models.office_files import set_category
from models.office_progress import (
    Count,
    Progress,
    counts_of,
    failures,
    progress,
    retry_failed,
    some_entrants,
)
from models.office_rounds import pause_round
from models.vault_pages import Job, Page
from models.vault_rounds import Entrant, OfficeRound, SourceFile
from redactor.attachment import CATEGORIES
from webapp.category_words import category_name
from webapp.language import t
from webapp.office.app import signed_in, vault
from webapp.office.rounds import entrant_or_404, round_or_404, said
from webapp.security import allow

pages = Blueprint("progress", __name__)
DESK = ("clerk", "admin")
MOST_FILES = 1000


@pages.app_template_filter()
def minutes(value: float | None) -> str:
    """A length of time as people say it."""
    if value is None:
        return t("未知", "unknown")
    if value < 1:
        return t("不到 1 分钟", "less than a minute")
    if value < 90:
        return t(f"约 {value:.0f} 分钟", f"about {value:.0f} minutes")
    return t(f"约 {value / 60:.1f} 小时", f"about {value / 60:.1f} hours")


@pages.app_template_filter()
def file_state(state: str) -> str:
    """What a file's state is called."""
    return {
        "waiting": t("等待处理", "waiting"),
        "running": t("正在处理", "at work"),
        "done": t("已完成", "done"),
        "failed": t("失败", "failed"),
        "unmatched": t("未归属", "nobody's"),
        "duplicate": t("重复", "duplicate"),
        "replaced": t("已被替换", "replaced"),
    }[state]


@pages.route("/rounds/<int:round_id>/progress")
@allow(*DESK)
def overview(round_id: int) -> str:
    found = round_or_404(round_id)
    return render_template(
        "progress.html", round=found, failures=_failures(found.id), **_rows(found)
    )


@pages.route("/rounds/<int:round_id>/progress/part")
@allow(*DESK)
def part(round_id: int) -> str:
    """What is asked for every two seconds: the figures and the rows in view."""
    found = round_or_404(round_id)
    return render_template("progress_part.html", round=found, **_rows(found))


def _rows(found: OfficeRound) -> dict[str, object]:
    after = request.args.get("after", 0, type=int)
    wanted = request.args.get("q", "").strip()[:100]
    people, more = some_entrants(vault(), round_id=found.id, after=after, wanted=wanted)
    counts: dict[int, Count] = counts_of(vault(), [person.id for person in people])
    state: Progress = progress(vault(), round_id=found.id)
    return {"people": people, "more": more, "counts": counts, "state": state, "wanted": wanted,
            "after": after}  # fmt: skip


def _failures(round_id: int) -> list[tuple[str, int | None, str, int, int | None]]:
    return [
        (f.path, f.page, said(f.reason), f.file_id, f.entrant_id)
        for f in failures(vault(), round_id=round_id)
    ]


@pages.route("/rounds/<int:round_id>/progress/pause", methods=["POST"])
@allow(*DESK)
def pause(round_id: int) -> Response:
    found = round_or_404(round_id)
    paused = request.form.get("paused") == "yes"
    pause_round(vault(), round_id=found.id, paused=paused, by=signed_in().login)
    flash(
        t("已暂停：正在处理的文件做完后停下。", "Paused: it stops after the files at work.")
        if paused
        else t("继续处理。", "Work goes on.")
    )
    return redirect(url_for("progress.overview", round_id=found.id), 303)


@pages.route("/rounds/<int:round_id>/progress/retry", methods=["POST"])
@allow(*DESK)
def retry(round_id: int) -> Response:
    """Tries again what failed: all of the round, or one file."""
    found = round_or_404(round_id)
    file_id = request.form.get("file", type=int)
    count = retry_failed(vault(), round_id=found.id, file_id=file_id, by=signed_in().login)
    flash(t(f"{count} 个文件将重试。", f"{count} files are tried again."))
    entrant_id = request.form.get("entrant", type=int)
    if entrant_id is not None:
        return redirect(url_for("progress.dossier", round_id=found.id, entrant_id=entrant_id), 303)
    return redirect(url_for("progress.overview", round_id=found.id), 303)


@pages.route("/rounds/<int:round_id>/dossiers/<int:entrant_id>")
@allow(*DESK)
def dossier(round_id: int, entrant_id: int) -> str:
    found = round_or_404(round_id)
    return render_template(
        "dossier.html",
        round=found,
        categories=CATEGORIES,
        category_name=category_name,
        **_dossier(found, entrant_id),
    )


@pages.route("/rounds/<int:round_id>/dossiers/<int:entrant_id>/part")
@allow(*DESK)
def dossier_part(round_id: int, entrant_id: int) -> str:
    """The figures of a dossier while it is at work; the files' forms stay as they are."""
    found = round_or_404(round_id)
    return render_template("dossier_part.html", round=found, **_dossier(found, entrant_id))


def _dossier(found: OfficeRound, entrant_id: int) -> dict[str, object]:
    entrant: Entrant = entrant_or_404(found.id, entrant_id)
    files = vault().scalars(
        select(SourceFile)
        .where(SourceFile.entrant_id == entrant.id)
        .order_by(SourceFile.folder, SourceFile.position, SourceFile.id)
        .limit(MOST_FILES)
    )
    live: list[SourceFile] = []
    replaced: list[SourceFile] = []
    for file in files:
        (replaced if file.state == "replaced" else live).append(file)
    ids = [file.id for file in live]
    states: dict[int, dict[str, int]] = {file_id: {} for file_id in ids}
    for file_id, state, count in vault().execute(
        select(Page.file_id, Page.state, func.count())
        .where(Page.file_id.in_(ids))
        .group_by(Page.file_id, Page.state)
    ):
        states[file_id][state] = int(count)
    running = set(
        vault().scalars(
            select(Job.target).where(
                Job.target.in_(ids),
                Job.kind.in_(("redact", "consistency")),
                Job.state == "running",
            )
        )
    )
    return {
        "entrant": entrant,
        "files": live,
        "replaced": replaced,
        "folders": sorted({file.folder for file in live}),
        "pages": states,
        "running": running,
        "said": said,
        "count": counts_of(vault(), [entrant.id])[entrant.id],
    }


@pages.route("/rounds/<int:round_id>/files/<int:file_id>/category", methods=["POST"])
@allow(*DESK)
def category(round_id: int, file_id: int) -> Response:
    """Another attachment category for a file."""
    found = round_or_404(round_id)
    file = vault().get(SourceFile, file_id)
    if file is None or file.round_id != found.id or file.entrant_id is None:
        abort(404)
    set_category(
        vault(),
        file_id=file.id,
        category=request.form.get("category", ""),
        known=CATEGORIES,
        by=signed_in().login,
    )
    if request.headers.get("HX-Request"):
        return Response(t("已保存", "saved"), mimetype="text/plain")
    return redirect(url_for("progress.dossier", round_id=found.id, entrant_id=file.entrant_id), 303)
