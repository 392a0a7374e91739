"""Writes docs/ACCURACY.md from verdicts: first what was promised, then classes, then the matrix."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence

from scipy.stats import binomtest

from benchmarks.verdicts import VISUAL_KINDS, ItemVerdict, Measurement, PageVerdict

VISIBLE = ("partly", "leaked")
_SIZES = ("under 16 px", "16-23 px", "24-35 px", "36 px and more")
_AXES: tuple[tuple[str, str], ...] = (
    ("rotation", "Rotation of the stored page, degrees; skewed: 1 degree and more"),
    ("polarity", "Polarity"),
    ("size", "Height of the letters (text alone)"),
    ("dpi", "Resolution, dpi"),
    ("degradation", "Degradation"),
    ("over", "Under a stamp; as a pale watermark"),
)
_HEAD = (
    "| {0} | items | hidden | partly | leaked | held | hidden or held, Wilson 95 % |\n"
    "|---|---|---|---|---|---|---|"
)


def interval(successes: int, total: int) -> tuple[float, float]:
    """Wilson 95 % interval of a share, in percent; (0, 100) of nothing."""
    if not total:
        return 0.0, 100.0
    found = binomtest(successes, total).proportion_ci(method="wilson")
    return 100 * found.low, 100 * found.high


def document(measurement: Measurement, peers: Sequence[Measurement] = (), notes: str = "") -> str:
    """The whole of docs/ACCURACY.md. `notes`: Markdown about what stays visible, by a person."""
    seeds = sorted({page.seed for page in measurement.pages})
    named = f"{seeds[0]} to {seeds[-1]}" if len(seeds) > 1 else f"{seeds[0]}"
    return f"""# Accuracy

Written by `{measurement.command}` on {measurement.date}; do not edit.
mangping {measurement.tool.version}, {measurement.tool.settings}; {measurement.machine}.

Made-up dossiers were drawn with seeds {named}, none of which is the seed of the committed samples,
redacted by the command line, and judged from the pixels of the output: {len(measurement.pages)}
pages with {len(measurement.items)} planted items. An item is *hidden* when every glyph of it lies
under solid black (of a lifted seal: when no trace of its characters correlates with the output in
any colour channel), *partly* when some glyph stays, *leaked* when none is masked, and *held* when
the page was not let out but sent to a person. Eyes are hidden when 0.25 inter-ocular distances
around both centres are. Intervals are Wilson's, 95 %. Items of one page are not independent of each
other, so the intervals are somewhat too narrow.

