"""The reader on a touch tablet: fingers, a lost network, frozen pages, large text, no order."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from typing import Any

import cv2
import numpy as np
import pytest
from playwright.sync_api import CDPSession, Page, Route, expect
from sqlalchemy.orm import Session

from models.base import open_store
from models.page_reports import open_reports, settle_report
from models.review_pages import ReleasedPage
from models.rounds import record_recusal
from models.seat_access import revoke_card
from tests.e2e.conftest import TABLET, ReviewDesk, drag_by_touch, serious
from tests.e2e.test_every_page import SMALL_TARGETS

TabletOf = Callable[..., Page]
PORTRAIT = {**TABLET, "viewport": {"width": 768, "height": 1024}, "device_scale_factor": 2}
LARGE = {**TABLET, "viewport": {"width": 1366, "height": 1024}, "device_scale_factor": 2}
SMALLEST = {**TABLET, "viewport": {"width": 512, "height": 384}, "device_scale_factor": 2}
"""1024 x 768 at 200 %."""
SOON = 8_000
"""Milliseconds within which a frozen page must be gone elsewhere."""
SHARP = (2480, 3508)


@pytest.fixture(scope="module")
def store(review_desk: ReviewDesk) -> Iterator[Any]:
    engine = open_store(review_desk.settings.database)
    yield engine
    engine.dispose()


def open_dossier(page: Page, desk: ReviewDesk, at: int) -> str:
    code = desk.made.codes[at]
    page.goto(f"/d/{code}/")
    expect(page.locator("#paper img")).to_be_visible()
    return code


def number(page: Page) -> int:
    """The page that the reader says it shows."""
    found = page.evaluate("document.getElementById('place').textContent.match(/(\\d+)\\//)[1]")
    return int(found)


def on_screen(page: Page) -> tuple[float, float]:
    """Width of the shown page and of its picture, in pixels of the screen."""
    width, own = page.evaluate(
        "() => { const image = document.querySelector('#paper img');"
        " return [image.getBoundingClientRect().width * devicePixelRatio, image.naturalWidth]; }"
    )
    return width, own


def swipe(page: Page, start: float, end: float) -> None:
    drag_by_touch(page, "#stage", (start, 0.5), (end, 0.52))


def pinch(page: Page, start: float, end: float) -> None:
    """Two fingers, `start` and `end` pixels apart, around the middle of the stage."""
    box = page.locator("#stage").bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    session: CDPSession = page.context.new_cdp_session(page)

    def send(kind: str, apart: float | None) -> None:
        points = []
        if apart is not None:
            points = [{"x": x - apart / 2, "y": y, "id": 0}, {"x": x + apart / 2, "y": y, "id": 1}]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    send("touchStart", start)
    for step in range(1, 13):
        send("touchMove", start + (end - start) * step / 12)
        page.wait_for_timeout(25)
    send("touchEnd", None)


def tap(page: Page, times: int) -> None:
    box = page.locator("#stage").bounding_box()
    assert box
    for _ in range(times):
        page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 3)
    page.wait_for_timeout(200)  # the page is moved with the next frame


def make_sharp(desk: ReviewDesk, store: Any, code: str, at: int) -> None:
    """Gives a dossier a page of 300 dpi with lines that only its own pixels can show."""
    pixels = np.full((SHARP[1], SHARP[0]), 255, np.uint8)
    pixels[:, ::4] = pixels[:, 1::4] = 0
    data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()
    file = desk.settings.blind / str(desk.made.round_id) / code / f"{at:03d}.jpg"
    file.write_bytes(data)
    with Session(store) as session, session.begin():
        page = session.get_one(ReleasedPage, (desk.made.round_id, code, at))
        page.width, page.height = SHARP
        page.sha256 = hashlib.sha256(data).hexdigest()


def test_pages_turn_by_swipe_button_and_key_and_the_place_is_remembered(
    review_desk: ReviewDesk, tablet_of: TabletOf
) -> None:
    page = tablet_of("R01")
    code = open_dossier(page, review_desk, 0)
    assert number(page) == 1
    expect(page.locator("#back")).to_be_disabled()
    swipe(page, 0.8, 0.2)
    assert number(page) == 2
    swipe(page, 0.2, 0.8)
    assert number(page) == 1
    page.locator("#next").tap()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    assert number(page) == 3
    expect(page.locator("#paper img")).to_be_visible()
    # Another dossier has its own place.
    open_dossier(page, review_desk, 1)
    assert number(page) == 1
    page.goto("/")
    page.locator(f"a[href='/d/{code}/']").tap()
    expect(page.locator("#place")).to_contain_text("3/7")
    # Another tablet has none.
    other = tablet_of("R01")
    open_dossier(other, review_desk, 0)
    assert number(other) == 1


def test_a_drag_up_and_a_short_one_turn_no_page(
    review_desk: ReviewDesk, tablet_of: TabletOf
) -> None:
    page = tablet_of("R01")
    open_dossier(page, review_desk, 0)
    drag_by_touch(page, "#stage", (0.5, 0.8), (0.5, 0.2))
    drag_by_touch(page, "#stage", (0.5, 0.5), (0.54, 0.5))
    assert number(page) == 1


@pytest.mark.parametrize("device", [TABLET, PORTRAIT], ids=["landscape", "portrait"])
def test_two_fingers_and_a_double_tap_make_a_page_larger_and_it_stays_sharp(
    review_desk: ReviewDesk, tablet_of: TabletOf, store: Any, device: dict[str, Any]
) -> None:
    page = tablet_of("R01", device)
    code = review_desk.made.codes[2]
    make_sharp(review_desk, store, code, 1)
    open_dossier(page, review_desk, 2)
    expect(page.locator("#note")).to_be_hidden()
    before, own = on_screen(page)
    assert own >= 0.9 * before
    assert own < SHARP[0]  # no more is fetched than the screen can show
    pinch(page, 120, 300)
    after, _ = on_screen(page)
    assert after / before == pytest.approx(2.5, rel=0.15)
    sharper = "2x" if after <= 2000 else "full"
    expect(page.locator(f"#paper img[data-size='{sharper}']")).to_be_visible()
    after, own = on_screen(page)
    assert own >= 0.9 * min(after, SHARP[0])
    # One finger now moves the page and turns none.
    swipe(page, 0.6, 0.3)
    assert number(page) == 1
    tap(page, 2)
    assert on_screen(page)[0] == pytest.approx(before, rel=0.02)
    tap(page, 2)
    assert on_screen(page)[0] == pytest.approx(2.5 * before, rel=0.1)


def test_a_zoomed_page_shows_lines_that_only_the_released_pixels_have(
    review_desk: ReviewDesk, tablet_of: TabletOf, store: Any
) -> None:
    page = tablet_of("R01", LARGE)
    code = review_desk.made.codes[2]
    make_sharp(review_desk, store, code, 1)
    open_dossier(page, review_desk, 2)
    pinch(page, 100, 300)
    expect(page.locator("#paper img[data-size=full]")).to_be_visible()
    page.wait_for_timeout(500)
    box = page.locator("#stage").bounding_box()
    assert box
    clip = {"x": box["x"] + 200, "y": box["y"] + 200, "width": 200, "height": 40}
    shot = np.frombuffer(page.screenshot(clip=clip), np.uint8)
    row = cv2.imdecode(shot, cv2.IMREAD_GRAYSCALE)[20].astype(float)
    # Black and white as released: a blurred picture of such lines is grey.
    assert np.percentile(row, 10) < 60
    assert np.percentile(row, 90) > 195


def test_the_next_two_pages_are_there_before_they_are_asked_for(
    review_desk: ReviewDesk, tablet_of: TabletOf
) -> None:
    page = tablet_of("R02")
    asked: list[str] = []
    page.on("requestfinished", lambda request: asked.append(request.url))
    open_dossier(page, review_desk, 1)
    page.wait_for_timeout(1_000)
    names = page.evaluate(
        "JSON.parse(document.getElementById('reader').dataset.pages).map(page => page.name)"
    )
    fetched = {url.split("/")[-2] for url in asked if "/pictures/" in url}
    assert fetched == set(names[:3])


def test_what_was_loaded_can_be_read_without_a_network_and_the_rest_comes_by_itself(
    review_desk: ReviewDesk, tablet_of: TabletOf
) -> None:
    page = tablet_of("R02")
    open_dossier(page, review_desk, 3)
    page.wait_for_timeout(1_000)
    page.context.set_offline(True)
    page.locator("#next").tap()
    expect(page.locator("#paper img")).to_be_visible()
    expect(page.locator("#note")).to_be_hidden()
    for _ in range(2):
        page.locator("#next").tap()
    expect(page.locator("#note")).to_contain_text("自动重试")
    expect(page.locator("#offline")).to_contain_text("网络中断")
    page.context.set_offline(False)
    expect(page.locator("#paper img")).to_be_visible()
    expect(page.locator("#note")).to_be_hidden()
    expect(page.locator("#offline")).to_be_hidden()
    expect(page.locator("#place")).to_contain_text("4/7")


def test_a_picture_that_fails_is_asked_for_again_ever_later(
    review_desk: ReviewDesk, tablet_of: TabletOf
) -> None:
    page = tablet_of("R02")
    tries: list[float] = []

    def refuse(route: Route) -> None:
        tries.append(time.monotonic())
        if len(tries) <= 3:
            route.abort() if len(tries) % 2 else route.fulfill(status=503)
        else:
            route.continue_()

    code = review_desk.made.codes[4]
    page.route(lambda url: "/pictures/" in url and "/1x" in url, refuse)
    page.route(lambda url: "/pictures/" in url and "/full" in url, refuse)
    page.goto(f"/d/{code}/")
    expect(page.locator("#paper img")).to_be_visible()
    assert len(tries) >= 4


def test_a_frozen_page_vanishes_from_a_second_tablet_within_seconds(
    review_desk: ReviewDesk, tablet_of: TabletOf, store: Any
) -> None:
    mine, other = tablet_of("R01"), tablet_of("R02", PORTRAIT, "en")
    code = open_dossier(mine, review_desk, 5)
    open_dossier(other, review_desk, 5)
    other.locator("#open-list").tap()
    expect(other.locator(".thumb img").first).to_be_visible()
    other.locator("#close-list").tap()

    in_memory = other.locator("#paper img").get_attribute("src")
    assert other.evaluate(CAN_BE_SHOWN, in_memory)
    mine.locator("#report").tap()
    mine.locator("#report-confirm").tap()
    assert number(mine) == 1  # the reason is missing, so nothing was sent
    expect(other.locator("#paper img")).to_be_visible()
    mine.get_by_label("哪里显示了身份").fill("页眉处")
    began = time.monotonic()
    mine.locator("#report-confirm").tap()
    expect(mine.locator("#note")).to_contain_text("正在核查")
    expect(mine.locator("#paper img")).to_have_count(0)
    expect(other.locator("#note")).to_contain_text("being checked", timeout=SOON)
    print(f"\nfrozen page gone from the other tablet after {time.monotonic() - began:.1f} s")
    expect(other.locator("#paper img")).to_have_count(0)
    expect(other.locator("#report")).to_be_disabled()
    other.locator("#open-list").tap()
    expect(other.locator(".thumb").first).to_contain_text("Being checked")
    expect(other.locator(".thumb").first.locator("img")).to_have_count(0)
    other.locator("#close-list").tap()
    assert not other.evaluate(CAN_BE_SHOWN, in_memory)
    # Not from its own memory either, however the page is reached.
    other.locator("#next").tap()
    expect(other.locator("#paper img")).to_be_visible()
    other.locator("#back").tap()
    expect(other.locator("#note")).to_contain_text("being checked")
    other.reload()
    expect(other.locator("#note")).to_contain_text("being checked")
    assert other.locator("#paper img").count() == 0

    place = {"round_id": review_desk.made.round_id, "code": code, "number": 1}
    with Session(store) as session, session.begin():
        assert len(open_reports(session, review_desk.made.round_id)) == 1
        settle_report(session, **place, decision="not_identifying", reason="不是", by="office")
    for tablet in (mine, other):
        expect(tablet.locator("#paper img")).to_be_visible(timeout=SOON)


CAN_BE_SHOWN = """(address) => new Promise((done) => {
  const image = new Image();
  image.onload = () => done(true);
  image.onerror = () => done(false);
  image.src = address;
})"""


def test_a_dossier_that_is_taken_away_leaves_nothing_on_the_tablet(
    review_desk: ReviewDesk, tablet_of: TabletOf, store: Any
) -> None:
    page = tablet_of("R03")
    code = open_dossier(page, review_desk, 0)
    with Session(store) as session, session.begin():
        record_recusal(
            session,
            round_id=review_desk.made.round_id,
            reviewer="R03",
            code=code,
            reason="同单位",
            by="R03",
        )
    expect(page.locator("#note")).to_contain_text("不在您名下", timeout=SOON)
    expect(page.locator("#paper img, .thumb")).to_have_count(0)


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize(
    "device", [TABLET, PORTRAIT, LARGE, SMALLEST], ids=["1024", "768", "1366", "zoom-200"]
)
def test_the_list_and_the_reader_are_accessible_and_fit_every_tablet(
    review_desk: ReviewDesk, tablet_of: TabletOf, device: dict[str, Any], language: str
) -> None:
    page = tablet_of("R01", device, language)
    page.goto("/")
    usable(page)
    open_dossier(page, review_desk, 4)
    usable(page)
    in_sight(page, "#back", "#next", "#report", "#open-list", "#full-screen")
    page.locator("#open-list").tap()
    expect(page.locator(".thumb img").first).to_be_visible()
    usable(page)
    page.locator("#close-list").tap()
    page.locator("#report").tap()
    usable(page)
    in_sight(page, "#report-confirm", "#report-cancel")


@pytest.mark.parametrize("device", [TABLET, PORTRAIT], ids=["landscape", "portrait"])
def test_text_of_twice_the_size_hides_nothing(
    review_desk: ReviewDesk, tablet_of: TabletOf, device: dict[str, Any]
) -> None:
    page = tablet_of("R01", device, "en")
    open_dossier(page, review_desk, 4)
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    page.wait_for_timeout(200)
    usable(page)
    in_sight(page, "#back", "#next", "#report", "#open-list", "#full-screen")
    assert page.locator("#stage").evaluate("e => e.clientHeight") >= 150


def usable(page: Page) -> None:
    assert serious(page) == []
    assert page.evaluate(SMALL_TARGETS) == []
    assert page.evaluate(SMALL_LINKS) == []
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= page.viewport_size["width"]  # type: ignore[index]


SMALL_LINKS = """() => [...document.querySelectorAll('main a[href]')]
  .filter(e => e.checkVisibility({visibilityProperty: true}))
  .map(e => [e, e.getBoundingClientRect()])
  .filter(([e, box]) => box.height < 43.5 || box.width < 43.5)
  .map(([e, box]) => `${e.outerHTML.slice(0, 120)} ${box.width} x ${box.height}`)"""


def in_sight(page: Page, *wanted: str) -> None:
    """That each control can be brought wholly on the screen."""
    for one in wanted:
        page.locator(one).scroll_into_view_if_needed()
        box = page.locator(one).bounding_box()
        size = page.viewport_size
        assert box and size
        assert box["x"] >= 0 and box["x"] + box["width"] <= size["width"] + 1, one
        assert box["y"] >= -1 and box["y"] + box["height"] <= size["height"] + 1, one


def test_the_score_sheet_stands_beside_the_page_or_in_a_drawer_below(
    review_desk: ReviewDesk, tablet_of: TabletOf
) -> None:
    wide = tablet_of("R01")
    open_dossier(wide, review_desk, 4)
    expect(wide.locator("#panel-body")).to_be_visible()
    page, panel = (wide.locator(one).bounding_box() for one in ("#stage", "#panel"))
    assert page and panel
    assert panel["x"] >= page["x"] + page["width"]
    wide.locator("#full-screen").tap()
    expect(wide.locator("#panel")).to_be_hidden()
    wide.locator("#full-screen").tap()
    expect(wide.locator("#panel-body")).to_be_visible()
    high = tablet_of("R01", PORTRAIT)
    open_dossier(high, review_desk, 4)
    expect(high.locator("#panel-body")).to_be_hidden()
    high.locator("#panel-handle").tap()
    expect(high.locator("#panel-body")).to_be_visible()
    page, panel = (high.locator(one).bounding_box() for one in ("#stage", "#panel"))
    assert page and panel
    assert panel["y"] >= page["y"] + page["height"]
    assert page["height"] > 250


def test_a_page_fits_the_stage_as_its_shape_asks_until_somebody_chooses(
    review_desk: ReviewDesk, tablet_of: TabletOf
) -> None:
    page = tablet_of("R01", PORTRAIT)
    open_dossier(page, review_desk, 3)

    def shown() -> tuple[float, float, float, float]:
        page.wait_for_timeout(300)
        stage, sheet = (page.locator(one).bounding_box() for one in ("#stage", "#paper"))
        assert stage and sheet
        return stage["width"], stage["height"], sheet["width"], sheet["height"]

    wide, high, width, height = shown()
    assert height == pytest.approx(high, abs=2)
    assert width < wide
    page.locator("#panel-handle").tap()
    wide, high, width, height = shown()
    assert width == pytest.approx(wide, abs=2)
    assert height > high
    page.locator("#fit").tap()
    assert shown()[3] == pytest.approx(high, abs=2)
    page.reload()
    page.locator("#panel-handle").tap()
    assert shown()[3] == pytest.approx(high, abs=2)


def test_keys_in_the_score_sheet_turn_no_page(review_desk: ReviewDesk, tablet_of: TabletOf) -> None:
    page = tablet_of("R01")
    open_dossier(page, review_desk, 3)
    page.evaluate("document.getElementById('panel-body').append(document.createElement('input'))")
    page.locator("#panel-body > input").focus()
    page.keyboard.press("ArrowRight")
    assert number(page) == 1


def test_a_card_that_is_revoked_empties_the_tablet(
    review_desk: ReviewDesk, tablet_of: TabletOf, store: Any
) -> None:
    page = tablet_of("R03")
    open_dossier(page, review_desk, 1)
    with Session(store) as session, session.begin():
        revoke_card(session, round_id=review_desk.made.round_id, seat="R03", by="secretary")
    expect(page.locator("#note")).to_contain_text("重新登录", timeout=SOON)
    expect(page.locator("#paper img, .thumb")).to_have_count(0)
    page.locator("#note a").tap()
    expect(page.get_by_label("PIN")).to_be_visible()
