"""A round as experts find it: released pages, seats with cards, sheets to fill in; no vault."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from itertools import islice

import cv2
import numpy as np
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from models.released import BlindDossier, BlindPage, put_dossiers
from models.rounds import open_round
from models.seat_access import IssuedCard, issue_card, sign_in
from models.sheets import assign_sheets
from redactor.attachment import CATEGORIES
from redactor.blind_code import new_codes
from webapp.settings import ReviewSettings

POLICY = """extends = "science_bazhou_2024"

[[criterion]]
id = "achievements"
name = "业绩成果"
max = "60"
step = "0.5"
guidance = "获奖、项目、推广应用"

[[criterion]]
id = "papers"
name = "论文著作"
max = "40"
step = "0.5"
guidance = "本人为第一作者或通讯作者"

[aggregate]
method = "mean"
per = "criterion"
min_sheets = 1

[rounding]
places = 2
mode = "half_up"
"""
SIZE = (1240, 1754)
"""Width and height of every page in pixels."""
GAP = 4
"""More pages than this are one and the same picture."""


@dataclass(frozen=True)
class ReviewRound:
    """What was made. `cards`, `tokens`: by seat; a token is the cookie of a signed-in tablet."""

    round_id: int
    codes: tuple[str, ...]
    cards: dict[str, IssuedCard]
    tokens: dict[str, str]


def furnish_review(
    store: Engine,
    settings: ReviewSettings,
    *,
    dossiers: int = 3,
    pages: int = 4,
    seats: int = 3,
    members: int = 3,
    name: str = "2024年度科学研究系列",
) -> ReviewRound:
    """A round in phase `scoring` whose every dossier is assigned to every seat."""
    names = [f"R{number:02d}" for number in range(1, seats + 1)]
    with Session(store) as session, session.begin():
        round_id = open_round(
            session,
            name=name,
            year=2024,
            places=2,
            committee_members=members,
            policy_text=POLICY,
            seats=names,
            by="office",
        ).id
        codes = tuple(sorted(new_codes(dossiers)))
        put_dossiers(
            session,
            round_id=round_id,
            dossiers=[_dossier(settings, round_id, code, pages) for code in codes],
            by="office",
        )
        pairs = [(seat, code) for seat in names for code in codes]
        assign_sheets(session, round_id=round_id, pairs=pairs, by="office")
        cards = {seat: issue_card(session, round_id=round_id, seat=seat, by="office")
                 for seat in names}  # fmt: skip
        tokens = {seat: _signed_in(session, card) for seat, card in cards.items()}
    return ReviewRound(round_id, codes, cards, tokens)


def _signed_in(session: Session, card: IssuedCard) -> str:
    token = sign_in(session, number=card.number, secret=card.pin, device="test")
    assert token is not None
    return token


def _dossier(settings: ReviewSettings, round_id: int, code: str, pages: int) -> BlindDossier:
    folder = settings.blind / str(round_id) / code
    folder.mkdir(parents=True)
    categories = sorted(islice(CATEGORIES, pages))
    made = []
    for number in range(1, pages + 1):
        data = _page(number % GAP)
        (folder / f"{number:03d}.jpg").write_bytes(data)
        category = categories[number * len(categories) // (pages + 1)]
        digest = hashlib.sha256(data).hexdigest()
        made.append(BlindPage(number, category, "jpg", *SIZE, digest))
    return BlindDossier(code, "实验技术", "中级", tuple(made), receipt=f"receipt of {code}")


def _page(number: int) -> bytes:
    """Lines of grey as text has, a masked name, and the page's number in large."""
    page = np.full((SIZE[1], SIZE[0], 3), 255, np.uint8)
    for y in range(200, SIZE[1] - 150, 60):
        cv2.rectangle(page, (120, y), (SIZE[0] - 120 - (y * 7) % 300, y + 24), (90, 90, 90), -1)
    cv2.rectangle(page, (300, 320), (620, 350), (0, 0, 0), -1)
    cv2.putText(page, str(number), (560, 150), cv2.FONT_HERSHEY_SIMPLEX, 4, (40, 40, 40), 8)
    return cv2.imencode(".jpg", page, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes()
