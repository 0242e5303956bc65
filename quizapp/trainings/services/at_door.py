"""Writing one attendance down, in one statement: who was expected, which unit, and only while the session takes people.

The commonest check-in of all, a name and a phone that are known, is `take_quickly`: one round trip on a plain connection. Whatever it
does not write (a repeated check-in, a session with places, one that is closed …) it leaves to `check_in`, which says what became of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from quizapp.core.clock import to_ms
from quizapp.core.hot import HotStatement, Row, Runner, session_runner
from quizapp.core.tokens import Keys
from quizapp.organisation.models import PersonSource, name_key
from quizapp.trainings.models import AttendanceState, CheckInMethod, CodeMode, Expected, Matched, TrainingSession
from quizapp.trainings.rotating import Right

_ATTENDANCE = """
    INSERT INTO attendance (session_id, person_id, method, at_ms, self_at_ms, received_at, state, reason, matched, expected,
      unit_id, unit_path, device_hash, right_hash, took_ms, recorded_by, note)
    SELECT s.id, p.id, :method, :at, :self_at, :at, :state, :reason, :matched,
      CASE
        WHEN r.id IS NOT NULL THEN '{roster}'
        WHEN g.id IS NOT NULL THEN '{registered}'
        WHEN EXISTS (SELECT 1 FROM roster_entry AS o WHERE o.session_id = s.id)
          OR EXISTS (SELECT 1 FROM registration AS o WHERE o.session_id = s.id)
          OR EXISTS (SELECT 1 FROM audience_rule AS o WHERE o.session_id = s.id) THEN '{walk_in}'
      END,
      u.id, u.path, :device, :right, :took, :recorded_by, ''
    FROM training_session AS s
    JOIN org_unit AS own ON own.id = s.unit_id
    JOIN person AS p ON p.id = {person}
    LEFT JOIN roster_entry AS r ON r.session_id = s.id AND r.person_id = p.id
    LEFT JOIN registration AS g ON g.session_id = s.id AND g.person_id = p.id AND g.state = 'registered'
    LEFT JOIN org_unit AS u ON u.id = coalesce(r.unit_id, CAST(:unit AS BIGINT), g.unit_id, p.unit_id)
      AND (r.unit_id IS NOT NULL OR CAST(:unit AS BIGINT) IS NOT NULL OR {trusted} OR substr(u.path, 1, length(own.path)) = own.path)
    WHERE {session}
    %lock%
    ON CONFLICT DO NOTHING
    RETURNING id
"""
_WORDS = {member.name.lower(): member.value for member in Expected}
_TYPED = f"""
    (SELECT o.id FROM person AS o WHERE o.phone_hash IN (:phone, :phone_too) AND o.name_key = :name
     ORDER BY CASE o.source WHEN '{PersonSource.ROSTER.value}' THEN 0 WHEN '{PersonSource.ACCOUNT.value}' THEN 1 ELSE 2 END, o.id
     LIMIT 1)
"""  # noqa: S608 # words of our own
_TAKING = f"""
    s.code = :code AND s.code_mode = '{CodeMode.ROTATING.value}' AND s.capacity IS NULL AND s.closed_at IS NULL
    AND s.cancelled_at IS NULL AND s.check_in_from <= :at AND s.check_in_until > :at
"""

#: A person who is known by id, at a session that the caller holds locked.
ATTEND = HotStatement.of(
    _ATTENDANCE.format(**_WORDS, person=":person", trusted="CAST(:trusted AS BIGINT) = 1", session="s.id = :session")
)
#: A name and a phone, at a session of this code that takes people now; on PostgreSQL it holds off whoever closes the session.
ATTEND_TYPED = HotStatement.of(
    _ATTENDANCE.format(**_WORDS, person=_TYPED, trusted="1 = 0", session=f"{_TAKING} AND p.merged_into_id IS NULL"),
    lock="FOR SHARE OF s FOR KEY SHARE OF p",
)
_NEW_TYPED = f"""
    INSERT INTO person (name, name_key, phone_hash, phone_encrypted, source, created_at)
    SELECT :shown, CAST(:name AS VARCHAR), :phone, :sealed, '{PersonSource.TYPED.value}', CREATED
    FROM training_session AS s
    WHERE {_TAKING} AND NOT EXISTS (SELECT 1 FROM person AS o
      WHERE o.phone_hash IN (:phone, :phone_too) AND o.name_key = CAST(:name AS VARCHAR))
    ON CONFLICT DO NOTHING
    RETURNING id
