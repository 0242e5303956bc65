"""A check-in through a rotating code, in processor time: the press that counts, and the whole way from the scan to the confirmation."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from statistics import median
from urllib.parse import quote, urlencode

from sqlalchemy import insert
from sqlalchemy.orm import Session

from benchmarks.attempt import CONNECTIONS, Steps
from benchmarks.floor import door as floor_door
from benchmarks.ground import Ground
from benchmarks.load import Reply, request
from benchmarks.phones import cookies_of, hidden_value
from benchmarks.results import Result, Results
from benchmarks.server import Server
from quizapp.core.clock import to_ms
from quizapp.core.db import transaction
from quizapp.core.tokens import new_poster_code, new_secret
from quizapp.organisation.models import Person
from quizapp.trainings.models import TrainingSession
from quizapp.trainings.rotating import Right, slot_of, token_of

_FORM = "application/x-www-form-urlencoded"
#: Check-ins a minute that the target speaks of.
RATE = 500


def prepare(ground: Ground, people: int, sessions: int) -> list[str]:
    """People who are known and sessions that are open, in the ground that both sides get a copy of; gives the sessions' codes.

    Both sides find the same person by the same number; each looks it up by a hash of its own.
    """
    now = datetime.now(UTC)
    codes = [new_poster_code() for _ in range(sessions)]
    with ground.installation.database.session() as db, transaction(db):
        for hashed in (ground.installation.keys.phone_hash, floor_door.phone_hash):
            rows = [
                {
                    "name": name_of(i),
                    "name_key": name_of(i),
                    "phone_hash": hashed(phone_of(i)),
                    "source": "roster",
                    "created_at": now,
                }
                for i in range(people)
            ]
            db.execute(insert(Person), rows)
        _add_sessions(db, ground.unit_id, codes, now)
    return codes


def _add_sessions(db: Session, unit_id: int, codes: Sequence[str], now: datetime) -> None:
    begin, end = to_ms(now - timedelta(hours=1)), to_ms(now + timedelta(hours=6))
    db.add_all(
        TrainingSession(
            code=code,
            title="消防疏散演练",
            place="二楼",
            unit_id=unit_id,
            kind="lecture",
            code_mode="rotating",
            starts_at=begin,
            ends_at=end,
            check_in_from=begin,
            check_in_until=end,
            created_at=begin,
        )
        for code in codes
    )


def name_of(number: int) -> str:
    """A name that no two people share."""
    return f"周敏{number}"


def phone_of(number: int) -> str:
    """A phone number of their own."""
    return f"138{number:08d}"


def press_request(code: str, cookies: str, token: str, number: int) -> bytes:
    """Press the button."""
    fields = {"form_token": token, "name": name_of(number), "phone": phone_of(number), "unit_id_query": ""}
    body = urlencode(fields, quote_via=quote).encode()
    return request("POST", f"/s/{code}/check-in", cookies=cookies, body=body, kind=_FORM)


def _all_in(step: str, code: str, replies: Sequence[Reply]) -> None:
    bad = [reply.status for reply in replies if reply.status != 303 or reply.header("location") != f"/s/{code}/in"]
    if bad:
        raise RuntimeError(f"{step}: {len(bad)} of {len(replies)} are not in, the first with status {bad[0]}")


def press_ours(ground: Ground, server: Server, code: str, numbers: Sequence[int]) -> float:
    """CPU-ms of one press, each with a right of its own. Raises RuntimeError where one is not in."""
    keys = ground.installation.keys
    requests = []
    for number in numbers:
        right = Right.new(code, time.time_ns() // 1_000_000)
        cookies = f"right={right.sealed(keys)}; device={new_secret()}"
        requests.append(press_request(code, cookies, right.form_token(keys), number))
    steps = Steps(ground, server)
    _all_in("press", code, steps.run("press", requests))
    return steps.costs["press"]


def press_floor(ground: Ground, server: Server, code: str, numbers: Sequence[int]) -> float:
    """The same on the floor."""
    requests = []
    for number in numbers:
        right = f"{time.time_ns() // 1_000_000}.{new_secret()}"
        cookies = f"right={right}.{floor_door.sign(right)}; device={new_secret()}"
        requests.append(press_request(code, cookies, "", number))
    steps = Steps(ground, server)
    _all_in("press", code, steps.run("press", requests))
    return steps.costs["press"]


def whole(ground: Ground, server: Server, code: str, numbers: Sequence[int], *, ours: bool) -> dict[str, float]:
    """Scan, form, press, confirmation: what each costs for one person."""
    steps = Steps(ground, server)
    slot = slot_of(time.time_ns() // 1_000_000)
    token = token_of(ground.installation.keys, code, slot) if ours else floor_door.sign(f"{code}.{slot}")[:8]
    scans = steps.run("scan", [request("GET", f"/s/{code}/{token}")] * len(numbers))
    jars = ["; ".join(cookies_of(reply)) for reply in scans]
    forms = steps.run("form", [request("GET", f"/s/{code}", cookies=jar) for jar in jars])
    tokens = [hidden_value(form.body, "form_token") if ours else "" for form in forms]
    presses = steps.run(
        "press",
        [press_request(code, jar, one, number) for jar, one, number in zip(jars, tokens, numbers, strict=True)],
    )
    _all_in("press", code, presses)
    done = ["; ".join(cookies_of(reply)) for reply in presses]
    steps.run("confirmation", [request("GET", f"/s/{code}/in", cookies=jar) for jar in done])
    return steps.costs


def measure(
    ground: Ground, ours: Server, floor: Server, results: Results, *, codes: Sequence[str], rounds: int, count: int
) -> None:
    """The press of known people, of people whom nobody knows, and the whole way."""
    left = iter(codes)
    known, strange = range(count), range(10**6, 10**6 + count)
    code = next(left)
    press_ours(ground, ours, code, range(CONNECTIONS * 2))  # connections, statements
    press_floor(ground, floor, code, range(CONNECTIONS * 2))
    costs: dict[str, list[float]] = defaultdict(list)
    for number in range(rounds):
        code, other = next(left), next(left)
        # strangers are strangers once
        new = range(strange.start + number * count, strange.start + (number + 1) * count)
        sides = [("ours", press_ours, ours), ("floor", press_floor, floor)]
        for name, press, server in sides if number % 2 == 0 else sides[::-1]:
            costs[f"{name} known"].append(press(ground, server, code, known))
            costs[f"{name} new"].append(press(ground, server, other, new))
    mine: dict[str, list[float]] = defaultdict(list)
    raw: dict[str, list[float]] = defaultdict(list)
    for _ in range(rounds):
        code = next(left)
        for steps, server, is_ours in ((mine, ours, True), (raw, floor, False)):
            for name, cost in whole(ground, server, code, range(count // 4), ours=is_ours).items():
                steps[name].append(cost)
    one, two = ({name: median(values) for name, values in steps.items()} for steps in (mine, raw))
    results.add(
        Result(
            "check-in through one rotating code", median(costs["ours known"]), median(costs["floor known"]), "CPU-ms",
            ground.kind, CONNECTIONS, f"{RATE} a minute take {median(costs['ours known']) * RATE / 600:.1f} % of a core",
            target=1.4,
        )
    )  # fmt: skip
    results.add(
        Result(
            "check-in of somebody not known before", median(costs["ours new"]), median(costs["floor new"]), "CPU-ms",
            ground.kind, CONNECTIONS, "the floor keeps no phone number",
        )
    )  # fmt: skip
    results.add(
        Result(
            "check-in from scan to confirmation", sum(one.values()), sum(two.values()), "CPU-ms", ground.kind, CONNECTIONS,
            f"ours {_listed(one)}; floor, without pages, {_listed(two)}; "
            f"{RATE} a minute take {sum(one.values()) * RATE / 600:.0f} % of a core",
        )
    )  # fmt: skip


def _listed(costs: dict[str, float]) -> str:
    return ", ".join(f"{name} {cost:.2f}" for name, cost in costs.items())
