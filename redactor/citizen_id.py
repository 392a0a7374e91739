"""Citizen identity numbers (GB 11643-1999): form, date and check character."""

from __future__ import annotations

import re
from datetime import date

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
_NEW = re.compile(r"[1-9][0-9]{16}[0-9X]", re.ASCII)
_OLD = re.compile(r"[1-9][0-9]{14}", re.ASCII)


def check_character(first17: str) -> str:
    """Check character (0-9 or X) of the first 17 digits; ISO 7064 MOD 11-2 (GB 11643, 4.2)."""
    total = sum(int(digit) * weight for digit, weight in zip(first17, _WEIGHTS, strict=True))
    return _CHECKS[total % 11]


def has_form(number: str) -> bool:
    """Whether it looks like an 18-character number (upper-case X), checksum not asked."""
    return _NEW.fullmatch(number) is not None


def checksum_holds(number: str) -> bool:
    """Whether an 18-character number has the right check character."""
    return has_form(number) and check_character(number[:17]) == number[17]


def birth_date(number: str) -> date | None:
    """Birth date in an 18- or 15-digit number, None when there is no such day."""
    if _NEW.fullmatch(number):
        year, month, day = number[6:10], number[10:12], number[12:14]
    elif _OLD.fullmatch(number):
        year, month, day = "19" + number[6:8], number[8:10], number[10:12]
    else:
        return None
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def is_valid(number: str) -> bool:
    """Whether an 18-character number has form, date and check character right."""
    return checksum_holds(number) and birth_date(number) is not None


def is_old(number: str) -> bool:
    """Whether it is a 15-digit number (no check character) with a possible date."""
    return _OLD.fullmatch(number) is not None and birth_date(number) is not None


def old_form(number: str) -> str | None:
    """The 15-digit form used before 1999: no century, no check character; 19xx births only."""
    if not has_form(number) or number[6:8] != "19":
        return None
    return number[:6] + number[8:17]


def new_form(number: str) -> str:
    """The 18-character form of a 15-digit number."""
    first17 = number[:6] + "19" + number[6:]
    return first17 + check_character(first17)
