"""Every ruling on the defence: substitution, exemption, absence, disqualification, veto."""

from fractions import Fraction

import pytest

from scoring.errors import InputError
from tests.scoring.rounds import (
    CLAUSE,
    candidate,
    document,
    policy,
    results,
    ruling,
    said,
    tallied,
)


def test_exactness_thirds_stay_thirds_until_shown():
    doc = document([candidate("A"), candidate("B", "exempt")], {"A": ["20", "20", "21"]})
    found = results(doc)
    assert found["B"].defence.points == Fraction(61, 3)
    assert found["B"].total == 50 + Fraction(61, 3)


def test_average_takes_each_defender_once_whatever_the_number_of_judges():
    doc = document(
        [candidate("A"), candidate("B"), candidate("X", "exempt")],
        {"A": ["10", "10", "10", "10"], "B": ["30"]},
    )
    assert results(doc)["X"].defence.points == 20


def test_average_takes_year_and_specialty_and_all_levels_together():
    doc = document(
        [
            candidate("A", level="初级"),
            candidate("B", level="副高级"),
            candidate("C", specialty="水利"),
            candidate("X", "exempt", level="中级"),
        ],
        {"A": ["10"], "B": ["20"], "C": ["30"]},
    )
    item = results(doc)["X"]
    assert item.defence.points == 15
    assert item.defence.pool == ("A", "B")


def test_average_is_split_by_level_only_when_the_policy_says_so():
    rules = policy(
        defence={
            "substitution": {
                "grounds": ["service"],
                "clause": CLAUSE,
                "pool": ["year", "specialty", "level"],
            }
        }
    )
    doc = document(
        [candidate("A", level="初级"), candidate("B"), candidate("X", "exempt")],
        {"A": ["10"], "B": ["20"]},
    )
    assert results(doc, rules)["X"].defence.points == 20


def test_substituted_score_shows_members_n_formula_and_clause():
    doc = document(
        [candidate("A"), candidate("B"), candidate("C"), candidate("X", "exempt")],
        {"B": ["24"], "C": ["27"], "A": ["26.5"]},
    )
    defence = results(doc)["X"].defence
    assert defence.basis == "substituted"
    assert (defence.pool, defence.n) == (("A", "B", "C"), 3)
    assert defence.formula == "(26.5 + 24 + 27) / 3"
    assert CLAUSE in said(results(doc)["X"])


def test_nobody_defended_is_undetermined_and_never_a_number():
    doc = document([candidate("X", "exempt"), candidate("A", specialty="水利")], {"A": ["30"]})
    item = results(doc)["X"]
    assert item.defence.basis == "undetermined"
    assert item.defence.points is None
    assert (item.total, item.rank, item.decision) == (None, None, "undetermined")


def test_nobody_defended_takes_the_secretarys_ruling_with_its_reason():
    doc = document([candidate("X", "exempt")], rulings=[ruling("X", "defence_points", "25")])
    item = results(doc)["X"]
    assert (item.defence.basis, item.defence.points, item.total) == ("ruling", 25, 75)
    assert item.decision == "pass"
    assert "评委会集体研究" in said(item)


def test_a_ruling_never_overrules_judges_or_the_notice():
    doc = document(
        [candidate("A"), candidate("X", "exempt")],
        {"A": ["20"]},
        rulings=[ruling("A", "defence_points", "30"), ruling("X", "defence_points", "30")],
    )
    with pytest.raises(InputError) as caught:
        results(doc)
    assert len(caught.value.problems) == 2


def test_one_defended_applies_with_n_1_and_is_warned():
    doc = document([candidate("A"), candidate("X", "exempt")], {"A": ["17.5"]})
    item = results(doc)["X"]
    assert (item.defence.points, item.defence.n) == (Fraction(35, 2), 1)
    assert "n = 1" in said(item)


def test_a_defender_who_scored_0_counts_in_the_average():
    doc = document(
        [candidate("A"), candidate("B"), candidate("X", "exempt")], {"A": ["0"], "B": ["30"]}
    )
    assert results(doc)["X"].defence.points == 15


def disqualified_round(**more):
    return document(
        [
            candidate("A"),
            candidate("B", **more),
            candidate("X", "exempt"),
        ],
        {"A": ["20"], "B": ["30"]},
    )


