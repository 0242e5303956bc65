"""The page that scans people in, and what it asks for: the trainer's below the session, a helper's below the pass.

The page works with scripts without a network; without scripts it is a form for one code or photo at a time.
"""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass
from typing import Any

from flask import Response, jsonify, make_response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from quizapp.core.clock import to_ms
from quizapp.core.db import transaction
from quizapp.core.errors import DomainError
from quizapp.core.scope import Permission
from quizapp.core.web import get_actor, get_db, get_keys, get_now, get_runtime, get_scope, public, requires
from quizapp.organisation.personal_codes import codes_of, read_code
from quizapp.quizzes.errors import FormExpired
from quizapp.quizzes.views.access import same_origin
from quizapp.trainings import queries
from quizapp.trainings.errors import HelperPassInvalid, PhotoUnreadable, ScanMalformed
from quizapp.trainings.models import HelperPass, TrainingSession
from quizapp.trainings.queries.scanning import expected_people, has_roster, present_people, struck_people
from quizapp.trainings.services.scanning import (
    Taken,
    check_in_on_page,
    count_waiting,
    device_key,
    lookup_hash,
    open_pass,
    page_device,
    parse_entries,
    read_photo,
    receive,
    register_device,
)
from quizapp.trainings.services.scanning.photos import MOST_BYTES
from quizapp.trainings.views import bp
from quizapp.ui.assets import get_assets
from quizapp.ui.words import words_for

HELPER_COOKIE = "helper"
#: Beside the photo a form holds little.
_FORM_BYTES = MOST_BYTES + 64 * 1024


@dataclass(frozen=True)
class Door:
    """A session as somebody scans at it."""

    session: TrainingSession
    #: The helper's pass; None for the trainer.
    helper: HelperPass | None

    @property
    def address(self) -> str:
        """Where the page stands; what it asks for lies below."""
        if self.helper is not None:
            return url_for("trainings.helper_scan", code=self.session.code)
        return url_for("trainings.scan", session_id=self.session.id)


def _trainers_door(session_id: int) -> Door:
    return Door(queries.get_session(get_db(), get_scope(), session_id), None)


def _helpers_door(code: str) -> Door:
    """What the pass in this browser opens. Raises NotFound or HelperPassInvalid."""
    db = get_db()
    session = queries.get_by_code(db, code)
    helper = open_pass(db, request.cookies.get(HELPER_COOKIE, ""), get_now())
    if helper.session_id != session.id:
        raise HelperPassInvalid
    return Door(session, helper)


# --- the trainer ----------------------------------------------------------------------------------------------------------


@bp.route("/sessions/<int:session_id>/scan", methods=["GET", "POST"])
@requires(Permission.RUN_SESSIONS)
def scan(session_id: int) -> BaseResponse:
    """Scan people in."""
    return _page(_trainers_door(session_id))


@bp.post("/sessions/<int:session_id>/scan/device")
@requires(Permission.RUN_SESSIONS)
def scan_device(session_id: int) -> Response:
    """Take roster and key along."""
    return _register(_trainers_door(session_id))


@bp.post("/sessions/<int:session_id>/scan/entries")
@requires(Permission.RUN_SESSIONS)
def scan_entries(session_id: int) -> Response:
    """Deliver entries, and hear how things stand."""
    return _deliver(_trainers_door(session_id))


@bp.post("/sessions/<int:session_id>/scan/photo")
@requires(Permission.RUN_SESSIONS)
def scan_photo(session_id: int) -> Response:
    """Read the code in a photo."""
    _trainers_door(session_id)
    return _read_photo()


# --- a helper -------------------------------------------------------------------------------------------------------------


