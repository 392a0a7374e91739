"""Every ruling on sheets, votes, ranks and corrections."""

from fractions import Fraction

import pytest

from scoring.errors import InputError
from scoring.round_json import round_document, round_from_document
from tests.scoring.rounds import candidate, document, policy, results, ruling, said, sheet, tallied


def reviewed(*works, **more):
    sheets = [sheet(f"R{n}", "A", work, "20") for n, work in enumerate(works, start=1)]
    return document([candidate("A", "not_required")], sheets=sheets, **more)


def test_missing_criterion_is_never_0_and_never_re_weighted():
    doc = reviewed("30", "31", "32")
    del doc["sheets"][1]["scores"]["papers"]
    with pytest.raises(InputError, match=r"sheets\[1\]\.scores\.papers"):
        results(doc)


def test_an_unfinished_judge_is_excluded_with_a_reason_or_blocks():
    doc = reviewed("30", "31", "32")
    doc["sheets"][1] |= {"scores": {"work": "31"}, "excluded": True, "reason": ""}
    with pytest.raises(InputError, match="reason"):
        results(doc)
    doc["sheets"][1]["reason"] = "中途退场"
    item = results(doc)["A"]
    assert (item.review.criteria["work"].value, item.review.sheets) == (31, 2)
    assert "中途退场" in said(item)


def test_fewer_valid_sheets_than_the_policy_asks_for_is_undetermined():
    rules = policy(aggregate={"min_sheets": 4})
    item = results(reviewed("30", "31", "32"), rules)["A"]
    assert (item.review.points, item.total, item.decision) == (None, None, "undetermined")


def test_fewer_than_three_experts_is_warned_by_the_national_rule():
    assert "至少由 3 名专家" in said(results(reviewed("30", "31"))["A"])


def test_recused_judge_is_out_of_that_candidates_mean_and_n_is_shown():
    doc = reviewed("30", "31", "40", recusals=[{"reviewer": "R3", "code": "A"}])
    mean = results(doc)["A"].review.criteria["work"]
    assert (mean.value, mean.n) == (Fraction(61, 2), 2)


def test_trimming_is_off_by_default():
    item = results(reviewed("0", "30", "30", "30", "40"))["A"]
    assert item.review.criteria["work"].value == 26


def test_trimming_drops_one_highest_and_one_lowest_from_five_sheets_on():
    rules = policy(aggregate={"method": "trimmed", "per": "criterion"})
    item = results(reviewed("0", "30", "31", "32", "40"), rules)["A"]
    assert (item.review.criteria["work"].value, item.review.criteria["work"].n) == (31, 3)
    few = results(reviewed("0", "30", "31", "40"), rules)["A"]
    assert few.review.criteria["work"].value == Fraction(101, 4)


def test_trimming_per_total_drops_whole_sheets():
    rules = policy(aggregate={"method": "trimmed", "per": "total"})
    sheets = [
        sheet(f"R{n}", "A", work, papers)
        for n, (work, papers) in enumerate(
            [("40", "0"), ("0", "30"), ("30", "20"), ("30", "21"), ("30", "22")]
        )
    ]
    doc = document([candidate("A", "not_required")], sheets=sheets)
    # Sums 40, 30, 50, 51, 52: 30 and 52 go.
    assert results(doc, rules)["A"].review.points == 47


VOTE = policy(decision={"rule": "vote", "pass_score": None})


def voted(yes, no=0, abstain=0, spoiled=0, members=9, present=9, **more):
    ballot = {"yes": yes, "no": no, "abstain": abstain, "spoiled": spoiled}
    return reviewed(
        "30",
        committee={"members": members, "present": present},
        ballots={"A": ballot},
        **more,
    )


@pytest.mark.parametrize(("yes", "passed"), [(6, True), (5, False)])
def test_two_thirds_of_nine_is_exactly_six(yes, passed):
    item = results(voted(yes, 9 - yes), VOTE)["A"]
    assert item.vote is not None
    assert (item.vote.passed, item.vote.denominator) == (passed, 9)
    assert item.decision == ("pass" if passed else "fail")


def test_abstentions_and_spoiled_ballots_stay_in_the_denominator():
    item = results(voted(5, 0, 2, 2), VOTE)["A"]
    assert item.vote is not None
    assert (item.vote.denominator, item.decision) == (9, "fail")


