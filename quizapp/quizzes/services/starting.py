"""Starting an attempt: check the delivery, know the person as far as they said, pick a paper, insert one row."""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from quizapp.core.clock import local_date, to_ms
from quizapp.core.scope import GUEST, Actor
from quizapp.core.tokens import Keys, digest
from quizapp.organisation.models import OrgUnit, Person, PersonSource
from quizapp.organisation.people import kept_person_id
from quizapp.organisation.services import age_band, identify
from quizapp.organisation.tree import hold_unit
from quizapp.quizzes.errors import (
    ConsentNeeded,
    DeliveryEnded,
    DeliveryFull,
    DeliveryNotOpen,
    DeliveryNotReady,
    FieldMissing,
    GuardianNeeded,
    SignInForDelivery,
    TriesUsedUp,
    UnitOutside,
)
from quizapp.quizzes.models import (
    PROFILE_FIELDS,
    Attempt,
    AttemptState,
    Delivery,
    DeliveryState,
    FieldDemand,
    IdentityLevel,
    Paper,
    PaperItem,
    UnitKnown,
)
from quizapp.quizzes.ordering import ORDER_VERSION
from quizapp.quizzes.queries.taking import find_attempt, places_taken
from quizapp.quizzes.services.audience import check_audience, check_visitor, in_reach
from quizapp.quizzes.services.deadlines import deadline_of, extra_seconds
from quizapp.quizzes.services.first_attempts import choose_first, lock_persons, lock_standing, settle_first
from quizapp.quizzes.services.standing import hold_delivery
from quizapp.quizzes.services.start_row import insert_attempt

_PAPERS = select(Paper.id).where(Paper.delivery_id == bindparam("delivery_id")).order_by(Paper.number)


@dataclass(frozen=True)
class Profile:
    """What somebody stated before starting. Empty is None; `phone` has its eleven digits."""

    name: str | None = None
    phone: str | None = None
    unit_id: int | None = None
    #: "I am not on the list": the unit was asked and cannot be given.
    unit_unlisted: bool = False
    industry_id: int | None = None
    birth_year: int | None = None
    sex: str | None = None
    education: str | None = None
    key_group: str | None = None
    under_14: bool = False
    guardian: bool = False
    consent: bool = False


#: Fields that a card answers: whoever was invited by it types none of them.
CARD_FIELDS = ("name", "phone", "unit")


@dataclass(frozen=True)
class Card:
    """A card that was made for one person, or for one place of a sample, and proves that its holder is invited.

    It stands for name, phone and unit, and opens deliveries that are not for guests. Whom a delivery is for, its window and its places
    hold for cards as for everybody.
    """

    #: Whom it was made for; None where only the unit is known.
    person_id: int | None
    unit_id: int | None = None


@dataclass(frozen=True)
class Started:
    """A started attempt with the secret that its browser keeps."""

    attempt: Attempt
    secret: str


def ticket_identity(keys: Keys, ticket: str) -> tuple[str, str]:
    """The (public id, secret) that a start form's ticket stands for.

    The ticket is 128 random bits in one rendered form: the same form sent twice means the same attempt, and its second reply carries
    the same secret again.
    """
    name = sha256(b"attempt-name\x1f" + ticket.encode()).digest()[:12]
    return base64.urlsafe_b64encode(name).decode(), keys.sign("attempt-secret", ticket)


def check_open(db: Session, delivery: Delivery, actor: Actor, now_ms: int, card: Card | None = None) -> None:
    """Raise why nobody (or not this visitor) can start now."""
    if now_ms >= delivery.closes_at:
        raise DeliveryEnded(closes_at=delivery.closes_at)
    if delivery.state != DeliveryState.READY:
        raise DeliveryNotReady(state=delivery.state)
    if now_ms < delivery.opens_at:
        raise DeliveryNotOpen(opens_at=delivery.opens_at)
    if not delivery.guests and not actor.signed_in and card is None:
        raise SignInForDelivery
    if delivery.capacity is not None and places_taken(db, delivery.id) >= delivery.capacity:
        raise DeliveryFull(capacity=delivery.capacity)
    check_visitor(db, delivery, actor)
    if actor.account_id is not None:
        _check_tries(delivery, _account_tries(db, delivery.id, actor.account_id))


def check_profile(db: Session, delivery: Delivery, profile: Profile, card: Card | None = None) -> OrgUnit | None:
    """Raise the first thing that is missing or not acceptable; give the chosen unit."""
    for name in PROFILE_FIELDS:
        if delivery.fields.get(name, FieldDemand.OFF) != FieldDemand.REQUIRED:
            continue
        if card is not None and name in CARD_FIELDS:
            continue
        if name == "phone" and profile.under_14:
            continue  # a child gives no phone number
        if name == "unit" and profile.unit_unlisted:
            continue
        if getattr(profile, "unit_id" if name == "unit" else "industry_id" if name == "industry" else name) is None:
            raise FieldMissing(field=name)
    if profile.under_14 and not profile.guardian:
        raise GuardianNeeded(field="guardian")
    if not profile.consent:
        raise ConsentNeeded(field="consent")
    if profile.unit_id is None:
        return None
    unit = hold_unit(db, profile.unit_id)
    if unit is None or unit.closed_at is not None or not (delivery.limited or in_reach(delivery, unit)):
        raise UnitOutside(field="unit")
    return unit


