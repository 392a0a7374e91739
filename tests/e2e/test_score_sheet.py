"""Scoring on touch tablets while the network fails in every way: nothing lost nor doubled."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.audit import AuditEvent
from models.base import open_store
from models.migration import migrate
from models.review_sheets import Sheet, SheetNote, SheetScore, SheetVersion
from models.seat_access import issue_card, revoke_card, sign_in
from models.sheets import reopen_sheet
from scoring.points import decimal_text
from tests.e2e.conftest import TABLET, serious, watch
from tests.e2e.scoring_desk import HERE, SAVED, ScoringDesk, Tablet
from tests.e2e.test_every_page import SMALL_TARGETS
from tests.webapp.review.conftest import settings_in
from tests.webapp.review_round import furnish_review
from tests.webapp.serving_process import free_port, wait_until
from webapp.review.app import COOKIE as SEAT_COOKIE

SEAT, OTHER = "R01", "R02"
PORTRAIT = {**TABLET, "viewport": {"width": 768, "height": 1024}}
SMALLEST = {**TABLET, "viewport": {"width": 512, "height": 384}, "device_scale_factor": 2}
"""1024 x 768 at 200 %."""
TabletOf = Callable[..., Tablet]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScoringDesk]:
    settings = settings_in(tmp_path_factory.mktemp("scoring"))
    settings = dataclasses.replace(settings, port=free_port())
    settings.folder.mkdir()
    store = open_store(settings.database)
    migrate(store, "review")
    made = furnish_review(store, settings, dossiers=14, pages=3, seats=2)
    desk = ScoringDesk(settings, made, store)
    desk.start()
    yield desk
    desk.kill()
    store.dispose()


@pytest.fixture
def codes(desk: ScoringDesk) -> Iterator[str]:
    """Dossiers that no other test has touched."""
    return iter(desk.made.codes[TAKEN.pop(0) :])


TAKEN = list(range(14))


@pytest.fixture
def code(codes: Iterator[str]) -> str:
    return next(codes)


@pytest.fixture
def tablet_of(browser: Browser, desk: ScoringDesk) -> Iterator[TabletOf]:
    """A tablet that is signed in as a seat; errors of its scripts fail the test."""
    opened: list[tuple[Any, list[str]]] = []

    def tablet_of(seat: str, device: dict[str, Any] = TABLET, language: str = "zh") -> Tablet:
        context = browser.new_context(base_url=desk.url, reduced_motion="reduce", **device)
        tablet = Tablet(desk, context, context.new_page())
        sign_in_as(tablet, desk.made.tokens[seat], language)
        opened.append((context, watch(tablet.page)))
        return tablet

    yield tablet_of
    for context, wrong in opened:
        context.close()
        assert wrong == []


def sign_in_as(tablet: Tablet, token: str, language: str = "zh") -> None:
    cookies = {SEAT_COOKIE: token, "mp_language": language}
    tablet.context.add_cookies(
        [{"name": n, "value": v, "url": tablet.desk.url} for n, v in cookies.items()]
    )


def drafts(page: Page) -> list[dict[str, Any]]:
    """What the device keeps."""
    found = page.evaluate("async () => (await idb.openDB('mangping-scores', 1)).getAll('drafts')")
    return list(found)


def histories(desk: ScoringDesk, seat: str, code: str) -> list[tuple[Any, ...]]:
    """(kind, scores, comment, changed notes) of every version in order."""
    with Session(desk.store) as session:
        sheet = session.scalars(
            select(Sheet).filter_by(round_id=desk.made.round_id, reviewer=seat, code=code)
        ).one()
        versions = session.scalars(
            select(SheetVersion).filter_by(sheet_id=sheet.id).order_by(SheetVersion.number)
        ).all()
        assert [version.number for version in versions] == list(range(1, sheet.version + 1))

        def rows(table: Any, number: int, *columns: Any) -> dict[Any, Any]:
            chosen = select(*columns).where(table.sheet_id == sheet.id, table.number == number)
            return {row[0]: row[1] for row in session.execute(chosen)}

        return [
            (v.kind, rows(SheetScore, v.number, SheetScore.criterion, SheetScore.points),
             v.comment, rows(SheetNote, v.number, SheetNote.page, SheetNote.text))
            for v in versions
        ]  # fmt: skip


def nothing_doubled(desk: ScoringDesk, seat: str, code: str) -> None:
    """Each version says something else than the one before; submitting may confirm a draft."""
    found = histories(desk, seat, code)
    for before, after in pairwise(found):
        assert before[:3] != after[:3] or after[3], found


def submits(desk: ScoringDesk, code: str) -> int:
    with Session(desk.store) as session:
        events = session.scalars(select(AuditEvent.details).filter_by(action="submit_sheet"))
        return sum(code in details for details in events)


def test_a_whole_review_while_the_network_is_cut_slowed_and_the_server_killed(
    desk: ScoringDesk, tablet_of: TabletOf, code: str
) -> None:
    tablet = tablet_of(SEAT)
    tablet.open(code)
    # Cut before the first score, restored after it.
    tablet.offline(True)
    tablet.score("achievements", "31.5")
    tablet.says(HERE)
    assert desk.stored(SEAT, code).number == 0
    tablet.offline(False)
    tablet.says(SAVED)
    assert desk.stored(SEAT, code).scores == {"achievements": 3150}
    # Slow, with changes that come faster than answers.
    slow = tablet.slow()
    tablet.score("papers", "1")
    tablet.score("papers", "12")
    tablet.note("第一页的备注")
    tablet.comment("成果真实，")
    tablet.comment("成果真实，同意。")
    tablet.says(SAVED)
    slow.detach()
    assert desk.stored(SEAT, code).scores == {"achievements": 3150, "papers": 1200}
    # The server is killed while there is something to send; the tablet is switched off meanwhile.
    desk.kill()
    tablet.score("achievements", "32")
    tablet.says("网络不通")
    tablet.page.locator('[data-criterion="papers"] .plus').tap()
    tablet.comment("成果真实，同意推荐。")
    tablet.page.wait_for_timeout(500)
    assert tablet.value("papers") == "12.5"
    tablet.page.close()
    desk.start()
    tablet.page = tablet.context.new_page()
    tablet.open(code)
    tablet.says(SAVED)
    assert (tablet.value("achievements"), tablet.value("papers")) == ("32", "12.5")
    # Killed again while the page stays open.
    desk.kill()
    tablet.score("papers", "13")
    tablet.says("网络不通")
    desk.start()
    tablet.says(SAVED, 40_000)
    # Cut at the moment of submitting, and once more.
    tablet.page.locator("#score-review").tap()
    expect(tablet.page.locator("#score-submit .sum")).to_have_text("45")
    tablet.page.locator("#score-secret").fill(desk.made.cards[SEAT].pin)
    tablet.offline(True)
    tablet.page.locator("#score-submit-now").tap()
    expect(tablet.page.locator("#score-submit-said")).to_contain_text("没有送达")
    assert desk.state(SEAT, code) == "open"
    tablet.offline(False)
    tablet.page.locator("#score-submit-now").tap()
    expect(tablet.page.locator("#score-lock")).to_contain_text("已提交并锁定")
    assert desk.state(SEAT, code) == "submitted"
    stored = desk.stored(SEAT, code)
    assert stored.scores == {"achievements": 3200, "papers": 1300}
    assert (stored.comment, stored.notes) == ("成果真实，同意推荐。", {1: "第一页的备注"})
    nothing_doubled(desk, SEAT, code)
    assert submits(desk, code) == 1
    assert drafts(tablet.page) == []
    assert not tablet.page.locator("#score-review").is_visible()


def test_answers_that_are_lost_double_nothing(
    desk: ScoringDesk, tablet_of: TabletOf, code: str
) -> None:
    tablet = tablet_of(SEAT)
    tablet.open(code)
    lost: list[str] = []
    through: list[str] = []

    def lose(route: Route) -> None:
        # It reaches the server, its answer never comes; every second request does better.
        method = route.request.method
        if method == "GET" or len(lost) > len(through):
            through.extend([method] * (method != "GET"))
            return route.continue_()
        lost.append(method)
        route.fetch()
        return route.abort()

    for address in ("**/sheet", "**/submit"):
        tablet.page.route(address, lose)
    tablet.score("achievements", "40")
    tablet.says(SAVED)
    tablet.score("papers", "20")
    tablet.says(SAVED)
    assert [history[1] for history in histories(desk, SEAT, code)][-1] == {
        "achievements": 4000, "papers": 2000,
    }  # fmt: skip
    nothing_doubled(desk, SEAT, code)
    tablet.page.locator("#score-review").tap()
    tablet.page.locator("#score-secret").fill(desk.made.cards[SEAT].pin)
    tablet.page.locator("#score-submit-now").tap()
    expect(tablet.page.locator("#score-submit-said")).to_contain_text("再按一次")
    tablet.page.locator("#score-submit-now").tap()
    expect(tablet.page.locator("#score-lock")).to_contain_text("已提交并锁定")
    assert lost == through == ["PUT", "PUT", "POST"]
    assert [kind for kind, *_ in histories(desk, SEAT, code)].count("submitted") == 1
    assert submits(desk, code) == 1


def test_two_devices_ask_line_by_line(desk: ScoringDesk, tablet_of: TabletOf, code: str) -> None:
    first, second = tablet_of(SEAT), tablet_of(SEAT)
    for tablet in (first, second):
        tablet.open(code)
    second.offline(True)
    second.score("achievements", "50")
    second.score("papers", "7")
    second.says(HERE)
    first.score("achievements", "20")
    first.score("papers", "7")
    first.comment("第一台")
    first.says(SAVED)
    before = desk.stored(SEAT, code)
    second.offline(False)
    dialog = second.page.locator("#score-conflict")
    expect(dialog).to_be_visible()
    # Both versions are there, only where they differ, and nothing was overwritten.
    expect(dialog.locator("fieldset")).to_have_count(2)
    expect(dialog.locator("fieldset").first).to_contain_text("50")
    expect(dialog.locator("fieldset").first).to_contain_text("20")
    assert desk.stored(SEAT, code) == before
    assert serious(second.page) == []
    # It stays, even when the tablet is switched off and on.
    second.open(code)
    expect(dialog).to_be_visible()
    assert second.page.locator("#score-conflict-keep").is_disabled()
    second.page.locator('[name="choice-0"][value="own"]').check()
    assert second.page.locator("#score-conflict-keep").is_disabled()
    second.page.locator('[name="choice-1"][value="stored"]').check()
    second.page.locator("#score-conflict-keep").tap()
    second.says(SAVED)
    after = desk.stored(SEAT, code)
    assert (after.scores, after.comment) == ({"achievements": 5000, "papers": 700}, "第一台")
    # The first device gets the choice when somebody comes back to it, and asks nothing.
    first.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(first.page.locator('[data-criterion="achievements"] input')).to_have_value("50")
    assert not first.page.locator("#score-conflict").is_visible()
    nothing_doubled(desk, SEAT, code)


def test_drafts_wait_for_their_own_seat_on_a_shared_tablet(
    desk: ScoringDesk, tablet_of: TabletOf, code: str
) -> None:
    tablet = tablet_of(SEAT)
    tablet.open(code)
    tablet.page.route("**/sheet", lambda route: route.abort())
    tablet.score("achievements", "33.5")
    tablet.says("网络不通")
    # Signing out says so, and does not forget.
    tablet.page.goto(f"{desk.url}/devices")
    tablet.page.locator('header form[action="/sign-out"] button').tap()
    dialog = tablet.page.locator("#outbox-dialog")
    expect(dialog).to_contain_text(code)
    assert serious(tablet.page) == []
    tablet.page.locator("#outbox-stay").tap()
    expect(dialog).not_to_be_visible()
    # The page that the first seat left open must not write under the second one's name.
    left_open = tablet.context.new_page()
    left_open.route("**/sheet", lambda route: route.abort())
    left_open.goto(f"{desk.url}/d/{code}/")
    with Session(desk.store) as session, session.begin():
        card = desk.made.cards[SEAT]
        again = sign_in(session, number=card.number, secret=card.pin, device="again")
    sign_in_as(tablet, desk.made.tokens[OTHER])
    before = histories(desk, SEAT, code)
    left_open.unroute("**/sheet")
    left_open.locator('[data-criterion="papers"] .plus').tap()
    expect(left_open.locator("#score-state")).to_contain_text("登录已失效")
    # The other seat sees and sends nothing of it.
    other = Tablet(desk, tablet.context, tablet.context.new_page())
    other.open(code)
    assert other.value("achievements") == ""
    assert other.page.locator("#outbox").is_hidden()
    other.score("achievements", "10")
    other.says(SAVED)
    assert desk.stored(OTHER, code).scores == {"achievements": 1000}
    assert histories(desk, SEAT, code) == before
    left_open.close()
    # Its own seat returns: what waited is sent from whatever page comes first.
    assert again is not None
    sign_in_as(tablet, again)
    other.page.goto(f"{desk.url}/")
    wait_until(lambda: drafts(other.page) == [], "the draft was sent")
    assert desk.stored(SEAT, code).scores == {"achievements": 3350, "papers": 50}
    assert desk.stored(OTHER, code).scores == {"achievements": 1000}


def test_a_page_left_open_shows_no_other_seat_s_sheet(
    desk: ScoringDesk, tablet_of: TabletOf, code: str
) -> None:
    tablet = tablet_of(SEAT)
    tablet.open(code)
    other = tablet_of(OTHER)
    other.open(code)
    other.score("achievements", "7")
    other.says(SAVED)
    sign_in_as(tablet, desk.made.tokens[OTHER])
    with tablet.page.expect_navigation():
        tablet.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    # It is the other seat's page now, in everything, and writes as such.
    expect(tablet.page.locator('[data-criterion="achievements"] input')).to_have_value("7")
    tablet.score("papers", "3")
    both = {"achievements": 700, "papers": 300}
    wait_until(lambda: desk.stored(OTHER, code).scores == both, "the other seat's page saved")
    assert desk.stored(SEAT, code).number == 0


def test_a_change_is_not_called_saved_before_this_device_has_it(
    tablet_of: TabletOf, code: str
) -> None:
    tablet = tablet_of(SEAT)
    tablet.open(code)
    tablet.score("achievements", "7")
    tablet.says(SAVED)
    # In the very moment of the change, before the browser's store has answered.
    said = tablet.page.evaluate(
        """() => {
          document.querySelector('[data-criterion="papers"] .plus').click();
          return document.getElementById("score-state").textContent;
        }"""
    )
    assert "正在保存" in said
    tablet.says(SAVED)


def test_drafts_outlive_a_revoked_card(desk: ScoringDesk, tablet_of: TabletOf, code: str) -> None:
    tablet = tablet_of(OTHER)
    tablet.open(code)
    with Session(desk.store) as session, session.begin():
        revoke_card(session, round_id=desk.made.round_id, seat=OTHER, by="office")
    tablet.score("papers", "9.5")
    tablet.says("登录已失效")
    assert desk.stored(OTHER, code).number == 0
    with Session(desk.store) as session, session.begin():
        card = issue_card(session, round_id=desk.made.round_id, seat=OTHER, by="office")
        token = sign_in(session, number=card.number, secret=card.pin, device="new")
    assert token is not None
    desk.made.tokens[OTHER] = token
    sign_in_as(tablet, token)
    # The open page goes on by itself.
    tablet.says(SAVED, 40_000)
    assert desk.stored(OTHER, code).scores == {"papers": 950}


def test_a_sheet_submitted_elsewhere_hides_no_change_of_this_device(
    desk: ScoringDesk, tablet_of: TabletOf, code: str
) -> None:
    first, second = tablet_of(SEAT), tablet_of(SEAT)
    for tablet in (first, second):
        tablet.open(code)
    second.offline(True)
    second.score("achievements", "59")
    second.says(HERE)
    first.score("achievements", "20")
    first.score("papers", "10")
    first.says(SAVED)
    first.page.locator("#score-review").tap()
    first.page.locator("#score-secret").fill(desk.made.cards[SEAT].pin)
    first.page.locator("#score-submit-now").tap()
    expect(first.page.locator("#score-lock")).to_be_visible()
    second.offline(False)
    second.says("已提交并锁定")
    expect(second.page.locator("#score-trouble")).to_contain_text("业绩成果 59")
    expect(second.page.locator('[data-criterion="achievements"] input')).to_have_value("20")
    assert desk.stored(SEAT, code).scores == {"achievements": 2000, "papers": 1000}
    # The secretary opens it again: both versions stand side by side.
    with Session(desk.store) as session, session.begin():
        sheet = session.scalars(select(Sheet.id).filter_by(reviewer=SEAT, code=code)).one()
        reopen_sheet(session, sheet_id=sheet, reason="评委要求更正", by="秘书")
    second.open(code)
    expect(second.page.locator("#score-conflict")).to_be_visible()
    second.page.locator('#score-conflict [data-side="own"]').tap()
    second.page.locator("#score-conflict-keep").tap()
    second.says(SAVED)
    assert desk.stored(SEAT, code).scores == {"achievements": 5900}


def test_missing_and_wrong_scores_are_marked_and_not_submitted(
    desk: ScoringDesk, tablet_of: TabletOf, code: str
) -> None:
    tablet = tablet_of(SEAT)
    tablet.open(code)
    tablet.score("achievements", "60.5")
    row = tablet.page.locator('[data-criterion="achievements"]')
    expect(row).to_contain_text("超过满分 60")
    tablet.score("achievements", "20.3")
    expect(row).to_contain_text("须为 0.5 的倍数")
    row.locator(".plus").tap()
    assert tablet.value("achievements") == "20.5"
    row.locator(".minus").tap()
    assert tablet.value("achievements") == "20"
    expect(tablet.page.locator("#score-sum")).to_contain_text("还有 1 项")
    tablet.page.locator("#score-review").tap()
    expect(tablet.page.locator("#score-submit")).not_to_be_visible()
    expect(tablet.page.locator('[data-criterion="papers"] input')).to_be_focused()
    tablet.says(SAVED)
    tablet.score("papers", "0")
    tablet.says(SAVED)
    tablet.page.locator("#score-review").tap()
    tablet.page.locator("#score-secret").fill("000000x")
    tablet.page.locator("#score-submit-now").tap()
    expect(tablet.page.locator("#score-submit-said")).to_contain_text("PIN")
    assert desk.state(SEAT, code) == "open"
    assert desk.stored(SEAT, code).scores == {"achievements": 2000, "papers": 0}


def test_a_recusal_closes_the_dossier_at_once(
    desk: ScoringDesk, tablet_of: TabletOf, code: str
) -> None:
    tablet = tablet_of(SEAT)
    tablet.open(code)
    tablet.score("papers", "3")
    tablet.says(SAVED)
    tablet.offline(True)
    tablet.page.locator("#score-recuse").tap()
    tablet.says("没有网络")
    tablet.offline(False)
    tablet.page.locator("#score-recuse").tap()
    tablet.page.locator('input[value="teacher"]').check()
    assert serious(tablet.page) == []
    tablet.page.locator("main form button").tap()
    expect(tablet.page.locator(".notices")).to_contain_text(code)
    assert desk.state(SEAT, code) == "recused"
    answer = tablet.page.goto(f"{desk.url}/d/{code}/")
    assert answer is not None and answer.status == 404


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("device", [TABLET, PORTRAIT, SMALLEST], ids=["wide", "tall", "zoomed"])
def test_the_sheet_suits_fingers_and_eyes(
    desk: ScoringDesk, tablet_of: TabletOf, device: dict[str, Any], language: str
) -> None:
    tablet = tablet_of(SEAT, device, language)
    tablet.open(desk.made.codes[-1])
    if tablet.page.locator("#panel-handle").is_visible():
        tablet.page.locator("#panel-handle").tap()
    tablet.page.locator('[data-criterion="papers"] input').tap()
    expect(tablet.page.locator("#score-pad")).to_be_visible()
    assert tablet.page.evaluate(SMALL_TARGETS) == []
    assert serious(tablet.page) == []
    wide = tablet.page.evaluate(
        "() => { const body = document.getElementById('panel-body');"
        " return body.scrollWidth - body.clientWidth; }"
    )
    assert wide <= 0


def test_sums_in_the_browser_are_exact(desk: ScoringDesk, tablet_of: TabletOf) -> None:
    tablet = tablet_of(SEAT)
    tablet.open(desk.made.codes[-1])
    draw = random.Random(7)
    for places in (0, 1, 2, 6):
        cases = [
            [decimal_text(Fraction(draw.randrange(10**9), 10**places)) for _ in range(12)]
            for _ in range(60)
        ]
        wanted = [decimal_text(sum(map(Fraction, case), Fraction(0))) for case in cases]
        sums = "([cases, places]) => cases.map((case_) => ScorePoints.sum(case_, places))"
        assert tablet.page.evaluate(sums, [cases, places]) == wanted
    lines = {"max": "60", "step": "0.5"}
    check = "([texts, line]) => texts.map((text) => ScorePoints.problem(text, line, 2))"
    texts = ["", "0", "60", "60.5", "0.25", "1.005", "-1", "1e1", "0.50"]
    assert tablet.page.evaluate(check, [texts, lines]) == [
        "missing", "", "", "high", "step", "number", "number", "number", "",
    ]  # fmt: skip
