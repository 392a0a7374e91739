"""The door and its keys: signing in and out, the first administrator, accounts, devices."""

from __future__ import annotations

from flask import (
    Blueprint,
    abort,
    flash,
    redirect,
    render_template,
    request,
    url_for,
)
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from models import accounts
from models.errors import RuleError
from models.vault_accounts import ROLES, Account
from webapp.language import sentences_of, t
from webapp.office.app import COOKIE, signed_in, vault
from webapp.security import allow, let_in, open_to_all

pages = Blueprint("accounts", __name__)
EVERYBODY = ROLES


def role_name(role: str) -> str:
    """What a role is called."""
    names = {
        "admin": t("管理员", "administrator"),
        "clerk": t("经办人", "clerk"),
        "secretary": t("秘书", "secretary"),
    }
    return names[role]


@pages.route("/sign-in", methods=["GET", "POST"])
@open_to_all
def sign_in_page() -> AnyResponse | str | tuple[str, int]:
    if request.method in ("GET", "HEAD"):
        return render_template("sign_in.html", login="", problem="")
    login = request.form.get("login", "")
    token = accounts.sign_in(
        vault(),
        login=login,
        password=request.form.get("password", ""),
        device=request.user_agent.string or "?",
        address=request.remote_addr or "?",
    )
    if token is None:
        problem = t("登录名或密码不正确。", "The login or the password is wrong.")
        return render_template("sign_in.html", login=login, problem=problem), 422
    return let_in(COOKIE, token, hours=accounts.SIGN_IN_HOURS)


@pages.route("/sign-out", methods=["POST"])
@allow(*EVERYBODY)
def sign_out() -> AnyResponse:
    me = signed_in()
    accounts.sign_out(vault(), account_id=me.account_id, token_sha256=me.token_sha256, by=me.login)
    return _to_the_door()


@pages.route("/setup/<token>", methods=["GET", "POST"])
@open_to_all
def setup(token: str) -> AnyResponse | str | tuple[str, int]:
    if not accounts.setup_link_holds(vault(), token):
        raise RuleError(accounts.LINK_USED)
    if request.method in ("GET", "HEAD"):
        return render_template("setup.html", token=token, values={}, problems=[])
    values = {name: request.form.get(name, "") for name in ("login", "name", "password")}
    try:
        accounts.use_setup_link(vault(), token=token, **values)
    except RuleError as error:
        page = render_template(
            "setup.html", token=token, values=values, problems=sentences_of(error)
        )
        return page, 422
    flash(t("管理员已建立，请登录。", "The administrator is set up; sign in."))
    return redirect(url_for("accounts.sign_in_page"))


@pages.route("/account")
@allow(*EVERYBODY)
def own_account() -> str:
    return _own_account([])


def _own_account(problems: list[str]) -> str:
    me = signed_in()
    devices = accounts.sign_ins(vault(), me.account_id)
    return render_template("account.html", devices=devices, me=me, problems=problems)


@pages.route("/account/password", methods=["POST"])
@allow(*EVERYBODY)
def change_own_password() -> AnyResponse | tuple[str, int]:
    me = signed_in()
    account = vault().get_one(Account, me.account_id)
    if not accounts.password_fits(account, request.form.get("old", "")):
        return _own_account([t("原密码不正确。", "The old password is wrong.")]), 422
    try:
        accounts.change_password(
            vault(),
            account_id=me.account_id,
            password=request.form.get("password", ""),
            by=me.login,
        )
    except RuleError as error:
        return _own_account(sentences_of(error)), 422
    flash(t("密码已更改，请重新登录。", "The password is changed; sign in again."))
    return _to_the_door()


@pages.route("/account/devices/<token_sha256>/end", methods=["POST"])
@allow(*EVERYBODY)
def end_device(token_sha256: str) -> AnyResponse:
    me = signed_in()
    accounts.sign_out(vault(), account_id=me.account_id, token_sha256=token_sha256, by=me.login)
    return redirect(url_for("accounts.own_account"))


@pages.route("/account/devices/end", methods=["POST"])
@allow(*EVERYBODY)
def end_all_devices() -> AnyResponse:
    me = signed_in()
    accounts.sign_out_everywhere(vault(), account_id=me.account_id, by=me.login)
    flash(t("已在所有设备上退出。", "Signed out on all devices."))
    return _to_the_door()


@pages.route("/accounts")
@allow("admin")
def all_accounts() -> str:
    return _accounts([], {})


def _accounts(problems: list[str], values: dict[str, str]) -> str:
    everybody = vault().scalars(select(Account).order_by(Account.login))
    return render_template(
        "accounts.html",
        accounts=list(everybody),
        roles=ROLES,
        role_name=role_name,
        problems=problems,
        values=values,
    )


@pages.route("/accounts", methods=["POST"])
@allow("admin")
def new_account() -> AnyResponse | tuple[str, int]:
    names = ("login", "name", "role", "password")
    values = {name: request.form.get(name, "") for name in names}
    try:
        accounts.create_account(vault(), **values, by=signed_in().login)
    except RuleError as error:
        return _accounts(sentences_of(error), values), 422
    flash(t("账号已建立。", "The account is made."))
    return redirect(url_for("accounts.all_accounts"))


@pages.route("/accounts/<int:account_id>", methods=["POST"])
@allow("admin")
def change_account(account_id: int) -> AnyResponse | tuple[str, int]:
    if vault().get(Account, account_id) is None:
        abort(404)
    try:
        accounts.set_account(
            vault(),
            account_id=account_id,
            role=request.form.get("role", ""),
            active=request.form.get("active") == "yes",
            by=signed_in().login,
        )
        if request.form.get("password"):
            accounts.change_password(
                vault(),
                account_id=account_id,
                password=request.form["password"],
                by=signed_in().login,
            )
    except RuleError as error:
        return _accounts(sentences_of(error), {}), 422
    flash(t("账号已更改。", "The account is changed."))
    return redirect(url_for("accounts.all_accounts"))


def _to_the_door() -> AnyResponse:
    response = redirect(url_for("accounts.sign_in_page"))
    response.delete_cookie(COOKIE)
    return response
