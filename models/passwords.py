"""Secrets of people, for both stores: what is stored of them, and whether a typed one is right."""

from __future__ import annotations

import hashlib

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from models.errors import Sentence

SHORTEST_PASSWORD, LONGEST_PASSWORD = 10, 200
HASHER = PasswordHasher()
_COMMON = frozenset(
    {"password", "1234567890", "0123456789", "qwertyuiop", "abcdefghij", "mangping"}
)


def hashed(token: str) -> str:
    """What is stored of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def fits(password_hash: str, password: str) -> bool:
    """Whether it is the password that was hashed."""
    try:
        return HASHER.verify(password_hash, password)
    except (VerifyMismatchError, InvalidHashError):
        return False


def password_problems(password: str, login: str) -> list[Sentence]:
    """Everything that is wrong with a new password; [] when it will do."""
    problems = []
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        problems.append(
            Sentence(
                f"密码须为 {SHORTEST_PASSWORD} 至 {LONGEST_PASSWORD} 个字符。",
                f"A password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters.",
            )
        )
    if len(set(password)) < 5 or password.lower() in _COMMON:
        problems.append(
            Sentence(
                "密码过于简单，请换一句不易猜到的话。",
                "The password is too simple; choose a phrase that nobody guesses.",
            )
        )
    if len(login) >= 3 and login.lower() in password.lower():
        problems.append(
            Sentence("密码中不能含有登录名。", "The password must not hold the login name.")
        )
    return problems
