"""What must hold for every round: order never shows, averages are averages, edits are found."""

import json
from fractions import Fraction

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scoring.errors import RuleError
from scoring.outputs import json_text
from scoring.points import decimal_text, parse_points, rounded_text
from scoring.result_json import tally_document, verify_document
from scoring.round_json import round_document, round_from_document
from scoring.tally import tally
from tests.scoring.drawn_rounds import POLICIES, rounds
from tests.scoring.rounds import candidate, document, policy, results

QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
RULES = policy(rounding={"places": 2})


def whole(doc, rules):
    # The same rubric with wider maxima, so that every drawn score fits.
    wide = [c.model_copy(update={"max": Fraction(40)}) for c in rules.criterion]
    rules = rules.model_copy(update={"criterion": tuple(wide)})
    round_ = round_from_document(doc, rules)
    return tally_document(round_, rules, tally(round_, rules))


@QUICK
@given(rounds(), POLICIES, st.randoms(use_true_random=False))
def test_permutation_of_the_input_never_changes_result_or_hash(doc, rules, random):
    shuffled = dict(doc)
    for name in ("candidates", "sheets", "recusals", "defence_scores"):
        items = list(doc[name])
        random.shuffle(items)
        shuffled[name] = items
    ballots = list(doc["ballots"].items())
    random.shuffle(ballots)
    shuffled["ballots"] = dict(ballots)
    assert whole(shuffled, rules) == whole(doc, rules)


@QUICK
@given(rounds())
def test_substitution_equals_its_definition(doc):
    recused = {(r["reviewer"], r["code"]) for r in doc["recusals"]}
    given_ = {}
    for score in doc["defence_scores"]:
        if (score["judge"], score["code"]) not in recused:
            given_.setdefault(score["code"], []).append(Fraction(score["score"]))
    by_code = {c["code"]: c for c in doc["candidates"]}
    for item in whole(doc, RULES)["candidates"]:
        if item["defence"]["basis"] != "substituted":
            continue
        specialty = by_code[item["code"]]["specialty"]
        finals = [
            sum(points, Fraction(0)) / len(points)
            for code, points in given_.items()
            if by_code[code]["specialty"] == specialty
        ]
        assert Fraction(item["defence"]["points"]["exact"]) == sum(finals) / len(finals)
        assert item["defence"]["n"] == len(finals)


@QUICK
@given(rounds(), POLICIES)
def test_removing_an_exempt_candidate_changes_no_pool_and_no_other_points(doc, rules):
    before = {item["code"]: item for item in whole(doc, rules)["candidates"]}
    exempt = [c["code"] for c in doc["candidates"] if c["defence"] == "exempt"]
    for gone in exempt[:2]:
        if len(doc["candidates"]) == 1:
            continue
        less = {
            key: [item for item in value if item.get("code") != gone]
            if isinstance(value, list)
            else value
            for key, value in doc.items()
        }
        less["ballots"] = {c: b for c, b in doc["ballots"].items() if c != gone}
        for item in whole(less, rules)["candidates"]:
            assert item["defence"] == before[item["code"]]["defence"]
            assert item["total"] == before[item["code"]]["total"]


@QUICK
@given(rounds(), POLICIES)
def test_total_is_review_plus_defence_and_null_while_open(doc, rules):
    for item in whole(doc, rules)["candidates"]:
        parts = [item["review_points"], item["defence"]["points"]]
        if item["defence"]["basis"] == "undetermined" or parts[0] is None:
            assert item["total"] is None
            assert item["rank"] is None
        elif item["total"] is not None:
            exact = sum((Fraction(p["exact"]) for p in parts if p), Fraction(0))
            assert Fraction(item["total"]["exact"]) == exact


@QUICK
@given(rounds(), POLICIES)
def test_the_canonical_input_reads_back_as_itself(doc, rules):
    result = whole(doc, rules)
    wide = policy(criterion=result["policy"]["criterion"])
    assert round_document(round_from_document(result["input"], wide)) == result["input"]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rounds(), POLICIES, st.data())
