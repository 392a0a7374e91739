"""The rules of the five notices reach the office's helpers as they stand in the policy files."""

import pytest

from scoring.fees import fee
from scoring.materials import check_materials
from scoring.policy import Policy
from scoring.policy_files import load_policy, shipped_names
from scoring.policy_rules import education_rules, fees_of, material_rules, submission_rule


@pytest.mark.parametrize("name", shipped_names())
def test_every_material_is_passed_on_and_the_checklist_takes_them(name):
    policy = load_policy(name)
    rules = material_rules(policy)
    assert [rule.category for rule in rules] == [item.category for item in policy.material]
    gaps = {gap.category for gap in check_materials(rules, {}, level="中级").gaps}
    needed = {r.category for r in rules if r.required and not r.paper}
    assert gaps == needed


def test_fees_of_water_and_culture():
    assert fee(fees_of(load_policy("water_bazhou_2021")), "middle").yuan == 380
    culture = fees_of(load_policy("culture_bazhou_2021"))
    assert fee(culture, "middle").yuan is None
    assert fee(culture, "junior").yuan == 220
    assert fees_of(load_policy("forestry_bazhou_2021")).amounts == {}


def test_submission_rules():
    rules = {name: submission_rule(load_policy(name)) for name in shipped_names()}
    assert {name: rule.max_times for name, rule in rules.items()} == {
        name: 2 if name.startswith("forestry") else 3 for name in shipped_names()
    }
    assert rules["science_bazhou_2024"].revise_hours == 48
    assert submission_rule(Policy()).max_times is None


def test_education_of_science_differs_by_level():
    rules = education_rules(load_policy("science_bazhou_2024"))
    middle = {(r.kind, r.years, r.hours) for r in rules if r.levels == frozenset({"中级"})}
    assert middle == {
        ("public", (2020, 2021, 2022, 2023, 2024), 30),
        ("specialty", (2022, 2023, 2024), 60),
    }
