"""Tells whether a roster cell holds what its column asks for (pure)."""

from __future__ import annotations

import re

from redactor import citizen_id
from redactor.normal_text import is_han


def whole_id(number: str) -> str:
    """An ID number in its 18-digit form, so that both forms of one number compare equal."""
    return citizen_id.new_form(number) if citizen_id.is_old(number) else number


def is_other_paper(text: str) -> bool:
    """Whether a number is that of a passport, permit or officer's card: letters and few digits."""
    digits = sum(c.isdigit() for c in text)
    return 5 <= len(text) <= 12 and 4 <= digits < len(text) and text[0].isalpha()


def is_phone(text: str) -> bool:
    """Digits with the usual marks; some may be hidden as x or * (138****1234)."""
    digits = re.sub(r"[\s()+\-.转]", "", text)
    hidden = re.sub(r"[xX*＊]", "", digits)
    return hidden.isdigit() and len(hidden) >= 5 and 7 <= len(digits) <= 18


def is_email(text: str) -> bool:
    """A name, an @ and a domain with a point."""
    return re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s.]+", text) is not None


def is_native(text: str) -> bool:
    """Whether a text is in a script of its own: neither Chinese nor plain Latin, no figures."""
    letters = [c for c in text if c.isalpha()]
    strange = [c for c in letters if not c.isascii() and not is_han(c)]
    return len(strange) >= 2 and len(strange) == len(letters) and not any(map(str.isdigit, text))
