"""Every page of the office in a browser: accessible, in both languages, by keyboard, on paper."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Page

from tests.e2e.conftest import DESKTOP, TABLET, Office, serious
from tests.webapp.test_access import known, path_of
from webapp.office.app import create_office


def pages_of(office: Office, role: str) -> list[str]:
    """Paths of the whole pages that a role may open."""
    app: Flask = create_office(office.settings)
    client = app.test_client()
    client.set_cookie("mp_office", office.tokens[role])
    found = []
    for method, rule, _ in known(app):
        path = path_of(rule, office.made)
        if method != "GET" or "sign-in" in path or "language" in path:
            continue
        answer = client.get(path)
        if answer.mimetype == "text/html" and "<html" in answer.text[:200]:
            found.append(path)
    return found


@pytest.mark.parametrize("language", ["zh", "en"])
def test_axe_finds_nothing_serious_on_any_page(
    furnished_office: Office, open_as: Any, language: str
) -> None:
    page: Page = open_as("admin", DESKTOP if language == "zh" else TABLET, language)
    found = {}
    paths = ["/sign-in", "/no-such-page", *pages_of(furnished_office, "admin")]
    for path in paths:
        page.goto(path, wait_until="load")
        if problems := serious(page):
            found[path] = problems
    assert found == {}
    assert len(paths) >= 7


def test_no_page_is_wider_than_a_tablet(furnished_office: Office, open_as: Any) -> None:
    page: Page = open_as("admin", TABLET)
    wide = {}
    for path in pages_of(furnished_office, "admin"):
        page.goto(path)
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > TABLET["viewport"]["width"]:
            wide[path] = width
    assert wide == {}


def test_targets_are_large_enough_for_a_finger(furnished_office: Office, open_as: Any) -> None:
    page: Page = open_as("admin", TABLET)
    small = {}
    for path in pages_of(furnished_office, "admin"):
        page.goto(path)
        found = page.evaluate(SMALL_TARGETS)
        if found:
            small[path] = found
    assert small == {}


SMALL_TARGETS = """() => [...document.querySelectorAll('button, select, [role=button], input')]
  .filter(e => e.checkVisibility({visibilityProperty: true}) && !e.closest('dialog:not([open])'))
  .filter(e => !['hidden', 'checkbox', 'radio', 'file', 'range'].includes(e.type))
  .map(e => [e, e.getBoundingClientRect()])
  .filter(([e, box]) => box.width > 1 && box.height > 1 && box.height < 43.5)
  .map(([e, box]) => `${e.outerHTML.slice(0, 120)} ${Math.round(box.height)}`)"""
"""Buttons and fields that are lower than 44 CSS pixels."""


def test_every_control_is_reached_by_the_tab_key(furnished_office: Office, open_as: Any) -> None:
    page: Page = open_as("clerk", DESKTOP)
    for path in pages_of(furnished_office, "clerk"):
        page.goto(path)
        page.evaluate("document.activeElement.blur()")
        reached, hidden = set(), []
        for _ in range(page.evaluate(TAB_STOPS) + 8):
            page.keyboard.press("Tab")
            name, without_ring = page.evaluate(FOCUSED)
            reached.add(name)
            if without_ring:
                hidden.append(without_ring)
        missing = page.evaluate(UNREACHED, list(reached))
        assert missing == [], path
        assert hidden == [], path


STOPS = """[...document.querySelectorAll('a[href], button, input, select, textarea, summary')]
  .filter(e => !e.disabled && e.type !== 'hidden' && e.tabIndex >= 0)
  .filter(e => e.checkVisibility({visibilityProperty: true}))
  .filter(e => !(e.type === 'radio' && !e.checked))"""
TAB_STOPS = f"() => {STOPS}.length + document.querySelectorAll('[tabindex=\"0\"]').length"
NUMBERED = "(e) => [...document.querySelectorAll('*')].indexOf(e)"
FOCUSED = f"""() => {{
  const e = document.activeElement, style = getComputedStyle(e), box = e.getBoundingClientRect();
  const ring = style.outlineStyle !== 'none' || style.boxShadow !== 'none' || e === document.body;
  // A date's parts draw their own ring; a file's button shows it on its label.
  const label = e.matches('input[type=file]') && e.parentElement.matches(':focus-within');
  const group = e.closest('[role=search], [role=group]');
  const around = group && getComputedStyle(group).boxShadow !== 'none';
  const own = e.matches('input[type=datetime-local]') || label || around;
  return [({NUMBERED})(e), ring || own ? '' : e.outerHTML.slice(0, 140)];
}}"""
UNREACHED = f"""(seen) => {STOPS}.filter(e => !seen.includes(({NUMBERED})(e)))
  .map(e => e.outerHTML.slice(0, 140))"""


def test_paper_shows_the_content_without_the_controls(
    furnished_office: Office, open_as: Any
) -> None:
    page: Page = open_as("clerk", DESKTOP)
    page.emulate_media(media="print")
    for path in pages_of(furnished_office, "clerk"):
        page.goto(path)
        assert page.locator("header.bar").is_hidden(), path
        assert page.locator("main").is_visible(), path


def first_paints(page: Page) -> list[list[Any]]:
    """[name, milliseconds] of the page's paints. Asked from here: the page's CSP forbids eval."""
    for _ in range(600):
        paints: list[list[Any]] = page.evaluate(
            "() => performance.getEntriesByType('paint').map(e => [e.name, e.startTime])"
        )
        if "first-contentful-paint" in dict(paints):
            return paints
        page.wait_for_timeout(100)
    raise AssertionError("the page was not painted within a minute")


def test_a_review_page_is_painted_soon(
    furnished_office: Office, open_as: Any, record_property: Any
) -> None:
    page: Page = open_as("clerk", DESKTOP)
    path = f"/pages/{furnished_office.made.pages[0]}"
    paints = {}
    for visit in ("first", "second"):
        page.goto(path, wait_until="load")
        paints[visit] = dict(first_paints(page))["first-contentful-paint"]
        size = page.evaluate(FETCHED)
    print(f"\n{path}: {paints} ms")
    record_property("paint", paints)
    assert size == 0, "a browser fetched style sheets, scripts or pictures that it had"


FETCHED = """() => performance.getEntriesByType('resource')
  .filter(e => ['link', 'script', 'img'].includes(e.initiatorType))
  .reduce((sum, e) => sum + e.transferSize, 0)"""
"""Bytes that came over the network, headers among them, besides the page itself."""
