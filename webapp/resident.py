"""How much memory this process and its children have."""

from __future__ import annotations

import functools

import psutil  # type: ignore[import-untyped]


@functools.cache
def _this() -> psutil.Process:
    return psutil.Process()


def resident_bytes() -> float:
    """Resident memory of this process."""
    return float(_this().memory_info().rss)


def resident_bytes_of_children() -> float:
    """Resident memory of all processes that this one started."""
    total = 0.0
    for child in _this().children(recursive=True):
        try:
            total += child.memory_info().rss
        except psutil.Error:  # it ended meanwhile
            continue
    return total