def test_a_defender_disqualified_before_lock_leaves_it_open_with_both_averages():
    item = results(disqualified_round(disqualified=True))["X"]
    assert item.defence.basis == "undetermined"
    assert {a.ruling: a.points for a in item.defence.alternatives} == {"keep": 25, "drop": 20}
    assert "计入为 25（2 人），不计入为 20（1 人）" in said(item)


@pytest.mark.parametrize(("value", "points"), [("keep", 25), ("drop", 20)])
def test_a_ruling_settles_a_defender_disqualified_before_lock(value, points):
    doc = disqualified_round(disqualified=True)
    doc["rulings"] = [ruling("B", "pool_member", value)]
    assert results(doc)["X"].defence.points == points


def test_a_defender_disqualified_after_lock_leaves_the_average_frozen():
    found = results(disqualified_round(disqualified_after_lock=True))
    assert found["X"].defence.points == 25
    assert found["B"].decision == "fail"


def test_a_locked_average_changes_only_in_a_numbered_re_tally():
    doc = disqualified_round(disqualified_after_lock=True)
    doc["rulings"] = [ruling("B", "pool_member", "drop")]
    with pytest.raises(InputError, match="replaces"):
        results(doc)
    doc |= {"version": 2, "replaces": "0" * 64}
    assert results(doc)["X"].defence.points == 20


def test_absent_without_exemption_is_not_0_and_in_no_average():
    doc = document(
        [candidate("A"), candidate("B", "absent"), candidate("X", "exempt")], {"A": ["20"]}
    )
    found = results(doc)
    assert (found["B"].defence.basis, found["B"].defence.points) == ("undetermined", None)
    assert found["X"].defence.pool == ("A",)


@pytest.mark.parametrize(
    ("rule", "basis", "decision"), [("fail", "fail", "fail"), ("zero", "zero", "fail")]
)
def test_absent_has_the_outcome_that_the_policy_states(rule, basis, decision):
    doc = document(
        [candidate("A"), candidate("B", "absent"), candidate("X", "exempt")], {"A": ["20"]}
    )
    found = results(doc, policy(defence={"absent": rule}))
    assert (found["B"].defence.basis, found["B"].decision) == (basis, decision)
    assert found["X"].defence.points == 20


def test_absent_that_counts_0_has_its_review_points_as_total():
    doc = document([candidate("B", "absent")])
    item = results(doc, policy(defence={"absent": "zero"}))["B"]
    assert (item.defence.points, item.total) == (0, 50)


def test_waived_exemption_own_score_counts_and_enters_the_pool():
    doc = document(
        [
            candidate("A"),
            candidate("W", "waived", ground="service"),
            candidate("X", "exempt"),
        ],
        {"A": ["30"], "W": ["10"]},
    )
    found = results(doc)
    assert (found["W"].defence.basis, found["W"].defence.points) == ("own", 10)
    assert found["X"].defence.points == 20


def test_exempt_but_defended_without_a_recorded_waiver_is_refused():
    doc = document([candidate("A"), candidate("X", "exempt")], {"A": ["20"], "X": ["30"]})
    with pytest.raises(InputError, match="waived"):
        results(doc)


def test_revoked_exemption_voids_the_substituted_score():
    doc = document(
        [candidate("A"), candidate("X", "exempt")],
        {"A": ["20"]},
        rulings=[ruling("X", "exemption", "revoked")],
    )
    item = results(doc)["X"]
    assert (item.defence.basis, item.defence.points) == ("undetermined", None)
    assert "作废" in said(item)


def test_revoked_exemption_then_defended_counts_as_a_defence():
    doc = document(
        [candidate("A"), candidate("X", "exempt"), candidate("Y", "exempt")],
        {"A": ["20"], "X": ["10"]},
        rulings=[ruling("X", "exemption", "revoked")],
    )
    found = results(doc)
    assert found["X"].defence.basis == "own"
    assert found["Y"].defence.points == 15


def test_ground_outside_the_substitution_clause_is_open_with_the_clause_shown():
    rules = policy(defence={"substitution": {"grounds": ["service"], "clause": CLAUSE}})
    doc = document([candidate("A"), candidate("X", "exempt", ground="junior")], {"A": ["20"]})
    item = results(doc, rules)["X"]
    assert (item.defence.basis, item.decision) == ("undetermined", "undetermined")
    assert CLAUSE in said(item)


