"""The archive of a round proves itself; whatever is changed, added or taken away is found."""

from __future__ import annotations

import hashlib
import io
import json
import random
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine, update
from sqlalchemy.orm import Session
from typer.testing import CliRunner

from models.audit import Head, append_event, audit_head
from models.base import open_store
from models.errors import RuleError
from models.office_rounds import entrants_of
from models.review import Tally
from models.rounds import snapshot_policy
from models.tallies import record_ruling
from models.vault_rounds import OfficeRound
from scoring.canonical import sha256
from scoring.outputs import json_text
from scoring.policy_files import policy_from_document
from scoring.result_json import tally_document
from scoring.round_json import round_from_document
from scoring.tally import tally
from tests.models.rounds_sample import CODES, sample_round
from tests.webapp.closed_round import POLICY, closed_round, correct, freeze
from webapp.archive import write_archive
from webapp.archive_form import MANIFEST, manifest_of, put_member
from webapp.archive_proof import verify_archive
from webapp.cli import app
from webapp.settings import Settings

Members = dict[str, bytes]


@pytest.fixture
def review(settings: Settings) -> Engine:
    return open_store(settings.review_url)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, installed: Settings) -> tuple[bytes, Head]:
    """An archive's bytes and the head that stands on the minutes."""
    folder = tmp_path_factory.mktemp("archive")
    source = installed.data / "review" / "review.db"
    (folder / "review.db").write_bytes(source.read_bytes())
    with Session(open_store(f"sqlite:///{folder / 'review.db'}")) as session:
        round_id = closed_round(session)
        printed = audit_head(session)
        append_event(session, actor="office", action="later", details={})
        write_archive(folder / "a.zip", session, round_id)
    return (folder / "a.zip").read_bytes(), printed


def members_of(data: bytes) -> Members:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(path: Path, members: Members, head: Head | None = None) -> Path:
    """An archive of changed members whose forger also made the manifest again."""
    members = dict(members)
    old = json.loads(members.pop(MANIFEST))["audit"]
    files = [(n, len(d), hashlib.sha256(d).hexdigest()) for n, d in members.items()]
    with zipfile.ZipFile(path, "w") as archive:
        for name in sorted(members):
            put_member(archive, name, members[name])
        put_member(archive, MANIFEST, manifest_of(files, head or Head(old["number"], old["hash"])))
    return path


def said(path: Path, head: str = "") -> str:
    return "\n".join(sentence.en for sentence in verify_archive(path, head=head).problems)


def test_a_whole_archive(tmp_path: Path, made: tuple[bytes, Head]) -> None:
    data, printed = made
    path = tmp_path / "a.zip"
    path.write_bytes(data)
    check = verify_archive(path, head=printed.hash)
    assert check.problems == []
    assert sorted(check.tallies) == [1, 2]
    assert check.head.number == printed.number + 1
    assert not check.identities
    there = members_of(data)
    assert list(there)[:-1] == sorted(there.keys() - {MANIFEST})
    assert there["tallies/002/minutes.pdf"].startswith(b"%PDF")
    result = json.loads(there["tallies/002/result.json"])
    assert result["input"]["corrections"] and result["input"]["rulings"]
    assert json.loads(there["round.json"]) == result["input"]


def test_the_bytes_follow_from_the_round(review: Engine, tmp_path: Path) -> None:
    with Session(review) as session:
        round_id = closed_round(session)
        first = write_archive(tmp_path / "a.zip", session, round_id)
        time.sleep(1.1)  # times in workbooks and PDF are whole seconds
        assert write_archive(tmp_path / "b.zip", session, round_id) == first
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    assert sorted(p.name for p in tmp_path.glob("*.zip")) == ["a.zip", "b.zip"]
    assert not list(tmp_path.glob(".archive-*"))