@bp.get("/h/<secret>")
@public
def helper_enter(secret: str) -> BaseResponse:
    """A helper's link: exchanged at once for a cookie that opens one session's scan page and nothing else."""
    db, now = get_db(), get_now()
    helper = open_pass(db, secret, now)
    session = db.get_one(TrainingSession, helper.session_id)
    address = url_for("trainings.helper_scan", code=session.code)
    response = make_response(redirect(address, 303))
    response.set_cookie(
        HELPER_COOKIE,
        secret,
        max_age=max(1, (helper.expires_at - to_ms(now)) // 1000),
        path=address,
        httponly=True,
        samesite="Lax",
        secure=get_runtime().settings.https,
    )
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@bp.route("/h/s/<code>", methods=["GET", "POST"])
@public
def helper_scan(code: str) -> BaseResponse:
    """Scan people in for the trainer."""
    return _page(_helpers_door(code))


@bp.post("/h/s/<code>/device")
@public
def helper_device(code: str) -> Response:
    """Take roster and key along."""
    return _register(_helpers_door(code))


@bp.post("/h/s/<code>/entries")
@public
def helper_entries(code: str) -> Response:
    """Deliver entries, and hear how things stand."""
    return _deliver(_helpers_door(code))


@bp.post("/h/s/<code>/photo")
@public
def helper_photo(code: str) -> Response:
    """Read the code in a photo."""
    _helpers_door(code)
    return _read_photo()


#: They check by the browser's own words where the request comes from: a page that was opened hours ago has an old form token.
CSRF_FREE = (scan_device, scan_entries, scan_photo, helper_device, helper_entries, helper_photo)


# --- what both do ---------------------------------------------------------------------------------------------------------


def _page(door: Door) -> BaseResponse:
    result, error, code = None, None, None
    if request.method == "POST":
        request.max_content_length = _FORM_BYTES
        try:
            code = _form_code()
            result = _check_in(door, code)
        except DomainError as refusal:
            if refusal.status != 422:
                raise
            error = words_for(refusal)
    db, assets = get_db(), get_assets()
    response = make_response(
        render_template(
            "trainings/scan.html",
            session=door.session,
            helper=door.helper,
            address=door.address,
            count=queries.count_arrivals(db, door.session.id),
            result=result,
            error=error,
            code=code,
            ticket=secrets.token_hex(16),
            reader={
                name: assets.url(file) if file in assets.manifest else ""
                for name, file in (
                    ("worker", "scan-worker.js"),
                    ("script", "zxing-reader.js"),
                    ("program", "zxing-reader.wasm"),
                )
            },
        ),
        422 if error else 200,
    )
    response.headers["Referrer-Policy"] = "same-origin"
    return response


def _form_code() -> str:
    """The text of a form: typed, or read from its photo."""
    photo = request.files.get("photo")
    if photo is not None and photo.filename:
        return read_photo(photo.stream.read(MOST_BYTES + 1))
    return (request.form.get("code") or "")[:100]


def _check_in(door: Door, text: str) -> Taken:
    db, ticket = get_db(), request.form.get("ticket", "")
    code = read_code(text)
    if len(ticket) != 32 or not all(c in "0123456789abcdef" for c in ticket):
        ticket = secrets.token_hex(16)
    if code is None:
        return Taken(ticket, "foreign")
    with transaction(db):
        device = page_device(
            db, session=door.session, actor=get_actor(), helper=door.helper, keys=get_keys(), now=get_now()
        )
        return check_in_on_page(
            db,
            session=door.session,
            device=device,
            text=code,
            sure="sure" in request.form,
            ticket=ticket,
            keys=get_keys(),
            now=get_now(),
        )


def _json_body() -> dict[str, Any]:
    if not same_origin():
        raise FormExpired
    body = request.get_json(silent=True) if request.mimetype == "application/json" else None
    if not isinstance(body, dict):
        raise ScanMalformed
    return body


def _no_store(content: dict[str, Any]) -> Response:
    response = jsonify(content)
    response.headers["Cache-Control"] = "no-store"
    return response


def _register(door: Door) -> Response:
    known = str(_json_body().get("device", ""))
    db, keys = get_db(), get_keys()
    with transaction(db):
        device = register_device(
            db,
            session=door.session,
            actor=get_actor(),
            helper=door.helper,
            known=known,
            now=get_runtime().clock(),
        )
        key = device_key(keys, device.public_id)
        people = expected_people(db, door.session)
        codes = codes_of(db, [one.person.id for one in people])
        roster = [
            {
                "id": one.person.id,
                "name": one.person.name,
                "unit": one.unit.name if one.unit else "",
                "code": lookup_hash(key, codes[one.person.id]) if one.person.id in codes else "",
                "phone": _last_digits(one.person.phone_encrypted),
            }
            for one in people
        ]
        standing = _standing(db, door, fresh=True)
    return _no_store(
        {
            "device": device.public_id,
            "key": key,
            "code": door.session.code,
            "helper": door.helper is not None,
            "out": door.session.check_out,
            "until": door.session.check_in_until,
            "roster": roster,
            **standing,
        }
    )


def _last_digits(stored: bytes | None) -> str:
    return (get_keys().decrypt_phone(stored) or "")[-4:] if stored is not None else ""


def _standing(db: Session, door: Door, *, fresh: bool) -> dict[str, Any]:
    """How things stand on the server; `fresh`: with everybody who is in."""
    session = door.session
    standing: dict[str, Any] = {
        "now": to_ms(get_runtime().clock()),
        "count": queries.count_arrivals(db, session.id),
        "pending": count_waiting(db, session.id),
        "strict": has_roster(db, session),
    }
    if fresh:
        standing |= {"present": present_people(db, session.id), "struck": struck_people(db, session.id)}
    return standing


def _deliver(door: Door) -> Response:
    body = _json_body()
    db, now = get_db(), get_runtime().clock()
    entries = parse_entries(body)
    sent_at, trip = (body.get(name) for name in ("sent_at", "round_trip"))
    with transaction(db):
        taken = receive(
            db,
            session=queries.get_by_code(db, door.session.code),
            device_id=str(body.get("device", "")),
            entries=entries,
            keys=get_keys(),
            now=now,
            sent_at_ms=sent_at if isinstance(sent_at, int) and 0 < sent_at < 2**53 else None,
            round_trip_ms=trip if isinstance(trip, int) else 0,
        )
        standing = _standing(db, door, fresh=body.get("fresh") is True)
    return _no_store({"results": [asdict(one) for one in taken], **standing})


def _read_photo() -> Response:
    if not same_origin():
        raise FormExpired
    request.max_content_length = _FORM_BYTES
    photo = request.files.get("photo")
    if photo is None:
        raise PhotoUnreadable(field="photo")
    return _no_store({"text": read_photo(photo.stream.read(MOST_BYTES + 1))})
