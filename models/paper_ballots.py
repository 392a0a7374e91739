"""Writes of ballots on paper: who votes so, and two persons' counts that must agree.

Paper votes join a ballot as counts. A seat is marked for paper before it is given one, and no
tablet can vote for it from then on, so that nobody votes twice. Two persons count on their own;
while their newest counts differ, the ballot cannot be closed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from models.ballot_box import codes_of, lock_ballot, recused_pairs
from models.errors import Sentence
from models.review_ballots import CHOICES, Ballot, PaperCount, PaperEntry, VoterRoll
from models.rounds import InputError, OrderError, record_event

Counts = Mapping[str, Mapping[str, int]]
"""Candidate's code -> choice -> votes."""
MOST = 9_999


@dataclass(frozen=True)
class PaperCounted:
    """One person's newest count."""

    by: str
    papers: int
    counts: Counts


@dataclass(frozen=True)
class Difference:
    """What two persons counted differently; `code` and `choice` are "" for the papers' number."""

    code: str
    choice: str
    said: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class PaperState:
    """How far the paper of a ballot is. `entries`: the newest of each person, by name."""

    voters: tuple[str, ...]
    entries: tuple[PaperCounted, ...]
    differences: tuple[Difference, ...]

    @property
    def agreed(self) -> PaperCounted | None:
        """The count that holds: of two persons or more, all of them equal."""
        if len(self.entries) < 2 or self.differences:
            return None
        return self.entries[0]


def mark_paper(session: Session, *, ballot_id: str, seat: str, paper: bool, by: str) -> None:
    """Have a seat vote on paper, or on its tablet again; refused once its tablet has voted.

    Give the paper out after this, and take it back before undoing it.
    """
    ballot = _open(session, ballot_id)
    done = session.execute(
        update(VoterRoll)
        .filter_by(ballot_id=ballot_id, reviewer=seat, has_voted=False)
        .values(means="paper" if paper else "tablet")
        .returning(VoterRoll.reviewer)
        .execution_options(synchronize_session=False)
    ).scalar()
    if done is None:
        raise OrderError(
            Sentence(
                f"{seat} 已在平板上投票，或不在本次投票的出席名单上，不能改用纸质选票。",
                f"{seat} has voted on a tablet, or is not on the roll: no paper ballot for it.",
            )
        )
    record_event(
        session,
        by=by,
        action="mark_paper",
        round_id=ballot.round_id,
        details={"ballot": ballot_id, "seat": seat, "paper": paper},
    )
    session.flush()
    session.expire_all()


def enter_papers(
    session: Session, *, ballot_id: str, papers: int, counts: Counts, by: str
) -> PaperState:
    """Keep a person's count of the paper ballots; a later one of the same person replaces it.

    `papers`: how many lay in the box. For each candidate the votes add up to the papers that could
    hold a vote on it. Raises InputError with everything that cannot be.
    """
    ballot = _open(session, ballot_id)
    voters = _paper_voters(session, ballot_id)
    codes = codes_of(session, ballot_id)
    problems = _impossible(session, ballot, voters, codes, papers, counts)
    if problems:
        raise InputError(problems)
    last = session.scalar(select(func.max(PaperEntry.number)).filter_by(ballot_id=ballot_id))
    number = (last or 0) + 1
    # The names of those who counted and that they did: the counts come out when it is closed.
    at = record_event(
        session,
        by=by,
        action="enter_papers",
        round_id=ballot.round_id,
        details={"ballot": ballot_id, "number": number},
    )
    session.add(PaperEntry(ballot_id=ballot_id, number=number, papers=papers, by=by, at=at))
    session.flush()
    session.add_all(
        PaperCount(ballot_id=ballot_id, number=number, code=code, **dict(counts[code]))
        for code in sorted(codes)
    )
    session.flush()
    return paper_state(session, ballot_id)


def paper_state(session: Session, ballot_id: str) -> PaperState:
    """Who votes on paper, what was counted, and where the counts differ."""
    newest: dict[str, PaperEntry] = {}
    entries = session.scalars(
        select(PaperEntry).filter_by(ballot_id=ballot_id).order_by(PaperEntry.number)
    )
    for entry in entries:
        newest[entry.by] = entry
    rows = session.scalars(
        select(PaperCount).filter_by(ballot_id=ballot_id).order_by(PaperCount.code)
    ).all()
    counted = tuple(
        PaperCounted(
            by,
            entry.papers,
            {
                row.code: {choice: getattr(row, choice) for choice in CHOICES}
                for row in rows
                if row.number == entry.number
            },
        )
        for by, entry in sorted(newest.items())
    )
    return PaperState(_paper_voters(session, ballot_id), counted, _differences(counted))


