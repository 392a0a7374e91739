"""Names what is short when no assignment exists: a dossier, or a group by its minimum cut."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ortools.graph.python import max_flow

from models.errors import RuleError, Sentence
from scoring.assignment_conflicts import Dossier, Reviewer, why_not

_SHOWN = 12


@dataclass(frozen=True)
class DossierShortage:
    """A dossier that fewer reviewers may see than it needs."""

    code: str
    needed: int
    allowed: tuple[str, ...]


@dataclass(frozen=True)
class GroupShortage:
    """Dossiers that together need more reviews than the reviewers open to them can take.

    `needed` - `available` reviews are missing; `full` are the reviewers whose capacity is used up.
    """

    codes: tuple[str, ...]
    full: tuple[str, ...]
    needed: int
    available: int


class ShortageError(RuleError):
    """No assignment exists; `dossiers` and `group` name what is short, `sentences` say it."""

    def __init__(
        self,
        dossiers: tuple[DossierShortage, ...],
        group: GroupShortage | None,
        sentences: list[Sentence],
    ) -> None:
        self.dossiers = dossiers
        self.group = group
        super().__init__(sentences)


def check_supply(
    dossiers: Mapping[str, Dossier],
    reviewers: Mapping[str, Reviewer],
    allowed: Mapping[str, list[str]],
    needs: Mapping[str, int],
    room: Mapping[str, int],
) -> None:
    """Raise ShortageError unless every dossier can get `needs` of its `allowed` reviewers.

    `room` is how many more dossiers each reviewer can take (>= 0).
    """
    short = tuple(
        DossierShortage(code, need, tuple(allowed[code]))
        for code, need in sorted(needs.items())
        if len(allowed[code]) < need
    )
    lone = {item.code for item in short}
    group = _tight_group(allowed, {c: n for c, n in needs.items() if c not in lone}, room)
    if not short and group is None:
        return
    sentences = [_dossier_sentence(item, dossiers, reviewers) for item in short]
    if group is not None:
        sentences.append(_group_sentence(group))
    raise ShortageError(short, group, sentences)


def _tight_group(
    allowed: Mapping[str, list[str]], needs: Mapping[str, int], room: Mapping[str, int]
) -> GroupShortage | None:
    """The smallest minimum cut's dossiers, or None when the flow meets every need."""
    codes, people = sorted(needs), sorted(room)
    source, sink = 0, 1
    code_node = {code: 2 + i for i, code in enumerate(codes)}
    person_node = {person: 2 + len(codes) + i for i, person in enumerate(people)}
    flow = max_flow.SimpleMaxFlow()
    for code in codes:
        flow.add_arc_with_capacity(source, code_node[code], needs[code])
        for person in allowed[code]:
            flow.add_arc_with_capacity(code_node[code], person_node[person], 1)
    for person in people:
        flow.add_arc_with_capacity(person_node[person], sink, room[person])
    total = sum(needs.values())
    if total == 0:
        return None
    if flow.solve(source, sink) != flow.OPTIMAL:
        raise RuntimeError("the maximum-flow solver did not finish")
    if flow.optimal_flow() == total:
        return None
    side = set(flow.get_source_side_min_cut())
    group = tuple(code for code in codes if code_node[code] in side)
    full = tuple(person for person in people if person_node[person] in side)
    # A dossier can still give one review each to reviewers beyond the cut.
    beyond = sum(person not in full for code in group for person in allowed[code])
    needed = sum(needs[code] for code in group)
    return GroupShortage(group, full, needed, sum(room[person] for person in full) + beyond)


def _dossier_sentence(
    item: DossierShortage, dossiers: Mapping[str, Dossier], reviewers: Mapping[str, Reviewer]
) -> Sentence:
    blocked = [
        reason
        for person in sorted(reviewers)
        if person not in item.allowed
        for reason in why_not(reviewers[person], dossiers[item.code])
    ]
    why_zh = "".join(reason.sentence.zh for reason in blocked[:_SHOWN])
    why_en = " ".join(reason.sentence.en for reason in blocked[:_SHOWN])
    return Sentence(
        f"{item.code} 还需要 {item.needed} 名评委，只有 {len(item.allowed)} 名可评。请增加评委，"
        f"或核对回避与专业。{why_zh}",
        f"{item.code} needs {item.needed} more reviewers and only {len(item.allowed)} may see it. "
        f"Add reviewers or check recusals and specialties. {why_en}".rstrip(),
    )


def _group_sentence(group: GroupShortage) -> Sentence:
    missing = group.needed - group.available
    codes, full = _shown(group.codes), _shown(group.full)
    return Sentence(
        f"{len(group.codes)} 份材料（{codes}）共需 {group.needed} 份评审，可评的评委最多承担 "
        f"{group.available} 份，缺 {missing} 份。已满的评委：{full}。请提高其上限或增加评委。",
        f"{len(group.codes)} dossiers ({codes}) need {group.needed} reviews; the reviewers open to "
        f"them can take {group.available}, so {missing} are missing. Reviewers at their limit: "
        f"{full}. Raise their limits or add reviewers.",
    )


def _shown(names: tuple[str, ...]) -> str:
    more = f", +{len(names) - _SHOWN}" if len(names) > _SHOWN else ""
    return (", ".join(names[:_SHOWN]) or "-") + more
