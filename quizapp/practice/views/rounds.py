"""The banks to practise, and rounds of a bank, a topic or a benchmark."""

from __future__ import annotations

from functools import partial
from typing import Any

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from quizapp.banks.models import ItemVersion
from quizapp.core.clock import to_ms
from quizapp.core.db import transaction
from quizapp.core.errors import NotFound
from quizapp.core.tokens import new_code
from quizapp.core.web import get_actor, get_db, get_now, public
from quizapp.practice.queries import (
    bank_shares,
    find_bank,
    find_benchmark,
    find_topic,
    practice_pool,
    practised_items,
    wrong_items,
)
from quizapp.practice.rounds import ROUND_SIZES, Round, choose_items, is_seed
from quizapp.practice.services import Recorded, record_answer
from quizapp.practice.views import bp
from quizapp.practice.views.playing import Play, play
from quizapp.ui.filters import lang_text


@bp.get("/practice")
@public
def index() -> str:
    """The banks with their topics, and how much of each the visitor has practised."""
    db, account_id = get_db(), get_actor().account_id
    pool = practice_pool(db, get_now())
    return render_template(
        "practice/index.html",
        banks=bank_shares(db, pool, practised_items(db, account_id)),
        signed_in=account_id is not None,
        wrong_count=_wrong_count(account_id, {item.item_id for item in pool}),
    )


def _wrong_count(account_id: int | None, pool: set[int]) -> int:
    return 0 if account_id is None else len(wrong_items(get_db(), account_id) & pool)


@bp.route("/practice/<bank>", methods=["GET", "POST"])
@public
def bank(bank: str) -> str | BaseResponse | tuple[str, int]:
    """A round of a bank; `?benchmark=7` narrows the literacy bank to one benchmark."""
    db = get_db()
    row = find_bank(db, bank)
    if row is None:
        raise NotFound
    number = request.args.get("benchmark", type=int)
    if number is None:
        return _round("practice.bank", lang_text(row.title), ROUND_SIZES[1], bank=bank)
    benchmark = find_benchmark(db, number)
    if benchmark is None:
        raise NotFound
    return _round("practice.bank", lang_text(benchmark.name), ROUND_SIZES[0], bank=bank, benchmark=number)


@bp.route("/practice/<bank>/<topic>", methods=["GET", "POST"])
@public
def topic(bank: str, topic: str) -> str | BaseResponse | tuple[str, int]:
    """A round of one topic."""
    db = get_db()
    row = find_bank(db, bank)
    found = find_topic(db, row.id, topic) if row is not None else None
    if found is None:
        raise NotFound
    return _round("practice.topic", lang_text(found.title), ROUND_SIZES[0], bank=bank, topic=topic)


def _round(endpoint: str, title: str, size: int, **where: Any) -> str | BaseResponse | tuple[str, int]:
    """The round of an address; an address without a seed begins a new one."""
    asked = request.args.get("n", size, type=int)
    size = asked if asked in ROUND_SIZES else size
    seed = request.args.get("seed", "")
    if not is_seed(seed):
        return redirect(url_for(endpoint, **where, n=size, seed=new_code(8).lower()), 302)
    items = choose_items(practice_pool(get_db(), get_now(), **where), seed, size)
    if not items:
        return render_template("practice/nothing.html", title=title)
    return play(
        Play(
            kind="round",
            title=title,
            seed=seed,
            items=items,
            round=Round.read(len(items), request.args.get("results", "")),
            address=partial(_address, endpoint, where, size, seed),
            close_url=url_for("practice.index"),
            again_url=url_for(endpoint, **where, n=size),
            keep=partial(keep_answer, seed),
        )
    )


def _address(endpoint: str, where: dict[str, Any], size: int, seed: str, **more: Any) -> str:
    more.setdefault("results", request.args.get("results") or None)
    return url_for(endpoint, **where, n=size, seed=seed, **more)


def keep_answer(seed: str, version: ItemVersion, answer: str, right: bool, place: int) -> Recorded:
    """Keep an account's answer; a guest's is kept nowhere but in the address."""
    account_id = get_actor().account_id
    if account_id is None:
        return Recorded(answer, right)
    db = get_db()
    with transaction(db):
        return record_answer(
            db,
            account_id=account_id,
            seed=seed,
            place=place,
            version=version,
            answer=answer,
            right=right,
            now_ms=to_ms(get_now()),
        )
