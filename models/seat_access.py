"""Writes of the experts' keys: cards with PINs, signed-in tablets, and their revocation.

Tokens and PINs are random; only hashes are stored, so that a copy of the database opens no door.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.orm import Session

from models.base import utc_now
from models.errors import RuleError, Sentence
from models.passwords import HASHER, fits, hashed, password_problems
from models.review_access import AccessEvent, SeatCard, SeatDevice
from models.rounds import get_seat

PIN_DIGITS = 6
NUMBER_ALPHABET = "34679ACDEFGHJKMNPQRTUVWXY"
"""No characters that look alike, as in blind codes."""
NUMBER_LENGTH = 8
SIGN_IN_HOURS = 14
"""A long meeting day; afterwards the PIN is asked for again."""
SEEN_EVERY_SECONDS = 60
TRIES = 5
LOCK_MINUTES = 15
_HOLDER = (
    select(SeatDevice.round_id, SeatDevice.seat, SeatDevice.token_sha256, SeatDevice.seen_at)
    .join(
        SeatCard,
        (SeatCard.round_id == SeatDevice.round_id) & (SeatCard.seat == SeatDevice.seat),
    )
    .where(
        SeatDevice.token_sha256 == bindparam("token"),
        SeatDevice.expires_at > bindparam("now"),
        SeatCard.active,
    )
)
"""Made once, because every request asks it."""
_NOBODY = HASHER.hash(secrets.token_hex(8))


@dataclass(frozen=True)
class IssuedCard:
    """What is printed, once: the PIN cannot be read again."""

    seat: str
    number: str
    pin: str


class DrawnCard(NamedTuple):
    """A card with what is stored of its PIN."""

    card: IssuedCard
    pin_hash: str


@dataclass(frozen=True)
class CardKey:
    """What is stored of a card's PIN and password. Both are "" while the card is locked."""

    pin_hash: str = field(repr=False)
    password_hash: str = field(repr=False)

    def opened_by(self, secret: str) -> bool:
        """Whether `secret` is the PIN or the password; takes as long as the hashes are made to."""
        return any(kept and fits(kept, secret) for kept in (self.pin_hash, self.password_hash))


@dataclass(frozen=True)
class Tried:
    """A secret that was held against a card's key before the store was locked for writing.

    `key` None: there was no such card.
    """

    key: CardKey | None
    opens: bool


@dataclass(frozen=True)
class Member:
    """The seat that is signed in on a tablet: plain values for one request."""

    round_id: int
    seat: str
    token_sha256: str
    seen_at: str


def draw_card(seat: str) -> DrawnCard:
    """A card that is in no store yet. Hashing its PIN takes a while, so it is best done before
    any store is locked."""
    made = IssuedCard(
        seat,
        "".join(secrets.choice(NUMBER_ALPHABET) for _ in range(NUMBER_LENGTH)),
        f"{secrets.randbelow(10**PIN_DIGITS):0{PIN_DIGITS}d}",
    )
    return DrawnCard(made, HASHER.hash(made.pin))


def issue_card(
    session: Session, *, round_id: int, seat: str, by: str, drawn: DrawnCard | None = None
) -> IssuedCard:
    """A new card for a seat. The earlier one, its password and its tablets hold no longer."""
    get_seat(session, round_id, seat)
    made, pin_hash = drawn or draw_card(seat)
    if made.seat != seat:
        raise ValueError(f"a card of {made.seat} for {seat}")
    card = session.get(SeatCard, (round_id, seat))
    if card is None:
        card = SeatCard(round_id=round_id, seat=seat)
        session.add(card)
    card.number, card.pin_hash, card.password_hash = made.number, pin_hash, ""
    card.active, card.failures, card.locked_until = True, 0, ""
    card.issued_at = utc_now()
    _sign_out_all(session, round_id, seat)
    _note(session, round_id, seat, by, "card.issue")
    session.flush()
    return made


def revoke_card(session: Session, *, round_id: int, seat: str, by: str) -> None:
    """Switches a card off and signs all its tablets out, from their next request on."""
    card = session.get(SeatCard, (round_id, seat))
    if card is not None:
        card.active = False
    _sign_out_all(session, round_id, seat)
    _note(session, round_id, seat, by, "card.revoke")
    session.flush()


def revoke_cards(session: Session, *, round_id: int, by: str) -> None:
    """Switches off every card of a round that holds."""
    holding = select(SeatCard.seat).filter_by(round_id=round_id, active=True)
    for seat in session.scalars(holding.order_by(SeatCard.seat)).all():
        revoke_card(session, round_id=round_id, seat=seat, by=by)


def key_of_number(session: Session, number: str) -> CardKey | None:
    """The key of the card with a number, as typed; None when no card in use has it."""
    return _key_of(session.scalar(select(SeatCard).where(SeatCard.number == _plain(number))))


def key_of_member(session: Session, member: Member) -> CardKey | None:
    """The key of a member's card, None when it was revoked."""
    return _key_of(session.get(SeatCard, (member.round_id, member.seat)))


def try_secret(key: CardKey | None, secret: str) -> Tried:
    """Holds a secret against a key. Best done outside of any transaction: it takes a while."""
    if key is None:
        fits(_NOBODY, secret)  # takes as long as a wrong PIN
        return Tried(None, False)
    return Tried(key, key.opened_by(secret))


