"""Accounts of the office: passwords, signed-in devices, the first administrator's link.

Tokens are random; only their sha256 is stored, so that a copy of the database opens no door.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from models.base import utc_now
from models.errors import RuleError, Sentence
from models.office_log import record_event
from models.passwords import HASHER, fits, hashed, password_problems
from models.vault_accounts import ROLES, Account, SetupLink, SignIn

SIGN_IN_HOURS = 12
"""A working day; afterwards the password is asked for again."""
SEEN_EVERY_SECONDS = 60
SETUP_LINK_HOURS = 48
_NOBODY = HASHER.hash(secrets.token_hex(8))

LINK_USED = Sentence(
    "此链接已使用或已过期。请重新启动 mangping serve 取得新链接。",
    "This link was used or has expired. Start mangping serve again for a new one.",
)


@dataclass(frozen=True)
class Person:
    """Who is signed in: plain values for one request."""

    account_id: int
    login: str
    name: str
    role: str
    token_sha256: str
    seen_at: str


def create_account(
    session: Session, *, login: str, name: str, role: str, password: str, by: str
) -> Account:
    """A new account; RuleError with every problem of its values."""
    login, name = login.strip(), name.strip()
    problems = password_problems(password, login)
    if not login or not name:
        problems.append(Sentence("登录名和姓名不能为空。", "Login and name must not be empty."))
    if role not in ROLES:
        problems.append(Sentence(f"没有角色“{role}”。", f'There is no role "{role}".'))
    if session.scalar(select(Account.id).where(func.lower(Account.login) == login.lower())):
        problems.append(
            Sentence(
                f"登录名“{login}”已被使用，请另选一个。",
                f'The login "{login}" is taken; choose another.',
            )
        )
    if problems:
        raise RuleError(problems)
    account = Account(
        login=login,
        name=name,
        role=role,
        password_hash=HASHER.hash(password),
        created_at=utc_now(),
    )
    session.add(account)
    session.flush()
    record_event(session, actor=by, action="account.create", details={"login": login, "role": role})
    return account


def sign_in(
    session: Session, *, login: str, password: str, device: str, address: str
) -> str | None:
    """The token of a new sign-in, None when login or password are wrong. Takes equally long."""
    account = session.scalar(
        select(Account).where(func.lower(Account.login) == login.strip().lower())
    )
    known = account is not None and account.active
    if not fits(account.password_hash if account and known else _NOBODY, password) or not known:
        record_event(
            session, actor=login.strip()[:50], action="sign_in.refused", details={"from": address}
        )
        return None
    assert account is not None
    if HASHER.check_needs_rehash(account.password_hash):
        account.password_hash = HASHER.hash(password)
    token = secrets.token_urlsafe(32)
    now = datetime.now(UTC)
    session.add(
        SignIn(
            token_sha256=hashed(token),
            account_id=account.id,
            device=device[:200],
            address=address[:60],
            created_at=_text(now),
            seen_at=_text(now),
            expires_at=_text(now + timedelta(hours=SIGN_IN_HOURS)),
        )
    )
    record_event(session, actor=account.login, action="sign_in", details={"from": address})
    return token


def person_of(session: Session, token: str) -> Person | None:
    """Who holds a token, None when it is unknown, expired or its account is switched off."""
    row = session.execute(
        select(SignIn, Account)
        .join(Account, Account.id == SignIn.account_id)
        .where(SignIn.token_sha256 == hashed(token), Account.active)
    ).one_or_none()
    if row is None or row.SignIn.expires_at <= utc_now():
        return None
    return Person(
        row.Account.id, row.Account.login, row.Account.name, row.Account.role,
        row.SignIn.token_sha256,
        row.SignIn.seen_at,
    )  # fmt: skip


def seen_long_ago(person: Person) -> bool:
    """Whether the list of devices deserves a newer time."""
    return person.seen_at < _text(datetime.now(UTC) - timedelta(seconds=SEEN_EVERY_SECONDS))


def touch(session: Session, token_sha256: str) -> None:
    """Notes that a device was seen just now."""
    session.execute(
        update(SignIn).where(SignIn.token_sha256 == token_sha256).values(seen_at=utc_now())
    )


def sign_ins(session: Session, account_id: int) -> list[SignIn]:
    """The devices an account is signed in on, newest first."""
    chosen = select(SignIn).where(SignIn.account_id == account_id, SignIn.expires_at > utc_now())
    return list(session.scalars(chosen.order_by(SignIn.created_at.desc())))


def sign_out(session: Session, *, account_id: int, token_sha256: str, by: str) -> None:
    """Ends one sign-in of an account; nothing happens when it is another account's."""
    session.execute(
        delete(SignIn).where(SignIn.token_sha256 == token_sha256, SignIn.account_id == account_id)
    )
    record_event(session, actor=by, action="sign_out")


