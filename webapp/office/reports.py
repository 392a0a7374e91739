"""Pages that reviewers reported to show who it is: what they said, and what the office decides."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from models.errors import RuleError, Sentence
from models.office_reports import (
    let_be,
    needs_other,
    number_of,
    page_numbered,
    release_of,
    take_up,
)
from models.page_reports import Settled, open_reports, reports_of, settle_report
from models.readiness import page_obstacle
from models.review_pages import PageReport
from models.vault_accounts import OfficeEvent
from models.vault_pages import Page, Release
from models.vault_rounds import Entrant, OfficeRound
from webapp.language import t
from webapp.office.app import review, signed_in, undone, vault
from webapp.office.door import replace_page
from webapp.office.release import stores
from webapp.office.rounds import round_or_404
from webapp.security import allow

pages = Blueprint("reports", __name__)
DESK = ("clerk", "admin")
HISTORY = 100
SETTLED_ACTIONS = ("page.let_be", "page.replaced")
NOTHING_OPEN = Sentence(
    "此页没有待处理的泄露报告，可能已由他人处理。",
    "No report of this page waits; somebody else may have settled it.",
)


@dataclass(frozen=True)
class Reported:
    """A page that waits for a decision. `number`: in the released dossier, None when taken back.

    `changed`: masked anew since its release. `own`: another person must let it out.
    """

    page: Page
    entrant: Entrant
    number: int | None
    reports: tuple[PageReport, ...]
    changed: bool
    own: bool

    @property
    def obstacle(self) -> str:
        """Why it cannot be let out as it stands now, "" when it can."""
        found = page_obstacle(self.page, reported=False)
        return "" if found is None else t(found.zh, found.en)


@dataclass(frozen=True)
class Past:
    """A report that was decided, with the office's reason, which only the vault keeps."""

    settled: Settled
    page_id: int | None
    reason: str


@pages.app_template_filter()
def settlement_name(decision: str) -> str:
    """What the office's decision on a report is called."""
    return {
        "not_identifying": t("不泄露身份，已解冻", "shows nobody, given back"),
        "replaced": t("已替换", "replaced"),
        "withdrawn": t("材料已撤回", "dossier taken back"),
    }[decision]


@pages.app_template_global()
def reported_pages(found: OfficeRound) -> list[Reported]:
    """The round's pages that wait for a decision; as many queries for one as for many."""
    waiting: dict[tuple[str, int], list[PageReport]] = {}
    if found.review_round_id is not None:
        for report in open_reports(review(), found.review_round_id):
            waiting.setdefault((report.code, report.number), []).append(report)
    releases = _releases(found, {code for code, _ in waiting})
    said = {}
    for (code, number), reports in waiting.items():
        release = releases.get(code)
        page_id = page_numbered(release, number) if release is not None else None
        if page_id is not None:
            said[page_id] = tuple(reports)
    frozen = select(Page.id).where(Page.round_id == found.id, Page.frozen.is_(True))
    ids = {*said, *vault().scalars(frozen)}
    if not ids:
        return []
    rows = vault().execute(
        select(Page, Entrant, Release)
        .join(Entrant, Entrant.id == Page.entrant_id)
        .outerjoin(Release, (Release.entrant_id == Page.entrant_id) & (Release.state == "released"))
        .where(Page.id.in_(ids))
        .order_by(Page.id)
    )
    return [_reported(page, entrant, release, said) for page, entrant, release in rows]


@pages.app_template_global()
def report_on(page: Page, found: OfficeRound) -> Reported | None:
    """What waits for a decision on one page, None when nothing does."""
    if found.review_round_id is None and not page.frozen:
        return None
    release = release_of(vault(), page)
    number = number_of(release, page.id) if release is not None else None
    entrant = vault().get_one(Entrant, page.entrant_id)
    said: tuple[PageReport, ...] = ()
    if number is not None and found.review_round_id is not None:
        said = tuple(
            one.report
            for one in reports_of(review(), found.review_round_id, [entrant.code])
            if one.report.number == number and one.settlement is None
        )
    if not said and not page.frozen:
        return None
    return _reported(page, entrant, release, {page.id: said})


@pages.route("/rounds/<int:round_id>/reports")
@allow(*DESK)
def overview(round_id: int) -> str:
    return _overview(round_id, [])


@pages.route("/rounds/<int:round_id>/reports/<int:page_id>/take-up", methods=["POST"])
@allow(*DESK)
def take(round_id: int, page_id: int) -> Response | tuple[str, int]:
    """Opens the page for editing and shows it."""
    page = _page_or_404(round_id, page_id)
    if report_on(page, round_or_404(round_id)) is None:
        return _refused(round_id, RuleError(NOTHING_OPEN))
    take_up(vault(), page_id=page_id, by=signed_in().login)
    flash(t("此页现在可以修改。", "The page can be edited now."))
    return redirect(url_for("pages.page", page_id=page_id), 303)