def sign_in(
    session: Session, *, number: str, secret: str, device: str, tried: Tried | None = None
) -> str | None:
    """The token of a newly signed-in tablet, None when number or PIN are wrong.

    `number` as typed: case, spaces and hyphens do not count. `tried`: what `try_secret` said of
    this secret. RuleError while the card is locked after too many wrong PINs.
    """
    chosen = select(SeatCard).where(SeatCard.number == _plain(number)).with_for_update()
    card = session.scalar(chosen)
    if card is None or not card.active:
        if tried is None:
            try_secret(None, secret)
        _note(session, None, "", "", "sign_in.refused")
        return None
    if not _secret_fits(session, card, secret, tried):
        return None
    token, now = secrets.token_urlsafe(32), datetime.now(UTC)
    session.add(
        SeatDevice(
            token_sha256=hashed(token),
            round_id=card.round_id,
            seat=card.seat,
            device=device[:200],
            created_at=_text(now),
            seen_at=_text(now),
            expires_at=_text(now + timedelta(hours=SIGN_IN_HOURS)),
        )
    )
    _note(session, card.round_id, card.seat, card.seat, "sign_in")
    session.flush()
    return token


def confirm_identity(
    session: Session, *, member: Member, secret: str, tried: Tried | None = None
) -> bool:
    """Whether it is the PIN or password of the member's card, asked again before a final act.

    `tried`: what `try_secret` said of it. RuleError while the card is locked after too many wrong
    ones.
    """
    card = session.get(SeatCard, (member.round_id, member.seat), with_for_update=True)
    return card is not None and card.active and _secret_fits(session, card, secret, tried)


def member_of(session: Session, token: str) -> Member | None:
    """Who holds a token, None when it is unknown, expired or its card was revoked."""
    row = session.execute(_HOLDER, {"token": hashed(token), "now": utc_now()}).one_or_none()
    return None if row is None else Member(*row)


def seen_long_ago(member: Member) -> bool:
    """Whether the list of tablets deserves a newer time."""
    return member.seen_at < _text(datetime.now(UTC) - timedelta(seconds=SEEN_EVERY_SECONDS))


def touch(session: Session, token_sha256: str) -> None:
    """Notes that a tablet was seen just now."""
    session.execute(
        update(SeatDevice).where(SeatDevice.token_sha256 == token_sha256).values(seen_at=utc_now())
    )


def devices_of(session: Session, round_id: int, seat: str) -> list[SeatDevice]:
    """The tablets a seat is signed in on, newest first."""
    chosen = select(SeatDevice).filter_by(round_id=round_id, seat=seat)
    chosen = chosen.where(SeatDevice.expires_at > utc_now())
    return list(session.scalars(chosen.order_by(SeatDevice.created_at.desc())))


def sign_out_device(
    session: Session, *, round_id: int, seat: str, token_sha256: str, by: str
) -> None:
    """Signs one tablet of a seat out; nothing happens when it is another seat's."""
    session.execute(
        delete(SeatDevice).filter_by(round_id=round_id, seat=seat, token_sha256=token_sha256)
    )
    _note(session, round_id, seat, by, "sign_out")


def set_password(session: Session, *, member: Member, password: str) -> None:
    """Lets a password open the card as well as the PIN; RuleError when it will not do."""
    card = session.get_one(SeatCard, (member.round_id, member.seat))
    problems = password_problems(password, card.number)
    if problems:
        raise RuleError(problems)
    card.password_hash = HASHER.hash(password)
    _note(session, member.round_id, member.seat, member.seat, "password.set")
    session.flush()


def _plain(number: str) -> str:
    return "".join(char for char in number.upper() if char.isalnum())


def _key_of(card: SeatCard | None) -> CardKey | None:
    if card is None or not card.active:
        return None
    paused = card.locked_until > utc_now()
    return CardKey("", "") if paused else CardKey(card.pin_hash, card.password_hash)


def _secret_fits(session: Session, card: SeatCard, secret: str, tried: Tried | None) -> bool:
    """Whether `secret` opens the card; wrong ones are counted, and lock it after a few."""
    if card.locked_until > utc_now():
        raise RuleError(
            Sentence(
                f"PIN 连续输错 {TRIES} 次，本卡已暂停使用 {LOCK_MINUTES} 分钟。请稍后再试，"
                "或请办公室换发新卡。",
                f"The PIN was wrong {TRIES} times; the card is locked for {LOCK_MINUTES} minutes. "
                "Try again later, or ask the office for a new card.",
            )
        )
    key = CardKey(card.pin_hash, card.password_hash)
    # A card that was changed or let go since it was tried is tried anew.
    if tried is None or tried.key != key:
        tried = try_secret(key, secret)
    if tried.opens:
        card.failures = 0
        return True
    card.failures += 1
    if card.failures >= TRIES:
        card.failures = 0
        card.locked_until = _text(datetime.now(UTC) + timedelta(minutes=LOCK_MINUTES))
    _note(session, card.round_id, card.seat, card.seat, "sign_in.refused")
    return False


def _sign_out_all(session: Session, round_id: int, seat: str) -> None:
    session.execute(delete(SeatDevice).filter_by(round_id=round_id, seat=seat))


def _note(session: Session, round_id: int | None, seat: str, by: str, action: str) -> None:
    session.add(
        AccessEvent(
            at=utc_now(), round_id=round_id, seat=seat, by=by, action=action, details=json.dumps({})
        )
    )


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds")
