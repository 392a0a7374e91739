"""How a round stands, in pictures: pages by state, masks by kind, progress, people's work."""

from __future__ import annotations

from flask import Blueprint, Response, abort, render_template, request

from models.office_statistics import Numbers, numbers
from models.vault_accounts import ROLES
from models.vault_rounds import OfficeRound
from webapp.language import t
from webapp.office.app import vault
from webapp.office.charts import (
    MOST_HOURS,
    MOST_KINDS,
    bars_chart,
    pairs,
    progress_chart,
    states_chart,
)
from webapp.office.page_words import decision_name, kind_name, state_name
from webapp.security import allow

pages = Blueprint("dashboard", __name__)
SECONDS = 15
"""A browser asks again for a picture after this long."""
CHARTS = ("states", "kinds", "progress", "people")


@pages.route("/rounds/<int:round_id>/dashboard")
@allow(*ROLES)
def overview(round_id: int) -> str:
    office_round = vault().get(OfficeRound, round_id) or abort(404)
    found = numbers(vault(), round_id)
    return render_template(
        "dashboard.html",
        round=office_round,
        numbers=found,
        shares=_shares(found),
        kinds=[(kind_name(kind), count) for kind, count in found.kinds.items()],
        charts=CHARTS,
    )


@pages.route("/rounds/<int:round_id>/charts/<name>.svg")
@allow(*ROLES)
def chart(round_id: int, name: str) -> Response:
    """One picture. `?language` is in the address so that a browser keeps both apart."""
    if name not in CHARTS or vault().get(OfficeRound, round_id) is None:
        abort(404)
    response = Response(draw(name, numbers(vault(), round_id)), mimetype="image/svg+xml")
    response.headers["Cache-Control"] = f"private, max-age={SECONDS}"
    # A picture holds styles of its own, and nothing that could run.
    response.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'"
    response.add_etag()
    response.make_conditional(request)
    return response


def draw(name: str, found: Numbers) -> str:
    """The SVG text of one of CHARTS."""
    nothing = t("还没有数据", "nothing yet")
    count = t("页", "pages")
    if name == "states":
        return states_chart(tuple(_shares(found)), t("页面状态", "Pages by state"))
    if name == "kinds":
        counts = [(kind_name(kind), value) for kind, value in found.kinds.items()]
        title = t("遮盖类别", "Masks by kind")
        return bars_chart(pairs(counts, MOST_KINDS), title, t("处", "masks"), nothing)
    if name == "progress":
        lines = (
            (t("已处理", "masked"), pairs(found.read, MOST_HOURS)),
            (t("已决定", "decided"), pairs(found.decided, MOST_HOURS)),
        )
        return progress_chart(lines, found.pages, t("进度", "Progress"), count, nothing)
    rows = [
        (clerk.name, clerk.seconds_per_page)
        for clerk in found.clerks
        if clerk.seconds_per_page is not None
    ]
    title = t("每页用时", "Seconds per page")
    return bars_chart(pairs(rows, 30), title, t("秒", "seconds"), nothing)


def _shares(found: Numbers) -> list[tuple[str, str, int]]:
    """(colour, label, pages): what was decided first, then what the redactor says of the rest."""
    shares = []
    for decision in ("accepted", "returned"):
        count = sum(n for (_, said), n in found.states.items() if said == decision)
        shares.append((decision, decision_name(decision), count))
    for state in ("clean", "checking", "review", "failed"):
        shares.append((state, state_name(state), found.states.get((state, ""), 0)))
    return [share for share in shares if share[2]]