def test_ballots_not_handed_in_stay_in_the_denominator():
    assert results(voted(5), VOTE)["A"].decision == "fail"


@pytest.mark.parametrize(("present", "decision"), [(8, "pass"), (7, "undetermined")])
def test_quorum_is_two_thirds_of_the_committee_in_integers(present, decision):
    item = results(voted(present, members=12, present=present), VOTE)["A"]
    assert item.decision == decision


def test_recused_members_leave_the_denominator_by_default_only():
    recusals = [{"reviewer": "R7", "code": "A"}, {"reviewer": "R8", "code": "A"}]
    doc = voted(5, 2, recusals=recusals)
    item = results(doc, VOTE)["A"]
    assert item.vote is not None
    assert (item.vote.denominator, item.decision) == (7, "pass")
    strict = policy(decision={"rule": "vote", "pass_score": None}, vote={"denominator": "present"})
    assert results(doc, strict)["A"].decision == "fail"


def test_when_all_present_cast_a_ballot_none_of_them_was_recused():
    doc = voted(7, 1, 1, recusals=[{"reviewer": "R02", "code": "A"}])
    item = results(doc, VOTE)["A"]
    assert item.vote is not None
    assert (item.vote.denominator, item.vote.passed) == (9, True)


def test_a_recused_member_who_was_not_present_changes_no_denominator():
    doc = voted(6, 3, recusals=[{"reviewer": "R99", "code": "A"}])
    doc["committee"]["attendance"] = [f"M{n}" for n in range(9)]
    item = results(doc, VOTE)["A"]
    assert item.vote is not None
    assert item.vote.denominator == 9


@pytest.mark.parametrize("extra", [{"yes": 10}, {"yes": 9, "no": 1}])
def test_more_votes_than_those_present_proxy_or_late_are_refused(extra):
    doc = voted(0)
    doc["ballots"]["A"] |= extra
    with pytest.raises(InputError, match=r"ballots\.A"):
        results(doc, VOTE)


def present(doc, count):
    doc["ballots"]["A"]["attendance"] = [f"M{n}" for n in range(count)]
    return doc


def test_a_ballot_may_have_an_attendance_of_its_own():
    """Five of the seven who stayed for it are two thirds; of the nine of the day they are not."""
    item = results(present(voted(5, 2), 7), VOTE)["A"]
    assert (item.vote.denominator, item.vote.passed) == (7, True)
    assert results(voted(5, 2), VOTE)["A"].vote.passed is False
    # The quorum is that of the ballot, too: five of nine are no two thirds.
    assert results(present(voted(5), 5), VOTE)["A"].vote.quorum_met is False
    recused = voted(5, 1, recusals=[{"reviewer": "M3", "code": "A"}])
    assert results(present(recused, 7), VOTE)["A"].vote.denominator == 6
    given = present(voted(5, 2), 7)["ballots"]
    assert round_document(round_from_document(present(voted(5, 2), 7), VOTE))["ballots"] == given


@pytest.mark.parametrize("wrong", [6, 10, "M1", [""], [3]])
def test_an_attendance_of_a_ballot_must_fit(wrong):
    doc = voted(5, 2)
    doc["ballots"]["A"]["attendance"] = (
        [f"M{n}" for n in range(wrong)] if isinstance(wrong, int) else wrong
    )
    with pytest.raises(InputError, match=r"ballots\.A"):
        results(doc, VOTE)


def test_vote_and_score_needs_both():
    rules = policy(decision={"rule": "vote_and_score", "pass_score": "50"})
    assert results(voted(9), rules)["A"].decision == "pass"
    assert results(voted(5, 4), rules)["A"].decision == "fail"
    higher = policy(decision={"rule": "vote_and_score", "pass_score": "51"})
    assert results(voted(9), higher)["A"].decision == "fail"


def test_pass_mark_compares_exactly_and_says_so_where_the_display_misleads():
    sheets = [sheet("R1", "A", "30", "20"), sheet("R2", "A", "30", "20")]
    sheets += [sheet(f"S{n}", "A", "30", "20") for n in range(398)]
    sheets[0]["scores"]["papers"] = "19"
    doc = document([candidate("A", "not_required")], sheets=sheets)
    item = results(doc, policy(decision={"pass_score": "50"}))["A"]
    # 49.9975 is shown as 50.00 and yet is below 50.
    assert (item.total, item.decision) == (Fraction(19999, 400), "fail")
    assert "19999/400" in said(item)


