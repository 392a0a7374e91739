"""Points are exact: decimal strings in, fractions inside, one half-up rounding at the end."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fractions import Fraction
from functools import lru_cache

_DECIMAL = re.compile(r"[0-9]{1,9}(\.[0-9]{1,6})?")

ZERO = Fraction(0)


@lru_cache(maxsize=65536)
def parse_points(text: str) -> Fraction:
    """The exact value of a plain decimal string such as "31.5": 0 or more, at most 6 places.

    Raises ValueError for signs, exponents, blanks, full-width digits and anything else.
    """
    if not _DECIMAL.fullmatch(text):
        raise ValueError(f"not a plain decimal number: {text!r}")
    return Fraction(text)


def decimal_text(value: Fraction) -> str:
    """The shortest decimal string of a value that has one, "31.5"; else its fraction, "80/3"."""
    rest = value.denominator
    twos = fives = 0
    while rest % 2 == 0:
        rest //= 2
        twos += 1
    while rest % 5 == 0:
        rest //= 5
        fives += 1
    if rest != 1:
        return exact_text(value)
    places = max(twos, fives)
    digits = str(abs(value.numerator) * 10**places // value.denominator).rjust(places + 1, "0")
    sign = "-" if value < 0 else ""
    return sign + (f"{digits[:-places]}.{digits[-places:]}" if places else digits)


def exact_text(value: Fraction) -> str:
    """The value as a fraction in lowest terms: "63/2", or "31" for a whole number."""
    return str(value)


def rounded_text(value: Fraction, places: int) -> str:
    """The value rounded half-up (四舍五入, away from zero) to `places` decimals, all shown."""
    scale = 10**places
    numerator, denominator = abs(value.numerator) * scale, value.denominator
    units = (2 * numerator + denominator) // (2 * denominator)
    digits = str(units).rjust(places + 1, "0")
    sign = "-" if value < 0 and units else ""
    return sign + (f"{digits[:-places]}.{digits[-places:]}" if places else digits)


def total(values: Iterable[Fraction]) -> Fraction:
    """The exact sum."""
    return sum(values, ZERO)


def mean(values: list[Fraction]) -> Fraction:
    """The exact arithmetic mean of one or more values."""
    return total(values) / len(values)


def mean_formula(values: list[Fraction]) -> str:
    """How a mean was made, for people: "(26.5 + 24 + 27) / 3"."""
    return f"({' + '.join(decimal_text(value) for value in values)}) / {len(values)}"