def start_attempt(
    db: Session,
    *,
    delivery: Delivery,
    profile: Profile,
    actor: Actor,
    device_hash: bytes | None,
    ticket: str,
    keys: Keys,
    now: datetime,
    card: Card | None = None,
) -> Started:
    """Insert the attempt, or find it when the same form was sent before. With a `card` it belongs to whom the card was made for.

    Raises the refusals of `check_open` and `check_profile`, OutsideAudience and TriesUsedUp.
    """
    now_ms = to_ms(now)
    public_id, secret = ticket_identity(keys, ticket)
    hold_delivery(db, delivery)
    if delivery.capacity is not None:
        # the last places: one after the other, beside the starts that only hold the row
        db.scalar(select(Delivery.id).where(Delivery.id == delivery.id).with_for_update(key_share=True))
    if actor.person_id is not None and card is None:
        actor = replace(actor, person_id=lock_standing(db, actor.person_id))
    if card is not None:
        actor = _card_holder(db, card, actor)
    if (existing := find_attempt(db, delivery.id, public_id)) is not None:
        return Started(existing, secret)
    check_open(db, delivery, actor, now_ms, card)
    unit = check_profile(db, delivery, profile, card)
    snapshot = _identify(db, profile, actor, unit, device_hash, keys, now, card)
    check_audience(delivery, snapshot.unit, snapshot.industry_id)
    if snapshot.person_id is not None and snapshot.person_id != actor.person_id:
        lock_persons(db, snapshot.person_id)
        if (existing := find_attempt(db, delivery.id, public_id)) is not None:
            return Started(existing, secret)
    earlier = _earlier(db, delivery.id, snapshot.person_id)
    if snapshot.level == IdentityLevel.DEVICE:
        _check_tries(delivery, len(earlier))
    order_seed = sha256(b"attempt-order\x1f" + secret.encode()).hexdigest()[:32]
    extra_s = extra_seconds(db, delivery, snapshot.person_id)
    deadline = deadline_of(delivery, now_ms, extra_s)
    attempt = Attempt(
        public_id=public_id,
        delivery_id=delivery.id,
        paper_id=_pick_paper(db, delivery.id, order_seed, [a.paper_id for a in earlier]),
        person_id=snapshot.person_id,
        account_id=actor.account_id,
        secret_hash=digest(secret),
        device_hash=device_hash,
        receipt_hash=receipt_hash(keys, receipt_code(keys, public_id), snapshot.phone_tail),
        order_seed=order_seed,
        order_version=ORDER_VERSION,
        state=AttemptState.OPEN,
        started_at=now_ms,
        deadline_at=deadline,
        accepts_until=deadline + delivery.grace_s * 1000,
        extra_s=extra_s,
        local_date=local_date(now),
        try_number=len(earlier) + 1,
        is_first=False,
        identity_level=snapshot.level,
        unit_id=snapshot.unit.id if snapshot.unit else None,
        unit_path=snapshot.unit.path if snapshot.unit else None,
        unit_known=snapshot.unit_known,
        industry_id=snapshot.industry_id,
        age_band=age_band(snapshot.birth_year, local_date(now)),
        sex=snapshot.sex,
        education=snapshot.education,
        key_group=snapshot.key_group,
        guardian=profile.under_14 and profile.guardian,
        notice_version=str(delivery.notice.get("version", "")),
        marked=[],
    )
    attempt.delivery = delivery
    return Started(_insert(db, attempt, earlier), secret)


def _card_holder(db: Session, card: Card, actor: Actor) -> Actor:
    """Whom an attempt by card belongs to; the account goes along where it is theirs, and nobody else's does."""
    if card.person_id is None:
        return GUEST
    person_id = lock_standing(db, card.person_id)
    own = actor.person_id is not None and kept_person_id(db, actor.person_id) == person_id
    return Actor(account_id=actor.account_id if own else None, person_id=person_id)


def receipt_code(keys: Keys, public_id: str) -> str:
    """The twelve characters, the last one a check character, that open a result again."""
    return keys.code("receipt", public_id, 12)


def receipt_hash(keys: Keys, code: str, phone_tail: str) -> bytes:
    """What is stored of a receipt code together with the last four digits of the phone ("" where none was given)."""
    return sha256(keys.sign("receipt-lookup", code, phone_tail).encode()).digest()


@dataclass(frozen=True)
class _Snapshot:
    person_id: int | None
    level: str
    unit: OrgUnit | None
    unit_known: str
    industry_id: int | None
    birth_year: int | None
    sex: str | None
    education: str | None
    key_group: str | None
    phone_tail: str


