"""temporary"""
from flask import Blueprint, Flask, session
from quizapp.core.web import public, get_db, get_runtime
from quizapp.accounts.queries import find_actor
from quizapp.core.scope import GUEST
bp = Blueprint("accounts", __name__)
@bp.get("/sign-in")
@public
def sign_in(): return ""
def register(app: Flask) -> None:
    def load():
        return (find_actor(get_db(), session["account_id"], session.get("epoch",0)) or GUEST) if "account_id" in session else GUEST
    app.extensions["quizapp"].load_actor = load
