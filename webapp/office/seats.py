"""The seats of the committee: who sits there, the cards that open a tablet, open tablets."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

import segno
from flask import (
    Blueprint,
    abort,
    current_app,
    flash,
    g,
    redirect,
    render_template,
    request,
    url_for,
)
from markupsafe import Markup
from werkzeug.wrappers import Response

from models.base import utc_now
from models.errors import RuleError, Sentence
from models.office_experts import experts_of, put_experts, remove_expert, seat_order
from models.review_access import SeatCard
from models.seat_access import IssuedCard, draw_card, issue_card, revoke_card, sign_out_device
from models.seat_lists import REFUSED, cards_of, door_events, tablets_of
from models.seats import remove_seat, seats_of
from models.vault_experts import Expert
from models.vault_rounds import OfficeRound
from webapp.language import sentences_of, t
from webapp.office.app import review, signed_in, vault
from webapp.office.committee import DESK, bring_seats, opened, opened_or_404, take_turn
from webapp.office.expert_list import HEADINGS, expert_of_form, experts_of_file, pasted_experts
from webapp.office.reader_process import read_sheet_apart
from webapp.office.rounds import round_or_404
from webapp.ports import in_url
from webapp.security import allow

pages = Blueprint("seats", __name__)
AT_ONCE = 30
"""Cards of one printing: each PIN takes a while to hash."""
HOW_TO = (
    Sentence(
        "用平板扫描二维码（或在浏览器中打开下面的网址），输入 PIN，点“登录”。",
        'Scan the code with the tablet (or open the address below), type the PIN, tap "Sign in".',
    ),
    Sentence(
        "打分会自动保存；断网时先存在平板上，恢复后自动上传。",
        "Scores are saved by themselves; without a network they stay on the tablet and are sent "
        "later.",
    ),
    Sentence(
        "请勿转借。PIN 输错 5 次会暂停 15 分钟；卡片遗失请立即告诉秘书。",
        "Lend it to nobody. After 5 wrong PINs the card rests for 15 minutes. Tell the secretary "
        "at once if it is lost.",
    ),
)
"""What stands on every card, in both languages."""


@dataclass(frozen=True)
class SeatRow:
    """A seat on the list. `tablets`: how many are signed in. `expert` None: nobody is named."""

    seat: str
    expert: Expert | None
    card: SeatCard | None
    tablets: int


@pages.app_template_global()
def door_word(action: str) -> str:
    """What an event at the experts' door is called."""
    return {
        "sign_in": t("登录", "signed in"),
        "sign_out": t("退出", "signed out"),
        REFUSED: t("拒绝：卡号或 PIN 不对", "refused: wrong number or PIN"),
        "card.issue": t("发卡", "card issued"),
        "card.revoke": t("收回卡片", "card revoked"),
        "password.set": t("设置密码", "password set"),
    }.get(action, action)


@pages.route("/rounds/<int:round_id>/seats")
@allow(*DESK)
def overview(round_id: int) -> str:
    return _overview(round_id, [])


def _overview(round_id: int, problems: list[str], pasted: str = "") -> str:
    found = round_or_404(round_id)
    there = opened(found)
    address, reachable = address_of_experts()
    rows = _rows(found)
    return render_template(
        "seats.html",
        round=found,
        there=there,
        rows=rows,
        without=sum(row.card is None for row in rows),
        at_once=AT_ONCE,
        now=utc_now(),
        address=address,
        reachable=reachable,
        headings=list(HEADINGS.values()),
        problems=problems,
        pasted=pasted,
    )


def _rows(found: OfficeRound) -> list[SeatRow]:
    experts = {expert.seat: expert for expert in experts_of(vault(), found.id)}
    there = opened(found)
    held = seats_of(review(), there.id) if there is not None else []
    cards = cards_of(review(), there.id) if there is not None else {}
    tablets = [device.seat for device in tablets_of(review(), there.id)] if there else []
    return [
        SeatRow(seat, experts.get(seat), cards.get(seat), tablets.count(seat))
        for seat in sorted({*experts, *held}, key=seat_order)
    ]