"""  # noqa: S608 # words of our own
#: The person behind a name and a phone that nobody is known by, where the session takes people.
NEW_TYPED = HotStatement(
    sqlite=HotStatement.of(_NEW_TYPED.replace("CREATED", ":created")).sqlite,
    postgresql=HotStatement.of(
        _NEW_TYPED.replace("CREATED", "CAST(:created AS timestamp) AT TIME ZONE 'UTC'")
    ).postgresql,
)
#: Places that are left: capacity, less those who are in, less those who registered and are still expected before the begin.
_PLACES = HotStatement.of(
    f"""
    SELECT s.capacity
      - (SELECT count(*) FROM attendance AS a
         WHERE a.session_id = s.id AND a.state = '{AttendanceState.COUNTED.value}' AND a.duplicate_of_id IS NULL),
      (SELECT count(*) FROM registration AS g
       WHERE g.session_id = s.id AND g.state = 'registered'
         AND NOT EXISTS (SELECT 1 FROM attendance AS a WHERE a.session_id = g.session_id AND a.person_id = g.person_id
                         AND a.state = '{AttendanceState.COUNTED.value}')),
      EXISTS (SELECT 1 FROM registration AS g
              WHERE g.session_id = s.id AND g.state = 'registered' AND g.person_id = :person),
      s.starts_at
    FROM training_session AS s WHERE s.id = :session
    """  # noqa: S608 # words of our own
)


@dataclass(frozen=True)
class Typed:
    """Who somebody says they are: a cleaned name and a phone number of eleven digits."""

    name: str
    phone: str


def take_quickly(
    run: Runner, *, session_code: str, typed: Typed, right: Right, device_hash: bytes | None, keys: Keys, now: datetime
) -> int | None:
    """Check somebody in by a right that is still good; gives the attendance's id, or None where there is more to say than "in"."""
    now_ms = to_ms(now)
    if right.expired(now_ms):
        return None
    hashes = keys.phone_hashes(typed.phone)
    values: dict[str, Any] = {
        "code": session_code,
        "name": name_key(typed.name),
        "phone": hashes[0],
        "phone_too": hashes[-1],
        "method": CheckInMethod.ROTATING.value,
        "matched": Matched.TYPED.value,
        "state": AttendanceState.COUNTED.value,
        "reason": None,
        "at": now_ms,
        "self_at": now_ms,
        "device": device_hash,
        "right": right.hash,
        "took": right.took_ms(now_ms),
        "recorded_by": None,
        "unit": None,
    }
    rows = run(ATTEND_TYPED, values)
    if not rows:
        made = run(
            NEW_TYPED,
            {
                **values,
                "shown": typed.name,
                "sealed": keys.encrypt_phone(typed.phone),
                "created": now.strftime("%Y-%m-%d %H:%M:%S.%f"),
            },
        )
        rows = run(ATTEND_TYPED, values) if made else []
    return int(rows[0][0]) if rows else None


def attend(db: Session, values: Mapping[str, Any]) -> int | None:
    """Run `ATTEND` in the session's transaction; None where the person, or the right, stands there already."""
    blank = {"reason": None, "device": None, "right": None, "took": None, "recorded_by": None, "unit": None}
    rows = session_runner(db)(ATTEND, {**blank, "trusted": 0, **values})
    return int(rows[0][0]) if rows else None


def has_place(db: Session, session: TrainingSession, person_id: int, now_ms: int) -> bool:
    """Whether there is a place for somebody. The caller holds the session locked, so that nobody else counts at the same time.

    Who registered has theirs until the session begins; then the places that were held are free for whoever stands there.
    """
    if session.capacity is None:
        return True
    (row,) = session_runner(db)(_PLACES, {"session": session.id, "person": person_id})
    return _is_free(row, now_ms)


def _is_free(row: Row, now_ms: int) -> bool:
    free, held, own, starts_at = row
    if now_ms >= starts_at:
        return bool(free > 0)
    return bool(own) or bool(free - held > 0)