def sign_out_everywhere(session: Session, *, account_id: int, by: str) -> None:
    """Ends all sign-ins of an account."""
    session.execute(delete(SignIn).where(SignIn.account_id == account_id))
    record_event(session, actor=by, action="sign_out.everywhere", details={"account": account_id})


def change_password(session: Session, *, account_id: int, password: str, by: str) -> None:
    """Sets a password and signs the account out everywhere; RuleError when it will not do."""
    account = session.get_one(Account, account_id)
    problems = password_problems(password, account.login)
    if problems:
        raise RuleError(problems)
    account.password_hash = HASHER.hash(password)
    record_event(session, actor=by, action="account.password", details={"login": account.login})
    sign_out_everywhere(session, account_id=account_id, by=by)


def set_account(session: Session, *, account_id: int, role: str, active: bool, by: str) -> None:
    """Changes role and activity; RuleError when no active administrator would be left."""
    account = session.get_one(Account, account_id)
    if role not in ROLES:
        raise RuleError(Sentence(f"没有角色“{role}”。", f'There is no role "{role}".'))
    others = select(func.count()).where(
        Account.role == "admin", Account.active, Account.id != account_id
    )
    if (role != "admin" or not active) and not session.scalar(others):
        raise RuleError(
            Sentence(
                "至少要保留一名可用的管理员。请先另设管理员。",
                "One active administrator must be left. Make another one first.",
            )
        )
    account.role, account.active = role, active
    record_event(
        session,
        actor=by,
        action="account.change",
        details={"login": account.login, "role": role, "active": active},
    )
    if not active:
        sign_out_everywhere(session, account_id=account_id, by=by)


def make_setup_link(session: Session) -> str | None:
    """The token of a link for the first administrator, None when there are accounts already."""
    if session.scalar(select(Account.id).limit(1)):
        return None
    session.execute(delete(SetupLink).where(SetupLink.used_at.is_(None)))
    token = secrets.token_urlsafe(24)
    session.add(SetupLink(token_sha256=hashed(token), created_at=utc_now(), used_at=None))
    return token


def setup_link_holds(session: Session, token: str) -> bool:
    """Whether the link may still be used."""
    link = session.get(SetupLink, hashed(token))
    if link is None or link.used_at is not None:
        return False
    return link.created_at > _text(datetime.now(UTC) - timedelta(hours=SETUP_LINK_HOURS))


def use_setup_link(
    session: Session, *, token: str, login: str, name: str, password: str
) -> Account:
    """Makes the first administrator; RuleError when the link was used or has expired."""
    if not setup_link_holds(session, token):
        raise RuleError(LINK_USED)
    account = create_account(
        session, login=login, name=name, role="admin", password=password, by="setup"
    )
    session.get_one(SetupLink, hashed(token)).used_at = utc_now()
    return account


def password_fits(account: Account, password: str) -> bool:
    """Whether it is the account's password."""
    return fits(account.password_hash, password)


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds")
