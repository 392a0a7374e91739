"""No odd request brings either app to an answer of 500 or above (larger: benchmarks/crawl.py)."""

from __future__ import annotations

from pathlib import Path

from flask import Flask, request
from sqlalchemy import Engine

from tests.webapp.crawl import Crawl, Door
from tests.webapp.crawl_rounds import crawl_office, crawl_review, new_review
from webapp.settings import Settings


def test_the_office_answers_everything_odd(
    office: Flask, vault: Engine, settings: Settings
) -> None:
    crawl = crawl_office(office, vault, settings, times=2, thorough=False)
    _nothing_wrong(crawl)


def test_the_experts_app_answers_everything_odd(tmp_path: Path) -> None:
    _nothing_wrong(crawl_review(*new_review(tmp_path), times=2, thorough=False))


def test_a_view_that_trusts_what_it_is_sent_is_found() -> None:
    app = Flask(__name__)

    @app.post("/years")
    def years() -> str:
        return str(int(request.form.get("year", "1")))

    rule = next(rule for rule in app.url_map.iter_rules() if rule.endpoint == "years")
    crawl = Crawl(app, [{}])
    crawl.visit(app.test_client(), "", Door(rule, "POST", ("year",), ((("year", "1"),),)), 20)
    assert len(crawl.faults) == 1
    assert "invalid literal for int()" in crawl.faults[0]


def _nothing_wrong(crawl: Crawl) -> None:
    assert not crawl.faults, "\n\n".join(crawl.faults)
    # Most are refused, but the crawl is worth little when none gets through.
    assert crawl.statuses[200] > 10