def test_ground_that_the_notice_does_not_have_is_open():
    doc = document([candidate("A"), candidate("X", "exempt", ground="non_public")], {"A": ["20"]})
    assert results(doc)["X"].defence.basis == "undetermined"


def test_ground_that_the_notice_does_not_have_passes_no_unscored_defence():
    doc = document([candidate("X", "exempt", ground="non_public")])
    item = results(doc, pass_fail(unscored_exempt="pass"))["X"]
    assert (item.defence.basis, item.decision) == ("undetermined", "undetermined")
    assert "[[exemption]]" in said(item)


def test_no_substitution_clause_at_all_is_open():
    doc = document([candidate("A"), candidate("X", "exempt")], {"A": ["20"]})
    item = results(doc, policy(defence={"substitution": None}))["X"]
    assert item.defence.basis == "undetermined"


def pass_fail(**more):
    return policy(defence={"mode": "pass_fail", "max": None, **more})


def test_unscored_defence_exempt_counts_as_passed_where_the_notice_says_so():
    doc = document([candidate("X", "exempt")])
    item = results(doc, pass_fail(unscored_exempt="pass", unscored_clause="视为通过"))["X"]
    assert (item.defence.basis, item.defence.passed, item.total) == ("pass", True, 50)
    assert "视为通过" in said(item)


def test_unscored_defence_exempt_is_open_where_the_notice_is_silent():
    item = results(document([candidate("X", "exempt")]), pass_fail())["X"]
    assert (item.defence.basis, item.decision) == ("undetermined", "undetermined")


def test_unscored_defence_takes_a_ruling_on_the_result():
    doc = document([candidate("X", "exempt")], rulings=[ruling("X", "defence_result", "pass")])
    item = results(doc, pass_fail())["X"]
    assert (item.defence.basis, item.defence.passed) == ("ruling", True)


def test_veto_fails_the_application_whatever_the_total():
    doc = document(
        [candidate("A"), candidate("B")],
        defence_results=[{"code": "A", "passed": False}, {"code": "B", "passed": True}],
    )
    rules = policy(
        defence={"mode": "pass_fail", "max": None, "veto": True},
        decision={"pass_score": "40"},
    )
    found = results(doc, rules)
    assert (found["A"].total, found["A"].decision) == (50, "fail")
    assert found["B"].decision == "pass"


def test_without_a_veto_rule_nothing_is_vetoed():
    doc = document([candidate("A")], defence_results=[{"code": "A", "passed": False}])
    rules = policy(defence={"mode": "pass_fail", "max": None}, decision={"pass_score": "40"})
    assert results(doc, rules)["A"].decision == "pass"


@pytest.mark.parametrize(("points", "decision"), [("17.5", "fail"), ("18", "pass")])
def test_veto_on_a_scored_defence_compares_with_the_policys_mark(points, decision):
    rules = policy(defence={"veto": True, "pass_score": "18"})
    assert results(document([candidate("A")], {"A": [points]}), rules)["A"].decision == decision


@pytest.mark.parametrize(
    ("rule", "decision"),
    [
        (None, "undetermined"),
        ("undetermined", "undetermined"),
        ("pass", "pass"),
        ("compare", "fail"),
    ],
)
def test_veto_meets_the_exempt_only_as_the_policy_rules(rule, decision):
    rules = policy(defence={"veto": True, "pass_score": "18", "veto_exempt": rule})
    doc = document([candidate("A"), candidate("X", "exempt")], {"A": ["17"]})
    assert results(doc, rules)["X"].decision == decision


def test_trimmed_defence_drops_one_highest_and_one_lowest():
    rules = policy(defence={"method": "trimmed"})
    doc = document([candidate("A")], {"A": ["0", "20", "21", "22", "30"]})
    assert results(doc, rules)["A"].defence.points == 21


def test_a_recused_judge_does_not_score_the_defence():
    doc = document([candidate("A")], {"A": ["0", "20"]}, recusals=[{"reviewer": "J1", "code": "A"}])
    assert results(doc)["A"].defence.points == 20


def test_a_year_other_than_the_notices_is_warned():
    doc = document([candidate("A")], {"A": ["20"]}) | {"year": 2025}
    assert "2025" in tallied(doc).warnings[0].zh
