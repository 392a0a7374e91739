"""Made-up verdicts for the tests of tables and files."""

from __future__ import annotations

from benchmarks.verdicts import ItemVerdict, Measurement, Outcome, PageVerdict, Tool

TOOL = Tool("mangping", "0.1.0", "--profile strict")


def page(
    seed: int = 101, source: str = "a.jpg", state: str = "clean", **changes: object
) -> PageVerdict:
    values: dict[str, object] = {
        "seed": seed, "source": source, "source_page": 0, "page_type": "id_card",
        "axes": {"rotation": "0", "degradation": "clean", "dpi": "200"}, "state": state,
        "reason": "" if state == "clean" else "a hit", "seconds": 2.0, "kept": 100, "lost": 3,
        "lost_before": 1, "visual": True, "false_masks": {},
    }  # fmt: skip
    return PageVerdict(**{**values, **changes})  # type: ignore[arg-type]


def item(
    outcome: Outcome = "hidden", kind: str = "name", on: int = 0, own: bool = True,
    form: str = "plain", masked: str | None = None, **axes: str,
) -> ItemVerdict:  # fmt: skip
    left = {"partly": 1, "leaked": 3}.get(masked or outcome, 0)
    found = {"polarity": "black on white", **axes}
    return ItemVerdict(on, kind, form, "张岚", own, found, outcome, left, 3, masked or outcome)


def measurement(
    items: tuple[ItemVerdict, ...], pages: tuple[PageVerdict, ...] = (), tool: Tool = TOOL
) -> Measurement:
    counts = {"nothing_hidden": 0, "nothing_of": len(items), "black_visible": 0,
              "black_of": len(items)}  # fmt: skip
    return Measurement(tool, pages or (page(),), items, "2 cores", "2026-11-21", "python -m x",
                       counts)  # fmt: skip
