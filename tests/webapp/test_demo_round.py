"""The demo's office holds what `mangping redact` made, and nothing is read a second time."""

from __future__ import annotations

import hashlib
from pathlib import Path

from openpyxl import Workbook
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.accounts import sign_in
from models.base import open_store
from models.review_pages import ReleasedPage
from models.review_sheets import Sheet
from models.seat_access import sign_in as sign_in_by_card
from models.seats import seats_of
from models.vault_pages import Job, Page
from models.vault_rounds import Entrant
from tests.redactor.golden.sets import COLUMNS, PEOPLE, run, small_set
from tests.webapp.committee_round import bytes_of_experts
from webapp.demo_round import make_demo_office
from webapp.office.work import round_vault
from webapp.settings import Settings


def test_the_demo_office_holds_the_redacted_pages(tmp_path: Path) -> None:
    scans, roster = small_set(tmp_path, pages=1)
    book = Workbook()
    for row in (COLUMNS, *PEOPLE[:1]):
        book.active.append(row)  # type: ignore[union-attr]
    book.save(tmp_path / "roster.xlsx")
    done = run(scans, roster, tmp_path / "out")
    assert done.code == 0, done.stderr
    settings = Settings(data=tmp_path / "office")
    demo = make_demo_office(settings, tmp_path, done.blind, done.vault)
    people = demo.people
    with Session(open_store(settings.vault_url)) as session:
        assert sorted(person.login for person in people) == ["admin", "clerk", "secretary"]
        for person in people:
            known = {"device": "-", "address": "-", "login": person.login}
            assert sign_in(session, password=person.password, **known)
        assert set(session.scalars(select(Job.state))) == {"done"}
        entrant = session.scalars(select(Entrant)).one()
        pages = session.scalars(select(Page).order_by(Page.position)).all()
        assert [page.state for page in pages] == ["clean"]
        blind = [done.blind / entrant.code / f"{n:03d}.jpg" for n in (1,)]
        hashes = [hashlib.sha256(path.read_bytes()).hexdigest() for path in blind]
        assert [page.staged_sha256 for page in pages] == hashes
        staged = round_vault(settings, entrant.round_id).staging
        assert len(list(staged.iterdir())) == 1
    # The committee sits, has scored all but one sheet, and two of its cards open the door.
    with Session(open_store(settings.review_url)) as session, session.begin():
        assert session.scalars(select(ReleasedPage.code)).all() == [entrant.code]
        sheets = session.scalars(select(Sheet)).all()
        assert sorted(sheet.state for sheet in sheets) == ["open", "submitted", "submitted"]
        assert len(seats_of(session, sheets[0].round_id)) == 9
        assert [card.seat for card in demo.cards] == ["R01", "R02"]
        for card in demo.cards:
            assert sign_in_by_card(session, number=card.number, secret=card.pin, device="-")
    raw = bytes_of_experts(settings)
    assert not any(name.encode() in raw for name in ("苏文澜", "塔里木大学", PEOPLE[0][1]))
