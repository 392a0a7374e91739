"""One byte form for one value, so that a hash on signed minutes pins a whole tally."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def canonical_json(value: Any) -> bytes:
    """UTF-8 JSON with sorted keys and no spaces; texts, whole numbers, booleans and null only.

    This is the form of RFC 8785 for such values with keys in the Basic Multilingual Plane.
    Raises TypeError on floats, which have no place in a tally.
    """
    refuse_floats(value)
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def sha256(value: Any) -> str:
    """Lower-case hexadecimal sha256 of the canonical JSON of a value."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def refuse_floats(value: Any) -> None:
    """TypeError if a float hides anywhere in a JSON value."""
    if isinstance(value, float):
        raise TypeError(f"a float in a tally: {value!r}")
    if isinstance(value, dict):
        for item in value.values():
            refuse_floats(item)
    elif isinstance(value, list | tuple):
        for item in value:
            refuse_floats(item)
