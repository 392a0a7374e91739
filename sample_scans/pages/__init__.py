"""The page types by name; each function draws one sheet and names what is special about it."""

from __future__ import annotations

from collections.abc import Callable

from sample_scans.canvas import Canvas
from sample_scans.pages import cards, dense, forms, papers
from sample_scans.pages.context import Context

PAGES: dict[str, Callable[[Context], tuple[Canvas, tuple[str, ...]]]] = {
    "id_card": cards.id_card,
    "degree": cards.degree,
    "title_certificate": cards.title_certificate,
    "award": cards.award,
    "continuing_education": cards.continuing_education,
    "badge": cards.badge,
    "group": cards.group,
    "xuexin": forms.xuexin,
    "appraisal": forms.appraisal,
    "insurance": forms.insurance,
    "pledge": forms.pledge,
    "appointment": papers.appointment,
    "paper": papers.paper,
    "paper_body": papers.paper_body,
    "summary": papers.summary,
    "summary_end": papers.summary_end,
    "couplet": papers.couplet,
    "watermark": papers.watermark,
    "small_print": papers.small_print,
    "plain": papers.plain,
    "bulletin": dense.bulletin,
    "stamps": dense.stamps,
    "labels": dense.labels,
    "photos": dense.photos,
    "board": dense.board,
    "bilingual": dense.bilingual,
    "contract": dense.contract,
}
COLOURED_GROUND = frozenset({"id_card", "degree", "title_certificate", "award", "couplet"})
"""Page types whose print stands on tinted paper or a tinted card."""