def ranked(points, quota=2, **decision):
    """Candidates with the given (work, papers) scores under a quota."""
    sheets = [
        sheet(f"R{n}", code, work, papers)
        for code, (work, papers) in points.items()
        for n in (1, 2, 3)
    ]
    doc = document([candidate(code, "not_required") for code in points], sheets=sheets)
    rules = policy(decision={"rule": "rank", "pass_score": None, "quota": quota, **decision})
    return doc, rules


def test_quota_takes_the_first_by_exact_total():
    found = results(*ranked({"A": ("30", "20"), "B": ("30", "20.5"), "C": ("31", "20")}))
    assert {c: (i.rank, i.decision) for c, i in found.items()} == {
        "A": (3, "fail"),
        "B": (2, "pass"),
        "C": (1, "pass"),
    }


TIE = {"A": ("35", "20"), "B": ("30", "20"), "C": ("29", "21"), "D": ("1", "1")}


def test_tie_across_the_cut_off_stops_and_asks():
    doc, rules = ranked(TIE)
    result = tallied(doc, rules)
    assert result.ranking == (("A",), ("B", "C"), ("D",))
    found = {i.code: (i.rank, i.decision) for i in result.candidates}
    assert found == {
        "A": (1, "pass"),
        "B": (2, "undetermined"),
        "C": (2, "undetermined"),
        "D": (4, "fail"),
    }


def test_tie_inside_the_quota_needs_no_ruling():
    assert {c: i.decision for c, i in results(*ranked(TIE, quota=3)).items()} == {
        "A": "pass",
        "B": "pass",
        "C": "pass",
        "D": "fail",
    }


def test_tie_is_parted_by_the_policys_order():
    found = results(*ranked(TIE, tie_break=["papers"]))
    assert (found["C"].decision, found["B"].decision) == ("pass", "fail")
    found = results(*ranked(TIE, tie_break=["criterion:work"]))
    assert (found["B"].decision, found["C"].decision) == ("pass", "fail")


def test_tie_is_parted_by_the_secretarys_ruling():
    doc, rules = ranked(TIE)
    doc["rulings"] = [ruling("B", "tie_order", "2"), ruling("C", "tie_order", "1")]
    found = results(doc, rules)
    assert (found["C"].decision, found["B"].decision) == ("pass", "fail")


def test_seeded_draw_repeats_and_prints_its_seed():
    doc, rules = ranked(TIE, tie_break=["draw"], seed="2024-11-21")
    result = tallied(doc, rules)
    assert "2024-11-21" in result.warnings[0].zh
    assert sorted(i.decision for i in result.candidates if i.code in "BC") == ["fail", "pass"]
    assert tallied(doc, rules) == result
    outcomes = {tallied(*ranked(TIE, tie_break=["draw"], seed=str(n))).ranking for n in range(20)}
    assert len(outcomes) == 2


def test_draw_without_a_seed_stops_and_asks():
    found = results(*ranked(TIE, tie_break=["draw"]))
    assert found["B"].decision == found["C"].decision == "undetermined"


def test_quota_waits_for_those_still_undetermined():
    doc, rules = ranked({"A": ("35", "20"), "B": ("30", "20"), "C": ("20", "10")})
    doc["candidates"].append(candidate("X", "exempt"))
    doc["sheets"] += [sheet(f"R{n}", "X") for n in (1, 2, 3)]
    found = {c: i.decision for c, i in results(doc, rules).items()}
    assert found == {"A": "pass", "B": "undetermined", "C": "fail", "X": "undetermined"}


def test_a_barred_candidate_takes_no_place_of_the_quota():
    doc, rules = ranked({"A": ("35", "20"), "B": ("30", "20")}, quota=1)
    doc["candidates"][0]["disqualified"] = True
    assert results(doc, rules)["B"].decision == "pass"


def test_correction_after_lock_needs_a_new_version_and_two_persons():
    change = {"item": "R1/A/work", "old": "3", "new": "30", "reason": "录入错误", "by": ["甲"]}
    doc = reviewed("30", version=2, corrections=[change])
    with pytest.raises(InputError) as caught:
        results(doc)
    assert {p.place.en for p in caught.value.problems} == {"corrections[0].by", "replaces"}
    change["by"] = ["甲", "乙"]
    assert results(doc | {"replaces": "ab" * 32})["A"].total == 50
