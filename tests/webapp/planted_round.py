"""A round of planted people, released the real way, whose every trace in the vault is known.

Roster, upload and release have orders of their own, and each has its own years, so that a trace of
any of them can be told from the rest.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import PIL.Image as Pillow
import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

import models.base
from models.base import open_store
from models.office_experts import ExpertRow, put_experts
from models.office_release import ask_release
from models.office_rounds import make_round, put_entrants
from models.review_pages import ReleasedPage
from models.rounds import record_recusal
from models.seat_access import IssuedCard, issue_card, revoke_card, sign_in
from models.seats import add_seats
from models.sheets import assign_sheets
from models.vault_pages import Release
from models.vault_rounds import Entrant, OfficeRound, SourceFile
from redactor.applicant import Applicant
from redactor.blind_code import new_codes
from redactor.loading import load_page
from redactor.masking import encode
from tests.webapp.conftest import entrant_row
from tests.webapp.dossiers import add_page
from tests.webapp.review_meeting import MEETING_POLICY
from webapp.office.door import Stores, bring_back, let_out
from webapp.settings import Settings

SENT, LET_OUT = 2019, 2020
"""The years of the uploads and of the releases, by the clock of this round."""
CAMERA = "QX-7F3A-Planted"
OFFICE = "office-wangfang"
SEATS = ("R01", "R02", "R03", "R04")
REVOKED = "R04"
SIZE = (1100, 1556)
CATEGORIES = ("学历证书", "论文")
UPLOAD_ORDER = (5, 2, 7, 0, 3, 6, 1, 4)
"""Places on the roster, from 0, in the order in which their scans came."""


def _person(number: int, name: str, unit: str, said: str, **more: Any) -> Applicant:
    return Applicant(
        number,
        number + 3,
        name,
        unit,
        id_number=f"65280119{70 + number}0{number}1{number}45{number}{number}",
        phones=(f"1390996{number}4{number}7",),
        emails=(f"{said}@planted-unit.example.cn",),
        pinyin=(said,),
        specialty="实验技术",
        level="中级",
        folder=f"{number:02d}{name}-{unit}",
        **more,
    )


PEOPLE = (
    _person(1, "诸葛晓岚", "巴音郭楞蒙古自治州林业和草原局", "zhugexiaolan"),
    _person(2, "李建国强", "库尔勒市第三中学", "lijianguoqiang", former_names=("李卫红兵",)),
    _person(3, "欧阳承泽", "焉耆回族自治县人民医院", "ouyangchengze"),
    _person(4, "王芳菲菲", "和静县农业技术推广站", "wangfangfeifei"),
    _person(
        5,
        "阿依努尔·买买提",
        "若羌县水利管理总站",
        "ayinuer",
        native_names=("ئاينۇر مەمەت",),
    ),
    _person(6, "司马长风", "尉犁县棉花研究所", "simachangfeng", unit_short=("尉犁棉研所",)),
    _person(7, "陈思思敏", "轮台县畜牧兽医工作站", "chensisimin"),
    _person(8, "古丽巴哈尔", "且末县疾病预防控制中心", "gulibahaer"),
)
EXPERTS = (
    ExpertRow(1, "慕容教授甲", "R01", "新疆农业大学甲学院", phone="13899012345"),
    ExpertRow(2, "独孤研究员", "R02", "塔里木大学乙学院", phone="13899012346"),
    ExpertRow(3, "上官工程师", "R03", "石河子大学丙学院", phone="13899012347"),
    ExpertRow(4, "皇甫主任丁", "R04", "新疆大学丁学院", phone="13899012348"),
)


class Clock:
    """Stands for the class datetime where the stores ask for the time; each look is later."""

    at = datetime(SENT, 3, 14, 8, 15, 23, tzinfo=UTC)

    @classmethod
    def now(cls, _zone: object = None) -> datetime:
        cls.at += timedelta(minutes=7, seconds=13, microseconds=4567)
        return cls.at


@dataclass
class Planted:
    """What was made. `codes`: in the order of the roster, which is that of the releases.

    `names`: code -> the names of its pages' pictures. `frozen`: (code, name) of a page that was
    reported. `recused`: a code from which R02 is.
    """

    settings: Settings
    review: Engine
    round_id: int
    codes: tuple[str, ...]
    names: dict[str, list[str]]
    recused: str
    cards: dict[str, IssuedCard]
    tokens: dict[str, str]

    @property
    def by_upload(self) -> list[str]:
        return [self.codes[place] for place in UPLOAD_ORDER]

    def sign_in_anew(self) -> None:
        """New cards and tablets for all seats; that of REVOKED is revoked again."""
        with Session(self.review) as session, session.begin():
            for seat in SEATS:
                card = issue_card(session, round_id=self.round_id, seat=seat, by=OFFICE)
                token = sign_in(session, number=card.number, secret=card.pin, device="平板")
                assert token is not None
                self.cards[seat], self.tokens[seat] = card, token
            revoke_card(session, round_id=self.round_id, seat=REVOKED, by=OFFICE)


def plant(settings: Settings, vault: Engine) -> Planted:
    """A round in phase `scoring`, every dossier given to every seat."""
    review = open_store(settings.review_url)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(models.base, "datetime", Clock)
        round_id = _sent(settings, vault)
        Clock.at = datetime(LET_OUT, 1, 5, 9, tzinfo=UTC)
        _release(Stores(settings, vault, review), round_id)
    with Session(vault) as session:
        chosen = select(Entrant).filter_by(round_id=round_id).order_by(Entrant.number)
        codes = tuple(entrant.code for entrant in session.scalars(chosen))
        review_id = session.get_one(OfficeRound, round_id).review_round_id
    assert review_id is not None
    made = Planted(settings, review, review_id, codes, {}, max(codes), {}, {})
    with Session(review) as session, session.begin():
        add_seats(session, round_id=review_id, seats=SEATS, by=OFFICE)
        pairs = [(seat, code) for seat in SEATS for code in codes]
        assign_sheets(session, round_id=review_id, pairs=pairs, by=OFFICE)
        record_recusal(
            session, round_id=review_id, reviewer="R02", code=made.recused, reason="同一单位",
            by="R02",
        )  # fmt: skip
        for page in session.scalars(select(ReleasedPage).order_by(ReleasedPage.number)):
            made.names.setdefault(page.code, []).append(page.sha256[:32])
    made.sign_in_anew()
    return made


def _sent(settings: Settings, vault: Engine) -> int:
    """The vault's round, with everybody's scans and masked pages."""
    with Session(vault) as session, session.begin():
        made = make_round(
            session,
            name=f"{PEOPLE[0].unit}2024年度职称评审",
            year=2024,
            policy_name="own",
            policy=MEETING_POLICY,
            profile="strict",
            committee_members=3,
            by=OFFICE,
        )
        codes = dict(zip((p.number for p in PEOPLE), new_codes(len(PEOPLE), []), strict=True))
        rows = [entrant_row(person) for person in PEOPLE]
        put_entrants(session, round_id=made.id, rows=rows, codes=codes, by=OFFICE)
        put_experts(session, round_id=made.id, rows=EXPERTS, by=OFFICE)
        people = session.scalars(
            select(Entrant).filter_by(round_id=made.id).order_by(Entrant.number)
        ).all()
        for place in UPLOAD_ORDER:
            for number, category in enumerate(CATEGORIES, 1):
                _send(session, settings, people[place], PEOPLE[place], number, category)
        return made.id


def _send(
    session: Session,
    settings: Settings,
    entrant: Entrant,
    person: Applicant,
    number: int,
    category: str,
) -> None:
    name = f"{category}-{person.name}-IMG_{SENT}0314_{person.number}{number}1523.jpg"
    scan = _scan(person, number)
    masked = _masked(settings, scan)
    add_page(
        session, settings, entrant, number, name=name, category=category, scan=scan, masked=masked
    )


def _scan(person: Applicant, number: int) -> bytes:
    """A JPEG as a telephone makes it: its metadata name the person, the unit, the place and time.

    Its small preview inside the metadata is the unmasked page.
    """
    noise = np.random.default_rng(person.number * 10 + number).integers(0, 255, (40, 30, 3))
    pixels = cv2.resize(noise.astype(np.uint8), SIZE, interpolation=cv2.INTER_LINEAR)
    picture = Pillow.fromarray(pixels)
    exif = Pillow.Exif()
    exif[0x010E] = f"{person.unit} {person.name}"
    exif[0x013B] = person.name
    exif[0x010F], exif[0x0110] = CAMERA, CAMERA
    exif[0x0132] = f"{SENT}:03:14 08:15:2{number}"
    exif[0x9C9C] = f"{person.id_number}".encode("utf-16-le")
    out = io.BytesIO()
    picture.save(out, "jpeg", quality=85, exif=exif, comment=person.name.encode())
    return out.getvalue()


def _masked(settings: Settings, scan: bytes) -> bytes:
    """What the redactor writes of it: read, painted, encoded anew."""
    path = Path(settings.data) / "vault" / "scan-on-its-way.jpg"
    path.write_bytes(scan)
    pixels = np.array(load_page(path, 0).pixels)
    path.unlink()
    cv2.rectangle(pixels, (200, 200), (700, 260), (0, 0, 0), -1)
    return encode(pixels, "jpg", 200)


def _release(stores: Stores, round_id: int) -> None:
    """One by one in the order of the roster; the first is taken back and let out once more."""
    with Session(stores.vault) as session:
        chosen = select(Entrant.id).filter_by(round_id=round_id).order_by(Entrant.number)
        people = session.scalars(chosen).all()
    for entrant_id in people:
        _let_out(stores, round_id, entrant_id)
    with Session(stores.vault) as session:
        first = session.scalars(select(Release.id).filter_by(entrant_id=people[0])).one()
    bring_back(stores, release_id=first, reason=f"{PEOPLE[0].name}要求补充", by=OFFICE)
    _let_out(stores, round_id, people[0])


def _let_out(stores: Stores, round_id: int, entrant_id: int) -> None:
    with Session(stores.vault) as session, session.begin():
        asked = ask_release(session, entrant_id=entrant_id, by=OFFICE).id
    outcome = let_out(stores, round_id=round_id, release_ids=[asked], by=OFFICE)
    assert outcome.problems == ()


def words_of_vault(vault: Engine) -> list[str]:
    """Every string of the vault that tells who somebody is, or when and as what it came."""
    words: list[str] = [CAMERA, f"IMG_{SENT}0314"]
    with Session(vault) as session:
        for entrant in session.scalars(select(Entrant)):
            row: dict[str, Any] = json.loads(entrant.row)
            for field in ("name", "unit", "id_number", "former_names", "unit_short", "pinyin",
                          "native_names", "phones", "emails", "folder"):  # fmt: skip
                value = row[field] or ()
                words += [value] if isinstance(value, str) else value
        for file in session.scalars(select(SourceFile)):
            words += [file.path, Path(file.path).stem, Path(file.path).stem[-15:], file.sha256]
            words += [file.received_at, file.received_at[:16]]
        for release in session.scalars(select(Release)):
            words += [release.salt, release.asked_at, release.asked_at[:16]]
        words += [office_round.name for office_round in session.scalars(select(OfficeRound))]
    for expert in EXPERTS:
        words += [expert.name, expert.unit, expert.phone]
    return sorted({word for word in words if word})
