"""Blind codes: random, unordered, checksummed, without characters that look alike."""

from __future__ import annotations

import secrets
from collections.abc import Collection

ALPHABET = "34679ACDEFGHJKMNPQRTUVWXY"
"""No 0/O, 1/I/L, 2/Z, 5/S, 8/B. 25 characters."""
LENGTH = 6
"""Characters of a code, the last one a check character: 25**5 codes."""
_WEIGHTS = (1, 2, 3, 4, 6)
"""Each prime to 25, and so are the differences of neighbours."""


def check_character(body: str) -> str:
    """Weighted sum modulo 25 of the first five characters.

    It finds every single wrong character and every swap of neighbours among the five.
    """
    total = sum(w * ALPHABET.index(char) for w, char in zip(_WEIGHTS, body, strict=True))
    return ALPHABET[total % len(ALPHABET)]


def is_code(text: str) -> bool:
    """Whether a text such as K7QF-3M is a well-formed code with the right check character."""
    bare = text.replace("-", "")
    return (
        len(text) == LENGTH + 1
        and text[4:5] == "-"
        and len(bare) == LENGTH
        and all(char in ALPHABET for char in bare)
        and check_character(bare[:-1]) == bare[-1]
    )


def new_codes(count: int, taken: Collection[str] = ()) -> list[str]:
    """`count` codes drawn from the system's random source, none twice and none in `taken`."""
    codes: list[str] = []
    used = set(taken)
    while len(codes) < count:
        body = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH - 1))
        bare = body + check_character(body)
        code = f"{bare[:4]}-{bare[4:]}"
        if code not in used:
            used.add(code)
            codes.append(code)
    return codes