@pages.route("/rounds/<int:round_id>/seats", methods=["POST"])
@allow(*DESK)
def put(round_id: int) -> Response | tuple[str, int]:
    """Takes a list of experts in, pasted or as a file; all of it or nothing."""
    found = round_or_404(round_id)
    pasted = request.form.get("pasted", "")
    try:
        take_turn(found.id)
        file = request.files.get("list")
        if file is not None and file.filename:
            settings = current_app.config["SETTINGS"]
            rows = read_sheet_apart(
                settings, experts_of_file, file.filename, file.read(), settings.vault
            )
        else:
            rows = pasted_experts(pasted)
        there = opened(found)
        held = seats_of(review(), there.id) if there is not None else []
        me = signed_in().login
        seats = put_experts(vault(), round_id=found.id, rows=rows, held=held, by=me)
        bring_seats(found, me)
    except RuleError as error:
        return _refused(round_id, sentences_of(error), pasted)
    flash(t(f"已登记 {len(seats)} 名专家。", f"{len(seats)} experts are on the list."))
    return redirect(url_for("seats.overview", round_id=round_id), 303)


def _refused(round_id: int, problems: list[str], pasted: str = "") -> tuple[str, int]:
    vault().rollback()
    review().rollback()
    g.undo = True
    return _overview(round_id, problems, pasted), 422


@pages.route("/rounds/<int:round_id>/seats/<seat>", methods=["GET", "POST"])
@allow(*DESK)
def seat_page(round_id: int, seat: str) -> Response | str | tuple[str, int]:
    """Who sits on one seat."""
    found = round_or_404(round_id)
    row = next((row for row in _rows(found) if row.seat == seat), None) or abort(404)
    if request.method in ("GET", "HEAD"):
        return _seat(found, row, [])
    try:
        changed = expert_of_form(request.form, seat)
        put_experts(vault(), round_id=found.id, rows=[changed], by=signed_in().login)
        bring_seats(found, signed_in().login)
    except RuleError as error:
        g.undo = True
        return _seat(found, row, sentences_of(error)), 422
    flash(t(f"{seat} 已保存。", f"{seat} is saved."))
    return redirect(url_for("seats.overview", round_id=round_id), 303)


def _seat(found: OfficeRound, row: SeatRow, problems: list[str]) -> str:
    values = {
        name: request.form.get(name, getattr(row.expert, name, None)) or ""
        for name in HEADINGS
        if name != "seat"
    }
    return render_template(
        "seat.html", round=found, row=row, headings=HEADINGS, values=values, problems=problems
    )


@pages.route("/rounds/<int:round_id>/seats/<seat>/remove", methods=["POST"])
@allow(*DESK)
def remove(round_id: int, seat: str) -> Response | tuple[str, int]:
    found = round_or_404(round_id)
    row = next((row for row in _rows(found) if row.seat == seat), None) or abort(404)
    there, me = opened(found), signed_in().login
    try:
        if there is not None and seat in seats_of(review(), there.id):
            remove_seat(review(), round_id=there.id, seat=seat, by=me)
        if row.expert is not None:
            remove_expert(vault(), round_id=found.id, seat=seat, by=me)
    except RuleError as error:
        return _refused(round_id, sentences_of(error))
    flash(t(f"已删除席位 {seat}。", f"The seat {seat} is removed."))
    return redirect(url_for("seats.overview", round_id=round_id), 303)


@pages.route("/rounds/<int:round_id>/cards", methods=["POST"])
@allow(*DESK)
def cards(round_id: int) -> Response | str | tuple[str, int]:
    """New cards, shown this once: of one seat, or of the next seats that have none."""
    found = round_or_404(round_id)
    there, me = opened(found), signed_in().login
    try:
        address = _checked_address(request.form.get("address", ""))
        if there is None:
            raise RuleError(
                Sentence(
                    "评委一侧的批次在第一次放行时开设，之后才能发卡。请先放行至少一份材料。",
                    "The experts' round is opened at the first release; cards come after it. "
                    "Release at least one dossier first.",
                )
            )
        review_id = there.id
        rows = _rows(found)
        wanted = [row.seat for row in rows if row.seat == request.form.get("seat")]
        if request.form.get("all"):
            wanted = [row.seat for row in rows if row.card is None][:AT_ONCE]
        if not wanted:
            raise RuleError(Sentence("没有可发卡的席位。", "There is no seat to make a card for."))
        # Nobody's save waits while PINs are hashed.
        review().rollback()
        vault().rollback()
        drawn = [draw_card(seat) for seat in wanted]
        found = round_or_404(round_id)
        bring_seats(found, me)
        issued = [
            issue_card(review(), round_id=review_id, seat=one.card.seat, by=me, drawn=one)
            for one in drawn
        ]
    except RuleError as error:
        return _refused(round_id, sentences_of(error))
    return render_template(
        "cards.html",
        round=found,
        there=opened_or_404(found),
        sheets=[(card, f"{address}/card/{card.number}", _qr(address, card)) for card in issued],
        address=address,
        how_to=HOW_TO,
        without=sum(row.card is None for row in _rows(found)),
    )