def test_verify_detects_every_changed_digit(doc, rules, data):
    text = json_text(whole(doc, rules))
    assert verify_document(text).equal
    places = [i for i, letter in enumerate(text) if letter in "0123456789"]
    place = data.draw(st.sampled_from(places))
    other = data.draw(st.sampled_from([d for d in "0123456789" if d != text[place]]))
    assert not_equal(text[:place] + other + text[place + 1 :])


@QUICK
@given(rounds(), POLICIES, st.data())
def test_verify_detects_every_dropped_row(doc, rules, data):
    result = whole(doc, rules)
    lists = [
        ("candidates", result["candidates"]),
        ("ranking", result["ranking"]),
        ("sheets", result["input"]["sheets"]),
        ("input", result["input"]["candidates"]),
        ("scores", result["input"]["defence_scores"]),
        ("criterion", result["policy"]["criterion"]),
    ]
    _, rows = data.draw(st.sampled_from([pair for pair in lists if pair[1]]))
    rows.pop(data.draw(st.integers(0, len(rows) - 1)))
    assert not_equal(json_text(result))


def not_equal(text):
    """An edit is found: the re-computed tally differs, or the input can no longer be tallied."""
    try:
        return not verify_document(text).equal
    except RuleError:
        return True


def test_verify_detects_a_swapped_file_by_the_hash_on_the_minutes():
    docs = [document([candidate("A")], {"A": [score]}) for score in ("20", "20.5")]
    texts = [json_text(whole(doc, policy())) for doc in docs]
    found = [verify_document(text) for text in texts]
    assert all(item.equal for item in found)
    assert found[0].sha256 != found[1].sha256


def test_verify_refuses_doubled_keys_and_floats():
    text = json_text(whole(document([candidate("A")], {"A": ["20"]}), policy()))
    doubled = text.replace('"version": 1,', '"version": 1, "version": 1,', 1)
    assert doubled != text
    assert not_equal(doubled)
    as_float = text.replace('"year": 2024', '"year": 2024.0', 1)
    assert as_float != text
    assert not_equal(as_float)


def test_verify_tells_true_from_1():
    result = whole(document([candidate("A", "not_required")]), policy())
    text = json.dumps(result, ensure_ascii=False).replace('"n": 3', '"n": 3, "x": 1', 1)
    assert not_equal(text)
    result["candidates"][0]["rank"] = True
    assert not_equal(json_text(result))


@given(st.integers(0, 10**9 - 1), st.integers(0, 6))
def test_decimal_strings_read_and_write_back(units, places):
    value = Fraction(units, 10**places)
    assert parse_points(decimal_text(value)) == value


@given(st.fractions(0, 1000), st.integers(0, 4))
def test_rounding_is_half_up_to_the_nearest(value, places):
    shown = Fraction(rounded_text(value, places))
    gap = value - shown
    unit = Fraction(1, 10**places)
    # A half goes up, never down and never to even.
    assert -unit / 2 <= gap < unit / 2


def test_rounding_of_the_cases_that_floats_get_wrong():
    assert rounded_text(Fraction("2.675"), 2) == "2.68"
    assert rounded_text(Fraction("0.125"), 2) == "0.13"
    assert rounded_text(Fraction("1.005"), 2) == "1.01"
    assert rounded_text(Fraction("-0.125"), 2) == "-0.13"
    assert rounded_text(Fraction(5, 2), 0) == "3"


def test_no_float_is_ever_shown():
    item = results(document([candidate("A")], {"A": ["20", "20", "21"]}))["A"]
    assert isinstance(item.total, Fraction)


JUNK = st.sampled_from([None, True, 0, -1, 10**30, "", "x", "1e9", [], [[]], {}, {"a": []}])


def nodes(value, path=()):
    """Paths of everything inside a JSON value."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in items:
        yield (*path, key)
        if isinstance(item, dict | list):
            yield from nodes(item, (*path, key))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rounds(), POLICIES, st.data())
def test_verify_meets_any_junk_with_a_sentence_and_never_agrees(doc, rules, data):
    result = whole(doc, rules)
    path = data.draw(st.sampled_from(list(nodes(result))))
    junk = data.draw(JUNK)
    place = result
    for key in path[:-1]:
        place = place[key]
    same = json.dumps(place[path[-1]]) == json.dumps(junk)
    place[path[-1]] = junk
    assert same or not_equal(json_text(result))