@pages.route("/rounds/<int:round_id>/reports/<int:page_id>/let-be", methods=["POST"])
@allow(*DESK)
def not_identifying(round_id: int, page_id: int) -> Response | tuple[str, int]:
    """The page shows nobody: the experts get it back as it is."""
    page, found = _page_or_404(round_id, page_id), round_or_404(round_id)
    told = report_on(page, found)
    me = signed_in().login
    try:
        if told is None:
            raise RuleError(NOTHING_OPEN)
        let_be(vault(), page_id=page_id, reason=request.form.get("reason", ""), by=me)
        if told.reports and told.number is not None and found.review_round_id is not None:
            settle_report(
                review(),
                round_id=found.review_round_id,
                code=told.entrant.code,
                number=told.number,
                decision="not_identifying",
                # The office's own words may name somebody; they stay in the vault.
                reason="not_identifying",
                by=me,
            )
    except RuleError as error:
        return _refused(round_id, error)
    flash(t("已解冻，评委可再次查看。", "Given back; the experts see it again."))
    return redirect(url_for("reports.overview", round_id=round_id), 303)


@pages.route("/rounds/<int:round_id>/reports/<int:page_id>/replace", methods=["POST"])
@allow(*DESK)
def replace(round_id: int, page_id: int) -> Response | tuple[str, int]:
    """The page, masked anew, takes the place of the one that the experts had."""
    _page_or_404(round_id, page_id)
    me, reason = signed_in().login, request.form.get("reason", "")
    # Others may write while the page is copied; the door locks the stores when it needs them.
    vault().rollback()
    try:
        replace_page(stores(), page_id=page_id, reason=reason, by=me)
    except RuleError as error:
        return _refused(round_id, error)
    flash(t("已用新页替换，评委可再次查看。", "Replaced; the experts see the new page."))
    return redirect(url_for("reports.overview", round_id=round_id), 303)


def _overview(round_id: int, problems: list[str]) -> str:
    found = round_or_404(round_id)
    return render_template(
        "reports.html",
        round=found,
        waiting=reported_pages(found),
        past=_past(found),
        problems=problems,
    )


def _refused(round_id: int, error: RuleError) -> tuple[str, int]:
    return _overview(round_id, undone(error)), 422


def _reported(
    page: Page,
    entrant: Entrant,
    release: Release | None,
    said: dict[int, tuple[PageReport, ...]],
) -> Reported:
    number = number_of(release, page.id) if release is not None else None
    changed = release is not None and page.staged_sha256 not in release.hashes
    own = needs_other(vault(), page, signed_in().login) if changed else False
    return Reported(page, entrant, number, said.get(page.id, ()), changed, own)


def _releases(found: OfficeRound, codes: Collection[str]) -> dict[str, Release]:
    """Code -> the release with which the experts have the dossier."""
    rows = vault().execute(
        select(Entrant.code, Release)
        .join(Release, Release.entrant_id == Entrant.id)
        .where(Entrant.round_id == found.id, Entrant.code.in_(codes), Release.state == "released")
    )
    return {row[0]: row[1] for row in rows}


def _past(found: OfficeRound) -> list[Past]:
    """The newest reports that were decided."""
    if found.review_round_id is None:
        return []
    settled = [one for one in reports_of(review(), found.review_round_id) if one.settlement]
    settled = settled[:HISTORY]
    releases = _releases(found, {one.report.code for one in settled})
    ids = {
        one.report.id: page_numbered(releases[one.report.code], one.report.number)
        for one in settled
        if one.report.code in releases
    }
    events = (
        vault()
        .scalars(
            select(OfficeEvent)
            .where(OfficeEvent.page_id.in_(ids.values()), OfficeEvent.action.in_(SETTLED_ACTIONS))
            .order_by(OfficeEvent.id)
        )
        .all()
    )
    return [Past(one, ids.get(one.report.id), _reason(one, ids, events)) for one in settled]


def _reason(one: Settled, ids: dict[int, int | None], events: Collection[OfficeEvent]) -> str:
    """The office's words of the decision: of the page's first event after the report."""
    page_id = ids.get(one.report.id)
    return next(
        (
            str(json.loads(event.details)["reason"])
            for event in events
            if event.page_id == page_id and event.at >= one.report.at
        ),
        "",
    )


def _page_or_404(round_id: int, page_id: int) -> Page:
    page = vault().get(Page, page_id)
    if page is None or page.round_id != round_id:
        abort(404)
    return page
