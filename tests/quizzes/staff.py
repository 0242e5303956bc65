"""An application for the staff pages, with whoever a test wants signed in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from flask import Flask
from flask.testing import FlaskClient

from quizapp.core.scope import Actor, Grant, Role, Scope
from quizapp.core.web import Runtime
from quizapp.organisation.models import OrgUnit


def coordinator_of(*units: OrgUnit, account_id: int = 41) -> Actor:
    """A coordinator of these units."""
    return Actor(
        account_id=account_id,
        name="林晓",
        scope=Scope(tuple(Grant(Role.COORDINATOR, unit.path) for unit in units)),
    )


def client_of(app: Flask, actor: Actor) -> FlaskClient:
    """A client on an application where this actor is signed in."""
    runtime = cast("Runtime", app.extensions["quizapp"])
    runtime.load_actor = lambda: actor
    app.config["WTF_CSRF_ENABLED"] = False
    return app.test_client()


AppMaker = Callable[..., Flask]


def delivery_form(**changes: Any) -> dict[str, Any]:
    """What the page for a new delivery sends."""
    values: dict[str, Any] = {
        "action": "publish",
        "blueprint": "safety_20",
        "blueprint_shown": "safety_20",
        "title": "安全知识测试",
        "opens_at": "2026-11-23T08:00",
        "closes_at": "2026-12-01T00:00",
        "minutes": "20",
        "tries": "2",
        "pass_score": "60",
        "paper_count": "2",
        "guests": "y",
        "reveal": "at_once",
        "name": "required",
        "unit": "required",
        "birth_year": "optional",
        "sex": "off",
        "education": "off",
        "key_group": "off",
        "industry": "off",
        "phone": "off",
        "keeper": "临江区科协",
        "contact": "0571-0000",
        "purpose": "统计合格率",
        "retention_months": "36",
    }
    return {name: value for name, value in {**values, **changes}.items() if value is not None}
