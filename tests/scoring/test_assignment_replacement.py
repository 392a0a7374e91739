"""Who takes a dossier over: nobody with a conflict, a full load or a sheet of it already."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from scoring.assignment import Dossier, Reviewer, why_not
from scoring.assignment_replacement import replacements

DOSSIER = Dossier("A", "林业", "李明", ("州林草局",), ("库尔勒三中",))


def test_the_least_loaded_who_may_see_it_comes_first() -> None:
    reviewers = [
        Reviewer("R01", units=("州林草局",)),
        Reviewer("R02", units=("库尔勒 三中",)),
        Reviewer("R03", frozenset({"水利"})),
        Reviewer("R04", capacity=2),
        Reviewer("R05"),
        Reviewer("R06", frozenset({"林业"})),
        Reviewer("R07"),
        Reviewer("R08", family=("李明",)),
    ]
    loads = {"R04": 2, "R05": 5, "R06": 3, "R07": 3}
    assert replacements(DOSSIER, reviewers, taken={"R07"}, loads=loads) == ["R06", "R05"]
    assert replacements(DOSSIER, reviewers, taken=(), loads=loads) == ["R06", "R07", "R05"]


@given(
    st.lists(st.tuples(st.sampled_from(["州林草局", "库尔勒三中", "外"]), st.integers(0, 4)),
             max_size=8),
    st.sets(st.integers(0, 7)),
)  # fmt: skip
def test_whoever_is_proposed_may_see_it(people: list[tuple[str, int]], taken: set[int]) -> None:
    reviewers = [Reviewer(str(n), units=(unit,)) for n, (unit, _) in enumerate(people)]
    loads = {str(n): load for n, (_, load) in enumerate(people)}
    held = {str(n) for n in taken}
    found = replacements(DOSSIER, reviewers, taken=held, loads=loads)
    allowed = {r.id for r in reviewers if not why_not(r, DOSSIER)} - held
    assert set(found) == allowed
    assert [loads[person] for person in found] == sorted(loads[person] for person in found)