def test_the_frame_of_members_never_changes(tmp_path: Path) -> None:
    """A Python that wrote ZIPs otherwise would take whole archives of before for changed ones."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        put_member(archive, "a", b"1")
    digest = hashlib.sha256((tmp_path / "a.zip").read_bytes()).hexdigest()
    assert digest == "66bf27c7c95d65325b7875e2b7249904c80d798c2f9f797918db06850070ed1f"


def test_any_flipped_bit_is_found(tmp_path: Path, made: tuple[bytes, Head]) -> None:
    data = made[0]
    path = tmp_path / "a.zip"
    ends = [*range(60), *range(len(data) - 60, len(data))]
    drawn = random.Random(5)
    for place in [*drawn.sample(ends, 30), *drawn.sample(range(len(data)), 40)]:
        flipped = bytearray(data)
        flipped[place] ^= 1 << drawn.randrange(8)
        path.write_bytes(flipped)
        assert verify_archive(path).problems, place


@pytest.mark.parametrize("change", [lambda d: d[:-1], lambda d: d + b"x", lambda d: b"x" + d,
                                    lambda d: d[: len(d) // 2], lambda d: b""])  # fmt: skip
def test_a_cut_or_longer_file_is_found(
    tmp_path: Path, made: tuple[bytes, Head], change: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(change(made[0]))
    assert verify_archive(path).problems


def test_members_are_neither_added_nor_missing(tmp_path: Path, made: tuple[bytes, Head]) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(made[0])
    with zipfile.ZipFile(path, "a") as archive:
        put_member(archive, "note.txt", b"x")
    assert "note.txt is not on the manifest" in said(path)
    there = members_of(made[0])
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in there.items():
            if name != "rulings.json":
                put_member(archive, name, data)
    assert "rulings.json is missing" in said(path)
    # Also when the forger made the manifest again.
    del there["attendance.json"]
    assert "has no attendance.json" in said(packed(path, there))


def rehash(lines: list[dict[str, object]]) -> tuple[bytes, Head]:
    """A chain that a forger numbered and hashed again from the first event."""
    previous, out = "0" * 64, []
    for number, event in enumerate(lines, 1):
        event = {**event, "number": number, "previous": previous}
        parts = [event[k] for k in ("number", "at", "actor", "action", "details", "previous")]
        text = json.dumps(parts, ensure_ascii=False)
        previous = event["hash"] = hashlib.sha256(text.encode()).hexdigest()
        out.append(event)
    return chain_bytes(out), Head(len(out), previous)


def chain_bytes(events: list[dict[str, object]]) -> bytes:
    lines = (json.dumps(e, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
             for e in events)  # fmt: skip
    return ("\n".join(lines) + "\n").encode()


def edited(events: list[dict[str, object]]) -> list[dict[str, object]]:
    return [{**e, "actor": "x"} if e["number"] == 5 else e for e in events]


CHAINS = {
    "edited": edited,
    "added": lambda events: [*events[:4], events[4], *events[4:]],
    "removed": lambda events: [*events[:4], *events[5:]],
    "reordered": lambda events: [*events[:4], events[5], events[4], *events[6:]],
    "truncated": lambda events: events[:-2],
}


@pytest.mark.parametrize("how", CHAINS)
def test_a_changed_chain_is_found(tmp_path: Path, made: tuple[bytes, Head], how: str) -> None:
    there = members_of(made[0])
    events = [json.loads(line) for line in there["audit.jsonl"].decode().split("\n")[:-1]]
    assert chain_bytes(events) == there["audit.jsonl"]
    there["audit.jsonl"] = chain_bytes(CHAINS[how](events))
    assert "udit" in said(packed(tmp_path / "a.zip", there))


@pytest.mark.parametrize("how", CHAINS)
def test_a_chain_written_anew_does_not_lead_to_the_printed_head(
    tmp_path: Path, made: tuple[bytes, Head], how: str
) -> None:
    there = members_of(made[0])
    events = [json.loads(line) for line in there["audit.jsonl"].decode().split("\n")[:-1]]
    there["audit.jsonl"], head = rehash(CHAINS[how](events))
    path = packed(tmp_path / "a.zip", there, head)
    assert "head on the minutes" in said(path, made[1].hash)


def test_a_swapped_tally_is_found(tmp_path: Path, made: tuple[bytes, Head]) -> None:
    there = members_of(made[0])
    name = "tallies/002/result.json"
    given = json.loads(there[name])
    given["input"]["sheets"][0]["scores"]["业绩"] = "40"
    policy = policy_from_document(given["policy"])
    round_ = round_from_document(given["input"], policy)
    forged = tally_document(round_, policy, tally(round_, policy))
    there[name] = json_text(forged).encode()
    path = packed(tmp_path / "a.zip", there)
    assert "number 2 is not the one that was frozen" in said(path)
    assert "round.json is not what the last tally" in said(path)
    record = json.loads(there["tallies/002/record.json"])
    record["body_sha256"] = hashlib.sha256(there[name]).hexdigest()
    there["tallies/002/record.json"] = json_text(record).encode()
    there["round.json"] = json_text(forged["input"]).encode()
    assert said(packed(path, there)).startswith("Tally number 2 is not the one that was frozen")
    # The earlier tally in the place of the later one.
    there = members_of(made[0])
    there |= {
        name.replace("001", "002"): data
        for name, data in there.items()
        if name.startswith("tallies/001")
    }
    assert "does not follow" in said(packed(path, there))
    # A tally that does not compute.
    given = json.loads(there["tallies/001/result.json"])
    given["candidates"][0]["total"] = {"exact": "1", "rounded": "1.00"}
    there["tallies/001/result.json"] = json_text(given).encode()
    assert "differs at" in said(packed(path, there))


@pytest.mark.parametrize(
    ("name", "old", "new", "expected"),
    [
        ("rulings.json", '"value": "25"', '"value": "30"', "rulings"),
        ("round.json", '"yes": 2', '"yes": 3', "The ballots on"),
        ("ballots.json", '"abstain": 1', '"abstain": 0', "The ballots on"),
        ("ballots.json", '"paper",', '"tablet",', "The roll of"),
        ("ballots.json", "true", "false", "The roll of"),
        ("ballots.json", '"R01"', '"R09"', "The roll of"),
        ("papers.json", '"number": 3, "papers": 1', '"number": 3, "papers": 0', "no two persons"),
        ("papers.json", '"by": "admin"', '"by": "office"', "no two persons"),
        ("receipts.json", '"receipts": [', '"receipts": [\n"ABCDEFGH",', "The receipts of"),
        ("policies/002.toml", 'pass_score = "60"', 'pass_score = "50"', "policy"),
        ("tallies/001/record.json", '"reason": ""', '"reason": "x"', ""),
    ],
)
def test_a_changed_record_is_found(
    tmp_path: Path, made: tuple[bytes, Head], name: str, old: str, new: str, expected: str
) -> None:
    there = members_of(made[0])
    assert old in there[name].decode()
    there[name] = there[name].decode().replace(old, new, 1).encode()
    path = tmp_path / "a.zip"
    if expected:
        assert expected in said(packed(path, there))
    with zipfile.ZipFile(path, "w") as archive:
        for member, data in there.items():
            put_member(archive, member, data)
    assert f"{name} is not what the manifest says" in said(path)


def test_the_ballots_are_there_and_how_a_member_voted_is_not(made: tuple[bytes, Head]) -> None:
    there = members_of(made[0])
    entries = json.loads(there["papers.json"])
    assert [(e["number"], e["by"], e["papers"]) for e in entries] == [
        (1, "office", 1), (2, "admin", 1), (3, "office", 1),
    ]  # fmt: skip
    # One paper lay in the box: its count by candidate would be the vote of one member.
    assert {key for e in entries for key in e} == {"ballot", "number", "papers", "by", "at"}
    (box,) = json.loads(there["receipts.json"])
    assert len(box["receipts"]) == 2 and box["receipts"] == sorted(box["receipts"])
    for code in box["receipts"]:
        assert [name for name, data in there.items() if code.encode() in data] == ["receipts.json"]


@pytest.mark.parametrize("how", ["left out", "added"])
def test_a_ballot_more_or_less_is_found(tmp_path: Path, made: tuple[bytes, Head], how: str) -> None:
    there = members_of(made[0])
    rows = json.loads(there["ballots.json"])
    rows = [*rows, {**rows[0], "ballot": "0" * 32}] if how == "added" else []
    there["ballots.json"] = json_text(rows).encode()
    assert "not those that the audit chain closed" in said(packed(tmp_path / "a.zip", there))


def test_what_may_not_be_archived(review: Engine, tmp_path: Path) -> None:
    out = tmp_path / "a.zip"

    def refused(session: Session, round_id: int) -> str:
        with pytest.raises(RuleError) as error:
            write_archive(out, session, round_id)
        assert list(tmp_path.glob("*.zip")) == list(tmp_path.glob(".archive-*")) == []
        return " ".join(sentence.en for sentence in error.value.sentences)

    with Session(review) as session:
        assert "Only a closed round" in refused(session, sample_round(session))
        session.rollback()
        round_id = closed_round(session)
        session.commit()
        correct(session, round_id)
        assert "changed after tally number 2" in refused(session, round_id)
        session.rollback()
        text = POLICY.replace('pass_score = "60"', 'pass_score = "50"')
        snapshot_policy(session, round_id=round_id, text=text, by="o")
        assert "another policy" in refused(session, round_id)
        session.rollback()
        session.execute(update(Tally).filter_by(number=1).values(body="{}"))
        with pytest.raises(RuleError):
            write_archive(out, session, round_id)
        session.rollback()
        write_archive(out, session, round_id)


def test_nobody_is_named_unless_it_is_asked_for(
    review: Engine, vault: Engine, round_id: int, tmp_path: Path
) -> None:
    with Session(review) as session, Session(vault) as office:
        closed = closed_round(session)
        office.get_one(OfficeRound, round_id).review_round_id = closed
        office.flush()
        people = entrants_of(office, round_id)
        made = write_archive(tmp_path / "a.zip", session, closed, vault=office)
        write_archive(tmp_path / "b.zip", session, closed, vault=office, include_identities=True)
        assert made.named_in == ()
        record_ruling(
            session, round_id=closed, code=CODES[0], subject="tie_order", value="1",
            reason=f"{people[0].name[:2]} {people[0].name[2:]}同志", by="s",
        )  # fmt: skip
        freeze(session, closed, reason="裁定", confirmed_by="admin")
        made = write_archive(tmp_path / "c.zip", session, closed, vault=office)
        assert made.named_in == ("round.json", "rulings.json", "tallies/003/result.json")
    blind, named = members_of((tmp_path / "a.zip").read_bytes()), verify_archive(tmp_path / "b.zip")
    for person in people:
        for text in (person.name, person.unit):
            assert not any(text.encode() in data for data in blind.values())
    assert named.identities and named.problems == []
    key = json.loads(members_of((tmp_path / "b.zip").read_bytes())["identities.json"])
    assert [row["code"] for row in key] == sorted(person.code for person in people)
    assert {row["name"] for row in key} == {person.name for person in people}


def test_the_command(tmp_path: Path, made: tuple[bytes, Head]) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(made[0])
    run = CliRunner().invoke
    env = {"MANGPING_LANG": "en"}
    good = run(app, ["verify-archive", str(path), "--head", made[1].hash.upper()], env=env)
    assert (good.exit_code, good.stderr) == (0, "Equal.\n")
    assert f"sha256 {hashlib.sha256(made[0]).hexdigest()}" in good.stdout
    result = json.loads(members_of(made[0])["tallies/002/result.json"])
    assert f"tally 2 {result['sha256']}" in good.stdout
    assert sha256(result["policy"]) == json.loads(
        members_of(made[0])["tallies/002/record.json"]
    )["policy_sha256"]  # fmt: skip
    assert "Without --head" in run(app, ["verify-archive", str(path)], env=env).stderr
    assert run(app, ["verify-archive", str(path), "--head", "ab" * 32]).exit_code == 1
    assert run(app, ["verify-archive", str(path), "--head", "zz"]).exit_code == 2
    assert run(app, ["verify-archive", str(tmp_path / "none.zip")]).exit_code == 2
    path.write_bytes(made[0][:-5])
    cut = run(app, ["verify-archive", str(path)], env={"MANGPING_LANG": "zh"})
    assert cut.exit_code == 1 and "不是完整的 ZIP" in cut.stderr