def _identify(
    db: Session,
    profile: Profile,
    actor: Actor,
    unit: OrgUnit | None,
    device_hash: bytes | None,
    keys: Keys,
    now: datetime,
    card: Card | None = None,
) -> _Snapshot:
    """Who this is. An account's own data fill what the page did not ask; a match by name and phone fills nothing in."""
    phone = None if profile.under_14 else profile.phone
    tail = phone[-4:] if phone else ""
    if card is not None and card.person_id is None:
        unit = hold_unit(db, card.unit_id) if card.unit_id is not None else None
        return _Snapshot(
            person_id=None,
            level=IdentityLevel.INVITED,
            unit=unit,
            unit_known=UnitKnown.ROSTER if unit else UnitKnown.NONE,
            industry_id=profile.industry_id,
            birth_year=profile.birth_year,
            sex=profile.sex,
            education=profile.education,
            key_group=profile.key_group,
            phone_tail="",
        )
    if actor.person_id is not None:
        person = db.get_one(Person, actor.person_id)
        known = UnitKnown.SELF_DECLARED
        if unit is None and person.unit_id is not None:
            unit = hold_unit(db, person.unit_id)
            known = UnitKnown.ROSTER if person.source == PersonSource.ROSTER else UnitKnown.ACCOUNT
        return _Snapshot(
            person_id=person.id,
            level=IdentityLevel.SIGNED_IN if card is None else IdentityLevel.INVITED,
            unit=unit,
            unit_known=known if unit else UnitKnown.NONE,
            industry_id=profile.industry_id or person.industry_id,
            birth_year=profile.birth_year or person.birth_year,
            sex=profile.sex or person.sex,
            education=profile.education or person.education,
            key_group=profile.key_group or person.key_group,
            phone_tail=tail,
        )
    found = identify(
        db,
        keys=keys,
        name=profile.name,
        phone=phone,
        device_hash=device_hash,
        unit_id=unit.id if unit else None,
        industry_id=profile.industry_id,
        birth_year=profile.birth_year,
        sex=profile.sex,
        education=profile.education,
        key_group=profile.key_group,
        now=now,
    )
    return _Snapshot(
        person_id=found.person_id,
        level=found.level,
        unit=unit,
        unit_known=UnitKnown.SELF_DECLARED if unit else UnitKnown.NONE,
        industry_id=profile.industry_id,
        birth_year=profile.birth_year,
        sex=profile.sex,
        education=profile.education,
        key_group=profile.key_group,
        phone_tail=tail,
    )


def _earlier(db: Session, delivery_id: int, person_id: int | None) -> list[Attempt]:
    if person_id is None:
        return []
    return list(
        db.scalars(
            select(Attempt)
            .where(
                Attempt.delivery_id == delivery_id,
                Attempt.person_id == person_id,
                Attempt.state != AttemptState.VOID,
            )
            .order_by(Attempt.started_at, Attempt.id)
        )
    )


def _account_tries(db: Session, delivery_id: int, account_id: int) -> int:
    return (
        db.scalar(
            select(func.count()).where(
                Attempt.delivery_id == delivery_id,
                Attempt.account_id == account_id,
                Attempt.state != AttemptState.VOID,
            )
        )
        or 0
    )


def _check_tries(delivery: Delivery, used: int) -> None:
    """A typed phone proves nothing, so a match by name and phone uses up no tries: only an account or a browser does."""
    if delivery.tries is not None and used >= delivery.tries:
        raise TriesUsedUp(tries=delivery.tries)


def _pick_paper(db: Session, delivery_id: int, seed: str, seen: list[int]) -> int:
    """Any paper for a first try; for a further one the paper that shares the fewest items with those seen."""
    papers = list(db.scalars(_PAPERS, {"delivery_id": delivery_id}))
    if not papers:
        raise DeliveryNotReady(state=DeliveryState.PREPARING)
    start = int(seed[:8], 16) % len(papers)
    turned = papers[start:] + papers[:start]
    if not seen:
        return turned[0]
    shown = select(PaperItem.item_version_id).where(PaperItem.paper_id.in_(seen))
    rows = db.execute(
        select(PaperItem.paper_id, func.count())
        .where(PaperItem.paper_id.in_(papers), PaperItem.item_version_id.in_(shown))
        .group_by(PaperItem.paper_id)
    )
    shared = dict(rows.all())
    return min(turned, key=lambda paper: shared.get(paper, 0))


def _insert(db: Session, attempt: Attempt, earlier: list[Attempt]) -> Attempt:
    """Insert with the first flag where it is due. Gives the attempt, or the one that the same form, sent at the same time, has made.

    The partial unique index decides between two that start at once.
    """
    attempt.is_first = attempt.person_id is not None and not earlier
    if not insert_attempt(db, attempt):
        if (twin := find_attempt(db, attempt.delivery_id, attempt.public_id)) is not None:
            return twin
        attempt.is_first = False
        if not insert_attempt(db, attempt):
            raise RuntimeError("the attempt's codes are taken")  # by chance, one in 2^60
    if attempt.person_id is not None and earlier and choose_first([*earlier, attempt]) is attempt:
        settle_first(db, attempt.delivery_id, attempt.person_id, now_ms=attempt.started_at)
    return attempt
