"""The second person of an act that takes two: shows the own password, on whichever desk."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.accounts import password_fits
from models.errors import RuleError, Sentence
from models.vault_accounts import Account

MAY_CONFIRM = ("secretary", "admin")


def second_person(session: Session, *, login: str, password: str, by: str) -> str:
    """The login of another active secretary or administrator whose password it is.

    RuleError for anybody else, in the same words for an unknown login and a wrong password.
    """
    account = session.scalar(
        select(Account).where(func.lower(Account.login) == login.strip().lower())
    )
    if account is not None and account.login == by:
        raise RuleError(
            Sentence(
                "复核须由另一人用自己的账号和密码确认。",
                "A second person must confirm, with the own login and password.",
            )
        )
    fits = account is not None and account.active and password_fits(account, password)
    if account is None or not fits or account.role not in MAY_CONFIRM:
        raise RuleError(
            Sentence(
                "复核人的账号或密码不对，或其角色不是秘书、管理员。请重新输入。",
                "The second person's login or password is wrong, or the role is neither secretary "
                "nor administrator. Enter them again.",
            )
        )
    return account.login