@pages.route("/rounds/<int:round_id>/cards/<seat>/revoke", methods=["POST"])
@allow(*DESK)
def revoke(round_id: int, seat: str) -> Response:
    found = round_or_404(round_id)
    there = opened(found)
    if there is None or seat not in seats_of(review(), there.id):
        abort(404)
    revoke_card(review(), round_id=there.id, seat=seat, by=signed_in().login)
    flash(
        t(
            f"{seat} 的卡片已收回，其平板在下一次操作时退出。",
            f"The card of {seat} is revoked; its tablets are out at their next request.",
        )
    )
    return redirect(url_for("seats.overview", round_id=round_id), 303)


@pages.route("/rounds/<int:round_id>/tablets")
@allow(*DESK)
def tablets(round_id: int) -> str:
    """Every signed-in tablet, and what happened at the door."""
    found = round_or_404(round_id)
    there = opened(found)
    return render_template(
        "tablets.html",
        round=found,
        tablets=tablets_of(review(), there.id) if there else [],
        events=door_events(review(), there.id) if there else [],
        refused=REFUSED,
        names={expert.seat: expert.name for expert in experts_of(vault(), found.id)},
    )


@pages.route("/rounds/<int:round_id>/tablets/<seat>/<token_sha256>/sign-out", methods=["POST"])
@allow(*DESK)
def sign_out(round_id: int, seat: str, token_sha256: str) -> Response:
    there = opened(round_or_404(round_id))
    if there is None or seat not in seats_of(review(), there.id):
        abort(404)
    sign_out_device(
        review(), round_id=there.id, seat=seat, token_sha256=token_sha256, by=signed_in().login
    )
    flash(t(f"{seat} 的这台平板已退出。", f"This tablet of {seat} is signed out."))
    return redirect(url_for("seats.tablets", round_id=round_id), 303)


def _qr(address: str, card: IssuedCard) -> Markup:
    """A QR code as inline SVG, without the styles that the content policy refuses."""
    made = segno.make(f"{address}/card/{card.number}", error="m")
    return Markup(made.svg_inline(omitsize=True, border=4, svgclass=None, lineclass=None))


def _checked_address(text: str) -> str:
    """An address of the experts' app without a path; RuleError for anything else."""
    try:
        parts = urlsplit(text.strip())
        good = bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        good = False
    if (
        not good
        or len(text) > 200
        or parts.scheme not in ("http", "https")
        or (parts.path.strip("/") or parts.query or parts.fragment or parts.username)
    ):
        raise RuleError(
            Sentence(
                "评委网页的地址不对，应如 http://192.168.1.10:8081。",
                "The address of the experts' pages is wrong; write one such as "
                "http://192.168.1.10:8081.",
            )
        )
    return f"{parts.scheme}://{parts.netloc}"


def address_of_experts() -> tuple[str, bool]:
    """(where tablets find the experts' app, whether another machine can reach that)."""
    settings = current_app.config["SETTINGS"]
    scheme = "https" if settings.secure_cookies else "http"
    host = urlsplit(f"//{request.host}").hostname or "127.0.0.1"
    if _is_here(host) and settings.host in ("0.0.0.0", "::"):
        host = _outside() or host
    if not _is_here(settings.host) and settings.host not in ("0.0.0.0", "::"):
        host = settings.host
    return f"{scheme}://{in_url(host)}:{settings.port_of_review}", not _is_here(host)


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _outside() -> str:
    """This machine's address in the local network, "" when there is none."""
    try:
        known = socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET, socket.SOCK_STREAM)
    except OSError:
        return ""
    found = sorted({str(entry[4][0]) for entry in known} - {"127.0.0.1", "127.0.1.1"})
    return found[0] if found else ""
