"""Pictures of a round's numbers as SVG text, in the language of whoever looks at them."""

from __future__ import annotations

import functools
import io
import threading
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from scoring.reviewer_charts import font_family

COLOURS = {
    "accepted": "#1e7e34",
    "clean": "#7fbf8e",
    "review": "#e08a1e",
    "checking": "#2456a6",
    "failed": "#b3261e",
    "returned": "#7a1a14",
}
BLUE, GREY = "#0b6e99", "#5b6472"
MOST_KINDS, MOST_HOURS = 15, 24 * 14
DRAWING = threading.Lock()
"""matplotlib's settings are the process's own, and requests come in threads."""

Pairs = tuple[tuple[str, float], ...]


@functools.lru_cache(maxsize=64)
def states_chart(shares: tuple[tuple[str, str, int], ...], title: str) -> str:
    """One bar of all pages. `shares`: (colour, label, pages), in order."""
    with DRAWING, mpl.rc_context(_settings()):
        figure = Figure(figsize=(7, 2.1), layout="constrained")
        axes = figure.subplots()
        left = 0
        for colour, label, count in shares:
            axes.barh([0], [count], left=left, color=COLOURS[colour], label=f"{label}  {count}")
            left += count
        axes.set_xlim(0, max(left, 1))
        axes.set_ylim(-0.45, 0.45)
        axes.set_yticks([])
        _plain(axes, ("left", "top", "right"))
        axes.set_title(title, loc="left")
        if shares:
            figure.legend(loc="outside lower center", ncols=3, frameon=False)
        return _svg(figure)


@functools.lru_cache(maxsize=64)
def bars_chart(rows: Pairs, title: str, axis: str, nothing: str) -> str:
    """Horizontal bars, the longest on top. `nothing`: said when there are no rows."""
    with DRAWING, mpl.rc_context(_settings()):
        figure = Figure(figsize=(7, 1.3 + 0.32 * max(len(rows), 2)), layout="constrained")
        axes = figure.subplots()
        places = range(len(rows))
        bars = axes.barh(places, [value for _, value in rows], color=BLUE, height=0.6)
        axes.bar_label(bars, fmt="{:.0f}", padding=3)
        axes.set_yticks(places, [name for name, _ in rows])
        axes.set_ylim(max(len(rows), 2) - 0.5, -0.5)
        axes.margins(x=0.1)
        if not rows:
            _say(axes, nothing)
        _plain(axes, ("top", "right"))
        axes.set_title(title, loc="left")
        axes.set_xlabel(axis)
        return _svg(figure)


@functools.lru_cache(maxsize=64)
def progress_chart(
    lines: tuple[tuple[str, Pairs], ...], total: int, title: str, axis: str, nothing: str
) -> str:
    """Running sums over time. `lines`: (label, (hour as in "2026-11-21T08" UTC, pages))."""
    with DRAWING, mpl.rc_context(_settings()):
        figure = Figure(figsize=(7, 3), layout="constrained")
        axes = figure.subplots()
        ends = [_hour(hour) for _, counts in lines for hour, _ in counts]
        for (label, counts), colour in zip(lines, (BLUE, COLOURS["accepted"]), strict=False):
            if counts:
                times = [_hour(counts[0][0]), *(_hour(h) + timedelta(hours=1) for h, _ in counts)]
                sums = [0, *accumulate(count for _, count in counts)]
                latest = max(ends) + timedelta(hours=1)
                moments: Any = [*times, latest]
                axes.plot(moments, [*sums, sums[-1]], color=colour, label=label, lw=2)
        if not ends:
            _say(axes, nothing)
            axes.set_xticks([])
        else:
            axes.axhline(total, color=GREY, linestyle="--", linewidth=1)
            figure.autofmt_xdate(rotation=0, ha="center")
            axes.xaxis.set_major_formatter(_clock(ends))
            axes.legend(frameon=False, loc="upper left")
        axes.set_ylim(0, max(total, 1) * 1.1)
        _plain(axes, ("top", "right"))
        axes.set_title(title, loc="left")
        axes.set_ylabel(axis)
        return _svg(figure)


@functools.lru_cache(maxsize=64)
def spread_chart(
    points: Pairs, mean: float, title: str, axis: str, average: str, most: float | None
) -> str:
    """Points on a line, equal ones above each other, and their average. `most`: the maximum."""
    with DRAWING, mpl.rc_context(_settings()):
        figure = Figure(figsize=(7, 2.5), layout="constrained")
        axes = figure.subplots()
        heights: dict[float, int] = {}
        for _, value in sorted(points, key=lambda point: (point[1], point[0])):
            heights[value] = heights.get(value, 0) + 1
            axes.plot(value, heights[value], "o", color=BLUE, markersize=9)
        axes.axvline(mean, color=COLOURS["failed"], linestyle="--", lw=2, label=average)
        axes.set_xlim(0, (most or max((v for _, v in points), default=1)) * 1.03)
        axes.set_ylim(0.3, max(heights.values(), default=1) + 0.9)
        axes.set_yticks([])
        axes.legend(frameon=False, loc="upper left")
        _plain(axes, ("left", "top", "right"))
        axes.set_title(title, loc="left")
        axes.set_xlabel(axis)
        return _svg(figure)


def pairs(counts: Mapping[str, float] | Iterable[tuple[str, float]], most: int) -> Pairs:
    """Counts as a value that can be a key; the first `most` of them."""
    rows = counts.items() if isinstance(counts, Mapping) else counts
    return tuple((name, value) for name, value in rows)[:most]


def _settings() -> dict[Any, Any]:
    # Text as paths, a fixed salt, no date: the same numbers give the same bytes everywhere.
    return {
        "font.family": [font_family(), "DejaVu Sans"],
        "svg.fonttype": "path",
        "svg.hashsalt": "mangping",
        "axes.unicode_minus": False,
    }


def _clock(moments: Sequence[datetime]) -> Any:
    from matplotlib.dates import DateFormatter

    one_day = max(moments) - min(moments) < timedelta(hours=20)
    made: Any = DateFormatter
    return made("%H:%M" if one_day else "%m-%d %H:%M", tz=moments[0].tzinfo)


def _hour(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}:00:00").replace(tzinfo=UTC).astimezone()


def _plain(axes: Axes, hidden: Sequence[str]) -> None:
    for side in hidden:
        axes.spines[side].set_visible(False)


def _say(axes: Axes, text: str) -> None:
    axes.text(0.5, 0.5, text, ha="center", va="center", transform=axes.transAxes, color=GREY)
    axes.set_yticks([])


def _svg(figure: Figure) -> str:
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None})
    return out.getvalue()