{tables(measurement, peers, notes)}
"""


def tables(measurement: Measurement, peers: Sequence[Measurement] = (), notes: str = "") -> str:
    """All tables in Markdown, the short one first."""
    parts = ["## In short", short_table(measurement)]
    if peers:
        parts += ["## Beside other tools, on the same pages", peer_table([measurement, *peers])]
    parts += ["## By class", item_table(measurement.items, "class", lambda i: i.kind)]
    parts += [
        "## By class and form",
        item_table(measurement.items, "class, form", lambda i: f"{i.kind}, {i.form}"
                   f"{'' if i.own or i.kind != 'seal' else ', not own'}"),
    ]  # fmt: skip
    for axis, title in _AXES:
        read = _axis(measurement, axis)
        items = [i for i in measurement.items if read(i)]
        if items:
            parts += [f"## {title}", item_table(items, axis, read), cross_table(items, read)]
    parts += ["## Where something stays visible on a clean page", visible_cells(measurement)]
    parts += [notes.strip()] if notes.strip() else []
    parts += ["## Pages by kind", page_table(measurement)]
    parts += ["## Why pages went to a person", reason_table(measurement.pages)]
    return "\n\n".join(parts)


def short_table(measurement: Measurement) -> str:
    """What the project promises, with the figure measured."""
    pages, items = measurement.pages, measurement.items
    clean = [i for i in items if pages[i.page].state == "clean"]
    own = [i for i in clean if i.own]
    held = sum(page.state != "clean" for page in pages)
    lines = [
        "| promise | measured | Wilson 95 % |",
        "|---|---|---|",
        _row("the applicant's own items visible on clean pages (promised: upper bound < 0.5 %)",
             _visible(own), len(own)),
        _row("all items visible on clean pages, seals of schools and faces of others as well",
             _visible(clean), len(clean)),
        _row("pages in review or failed (promised: < 8 %)", held, len(pages)),
        _row("other glyphs lost, beyond those that look masked on the page as it came",
             max(0, sum(p.lost - p.lost_before for p in pages)), sum(p.kept for p in pages)),
    ]  # fmt: skip
    for title, chosen in (
        ("eyes covered, 25 px apart and more (promised: 100 %)",
         [i for i in items if i.kind == "eyes" and i.form == ">=25 px"]),
        ("eyes covered, 12 to 25 px apart (promised: 98 %)",
         [i for i in items if i.kind == "eyes" and i.form == "12-25 px"]),
        ("own unit's seals with ring text hidden, colour (promised: 99 %)",
         [i for i in items if _seal(i) and not _grey(pages[i.page])]),
        ("own unit's seals with ring text hidden, grey (promised: 95 %)",
         [i for i in items if _seal(i) and _grey(pages[i.page])]),
        ("codes hidden (promised: 100 %)", [i for i in items if i.kind == "code"]),
    ):  # fmt: skip
        # Judged on the masked picture whether it was let out or not: review is no merit here.
        judged = [i for i in chosen if i.masked]
        lines.append(_row(title, sum(i.masked == "hidden" for i in judged), len(judged)))
    lines += _false_rows(pages)
    counts = measurement.counts
    if counts:
        lines += [
            f"| control, pages as they came: items that count as hidden (0 expected) "
            f"| {counts['nothing_hidden']} of {counts['nothing_of']} | |",
            f"| control, black pages: items that count as visible (0 expected) "
            f"| {counts['black_visible']} of {counts['black_of']} | |",
        ]
    return "\n".join(lines)


def _false_rows(pages: Sequence[PageVerdict]) -> list[str]:
    rows = []
    for title, chosen in (
        ("pages without anything found by its looks", [p for p in pages if not p.visual]),
        ("all pages", pages),
    ):
        kinds: Counter[str] = Counter()
        for page in chosen:
            kinds.update(page.false_masks)
        each = ", ".join(f"{k} {kinds[k]}" for k in VISUAL_KINDS if kinds[k]) or "none"
        rate = f"{50 * kinds.total() / len(chosen):.1f} per 50" if chosen else "no such pages"
        promise = " (promised: at most 1 per 50)" if title != "all pages" else ""
        rows.append(
            f"| false masks of eyes, faces, seals, codes, signatures, {title}{promise} "
            f"| {kinds.total()} on {len(chosen)} pages: {rate} | {each} |"
        )
    return rows


def peer_table(measurements: Sequence[Measurement]) -> str:
    """Tools side by side; the pages that every tool was given."""
    shared = set.intersection(*({_page_key(p) for p in m.pages} for m in measurements))
    lines = [
        f"{len(shared)} pages that all of them were given.",
        "",
        "| tool | items hidden | hidden or held | visible on pages let out | other glyphs lost "
        "| seconds per page |",
        "|---|---|---|---|---|---|",
    ]
    for m in measurements:
        items = [i for i in m.items if _page_key(m.pages[i.page]) in shared]
        pages = [p for p in m.pages if _page_key(p) in shared]
        hidden = sum(i.outcome == "hidden" for i in items)
        held = sum(i.outcome == "held" for i in items)
        timed = [p.seconds for p in pages if p.seconds is not None]
        seconds = f"{sum(timed) / len(timed):.2f}" if timed else "unknown"
        lost = max(0, sum(p.lost - p.lost_before for p in pages))
        name = f"{m.tool.name} {m.tool.version} {m.tool.settings}".strip()
        lines.append(
            f"| {name} | {_share(hidden, len(items))} | {_share(hidden + held, len(items))} "
            f"| {_share(_visible(items), len(items))} "
            f"| {_share(lost, sum(p.kept for p in pages))} | {seconds} |"
        )
    return "\n".join(lines) + "\n\n" + _peer_classes(measurements, shared)


def _peer_classes(measurements: Sequence[Measurement], shared: set[tuple[int, str, int]]) -> str:
    """Hidden or held by class, a column for each tool."""
    found: dict[str, dict[int, list[str]]] = defaultdict(lambda: defaultdict(list))
    for number, m in enumerate(measurements):
        for item in m.items:
            if _page_key(m.pages[item.page]) in shared:
                found[item.kind][number].append(item.outcome)
    names = [m.tool.name for m in measurements]
    lines = ["| class | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for kind in sorted(found):
        cells = []
        for number in range(len(measurements)):
            outcomes = found[kind][number]
            safe = sum(o not in VISIBLE for o in outcomes)
            cells.append(_share(safe, len(outcomes)) if outcomes else "-")
        lines.append(f"| {kind} | " + " | ".join(cells) + " |")
    return "Hidden or held, by class:\n\n" + "\n".join(lines)


def item_table(items: Iterable[ItemVerdict], name: str, key: Callable[[ItemVerdict], str]) -> str:
    """A row for each key with counts by outcome and the share that is not visible."""
    groups: dict[str, Counter[str]] = defaultdict(Counter)
    for item in items:
        groups[key(item)][item.outcome] += 1
    lines = [_HEAD.format(name)]
    for value in sorted(groups, key=_order):
        count = groups[value]
        safe, total = count["hidden"] + count["held"], count.total()
        low, high = interval(safe, total)
        lines.append(
            f"| {value} | {total} | {count['hidden']} | {count['partly']} | {count['leaked']} "
            f"| {count['held']} | {100 * safe / total:.1f} % ({low:.1f} - {high:.1f}) |"
        )
    return "\n".join(lines)


def cross_table(items: Sequence[ItemVerdict], key: Callable[[ItemVerdict], str]) -> str:
    """Classes by the values of an axis: visible of all, "." where nothing was planted."""
    values = sorted({key(i) for i in items}, key=_order)
    kinds = sorted({i.kind for i in items})
    lines = ["| visible of all | " + " | ".join(values) + " |", "|---" * (len(values) + 1) + "|"]
    for kind in kinds:
        cells = []
        for value in values:
            cell = [i for i in items if i.kind == kind and key(i) == value]
            cells.append(f"{_visible(cell)} of {len(cell)}" if cell else ".")
        lines.append(f"| {kind} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def visible_cells(measurement: Measurement) -> str:
    """The cells of the whole matrix in which an item stays visible on a clean page."""
    cells: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
    for item in measurement.items:
        page = measurement.pages[item.page]
        if page.state != "clean":
            continue
        axes = {**page.axes, **item.axes}
        place = (f"{item.kind}, {item.form}", *(axes.get(name, "") for name, _ in _AXES))
        cells[place]["visible" if item.outcome in VISIBLE else "safe"] += 1
        cells[place]["left"] += item.left
    rows = [(place, count) for place, count in sorted(cells.items()) if count["visible"]]
    if not rows:
        return "Nowhere."
    lines = ["| class, form | " + " | ".join(name for name, _ in _AXES) + " | visible of all "
             "| glyphs left |", "|---" * (len(_AXES) + 3) + "|"]  # fmt: skip
    for place, count in rows:
        total = count["visible"] + count["safe"]
        lines.append(f"| {' | '.join(place)} | {count['visible']} of {total} | {count['left']} |")
    return "\n".join(lines)


def page_table(measurement: Measurement) -> str:
    """A row for each page type: pages, states, glyphs lost."""
    groups: dict[str, list[PageVerdict]] = defaultdict(list)
    for page in measurement.pages:
        groups[page.page_type].append(page)
    lines = ["| page type | pages | clean | review | failed | other glyphs lost |",
             "|---|---|---|---|---|---|"]  # fmt: skip
    for kind, pages in sorted(groups.items()):
        states = Counter(page.state for page in pages)
        lost = max(0, sum(p.lost - p.lost_before for p in pages))
        lines.append(
            f"| {kind} | {len(pages)} | {states['clean']} | {states['review']} "
            f"| {states['failed']} | {_share(lost, sum(p.kept for p in pages))} |"
        )
    return "\n".join(lines)


def reason_table(pages: Iterable[PageVerdict]) -> str:
    """States and reasons with the number of pages, most frequent first."""
    reasons = Counter((p.state, p.reason) for p in pages if p.state != "clean")
    if not reasons:
        return "None did."
    lines = ["| state | reason | pages |", "|---|---|---|"]
    for (state, reason), count in reasons.most_common(40):
        shown = reason.replace("|", "/").replace("\n", " ")
        lines.append(f"| {state} | {shown} | {count} |")
    return "\n".join(lines)


def _axis(measurement: Measurement, axis: str) -> Callable[[ItemVerdict], str]:
    """Reads an axis from an item, else from its page; "" where it has none."""

    def read(item: ItemVerdict) -> str:
        return item.axes.get(axis) or measurement.pages[item.page].axes.get(axis, "")

    return read


def _order(value: str) -> tuple[int, int, str]:
    """Sizes and numbers ascend; other words follow the alphabet."""
    if value in _SIZES:
        return 0, _SIZES.index(value), value
    first = value.split("-")[0]
    return (0, int(first), value) if first.isdigit() else (1, 0, value)


def _visible(items: Iterable[ItemVerdict]) -> int:
    return sum(i.outcome in VISIBLE for i in items)


def _seal(item: ItemVerdict) -> bool:
    return item.kind == "seal" and item.own and item.form != "embossed"


def _grey(page: PageVerdict) -> bool:
    return page.axes.get("degradation") in ("grey scan", "photocopy", "fax", "bilevel")


def _page_key(page: PageVerdict) -> tuple[int, str, int]:
    return page.seed, page.source, page.source_page


def _share(count: int, total: int) -> str:
    return f"{count} of {total} = {100 * count / total:.2f} %" if total else "0 of 0"


def _row(title: str, count: int, total: int) -> str:
    low, high = interval(count, total)
    return f"| {title} | {_share(count, total)} | {low:.2f} - {high:.2f} % |"
