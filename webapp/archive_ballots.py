"""What an archive says of the secret ballots, and how the audit chain proves it.

The receipts are those that were shown to the members when a ballot was closed: random codes, tied
to no seat and to no choice. Of the ballots on paper there is who counted them, when, and how many
there were; what was on them stands only in the sum of a ballot, because the count of one or two
papers would say how a member voted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.errors import Sentence
from models.review_ballots import CHOICES, Ballot, BallotItem, PaperEntry, Receipt, VoterRoll

BALLOTS, PAPERS, RECEIPTS = "ballots.json", "papers.json", "receipts.json"
Rows = list[dict[str, Any]]
Events = Mapping[str, Sequence[Mapping[str, Any]]]
"""Action -> details of a round's events, each with its `actor`."""


def ballot_members(review: Session, round_id: int) -> dict[str, Rows]:
    """Name -> rows of the members on a round's ballots, in one fixed order."""
    chosen = select(Ballot.id, Ballot.present).filter_by(round_id=round_id)
    ballots = sorted((row.id, row.present) for row in review.execute(chosen))
    members: dict[str, Rows] = {BALLOTS: [], PAPERS: [], RECEIPTS: []}
    for ballot, present in ballots:
        roll = review.scalars(select(VoterRoll).filter_by(ballot_id=ballot))
        items = review.scalars(select(BallotItem).filter_by(ballot_id=ballot))
        entries = review.scalars(select(PaperEntry).filter_by(ballot_id=ballot))
        receipts = review.scalars(select(Receipt.code).filter_by(ballot_id=ballot))
        members[BALLOTS].append(
            {
                "ballot": ballot,
                "present": present,
                "roll": sorted([row.reviewer, row.means, row.has_voted] for row in roll),
                "items": [
                    {name: getattr(item, name) for name in ("code", "recused", *CHOICES)}
                    for item in sorted(items, key=lambda item: item.code)
                ],
            }
        )
        members[PAPERS] += [
            {
                "ballot": ballot,
                "number": entry.number,
                "papers": entry.papers,
                "by": entry.by,
                "at": entry.at,
            }
            for entry in sorted(entries, key=lambda entry: entry.number)
        ]
        members[RECEIPTS].append({"ballot": ballot, "receipts": sorted(receipts)})
    return members


def ballot_problems(document: Any, given: Mapping[str, Rows], events: Events) -> Iterator[Sentence]:
    """Where the round or the members on ballots are not what the chain said when they closed.

    `document`: the round as tallied. Errors of a malformed member are the caller's.
    """
    closings = {event["ballot"]: event for event in events.get("close_ballot", ())}
    held = {row["ballot"]: row for row in given[BALLOTS]}
    receipts = {row["ballot"]: row["receipts"] for row in given[RECEIPTS]}
    if not held.keys() == closings.keys() == receipts.keys():
        yield Sentence(
            "投票的场次与审计链中结束的投票不符。",
            "The ballots are not those that the audit chain closed.",
        )
    for ballot in sorted(held.keys() & closings.keys() & receipts.keys()):
        closed = closings[ballot]
        items = {item["code"]: item for item in held[ballot]["items"]}
        for code, counted in closed["counts"].items():
            counts = {choice: counted.get(choice, 0) for choice in CHOICES}
            for said in (document["ballots"], items):
                if {choice: said.get(code, {}).get(choice) for choice in CHOICES} != counts:
                    yield Sentence(
                        f"{code} 的票数与审计链中投票结束时的票数不同。",
                        f"The ballots on {code} are not those that the audit chain closed with.",
                    )
                    break
        roll = held[ballot]["roll"]
        if items.keys() != closed["counts"].keys() or not _roll_fits(ballot, roll, closed, events):
            yield Sentence(
                f"投票 {ballot[:8]}… 的名单与审计链中登记的不同。",
                f"The roll of the ballot {ballot[:8]}... is not the one of the audit chain.",
            )
        codes = receipts[ballot]
        digest = hashlib.sha256("\n".join(codes).encode()).hexdigest()
        if (len(codes), digest) != (closed["voted"], closed["receipts"]):
            yield Sentence(
                f"投票 {ballot[:8]}… 的回执码与投票结束时公布的不同。",
                f"The receipts of the ballot {ballot[:8]}... are not those that were published "
                "when it was closed.",
            )
        entries = [row for row in given[PAPERS] if row["ballot"] == ballot]
        if not _papers_fit(ballot, entries, closed, events):
            yield Sentence(
                f"投票 {ballot[:8]}… 的纸质选票录入与审计链中登记的不同，或没有两人一致。",
                f"The counts of paper of the ballot {ballot[:8]}... are not those of the audit "
                "chain, or no two persons agree.",
            )


def _roll_fits(
    ballot: str, roll: Sequence[Sequence[Any]], closed: Mapping[str, Any], events: Events
) -> bool:
    """Who was there, on what they voted, and how many did."""
    opened = [e["present"] for e in events.get("open_ballot", ()) if e["ballot"] == ballot]
    paper = {
        event["seat"]: event["paper"]
        for event in events.get("mark_paper", ())
        if event["ballot"] == ballot
    }
    seats = [seat for seat, _, _ in roll]
    return (
        opened == [seats]
        and all((means == "paper") == paper.get(seat, False) for seat, means, _ in roll)
        and sum(has_voted is True for _, _, has_voted in roll) == closed["voted"]
    )


def _papers_fit(ballot: str, entries: Rows, closed: Mapping[str, Any], events: Events) -> bool:
    """Who counted, and that the newest counts of two persons give the number it closed with."""
    said = [
        (event["number"], event["actor"])
        for event in events.get("enter_papers", ())
        if event["ballot"] == ballot
    ]
    if said != [(entry["number"], entry["by"]) for entry in entries]:
        return False
    newest = {entry["by"]: entry["papers"] for entry in entries}
    if not newest:
        return bool(closed["papers"] == 0)
    return len(newest) > 1 and set(newest.values()) == {closed["papers"]}
