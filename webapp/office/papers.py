"""Paper ballots at the desk: two persons enter their own count, and see only where they differ."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from models.ballot_box import BallotFacts
from models.errors import RuleError, Sentence
from models.paper_ballots import MOST, enter_papers, paper_state
from models.review_ballots import CHOICES
from models.vault_accounts import ROLES
from models.vault_rounds import OfficeRound
from webapp.language import t
from webapp.office.app import review, signed_in, undone
from webapp.office.ballots import ballot_or_404
from webapp.office.rounds import round_or_404
from webapp.security import allow

pages = Blueprint("papers", __name__)


@pages.app_template_global()
def choice_word(choice: str) -> str:
    """What a choice is called; "" is the number of papers."""
    return {
        "": t("选票张数", "Papers"),
        "yes": t("同意", "Yes"),
        "no": t("不同意", "No"),
        "abstain": t("弃权", "Abstain"),
        "spoiled": t("废票", "Spoiled"),
    }[choice]


@pages.route("/rounds/<int:round_id>/ballots/<ballot_id>/papers", methods=["GET", "POST"])
@allow(*ROLES)
def count(round_id: int, ballot_id: str) -> Response | str | tuple[str, int]:
    found = round_or_404(round_id)
    facts = ballot_or_404(found, ballot_id)
    if request.method in ("GET", "HEAD"):
        return _page(found, facts, _own(facts), [])
    try:
        papers, counts = _counted(facts)
        state = enter_papers(
            review(), ballot_id=facts.id, papers=papers, counts=counts, by=signed_in().login
        )
    except RuleError as error:
        problems = undone(error)
        facts = ballot_or_404(found, ballot_id)
        return _page(found, facts, request.form.to_dict(), problems), 422
    if state.differences:
        flash(t("已保存，但与另一人的点票不同，请一起重新点票。",
                "Kept, but it differs from the other count: count again together."))  # fmt: skip
    elif state.agreed:
        flash(t("已保存，两人点票一致。", "Kept; both counts agree."))
    else:
        flash(t("已保存。请另一人登录自己的账号再点一次。",
                "Kept. Now another person counts and enters it from another account."))  # fmt: skip
    return redirect(url_for("papers.count", round_id=found.id, ballot_id=facts.id), 303)


def _own(facts: BallotFacts) -> dict[str, str]:
    """The form's values of whoever looks; another's count is not shown to the second person."""
    mine = signed_in().login
    for entry in paper_state(review(), facts.id).entries:
        if entry.by == mine:
            counts = {
                f"{code}-{choice}": str(count)
                for code, said in entry.counts.items()
                for choice, count in said.items()
            }
            return {"papers": str(entry.papers), **counts}
    return {}


def _counted(facts: BallotFacts) -> tuple[int, dict[str, dict[str, int]]]:
    problems: list[Sentence] = []

    def number(name: str, zh: str, en: str) -> int:
        text = request.form.get(name, "").strip()
        if text.isascii() and text.isdecimal() and len(text) < 5 and int(text) <= MOST:
            return int(text)
        problems.append(
            Sentence(f"{zh}应为整数，现为“{text}”。", f'{en}: write a whole number, not "{text}".')
        )
        return 0

    papers = number("papers", "选票张数", "The number of papers")
    counts = {
        item.code: {
            choice: number(f"{item.code}-{choice}", f"{item.code} 的票数", f"{item.code}, {choice}")
            for choice in CHOICES
        }
        for item in facts.items
    }
    if problems:
        raise RuleError(problems)
    return papers, counts


def _page(
    found: OfficeRound, facts: BallotFacts, values: dict[str, str], problems: list[str]
) -> str:
    state = paper_state(review(), facts.id)
    mine = signed_in().login
    return render_template(
        "papers.html",
        round=found,
        facts=facts,
        state=state,
        values=values,
        choices=CHOICES,
        problems=problems,
        # Only when both have counted on their own may one see what the other entered.
        differences=state.differences if any(e.by == mine for e in state.entries) else (),
    )
