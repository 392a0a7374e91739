"""The five notices say what they say and no more; offices extend them; mistakes have lines."""

import pytest

from scoring.errors import PolicyError
from scoring.policy import Policy
from scoring.policy_files import load_policy, policy_from_document, shipped_names
from scoring.policy_lines import key_lines, line_of
from scoring.policy_table import SILENT, side_by_side

FIVE = (
    "culture_bazhou_2021",
    "forestry_bazhou_2021",
    "nonferrous_region_2021",
    "science_bazhou_2024",
    "water_bazhou_2021",
)
SETTINGS = ("aggregate", "rounding", "vote", "decision")


def test_five_notices_ship():
    assert shipped_names() == FIVE


@pytest.mark.parametrize("name", FIVE)
def test_every_rule_of_a_notice_has_its_clause(name):
    policy = load_policy(name)
    title = policy.notice.title
    rules = [*policy.exemption, *policy.material, *policy.education, policy.submission]
    rules += [policy.publicity, policy.fees, policy.fraud, policy.blind_review]
    rules.append(policy.defence.substitution)
    said = [rule.clause for rule in rules if rule is not None] + [policy.defence.clause]
    assert all(clause.startswith(title) for clause in said)


@pytest.mark.parametrize("name", FIVE)
def test_no_notice_states_rubric_pass_mark_rounding_trimming_or_quota(name):
    policy = load_policy(name)
    assert policy.criterion == ()
    assert not [key for key in SETTINGS if key in policy.document()]


def test_silent_rules_are_absent():
    policies = {name: load_policy(name) for name in FIVE}
    assert [n for n in FIVE if policies[n].defence.substitution] == [FIVE[1], FIVE[3]]
    assert [n for n in FIVE if policies[n].defence.veto is not None] == [FIVE[2]]
    assert [n for n in FIVE if policies[n].defence.unscored_exempt] == [FIVE[3]]
    assert [n for n in FIVE if policies[n].blind_review] == [FIVE[3]]
    assert [n for n in FIVE if policies[n].publicity is None] == [FIVE[1]]
    assert [n for n in FIVE if policies[n].fees is None] == [FIVE[1], FIVE[2]]
    assert policies[FIVE[0]].fees.middle is None


def test_grounds_of_each_notice():
    grounds = {n: [e.ground for e in load_policy(n).exemption] for n in FIVE}
    local = ["service", "remote_county", "below_county", "junior"]
    assert grounds == {
        "culture_bazhou_2021": [*local, "non_public"],
        "forestry_bazhou_2021": [*local, "non_public"],
        "nonferrous_region_2021": ["service"],
        "science_bazhou_2024": local,
        "water_bazhou_2021": [*local, "non_public"],
    }


def test_forestry_grants_the_average_to_service_only():
    assert load_policy("forestry_bazhou_2021").defence.substitution.grounds == ("service",)


@pytest.mark.parametrize("name", FIVE)
def test_a_policy_reads_back_from_its_document(name):
    policy = load_policy(name)
    assert policy_from_document(policy.document()) == policy


def test_an_offices_file_extends_key_by_key(tmp_path):
    path = tmp_path / "office.toml"
    path.write_text(
        'extends = "forestry_bazhou_2021"\n'
        '[defence]\nmax = "30"\n'
        '[[exemption]]\nground = "junior"\nclause = "本单位规定"\n'
        '[[criterion]]\nid = "work"\nname = "业绩"\nmax = 0.5\n',
        encoding="utf-8",
    )
    policy = load_policy(path)
    assert policy.name == "office"
    assert policy.defence.mode == "scored"
    assert str(policy.defence.max) == "30"
    assert str(policy.criterion[0].max) == "1/2"
    assert len(policy.exemption) == 5
    assert policy.exemption_on("junior").clause == "本单位规定"


