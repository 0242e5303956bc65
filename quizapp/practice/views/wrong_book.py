"""The wrong book: what was answered wrong comes back until it was right twice in a row."""

from __future__ import annotations

from functools import partial
from typing import Any

from flask import redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from quizapp.core.tokens import new_code
from quizapp.core.web import get_actor, get_db, get_now, signed_in
from quizapp.practice.queries import answers_of_round, bank_shares, practice_pool, wrong_items
from quizapp.practice.rounds import ROUND_SIZES, Round, choose_items, is_seed
from quizapp.practice.views import bp
from quizapp.practice.views.playing import Play, play
from quizapp.practice.views.rounds import keep_answer


def _account_id() -> int:
    account_id = get_actor().account_id
    assert account_id is not None  # noqa: S101 # the views are for accounts
    return account_id


@bp.get("/wrong-book")
@signed_in
def wrong_book() -> str:
    """How many items stand in the book, by topic; those that an open test uses wait until it is over."""
    db = get_db()
    wrong = wrong_items(db, _account_id())
    pool = [item for item in practice_pool(db, get_now()) if item.item_id in wrong]
    return render_template(
        "practice/wrong_book.html", banks=bank_shares(db, pool, ()), count=len(pool), waiting=len(wrong) - len(pool)
    )


@bp.route("/wrong-book/round", methods=["GET", "POST"])
@signed_in
def wrong_round() -> str | BaseResponse | tuple[str, int]:
    """A round of wrong items. Those that left the book during the round stay in it, so that a reload shows the same."""
    db, account_id = get_db(), _account_id()
    seed = request.args.get("seed", "")
    size = request.args.get("n", ROUND_SIZES[1], type=int)
    size = size if 1 <= size <= ROUND_SIZES[1] else ROUND_SIZES[1]
    wrong = wrong_items(db, account_id)
    if is_seed(seed):
        wrong |= {answer.item_id for answer in answers_of_round(db, account_id, seed).values()}
    pool = [item for item in practice_pool(db, get_now()) if item.item_id in wrong]
    if not pool:
        return redirect(url_for("practice.wrong_book"), 303)
    if not is_seed(seed):
        size = min(len(pool), ROUND_SIZES[1])
        return redirect(url_for("practice.wrong_round", n=size, seed=new_code(8).lower()), 302)
    items = choose_items(pool, seed, size)

    def address(**more: Any) -> str:
        more.setdefault("results", request.args.get("results") or None)
        return url_for("practice.wrong_round", n=size, seed=seed, **more)

    return play(
        Play(
            kind="wrong_book",
            title=_("错题本"),
            seed=seed,
            items=items,
            round=Round.read(len(items), request.args.get("results", "")),
            address=address,
            close_url=url_for("practice.wrong_book"),
            again_url=url_for("practice.wrong_round"),
            keep=partial(keep_answer, seed),
        )
    )
