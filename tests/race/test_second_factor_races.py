"""One code of the second factor, sent by two browsers at once, on PostgreSQL."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pyotp
import pytest
from sqlalchemy.orm import Session

from quizapp.accounts.errors import FactorCodeWrong
from quizapp.accounts.models import Account, SecondFactor
from quizapp.accounts.services import second_factor as factors
from quizapp.accounts.totp import new_totp_secret
from quizapp.core.db import Database, transaction
from quizapp.core.tokens import Keys
from tests.conftest import START
from tests.factories import make_account
from tests.race.gate import PATIENCE

pytestmark = [pytest.mark.race, pytest.mark.postgres]


@pytest.mark.parametrize("guarded", [True, False], ids=["guarded", "control"])
def test_of_two_uses_of_one_code_one_comes_in(
    postgres_database: Database, keys: Keys, monkeypatch: pytest.MonkeyPatch, guarded: bool
) -> None:
    secret, now = new_totp_secret(), START + timedelta(minutes=5)
    totp = pyotp.TOTP(secret)
    with postgres_database.session() as db, transaction(db):
        account = make_account(db)
        factors.enrol(db, keys=keys, account=account, secret=secret, code=totp.at(START), now=START)
    barrier = threading.Barrier(2)

    def look_then_write(db: Session, account_id: int, step: int) -> bool:
        factor = db.get_one(SecondFactor, account_id)
        fresh = factor.last_step < step
        barrier.wait(PATIENCE)
        factor.last_step = step
        return fresh

    if not guarded:
        monkeypatch.setattr(factors, "_use_step", look_then_write)

    def use(_: int) -> bool:
        with postgres_database.session() as db:
            mine = db.get_one(Account, account.id)
            if guarded:
                barrier.wait(PATIENCE)
            try:
                with transaction(db):
                    factors.check_second_factor(db, keys=keys, account=mine, code=totp.at(now), now=now)
            except FactorCodeWrong:
                return False
            return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(use, range(2))) == [not guarded, True]