def test_a_file_may_extend_another_file_beside_it(tmp_path):
    (tmp_path / "base.toml").write_text('[decision]\nrule = "vote"\n', encoding="utf-8")
    path = tmp_path / "office.toml"
    path.write_text('extends = "base.toml"\n[rounding]\nplaces = 1\n', encoding="utf-8")
    policy = load_policy(path)
    assert (policy.decision.rule, policy.places) == ("vote", 1)


def test_every_schema_mistake_is_reported_with_its_line(tmp_path):
    path = tmp_path / "office.toml"
    path.write_text(
        "\n".join(
            [
                'extends = "water_bazhou_2021"',
                "# a remark",
                "[defence]",
                'mode = "scord"',
                "[defence.substitution]",
                'grounds = ["service", "friends"]',
                "[vote]",
                'quorum = "0.667"',
                "[[criterion]]",
                'id = "a"',
                'name = "x"',
                'max = "30"',
                "[[criterion]]",
                'id = "b"',
                "max = -3",
                "foo = 1",
                "[rounding]",
                "places = 2.5",
            ]
        ),
        encoding="utf-8",
    )
    with pytest.raises(PolicyError) as caught:
        load_policy(path)
    assert sorted(p.place.en for p in caught.value.problems) == [
        "office line 13, criterion.2.name",
        "office line 15, criterion.2.max",
        "office line 16, criterion.2.foo",
        "office line 18, rounding.places",
        "office line 4, defence.mode",
        "office line 5, defence.substitution.clause",
        "office line 6, defence.substitution.grounds.2",
        "office line 8, vote.quorum",
    ]
    assert all(p.what.zh and p.what.en for p in caught.value.problems)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[defence\n", "TOML"),
        ('extends = "office.toml"\n', "extends"),
        ('extends = "nowhere"\n', "nowhere"),
        ("extends = 3\n", "extends"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(tmp_path, text, words):
    path = tmp_path / "office.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PolicyError, match=words):
        load_policy(path)


def test_two_criteria_of_one_id_are_refused():
    item = {"id": "a", "name": "x", "max": "1"}
    with pytest.raises(PolicyError, match=r"criterion\.a"):
        policy_from_document({"criterion": [item, item]})


def test_lines_of_nested_dotted_inline_and_listed_keys():
    lines = key_lines(
        'top = 1\n[a.b]\nc = [\n  "x",\n  "y",\n]\nd.e = 1\nf = { g = 1 }\n'
        "[[l]]\nm = 1\n[[l]]\nm = 2\n[l.n]\no = 3\n"
    )
    assert lines[("top",)] == 1
    assert lines[("a", "b", "c", 1)] == 5
    assert lines[("a", "b", "d", "e")] == 7
    assert lines[("a", "b", "f", "g")] == 8
    assert lines[("l", 1, "m")] == 12
    assert lines[("l", 1, "n", "o")] == 14
    assert line_of(("l", 0, "missing"), lines) == 9


def test_an_unknown_tie_break_is_refused_at_the_tally():
    from tests.scoring.rounds import candidate, document, policy, results

    doc = document([candidate("A")], {"A": ["20"]})
    with pytest.raises(PolicyError, match="beauty"):
        results(doc, policy(decision={"tie_break": ["beauty"]}))


def test_the_table_shows_all_five_with_silence_as_a_dash():
    policies = [load_policy(name) for name in FIVE]
    rows = {label.en: [str(item.en) for item in said] for label, said in side_by_side(policies)}
    assert rows["veto"] == [SILENT, SILENT, "yes", SILENT, SILENT]
    assert rows["after a return"] == [SILENT, SILENT, SILENT, "48 hours", SILENT]
    assert rows["submissions"] == ["at most 3", "at most 2", "at most 3", "at most 3", "at most 3"]


def test_an_empty_policy_has_the_documented_defaults():
    policy = Policy()
    assert (policy.places, policy.trim_min_n, policy.denominator) == (2, 5, "present_minus_recused")
    assert str(policy.quorum) == str(policy.approve) == "2/3"