def agreed_papers(session: Session, ballot: Ballot) -> PaperCounted | None:
    """What two persons agree on, None where nobody votes on paper; OrderError while it is open."""
    state = paper_state(session, ballot.id)
    if not state.voters and not state.entries:
        return None
    agreed = state.agreed
    if agreed is None:
        raise OrderError(_unsettled(state))
    problems = _impossible(
        session, ballot, state.voters, codes_of(session, ballot.id), agreed.papers, agreed.counts
    )
    if problems:
        raise OrderError(problems)
    return agreed


def _unsettled(state: PaperState) -> Sentence:
    if state.differences:
        return Sentence(
            f"两人录入的纸质选票有 {len(state.differences)} 处不同。请一起重新点票并更正，"
            "一致后才能结束投票。",
            f"The two counts of the paper ballots differ in {len(state.differences)} places. Count "
            "them again together and correct them; the ballot can be closed when they agree.",
        )
    who = "、".join(state.voters)
    return Sentence(
        f"有 {len(state.voters)} 人（{who}）使用纸质选票，须由两人分别点票录入"
        f"（已有 {len(state.entries)} 人录入），才能结束投票。",
        f"{len(state.voters)} seats ({who}) vote on paper: two persons must each enter their count "
        f"({len(state.entries)} did) before the ballot can be closed.",
    )


def _impossible(
    session: Session,
    ballot: Ballot,
    voters: tuple[str, ...],
    codes: set[str],
    papers: int,
    counts: Counts,
) -> list[Sentence]:
    problems = []
    if not 0 <= papers <= len(voters):
        problems.append(
            Sentence(
                f"纸质选票 {papers} 张，而登记使用纸质选票的只有 {len(voters)} 人。"
                "请核对登记和票数。",
                f"{papers} papers, but {len(voters)} seats are marked to vote on paper. Check the "
                "roll and the papers.",
            )
        )
    wrong = codes ^ counts.keys()
    if wrong or any(set(counts[code]) != set(CHOICES) for code in counts):
        said = "、".join(sorted(wrong))
        return [
            *problems,
            Sentence(
                f"每名候选人都要有四个票数。请核对：{said}",
                f"Each candidate needs its four counts. Check: {said}",
            ),
        ]
    recused = recused_pairs(session, ballot.round_id)
    for code in sorted(codes):
        votes = [counts[code][choice] for choice in CHOICES]
        away = sum((seat, code) in recused for seat in voters)
        # Papers that were not handed in may be those of the recused or of the others.
        least, most = max(0, papers - away), min(papers, len(voters) - away)
        if min(votes) < 0 or max(votes) > MOST or not least <= sum(votes) <= max(most, 0):
            span = str(most) if least == most else f"{least}-{most}"
            problems.append(
                Sentence(
                    f"{code}：同意、不同意、弃权、废票合计 {sum(votes)}，应为 {span}"
                    f"（{papers} 张选票，{away} 人回避）。请重新点票。",
                    f"{code}: yes, no, abstentions and spoiled add up to {sum(votes)}, not to "
                    f"{span} ({papers} papers, {away} recused). Count again.",
                )
            )
    return problems


def _differences(counted: tuple[PaperCounted, ...]) -> tuple[Difference, ...]:
    found = []
    papers = tuple((one.by, one.papers) for one in counted)
    if len({n for _, n in papers}) > 1:
        found.append(Difference("", "", papers))
    for code in sorted({code for one in counted for code in one.counts}):
        for choice in CHOICES:
            said = tuple((one.by, one.counts[code][choice]) for one in counted)
            if len({n for _, n in said}) > 1:
                found.append(Difference(code, choice, said))
    return tuple(found)


def _paper_voters(session: Session, ballot_id: str) -> tuple[str, ...]:
    return tuple(
        session.scalars(
            select(VoterRoll.reviewer)
            .filter_by(ballot_id=ballot_id, means="paper")
            .order_by(VoterRoll.reviewer)
        )
    )


def _open(session: Session, ballot_id: str) -> Ballot:
    ballot = lock_ballot(session, ballot_id, change=True)
    if ballot.state != "open":
        raise OrderError(Sentence("投票已经结束。", "The ballot is already closed."))
    return ballot
