"""The verdicts of a measurement as one JSON, the same for every tool that is measured.

recall.py writes such a file for mangping, peers.py one for each peer; accuracy_table.py reads
them. A file holds one tool's pages and items:

    {"version": 1,
     "tool": {"name": "mangping", "version": "0.1.0+173bbbe", "settings": "strict"},
     "machine": "2 cores, AMD EPYC", "date": "2026-11-21", "command": "python -m ...",
     "pages": [{"seed": 101, "source": "01张岚/身份证/张岚-身份证.jpg", "source_page": 0,
                "page_type": "id_card", "axes": {"rotation": "90", "degradation": "photocopy",
                "dpi": "150-180"}, "state": "clean", "reason": "", "seconds": 2.1,
                "kept": 210, "lost": 1, "lost_before": 0,
                "visual": true, "false_masks": {"seal": 1}, "placed": true}],
     "items": [{"page": 0, "kind": "name", "form": "spaced", "text": "张 岚", "own": true,
                "axes": {"polarity": "black on white", "size": "24-35 px", "over": "stamp"},
                "outcome": "partly", "left": 1, "of": 2, "masked": "partly"}],
     "counts": {"nothing_hidden": 0}}

pages
    `seed`, `source`, `source_page`: which page of which set (generate(seed, wide=True)).
    `axes`: what the page is like; benchmarks/axes.py gives the words, do not invent others.
    `state`: clean (let out), review, failed; a peer lets out every page that it wrote: clean, and
    a page on which it stopped is failed. `seconds`: what the page took in one process with one
    thread; null when unknown.
    `kept`: glyphs that had to stay; `lost`: those of them that are masked; `lost_before`: those
    that count as masked on the page as it came. `visual`: a seal, code, face, signature or finger
    print was planted. `false_masks`: masks by kind (eyes, face, seal, code, signature) on none of
    them; {} for a peer that does not say what its masks are for. `placed`: the output could be
    laid over its source; items of a page that could not count as leaked.
items
    `page`: index into pages. `kind`, `form`, `text`: as in sample_scans/truth.py; pairs of eyes
    have kind "eyes". `own`: the applicant's; others are seals of schools and faces of colleagues.
    `outcome`: hidden, partly, leaked (judged from the pixels of the page let out), or held (the
    page was not let out). `left` of `of`: glyphs (eyes, seal characters) that stay visible.
    `masked`: the verdict on the masked picture even when the page is held; "" without a picture.
counts
    Whole numbers that only one tool has, such as its controls; added up over seeds.

Judging: `benchmarks.judge.judge_page(page, source, output, to_output)` gives the items of one
page from its pixels; `to_output` is the identity for a tool that keeps the page as it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Literal

VERSION = 1
Outcome = Literal["hidden", "partly", "leaked", "held"]
VISUAL_KINDS = ("eyes", "face", "seal", "code", "signature")
"""Kinds of masks that are found by their looks."""


@dataclass(frozen=True)
class ItemVerdict:
    """One planted item; the fields are those of the JSON."""

    page: int
    kind: str
    form: str
    text: str
    own: bool
    axes: Mapping[str, str]
    outcome: Outcome
    left: int
    of: int
    masked: str


@dataclass(frozen=True)
class PageVerdict:
    """One page; the fields are those of the JSON."""

    seed: int
    source: str
    source_page: int
    page_type: str
    axes: Mapping[str, str]
    state: str
    reason: str
    seconds: float | None
    kept: int
    lost: int
    lost_before: int
    visual: bool
    false_masks: Mapping[str, int]
    placed: bool = True


@dataclass(frozen=True)
class Tool:
    """What was measured: `settings` are the words of its command line that matter."""

    name: str
    version: str
    settings: str = ""


@dataclass(frozen=True)
class Measurement:
    """All verdicts on one tool."""

    tool: Tool
    pages: tuple[PageVerdict, ...] = ()
    items: tuple[ItemVerdict, ...] = ()
    machine: str = ""
    date: str = ""
    command: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)


def save(measurement: Measurement, path: Path) -> None:
    """Writes the JSON; a file half written never takes the place of a whole one."""
    values = {"version": VERSION, **asdict(measurement)}
    part = path.with_suffix(".part")
    part.write_text(json.dumps(values, ensure_ascii=False) + "\n", encoding="utf-8")
    part.replace(path)


def load(path: Path) -> Measurement:
    """Reads the JSON.

    Raises:
        ValueError: it is of another version, or an item names a page that is not there.
    """
    raw = json.loads(path.read_text(encoding="utf-8"))
    if raw.get("version") != VERSION:
        raise ValueError(f"{path}: version {raw.get('version')}, this program reads {VERSION}")
    pages = tuple(PageVerdict(**page) for page in raw["pages"])
    items = tuple(ItemVerdict(**item) for item in raw["items"])
    if any(not 0 <= item.page < len(pages) for item in items):
        raise ValueError(f"{path}: an item names a page that is not there")
    return Measurement(
        Tool(**raw["tool"]),
        pages,
        items,
        raw.get("machine", ""),
        raw.get("date", ""),
        raw.get("command", ""),
        raw.get("counts", {}),
    )


def added(measurements: Iterable[Measurement]) -> Measurement:
    """One measurement from several of the same tool; the last one's heading is kept, counts are
    added up.

    Raises:
        ValueError: there is none, or they are of different tools.
    """
    parts = list(measurements)
    if not parts or len({part.tool for part in parts}) > 1:
        raise ValueError(f"one tool expected, not {sorted({str(p.tool) for p in parts})}")
    pages: list[PageVerdict] = []
    items: list[ItemVerdict] = []
    for part in parts:
        items += [replace(item, page=item.page + len(pages)) for item in part.items]
        pages += part.pages
    names = {name for part in parts for name in part.counts}
    counts = {name: sum(part.counts.get(name, 0) for part in parts) for name in sorted(names)}
    return replace(parts[-1], pages=tuple(pages), items=tuple(items), counts=counts)
