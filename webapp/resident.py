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
    return _of(_this().children(recursive=True))


def resident_bytes_of_siblings() -> float:
    """Resident memory of the process that started this one and of all that it started."""
    parent = _this().parent()
    return resident_bytes() if parent is None else _of([parent, *parent.children(recursive=True)])


def _of(processes: list[psutil.Process]) -> float:
    total = 0.0
    for process in processes:
        try:
            total += process.memory_info().rss
        except psutil.Error:  # it ended meanwhile
            continue
    return total
