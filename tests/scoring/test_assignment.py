"""Assignment: exact k, no conflict, even loads, few moves, and named shortages.

The properties are checked against exhaustive search on small rounds, not against the solver.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.assignment import (
    AssignmentInputError,
    Dossier,
    Plan,
    Reviewer,
    ShortageError,
    assign,
    why_not,
)


def spread(plan: Plan) -> int:
    return max(plan.loads.values()) - min(plan.loads.values())


def check(plan: Plan, dossiers: list[Dossier], reviewers: list[Reviewer], k: int) -> None:
    people = {reviewer.id: reviewer for reviewer in reviewers}
    assert set(plan.reviewers) == {dossier.code for dossier in dossiers}
    for dossier in dossiers:
        chosen = plan.reviewers[dossier.code]
        assert len(chosen) == len(set(chosen)) == k
        assert all(not why_not(people[person], dossier) for person in chosen)
    for person, load in plan.loads.items():
        assert load == sum(person in chosen for chosen in plan.reviewers.values())
        limit = people[person].capacity
        assert limit is None or load <= limit


def plain(dossiers: int, reviewers: int) -> tuple[list[Dossier], list[Reviewer]]:
    return (
        [Dossier(f"D{n:03}") for n in range(dossiers)],
        [Reviewer(f"R{n:02}") for n in range(reviewers)],
    )


@pytest.mark.parametrize(("n", "m", "k"), [(10, 5, 3), (11, 4, 3), (1, 3, 3), (50, 9, 5)])
def test_loads_differ_by_at_most_one_without_conflicts(n: int, m: int, k: int) -> None:
    dossiers, reviewers = plain(n, m)
    plan = assign(dossiers, reviewers, k, seed=1)
    check(plan, dossiers, reviewers, k)
    assert spread(plan) <= 1


@pytest.mark.parametrize(
    ("reviewer", "dossier", "ground"),
    [
        (Reviewer("R", units=("巴州林草局",)), Dossier("D", units=("巴州 林草局",)), "same_unit"),
        (Reviewer("R", former_units=("甲所",)), Dossier("D", units=("甲所",)), "former_unit"),
        (Reviewer("R", units=("甲所",)), Dossier("D", former_units=("甲所",)), "former_unit"),
        (
            Reviewer("R", former_units=("甲所",)),
            Dossier("D", former_units=("甲所",)),
            "former_unit",
        ),
        (Reviewer("R", declared=frozenset({"D"})), Dossier("D"), "declared"),
        (Reviewer("R", family=("买买提·艾力",)), Dossier("D", name="买买提•艾 力"), "family"),
        (Reviewer("R", specialties=frozenset({"林业"})), Dossier("D", "水利"), "specialty"),
        (Reviewer("R", specialties=frozenset()), Dossier("D", "水利"), "specialty"),
    ],
)
def test_each_ground_is_explained_and_respected(
    reviewer: Reviewer, dossier: Dossier, ground: str
) -> None:
    reasons = why_not(reviewer, dossier)
    assert [reason.ground for reason in reasons] == [ground]
    assert "R" in reasons[0].sentence.zh
    assert "D" in reasons[0].sentence.en
    # Keeping R would be cheaper, so only the conflict can take R out.
    plan = assign([dossier], [reviewer, Reviewer("S")], 1, seed=0, existing={"D": ["R"]})
    assert plan.reviewers == {"D": ("S",)}


def test_no_reason_without_a_conflict() -> None:
    reviewer = Reviewer("R", frozenset({"林业"}), ("甲",), ("乙",), frozenset({"X"}), ("李明",))
    assert why_not(reviewer, Dossier("D", "林业", "李明明", ("丙",), ("丁",))) == ()
    # Empty names and units on both sides are unknown, not equal.
    assert why_not(Reviewer("R", units=("",), family=("",)), Dossier("D", units=(" ",))) == ()


def test_same_input_and_seed_give_the_same_plan_in_any_order() -> None:
    dossiers, reviewers = plain(30, 7)
    one = assign(dossiers, reviewers, 3, seed=5)
    assert assign(dossiers[::-1], reviewers[::-1], 3, seed=5) == one
    others = {tuple(assign(dossiers, reviewers, 3, seed=n).reviewers.items()) for n in range(4)}
    assert len(others) > 1


def test_a_late_recusal_moves_one_pair() -> None:
    dossiers, reviewers = plain(60, 8)
    plan = assign(dossiers, reviewers, 3, seed=2)
    code = dossiers[17].code
    person = plan.reviewers[code][0]
    recused = [replace(r, declared=frozenset({code})) if r.id == person else r for r in reviewers]
    after = assign(dossiers, recused, 3, seed=99, existing=plan.reviewers)
    check(after, dossiers, recused, 3)
    assert after.removed == {(person, code)}
    assert {c for _, c in after.added} == {code}
    assert len(after.added) == 1


def test_unchanged_input_moves_nothing_even_when_uneven() -> None:
    dossiers, reviewers = plain(6, 3)
    existing = {d.code: ("R00",) for d in dossiers}
    plan = assign(dossiers, reviewers, 1, seed=0, existing=existing)
    assert plan.added == plan.removed == frozenset()


def test_the_replacement_goes_to_the_least_loaded() -> None:
    dossiers, reviewers = plain(5, 3)
    existing = {"D000": ["R00"], "D001": ["R00"], "D002": ["R01"], "D003": ["R01"], "D004": ["R02"]}
    recused = [replace(reviewers[0], declared=frozenset({"D000"})), *reviewers[1:]]
    plan = assign(dossiers, recused, 1, seed=3, existing=existing)
    assert plan.added == {("R02", "D000")}


def test_begun_sheets_stay_where_a_chain_must_move() -> None:
    # D0 loses R0; R1 is full, so R1 hands D1 or D2 to R2. The begun one is not handed over.
    dossiers = [Dossier("D0", "甲"), Dossier("D1"), Dossier("D2")]
    reviewers = [
        Reviewer("R0", declared=frozenset({"D0", "D1", "D2"})),
        Reviewer("R1", frozenset({"甲"}), capacity=2),
        Reviewer("R2", frozenset(), capacity=2),
    ]
    existing = {"D0": ["R0"], "D1": ["R1"], "D2": ["R1"]}
    for begun, moved in ((("R1", "D1"), "D2"), (("R1", "D2"), "D1")):
        plan = assign(dossiers, reviewers, 1, seed=0, existing=existing, begun=[begun])
        assert plan.added == {("R1", "D0"), ("R2", moved)}


def test_a_begun_sheet_of_a_recused_reviewer_is_given_up() -> None:
    reviewers = [Reviewer("R0", declared=frozenset({"D"})), Reviewer("R1")]
    plan = assign([Dossier("D")], reviewers, 1, seed=0, begun=[("R0", "D")])
    assert plan.reviewers["D"] == ("R1",)


def test_shortage_names_each_dossier_with_the_reasons() -> None:
    dossiers, reviewers = plain(4, 3)
    reviewers[0] = replace(reviewers[0], declared=frozenset({"D001", "D003"}))
    with pytest.raises(ShortageError) as error:
        assign(dossiers, reviewers, 3, seed=0)
    assert [(s.code, len(s.allowed)) for s in error.value.dossiers] == [("D001", 2), ("D003", 2)]
    assert error.value.group is None
    assert "R00" in error.value.sentences[0].zh


def test_shortage_names_the_group_by_its_minimum_cut() -> None:
    water = [Dossier(f"W{n}", "水利") for n in range(5)]
    wood = [Dossier(f"F{n}", "林业") for n in range(5)]
    reviewers = [
        Reviewer("A", frozenset({"水利"}), capacity=2),
        Reviewer("B", frozenset({"水利"}), capacity=2),
        Reviewer("C", frozenset({"林业"})),
    ]
    with pytest.raises(ShortageError) as error:
        assign([*wood, *water], reviewers, 1, seed=0)
    group = error.value.group
    assert group is not None
    assert group.codes == ("W0", "W1", "W2", "W3", "W4")
    assert group.full == ("A", "B")
    assert (group.needed, group.available) == (5, 4)
    assert "A, B" in error.value.sentences[0].en


def test_a_group_may_still_give_one_review_each_beyond_the_cut() -> None:
    dossiers, _ = plain(3, 0)
    with pytest.raises(ShortageError) as error:
        assign(dossiers, [Reviewer("A", capacity=1), Reviewer("B")], 2, seed=0)
    group = error.value.group
    assert group is not None
    assert group.full == ("A",)
    assert (group.needed, group.available) == (6, 4)


def test_lone_and_group_shortages_are_reported_together() -> None:
    dossiers, _ = plain(3, 0)
    reviewers = [Reviewer("A", declared=frozenset({"D000"}), capacity=1)]
    with pytest.raises(ShortageError) as error:
        assign(dossiers, reviewers, 1, seed=0)
    assert [s.code for s in error.value.dossiers] == ["D000"]
    assert error.value.group is not None
    assert error.value.group.codes == ("D001", "D002")
    assert len(error.value.sentences) == 2


def test_bad_input_is_reported_at_once() -> None:
    with pytest.raises(AssignmentInputError) as error:
        assign([Dossier("D"), Dossier("D")], [Reviewer("R", capacity=-1), Reviewer("R")], 0, seed=0)
    assert len(error.value.sentences) == 4


def test_no_dossiers() -> None:
    assert assign([], [Reviewer("R")], 3, seed=0).loads == {"R": 0}


small = st.integers(1, 4).flatmap(
    lambda n: st.tuples(
        st.just(n),
        st.lists(
            st.tuples(st.sets(st.integers(0, n - 1)), st.integers(0, 4)), min_size=1, max_size=4
        ),
        st.integers(1, 2),
    )
)


@settings(max_examples=120, deadline=None)
@given(small, st.integers(0, 10))
def test_against_exhaustive_search(
    case: tuple[int, list[tuple[set[int], int]], int], seed: int
) -> None:
    n, people, k = case
    dossiers = [Dossier(f"D{i}") for i in range(n)]
    reviewers = [
        Reviewer(f"R{j}", declared=frozenset(f"D{i}" for i in no), capacity=limit)
        for j, (no, limit) in enumerate(people)
    ]
    choices = [
        list(combinations([r for r in reviewers if d.code not in r.declared], k)) for d in dossiers
    ]
    spreads: list[int] = []
    for chosen in product(*choices):
        loads = [sum(r in group for group in chosen) for r in reviewers]
        if all(load <= (r.capacity or 0) for load, r in zip(loads, reviewers, strict=True)):
            spreads.append(max(loads) - min(loads))
    if not spreads:
        with pytest.raises(ShortageError) as error:
            assign(dossiers, reviewers, k, seed=seed)
        group = error.value.group
        assert error.value.dossiers or group is not None
        assert group is None or group.needed > group.available
        return
    plan = assign(dossiers, reviewers, k, seed=seed)
    check(plan, dossiers, reviewers, k)
    assert spread(plan) == min(spreads)


@settings(max_examples=60, deadline=None)
@given(small, st.data())
def test_as_few_moves_as_exhaustive_search(
    case: tuple[int, list[tuple[set[int], int]], int], data: st.DataObject
) -> None:
    n, people, k = case
    dossiers = [Dossier(f"D{i}") for i in range(n)]
    reviewers = [
        Reviewer(f"R{j}", declared=frozenset(f"D{i}" for i in no))
        for j, (no, _) in enumerate(people)
    ]
    choices = [
        list(combinations([r.id for r in reviewers if d.code not in r.declared], k))
        for d in dossiers
    ]
    if not all(choices):
        return
    everyone = st.sets(st.sampled_from([r.id for r in reviewers]), max_size=k)
    existing = {d.code: data.draw(everyone) for d in dossiers}
    most = sum(
        max(len(set(group) & existing[d.code]) for group in options)
        for d, options in zip(dossiers, choices, strict=True)
    )
    plan = assign(dossiers, reviewers, k, seed=0, existing=existing)
    assert sum(len(set(p) & existing[c]) for c, p in plan.reviewers.items()) == most
