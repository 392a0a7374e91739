"""The experts' door: the card's number with its PIN or password, tablets, and signing out."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from models import seat_access
from models.errors import RuleError
from webapp.language import sentences_of, t
from webapp.review.app import COOKIE, REVIEWER, review, signed_in
from webapp.review.identity import tried
from webapp.security import allow, let_in, open_to_all

pages = Blueprint("door", __name__)


@pages.route("/card/<number>")
@open_to_all
def card(number: str) -> str:
    """Where the printed QR leads: the number is filled in, the PIN is not."""
    return render_template("sign_in.html", number=number, problems=[])


@pages.route("/sign-in", methods=["GET", "POST"])
@open_to_all
def sign_in_page() -> AnyResponse | str | tuple[str, int]:
    if request.method in ("GET", "HEAD"):
        return render_template("sign_in.html", number="", problems=[])
    number, secret = request.form.get("number", ""), request.form.get("secret", "")
    known = tried(number, secret)
    try:
        token = seat_access.sign_in(
            review(),
            number=number,
            secret=secret,
            device=request.user_agent.string or "?",
            tried=known,
        )
        problems = [] if token else [t("卡号或 PIN 不正确。", "The number or the PIN is wrong.")]
    except RuleError as error:
        token, problems = None, sentences_of(error)
    if token is None:
        return render_template("sign_in.html", number=number, problems=problems), 422
    return let_in(COOKIE, token, hours=seat_access.SIGN_IN_HOURS)


@pages.route("/sign-out", methods=["POST"])
@allow(REVIEWER)
def sign_out() -> AnyResponse:
    me = signed_in()
    seat_access.sign_out_device(
        review(), round_id=me.round_id, seat=me.seat, token_sha256=me.token_sha256, by=me.seat
    )
    return _to_the_door()


@pages.route("/devices")
@allow(REVIEWER)
def devices() -> str:
    return _devices([])


def _devices(problems: list[str]) -> str:
    me = signed_in()
    found = seat_access.devices_of(review(), me.round_id, me.seat)
    return render_template("devices.html", devices=found, me=me, problems=problems)


@pages.route("/devices/<token_sha256>/sign-out", methods=["POST"])
@allow(REVIEWER)
def sign_out_device(token_sha256: str) -> AnyResponse:
    me = signed_in()
    seat_access.sign_out_device(
        review(), round_id=me.round_id, seat=me.seat, token_sha256=token_sha256, by=me.seat
    )
    return redirect(url_for("door.devices"))


@pages.route("/devices/password", methods=["POST"])
@allow(REVIEWER)
def set_password() -> AnyResponse | tuple[str, int]:
    me, secret = signed_in(), request.form.get("secret", "")
    known = tried(me, secret)
    try:
        if not seat_access.confirm_identity(review(), member=me, secret=secret, tried=known):
            return _devices([t("PIN 不正确。", "The PIN is wrong.")]), 422
        seat_access.set_password(review(), member=me, password=request.form.get("password", ""))
    except RuleError as error:
        return _devices(sentences_of(error)), 422
    flash(t("密码已设置，下次可用它代替 PIN。", "The password is set; it opens the card too."))
    return redirect(url_for("door.devices"))


def _to_the_door() -> AnyResponse:
    response = redirect(url_for("door.sign_in_page"))
    response.delete_cookie(COOKIE)
    return response
