"""docs/ACCURACY.md: every figure in it comes from the verdicts, none from elsewhere."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.accuracy_table import (
    cross_table,
    document,
    interval,
    item_table,
    peer_table,
    short_table,
    visible_cells,
)
from benchmarks.verdicts import Outcome, Tool
from tests.benchmarks.measurements import item, measurement, page


def cells(table: str, starts: str) -> list[str]:
    """The cells of the row that begins with these words."""
    (row,) = (r for r in table.splitlines() if r.startswith(f"| {starts}"))
    return [cell.strip() for cell in row.strip("|").split("|")]


@given(st.integers(0, 3000), st.integers(0, 3000))
def test_wilson_holds_the_share(hits: int, more: int) -> None:
    total = hits + more
    low, high = interval(hits, total)
    assert 0 <= low <= high <= 100
    if total:
        assert low - 1e-9 <= 100 * hits / total <= high + 1e-9


def test_wilson_of_a_textbook_case() -> None:
    """0 of 765 is the fewest items at which nothing seen means below 0.5 %."""
    assert interval(0, 0) == (0.0, 100.0)
    assert interval(0, 765)[1] < 0.5 < interval(0, 764)[1]
    assert interval(81, 263) == pytest.approx((25.53, 36.63), abs=0.02)


@given(st.lists(st.sampled_from(["hidden", "partly", "leaked", "held"]), min_size=1))
def test_counts_of_a_class_add_up(outcomes: list[Outcome]) -> None:
    items = tuple(item(o) for o in outcomes)
    _, total, *counts, share = cells(item_table(items, "class", lambda i: i.kind), "name")
    assert [int(c) for c in counts] == [outcomes.count(o) for o in
                                        ("hidden", "partly", "leaked", "held")]  # fmt: skip
    assert int(total) == len(outcomes)
    safe = sum(o in ("hidden", "held") for o in outcomes)
    assert share.startswith(f"{100 * safe / len(outcomes):.1f} %")


def test_held_items_are_no_items_of_clean_pages() -> None:
    """What a person must look at neither leaks nor makes the share of leaks smaller."""
    pages = (page(), page(source="b.jpg", state="review"), page(source="c.jpg", state="failed"))
    items = (item(), item("leaked"), item("partly", own=False),
             *(item("held", on=1, masked="leaked") for _ in range(5)), item("held", on=2, masked=""))  # fmt: skip  # noqa: E501
    table = short_table(measurement(items, pages))
    assert cells(table, "the applicant's own items visible")[1] == "1 of 2 = 50.00 %"
    assert cells(table, "all items visible")[1] == "2 of 3 = 66.67 %"
    assert cells(table, "pages in review")[1] == "2 of 3 = 66.67 %"
    assert cells(table, "other glyphs lost")[1] == "6 of 300 = 2.00 %"


def test_visual_promises_are_judged_on_held_pages_too() -> None:
    pages = (page(), page(source="b.jpg", state="review"),
             page(source="c.jpg", axes={"degradation": "photocopy"}))  # fmt: skip
    items = (
        item(kind="eyes", form=">=25 px"), item("held", "eyes", 1, form=">=25 px", masked="leaked"),
        item("held", "code", 1, form="qr", masked="hidden"),
        item(kind="seal", form="round"), item("partly", "seal", 2, form="round"),
        item("leaked", "seal", 0, own=False, form="round"),
        item("leaked", "seal", 0, form="embossed"),
    )  # fmt: skip
    table = short_table(measurement(items, pages))
    assert cells(table, "eyes covered, 25 px")[1] == "1 of 2 = 50.00 %"
    assert cells(table, "eyes covered, 12 to 25")[1] == "0 of 0"
    assert cells(table, "codes hidden")[1] == "1 of 1 = 100.00 %"
    assert cells(table, "own unit's seals with ring text hidden, colour")[1] == "1 of 1 = 100.00 %"
    assert cells(table, "own unit's seals with ring text hidden, grey")[1] == "0 of 1 = 0.00 %"


def test_false_masks_are_counted_per_fifty_pages() -> None:
    bare = tuple(page(source=f"{n}.jpg", visual=False) for n in range(24))
    pages = (*bare, page(visual=False, false_masks={"seal": 2, "code": 1}),
             page(source="z.jpg", false_masks={"signature": 4}))  # fmt: skip
    table = short_table(measurement((item(),), pages))
    rows = [r for r in table.splitlines() if "false masks" in r]
    assert "3 on 25 pages: 6.0 per 50 | seal 2, code 1" in rows[0]
    assert "7 on 26 pages: 13.5 per 50 | seal 2, code 1, signature 4" in rows[1]


def test_the_matrix_names_the_cell_that_leaks() -> None:
    items = (item(size="16-23 px"), item("partly", size="16-23 px"), item(size="36 px and more"))
    table = visible_cells(measurement(items))
    row = cells(table, "name, plain")
    assert row[1:] == ["0", "black on white", "16-23 px", "200", "clean", "", "1 of 2", "1"]
    assert visible_cells(measurement((item(), item("held")))) == "Nowhere."
    cross = cross_table(items, lambda i: i.axes["size"])
    assert cells(cross, "name") == ["name", "1 of 2", "0 of 1"]
    assert cells(cross, "visible of all")[1:] == ["16-23 px", "36 px and more"]


def test_peers_are_compared_on_the_pages_that_all_were_given() -> None:
    pages = (page(), page(source="b.jpg"))
    ours = measurement((item(), item(on=1)), pages)
    peer = measurement((item("leaked"),), (page(seconds=9.0, lost=1),), Tool("peer", "2"))
    table = peer_table([ours, peer])
    assert table.startswith("1 pages that all")
    assert cells(table, "mangping 0.1.0")[1] == "1 of 1 = 100.00 %"
    assert cells(table, "peer 2")[1:] == [
        "0 of 1 = 0.00 %", "0 of 1 = 0.00 %", "1 of 1 = 100.00 %", "0 of 100 = 0.00 %", "9.00",
    ]  # fmt: skip
    assert cells(table, "name") == ["name", "1 of 1 = 100.00 %", "0 of 1 = 0.00 %"]


def test_the_document_says_how_it_was_made() -> None:
    made = document(measurement((item(), item("leaked", "seal", form="round", own=False))))
    assert "`python -m x` on 2026-11-21" in made
    assert "mangping 0.1.0, --profile strict; 2 cores" in made
    assert "seal, round, not own" in made
    widths: dict[int, set[int]] = {}
    block = 0
    for line in made.splitlines():
        if line.startswith("|"):
            widths.setdefault(block, set()).add(line.count("|"))
        else:
            block += 1
    assert widths
    assert all(len(counts) == 1 for counts in widths.values()), "a table's rows are of one width"
