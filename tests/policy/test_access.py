"""Who may open what: every route, by every role, with an own and with a foreign object.

The table says what a route demands (the same as its view says) and from which objects its address is built. The walk then asks as
everybody: a guest is sent to the sign-in, an account without the permission reads 403, a foreign unit's object is 404, an own one opens.
"""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from shutil import copyfile
from typing import Any

import pytest
from flask import Flask, url_for
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from quizapp.accounts.models import Account, AccountGrant, AccountSession
from quizapp.accounts.queries import find_actor
from quizapp.accounts.services import make_set_up_link
from quizapp.accounts.services import open_session as open_sign_in
from quizapp.app import create_app
from quizapp.banks.models import Item, ItemBank, ItemLook, Topic
from quizapp.certificates.models import Certificate
from quizapp.certificates.numbers import make_number, new_check_code
from quizapp.certificates.services import TASK, keep_pdf
from quizapp.core.clock import local_date, to_ms
from quizapp.core.db import Database, transaction
from quizapp.core.scope import GUEST, ROLE_PERMISSIONS, SYSTEM, Actor, Grant, Permission, Role, Scope
from quizapp.core.tokens import digest, new_secret
from quizapp.core.web import Runtime
from quizapp.jobs.models import JobState
from quizapp.jobs.services import enqueue
from quizapp.organisation.imports.batches import ROSTER, UNITS, receive_file
from quizapp.organisation.merging import merge_people
from quizapp.organisation.models import Industry, OrgUnit
from quizapp.organisation.unit_merging import merge_units
from quizapp.quizzes.models import Attempt, Delivery, DeliveryState
from quizapp.quizzes.queries.afterwards import items_of_delivery
from quizapp.quizzes.rescoring.models import KeyCorrection
from quizapp.quizzes.services.proposals import propose_correction, propose_voiding
from quizapp.quizzes.services.submitting import submit_attempt
from quizapp.quizzes.views.access import cookie_name, form_token
from quizapp.reports.exports import Format, Plan, ask_for_export, keep_export
from quizapp.surveys.models import Survey, SurveyInvitation
from quizapp.surveys.services.drawing import card_secret
from quizapp.surveys.services.printing import keep_cards
from quizapp.trainings.models import (
    AudienceRule,
    Course,
    CourseRun,
    Place,
    RosterEntry,
    SessionEvidence,
    SessionKind,
    TrainingSession,
)
from quizapp.trainings.rotating import slot_of, token_of
from quizapp.trainings.services import RunPlan, add_course, add_evidence, add_place, add_run, open_session
from quizapp.trainings.services.feeds import renew_feed
from quizapp.trainings.services.printing import keep_print
from quizapp.trainings.services.scanning import admit_helper, register_device
from tests.certificates.support import make_run
from tests.conftest import START, FakeClock, make_settings
from tests.factories import (
    make_account,
    make_attempt,
    make_attendance,
    make_delivery,
    make_person,
    make_registration,
    make_session,
    make_unit,
)
from tests.quizzes.banks import make_blueprint
from tests.quizzes.staff import delivery_form
from tests.quizzes.support import begin
from tests.surveys.support import make_survey, make_test

PUBLIC, SIGNED_IN = "public", "signed_in"
#: A word in the name of everything that belongs to a side: a page for one side must not say the other's.
MARKS = {"here": "东岸", "there": "西岸"}


@dataclass
class Side:
    """What one of two units that know nothing of each other has."""

    mark: str
    unit: OrgUnit
    spare_unit: OrgUnit
    delivery: Delivery
    session: TrainingSession
    spare_session: TrainingSession
    called_off: TrainingSession
    course: Course
    run: CourseRun
    place: Place
    roster_session: TrainingSession
    account: Account
    #: A literacy test.
    survey_test: Delivery


@dataclass(frozen=True)
class Visitor:
    """Somebody who asks: at home on one side, or (`whole`) responsible for everything."""

    actor: Actor
    home: str = "here"
    whole: bool = False
    cookie: str | None = None


@dataclass
class Case:
    """One request: by whom, and whether the objects in its address are the visitor's own."""

    ground: Ground
    visitor: Visitor
    foreign: bool
    cookies: dict[str, str] = field(default_factory=dict)
    token: str = ""

    @property
    def own(self) -> Side:
        return self.ground.sides[self.visitor.home]

    @property
    def side(self) -> Side:
        return self.ground.sides["there" if (self.visitor.home == "here") == self.foreign else "here"]

    def failed_delivery(self) -> int:
        """A delivery whose assembly has failed."""
        with self.ground.writing() as db:
            unit = db.get_one(OrgUnit, self.side.unit.id)
            return make_delivery(db, unit, items=1, state=DeliveryState.FAILED, title=self.side.mark).id

    def open_delivery(self) -> int:
        """A delivery that can be ended."""
        with self.ground.writing() as db:
            return make_delivery(db, db.get_one(OrgUnit, self.side.unit.id), items=1, title=self.side.mark).id

    def people(self) -> list[int]:
        """Two people of the side."""
        with self.ground.writing() as db:
            return [make_person(db, name=f"{self.side.mark}李国", unit_id=self.side.unit.id).id for _ in range(2)]

    def merge(self) -> int:
        """Two people of the side who were merged."""
        kept, merged = self.people()
        with self.ground.writing() as db:
            return merge_people(db, kept_id=kept, merged_id=merged, actor=SYSTEM, now=START).id

    def sign_in(self) -> int:
        """Another sign-in of the visitor, or of somebody else."""
        account_id = self.side.account.id if self.foreign else self.visitor.actor.account_id or self.side.account.id
        with self.ground.writing() as db:
            account = db.get_one(Account, account_id)
            open_sign_in(db, account=account, device="", remember=True, second_factor=False, now=START)
            return db.scalars(select(AccountSession.id).order_by(AccountSession.id.desc()).limit(1)).one()

    def unit_merge(self) -> int:
        """Two units below the side's that were merged."""
        with self.ground.writing() as db:
            top = db.get_one(OrgUnit, self.side.unit.id)
            kept, merged = (make_unit(db, top, name=f"{self.side.mark}小区").id for _ in range(2))
            return merge_units(db, kept_id=kept, merged_id=merged, actor=SYSTEM, now=START).id

    def rotating_code(self) -> dict[str, str]:
        """A session whose code rotates, and the code of the moment."""
        with self.ground.writing() as db:
            session = make_session(db, db.get_one(OrgUnit, self.side.unit.id), code_mode="rotating")
            token = token_of(self.ground.keys, session.code, slot_of(to_ms(START)))
            return {"code": session.code, "token": token}

    def grant(self) -> dict[str, int]:
        """An account of the side with its one grant."""
        with self.ground.writing() as db:
            account = make_account(db, (Role.TRAINER, self.side.unit), unit=self.side.unit)
            grant = db.scalars(select(AccountGrant.id).where(AccountGrant.account_id == account.id)).one()
            return {"account_id": account.id, "grant_id": grant}

    def job(self) -> str:
        """A job that the visitor asked for, or somebody else."""
        asker = self.ground.visitors["trainer" if self.visitor.home == "there" else "other_coordinator"]
        with self.ground.writing() as db:
            actor = asker.actor if self.foreign else self.visitor.actor
            return enqueue(db, "policy", {}, actor=actor, now=START).public_id

    def export(self) -> str:
        """A written file of figures that the visitor asked for, or somebody else."""
        asker = self.ground.visitors["trainer" if self.visitor.home == "there" else "other_coordinator"]
        actor = asker.actor if self.foreign else self.visitor.actor
        plan = Plan("policy", "t", "f", (), (), ())
        with self.ground.writing() as db:
            job = ask_for_export(
                db, plan=plan, form=Format.CSV, query={}, unit_id=None, reason=None, actor=actor, now=START
            )
            file = keep_export(db, b"t", job=job, records=None, keys=self.ground.keys, actor=actor, now=START)
            job.result = {"file": file.public_id}
            return job.public_id

    def taken(self) -> str:
        """A submitted attempt of somebody of the side."""
        with self.ground.writing() as db:
            person = make_person(db, unit_id=self.side.unit.id)
            delivery = db.get_one(Delivery, self.side.delivery.id)
            unit = db.get_one(OrgUnit, self.side.unit.id)
            return make_attempt(db, delivery, unit, person_id=person.id, is_first=False).public_id

    def voiding(self) -> dict[str, Any]:
        """A proposal of somebody else to make an attempt void."""
        public_id = self.taken()
        with self.ground.writing() as db:
            attempt = db.scalars(select(Attempt).where(Attempt.public_id == public_id)).one()
            proposer = Actor(account_id=10**6)
            row = propose_voiding(db, attempt=attempt, reason="代答", actor=proposer, now=START)
            return {"public_id": public_id, "voiding_id": row.id, "decision": "confirm"}

    def item_of_delivery(self) -> dict[str, Any]:
        """An item of the side's delivery."""
        with self.ground.writing() as db:
            version_id = items_of_delivery(db, self.side.delivery.id)[0][0].id
        return {"delivery_id": self.side.delivery.id, "version_id": version_id}

    def item_code(self) -> str:
        """Any item: the banks belong to no unit."""
        with self.ground.writing() as db:
            return db.scalars(select(Item.code)).first() or ""

    def seen(self) -> dict[str, Any]:
        """What a reviewer saw of any item."""
        return {"version": 1, "flags": "too_easy"}

    def look(self) -> dict[str, Any]:
        """A look that somebody took at any item."""
        with self.ground.writing() as db:
            item = db.scalars(select(Item).order_by(Item.id)).first()
            assert item is not None
            look = ItemLook(
                item_version_id=item.current_version_id, flags=["too_easy"], asked=100, looked_at=START, ended_at=START
            )
            db.add(look)
            db.flush()
            return {"code": item.code, "look_id": look.id}

    def correction(self) -> dict[str, Any]:
        """A correction that somebody else proposed."""
        with self.ground.writing() as db:
            delivery = db.get_one(Delivery, self.side.delivery.id)
            for row in db.scalars(select(KeyCorrection).where(KeyCorrection.state == "proposed")):
                row.state = "withdrawn"
            db.flush()
            version = items_of_delivery(db, delivery.id)[0][0]
            row = propose_correction(
                db,
                delivery=delivery,
                item_version_id=version.id,
                accepted=[[str(option["id"])] for option in version.options],
                reason="教材改了",
                actor=Actor(account_id=10**6),
                now=START,
            )
            return {"delivery_id": delivery.id, "correction_id": row.id, "decision": "drop"}

    def roster_entry(self) -> dict[str, int]:
        """Somebody on the roster of the side."""
        side = self.side
        with self.ground.writing() as db:
            person = make_person(db, unit_id=side.unit.id)
            entry = RosterEntry(
                session_id=side.roster_session.id, person_id=person.id, source="by_hand", added_at=to_ms(START)
            )
            db.add(entry)
            db.flush()
            return {"session_id": side.roster_session.id, "entry_id": entry.id}

    def roster_import(self) -> dict[str, Any]:
        """A file that the visitor brought for the roster, or somebody else."""
        session = self.side.roster_session
        return {"session_id": session.id, **self._import(ROSTER, session.id)}

    def unit_import(self) -> dict[str, Any]:
        """A file of units that the visitor brought, or somebody else."""
        return self._import(UNITS, None)

    def _import(self, kind: str, target_id: int | None) -> dict[str, Any]:
        asker = self.ground.visitors["trainer" if self.visitor.home == "there" else "other_coordinator"]
        with self.ground.writing() as db:
            batch = receive_file(
                db,
                "姓名,手机\n李建国,13800001234\n".encode(),
                kind=kind,
                target_id=target_id,
                unit_id=None,
                reach=[],
                after=None,
                keys=self.ground.keys,
                actor=asker.actor if self.foreign else self.visitor.actor,
                now=START,
            )
            return {"public_id": batch.public_id}

    def certificate(self, *, own: bool = False, revoked: bool = False) -> Certificate:
        """A certificate of the side's run; `own`: the visitor's, or somebody else's."""
        with self.ground.writing() as db:
            person_id = self.visitor.actor.person_id if own and not self.foreign else None
            if person_id is None:
                person_id = make_person(db, name=f"{self.side.mark}人").id
            code = new_check_code()
            one = Certificate(
                number=code[:24],
                check_code=code,
                run_id=make_run(db, db.get_one(OrgUnit, self.side.unit.id), course=f"{self.side.mark}课程").id,
                person_id=person_id,
                course_title=f"{self.side.mark}课程",
                run_title="第 1 期",
                issuer=self.side.unit.name,
                hours_tenths=40,
                issued_on=local_date(START),
                issued_at=to_ms(START),
                revoked_at=to_ms(START) if revoked else None,
            )
            db.add(one)
            db.flush()
            one.number = make_number(2026, one.id)
            return one

    def certificate_file(self) -> dict[str, Any]:
        """The file of a run's certificates, which the visitor asked for."""
        run_id = self.side.run.id
        with self.ground.writing() as db:
            job = enqueue(db, TASK, {"run_id": run_id, "language": "zh"}, actor=self.visitor.actor, now=START)
            actor = self.visitor.actor
            file = keep_pdf(db, b"%PDF", run_id=run_id, keys=self.ground.keys, actor=actor, now=START)
            job.state, job.result = JobState.DONE, {"file_id": file.id, "pages": 1, "language": "zh"}
            return {"run_id": run_id, "public_id": job.public_id}

    def attendance(self, **values: Any) -> dict[str, int]:
        """Somebody on the list of the side's session."""
        with self.ground.writing() as db:
            person = make_person(db, name=f"{self.side.mark}来人", unit_id=self.side.unit.id)
            row = make_attendance(db, self.side.session.id, person.id, **values)
            return {"session_id": row.session_id, "attendance_id": row.id}

    def photo(self) -> dict[str, int]:
        """A photo of the side's session."""
        with self.ground.writing() as db:
            # a session holds so many photos, and the walk brings more
            db.execute(
                update(SessionEvidence).where(SessionEvidence.session_id == self.side.session.id).values(removed_at=1)
            )
            photo = add_evidence(
                db,
                session=db.get_one(TrainingSession, self.side.session.id),
                kind="photo",
                jpeg=secrets.token_bytes(16),
                keep_days=1,
                keys=self.ground.keys,
                actor=self.visitor.actor,
                now=START,
            )
            return {"session_id": photo.session_id, "evidence_id": photo.id}

    def print(self) -> dict[str, Any]:
        """A printed file of the visitor, or of somebody else."""
        with self.ground.writing() as db:
            session = db.get_one(TrainingSession, self.side.session.id)
            actor = self.visitor.actor
            file = keep_print(db, b"%PDF", "cards", session=session, keys=self.ground.keys, actor=actor, now=START)
            return {"session_id": session.id, "public_id": file.public_id}

    def audience_session(self) -> int:
        """A session for the people of the side alone, which takes registrations."""
        with self.ground.writing() as db:
            unit = db.get_one(OrgUnit, self.side.unit.id)
            title = f"{self.side.mark}班组培训"
            session = make_session(
                db, unit, title=title, registration="audience", starts_at=to_ms(START + timedelta(days=1))
            )
            db.add(AudienceRule(session_id=session.id, unit_id=unit.id))
            return session.id

    def open_code(self) -> str:
        """The code of a session that anyone may register for, and therefore sees in every list."""
        with self.ground.writing() as db:
            starts_at = to_ms(START + timedelta(days=1))
            return make_session(db, make_unit(db, name="公共"), registration="anyone", starts_at=starts_at).page_code

    def registration(self) -> dict[str, Any]:
        """Somebody's registration for a session of the side."""
        with self.ground.writing() as db:
            person = make_person(db, unit_id=self.side.unit.id)
            session = make_session(db, db.get_one(OrgUnit, self.side.unit.id), title=f"{self.side.mark}培训")
            row = make_registration(db, session.id, person.id)
            return {"session_id": session.id, "registration_id": row.id}

    def own_registration(self) -> dict[str, Any]:
        """A registration whose link this browser holds, or somebody else's."""
        with self.ground.writing() as db:
            secret = new_secret()
            starts_at = to_ms(START + timedelta(days=1))
            session = make_session(db, db.get_one(OrgUnit, self.side.unit.id), starts_at=starts_at)
            row = make_registration(db, session.id, make_person(db).id, secret_hash=digest(secret))
        if not self.foreign:
            self.cookies["registered"] = secret
        return {"code": session.page_code, "registration_id": row.id}

    def feed(self) -> str:
        """The secret of a calendar address."""
        with self.ground.writing() as db:
            return renew_feed(db, account_id=self.side.account.id, now=START)

    def secret(self) -> str:
        """The secret of a set-up link."""
        with self.ground.writing() as db:
            return make_set_up_link(db, account=self.ground.fresh_account, actor=SYSTEM, now=START)

    def free_day(self) -> str:
        """A day that no other request asked for."""
        return (START + timedelta(days=next(self.ground.days))).date().isoformat()

    def audience_rule(self) -> dict[str, int]:
        """A rule of the audience of a side's session."""
        with self.ground.writing() as db:
            rule = AudienceRule(session_id=self.side.spare_session.id, unit_id=self.side.unit.id)
            db.add(rule)
            db.flush()
            return {"session_id": self.side.spare_session.id, "rule_id": rule.id}

    def helper_link(self) -> str:
        """The secret of a helper's link; of a foreign one it is known to nobody here."""
        with self.ground.writing() as db:
            session = db.get_one(TrainingSession, self.side.session.id)
            secret = admit_helper(db, session=session, label="二号门", actor=SYSTEM, now=START)[1]
        return "0" * 22 if self.foreign else secret

    def helper_door(self) -> dict[str, str]:
        """The scan page of a session, with the pass of that session or (foreign) of the other side's."""
        other = self.ground.sides["there" if self.side.mark == MARKS["here"] else "here"]
        with self.ground.writing() as db:
            session = db.get_one(TrainingSession, (other if self.foreign else self.side).session.id)
            self.cookies["helper"] = admit_helper(db, session=session, label="门", actor=SYSTEM, now=START)[1]
        return {"code": self.side.session.code}

    def helper_pass(self) -> dict[str, int]:
        """A helper's pass of the side."""
        with self.ground.writing() as db:
            session = db.get_one(TrainingSession, self.side.session.id)
            helper, _ = admit_helper(db, session=session, label="二号门", actor=SYSTEM, now=START)
            return {"session_id": session.id, "pass_id": helper.id}

    def survey(self, *, drawn: bool = False, closed: bool = False) -> dict[str, int]:
        """A survey of the side."""
        with self.ground.writing() as db:
            unit, delivery = db.get_one(OrgUnit, self.side.unit.id), db.get_one(Delivery, self.side.survey_test.id)
            survey = make_survey(
                db,
                unit,
                delivery,
                keys=self.ground.keys if drawn else None,
                title=f"{self.side.mark}调查",
                design="simple",
                margin=0.2,
                response=1.0,
            )
            survey.closed_at = START if closed else None
            return {"survey_id": survey.id}

    def survey_form(self) -> dict[str, Any]:
        """What the page of a new survey sends."""
        test = self.own.survey_test if self.visitor.home == "here" else self.side.survey_test
        return {
            "action": "save",
            "title": "抽样调查",
            "unit_id": str(self.side.unit.id),
            "delivery_id": str(test.id),
            "design": "simple",
            "frame_kind": "roster",
            "margin": "20",
            "response": "100",
            "confidence": "95",
            "seed": "3 8 1 2026-11-22",
        }

    def survey_invitation(self) -> dict[str, int]:
        """Somebody who was drawn in a survey of the side."""
        values = self.survey(drawn=True)
        with self.ground.writing() as db:
            one = db.scalars(select(SurveyInvitation).where(SurveyInvitation.survey_id == values["survey_id"])).first()
            assert one is not None
            return {**values, "invitation_id": one.id}

    def survey_secret(self) -> dict[str, str]:
        """A card of a survey of the side."""
        return {"secret": card_secret(self.ground.keys, self.survey(drawn=True)["survey_id"], 1)}

    def survey_cards(self) -> dict[str, Any]:
        """Printed cards of the visitor, of a survey of the side."""
        values = self.survey(drawn=True)
        with self.ground.writing() as db:
            survey = db.get_one(Survey, values["survey_id"])
            actor = self.visitor.actor
            file = keep_cards(db, b"%PDF", survey=survey, keys=self.ground.keys, actor=actor, now=START)
            return {**values, "public_id": file.public_id}

    def scan_phone(self) -> dict[str, int]:
        """A phone that scans at the side's session."""
        with self.ground.writing() as db:
            session = db.get_one(TrainingSession, self.side.session.id)
            device = register_device(db, session=session, actor=SYSTEM, helper=None, now=START)
            return {"session_id": session.id, "device_id": device.id}

    def attempt(self, *, closed: bool = False) -> dict[str, Any]:
        """An attempt that this browser started, or that somebody else did: then the browser has no secret for it."""
        delivery = self.side.delivery
        with self.ground.database.session() as db:
            actor = GUEST if self.foreign else self.visitor.actor
            started = begin(db, db.get_one(Delivery, delivery.id), self.ground.keys, actor=actor)
            public_id = started.attempt.public_id
            if closed:
                papers = self.ground.app.extensions["quizzes"].papers
                with transaction(db):
                    submit_attempt(db, started.attempt.id, papers=papers, now_ms=started.attempt.started_at + 1000)
        if not self.foreign:
            self.cookies[cookie_name(public_id)] = started.secret
            self.token = form_token(self.ground.keys, public_id, started.secret)
        return {"code": delivery.poster_code, "public_id": public_id}


def trainer_of(unit: OrgUnit, account: Account) -> Actor:
    """Somebody who runs the sessions of a unit."""
    return Actor(account_id=account.id, scope=Scope((Grant(Role.TRAINER, unit.path),)))


def nothing(_: Case) -> dict[str, Any]:
    """For a page without objects."""
    return {}


@dataclass(frozen=True)
class Route:
    """One endpoint: what it demands and how one asks for it."""

    endpoint: str
    #: PUBLIC, SIGNED_IN or a permission.
    access: str
    #: The values of its address, with the query.
    values: Callable[[Case], dict[str, Any]] = nothing
    #: "scope": a foreign object is refused to everybody but who is responsible for everything. "all": to everybody.
    foreign: str | None = None
    #: What a foreign object gives.
    foreign_status: int = 404
    #: The form or, as `json`, the body of a POST.
    form: Callable[[Case], dict[str, Any]] = nothing
    json: Any = None
    #: A POST takes a grant over everything.
    whole: bool = False
    #: What an own object gives, where only one answer is right.
    status: int | None = None
    #: Only this method, where the two need different words.
    method: str | None = None


P = Permission
#: A link to somebody's paper shows the delivery's start page.
ATTEMPT: dict[str, Any] = {
    "foreign": "all",
    "foreign_status": 303,
    "form": lambda c: {"form_token": c.token, "position": "1", "marked": "1"},
}

TABLE = [
    Route("csp.report", PUBLIC),
    Route("csp.reports", PUBLIC),
    Route("ui.preferences", PUBLIC),
    Route("ui.set_preferences", PUBLIC, form=lambda _: {"elder": "1"}),
    Route("ui.service_worker", PUBLIC),
    Route("operations.root_file", PUBLIC, lambda _: {"name": "robots.txt"}, status=404),  # nobody has laid one there
    Route("operations.probe", PUBLIC, lambda _: {"at_ms": 1, "signature": "x"}, status=404),  # asked without our keys
    Route("operations.kept", PUBLIC),
    Route("demo.chooser", PUBLIC, status=404),  # a real installation has no such door
    Route("demo.sign_in", PUBLIC, form=lambda _: {"role": "administrator"}, status=404),
    Route("portal.home", PUBLIC),
    Route("portal.quizzes", PUBLIC),
    Route("portal.coming", PUBLIC),
    Route("portal.code", PUBLIC),
    Route("portal.help", PUBLIC),
    Route("portal.privacy", PUBLIC),
    Route("portal.me", SIGNED_IN),
    Route("portal.own_data", SIGNED_IN, form=lambda _: {"password": "wrong"}, status=422, method="POST"),
    Route("portal.own_data", SIGNED_IN, method="GET"),
    Route("portal.erase_me", SIGNED_IN, form=lambda _: {"password": "wrong"}, status=422, method="POST"),
    Route("portal.erase_me", SIGNED_IN, method="GET"),
    Route("jobs.job", SIGNED_IN, lambda c: {"public_id": c.job()}, foreign="all"),
    Route(
        "banks.picture", PUBLIC, lambda _: {"sha256": "0" * 64, "language": "zh"}, status=404
    ),  # a picture of nothing
    Route("banks.banks", P.READ_BANKS),
    Route("banks.bank", P.READ_BANKS, lambda c: {"code": c.ground.bank}),
    Route("banks.items", P.READ_BANKS, lambda c: {"code": c.ground.bank}),
    Route("banks.work", P.READ_BANKS),
    Route("banks.sheet_template", P.READ_BANKS),
    Route("banks.check_sheet", P.READ_BANKS, method="GET"),
    Route("banks.check_sheet", P.READ_BANKS, form=lambda _: {}, status=422, method="POST"),
    Route("banks.item", P.READ_BANKS, lambda c: {"code": c.item_code()}),
    Route("banks.look", P.REVIEW_ITEMS, lambda c: {"code": c.item_code()}, form=lambda c: c.seen(), status=303),
    Route("banks.take_back", P.REVIEW_ITEMS, lambda c: c.look(), status=303),
    Route("practice.daily", PUBLIC),
    Route("practice.index", PUBLIC),
    Route("practice.bank", PUBLIC, lambda c: {"bank": c.ground.bank}),
    Route("practice.topic", PUBLIC, lambda c: {"bank": c.ground.bank, "topic": c.ground.topic}),
    Route("practice.wrong_book", SIGNED_IN),
    Route("practice.wrong_round", SIGNED_IN),
    Route("accounts.sign_in", PUBLIC),
    Route("accounts.sign_up", PUBLIC),
    Route("accounts.set_up", PUBLIC, lambda c: {"secret": c.secret()}),
    Route("accounts.log", P.SEE_AUDIT),
    Route("accounts.log_xlsx", P.SEE_AUDIT),
    Route("accounts.log_csv", P.SEE_AUDIT),
    Route("operations.data", P.SEE_AUDIT),
    Route("accounts.accounts", P.MANAGE_ACCOUNTS),
    Route("accounts.new_account", P.MANAGE_ACCOUNTS),
    Route("accounts.account", P.MANAGE_ACCOUNTS, lambda c: {"account_id": c.side.account.id}, "scope"),
    Route("accounts.add_grant", P.MANAGE_ACCOUNTS, lambda c: {"account_id": c.side.account.id}, "scope"),
    Route("accounts.revoke_grant", P.MANAGE_ACCOUNTS, lambda c: c.grant(), "scope"),
    Route("accounts.suspend", P.MANAGE_ACCOUNTS, lambda c: {"account_id": c.side.account.id}, "scope"),
    Route("accounts.restore", P.MANAGE_ACCOUNTS, lambda c: {"account_id": c.side.account.id}, "scope"),
    Route("accounts.end_sign_ins", P.MANAGE_ACCOUNTS, lambda c: {"account_id": c.side.account.id}, "scope"),
    Route("accounts.reset_factor", P.MANAGE_ACCOUNTS, lambda c: {"account_id": c.side.account.id}, "scope"),
    Route("accounts.security", SIGNED_IN),
    Route("accounts.second_factor", PUBLIC, status=303),  # nobody stands between password and second factor
    Route("accounts.new_second_factor", PUBLIC),
    Route("accounts.remove_second_factor", SIGNED_IN),
    Route("accounts.renew_codes", SIGNED_IN),
    Route("accounts.end_sign_in_elsewhere", SIGNED_IN, lambda c: {"session_id": c.sign_in()}, "all", status=303),
    Route("accounts.end_other_sign_ins", SIGNED_IN),
    Route("accounts.set_up_link", P.MANAGE_ACCOUNTS, lambda c: {"account_id": c.side.account.id}, "scope"),
    Route("organisation.unit_search", PUBLIC, lambda _: {"q": "社区"}),
    Route("organisation.units", P.MANAGE_UNITS),
    Route("organisation.units", P.MANAGE_UNITS, lambda _: {"q": "社区"}),
    Route("organisation.new_unit", P.MANAGE_UNITS, lambda c: {"parent": c.side.unit.id}, "scope"),
    Route("organisation.new_unit", P.MANAGE_UNITS, form=lambda _: {"name": "顶层", "kind": "city"}, whole=True),
    Route("organisation.unit", P.MANAGE_UNITS, lambda c: {"unit_id": c.side.spare_unit.id}, "scope"),
    Route("organisation.move", P.MANAGE_UNITS, lambda c: {"unit_id": c.side.spare_unit.id}, "scope"),
    Route(
        "organisation.move",
        P.MANAGE_UNITS,
        lambda c: {"unit_id": c.own.spare_unit.id, "to": c.side.unit.id},
        "scope",
        method="GET",
    ),
    Route("organisation.merge_into", P.MANAGE_UNITS, lambda c: {"unit_id": c.side.spare_unit.id}, "scope"),
    Route(
        "organisation.merge_into",
        P.MANAGE_UNITS,
        lambda c: {"unit_id": c.own.spare_unit.id, "into": c.side.unit.id},
        "scope",
        method="GET",
    ),
    Route("organisation.unit_merge", P.MANAGE_UNITS, lambda c: {"merge_id": c.unit_merge()}, "scope"),
    Route(
        "organisation.undo_merge_of_units", P.MANAGE_UNITS, lambda c: {"merge_id": c.unit_merge()}, "scope", status=303
    ),
    Route("organisation.close_unit", P.MANAGE_UNITS, lambda c: {"unit_id": c.side.spare_unit.id}, "scope"),
    Route("organisation.reopen_unit", P.MANAGE_UNITS, lambda c: {"unit_id": c.side.spare_unit.id}, "scope"),
    Route("organisation.unit_template", P.MANAGE_UNITS),
    Route("organisation.import_units", P.MANAGE_UNITS),
    Route("organisation.unit_import", P.MANAGE_UNITS, lambda c: c.unit_import(), "all"),
    Route("organisation.unit_faults", P.MANAGE_UNITS, lambda c: c.unit_import(), "all"),
    Route("organisation.unit_import_columns", P.MANAGE_UNITS, lambda c: c.unit_import(), "all"),
    Route("organisation.apply_unit_import", P.MANAGE_UNITS, lambda c: c.unit_import(), "all"),
    Route("organisation.drop_unit_import", P.MANAGE_UNITS, lambda c: c.unit_import(), "all"),
    Route("organisation.industries", P.MANAGE_UNITS),
    Route(
        "organisation.new_industry",
        P.MANAGE_UNITS,
        form=lambda _: {"code": "new", "name": "新行业", "name_en": "New"},
        whole=True,
    ),
    Route(
        "organisation.industry",
        P.MANAGE_UNITS,
        lambda c: {"industry_id": c.ground.industry},
        form=lambda _: {"code": "mine", "name": "改了名", "name_en": "Renamed"},
        whole=True,
    ),
    Route("organisation.close_industry", P.MANAGE_UNITS, lambda c: {"industry_id": c.ground.industry}, whole=True),
    Route("organisation.reopen_industry", P.MANAGE_UNITS, lambda c: {"industry_id": c.ground.industry}, whole=True),
    Route("organisation.people", P.MERGE_PEOPLE),
    Route("organisation.people", P.MERGE_PEOPLE, lambda _: {"q": "李国"}),
    Route("organisation.people", P.MERGE_PEOPLE, lambda _: {"unit": "街道"}),
    Route("organisation.merge", P.MERGE_PEOPLE, lambda c: {"person": c.people()}, "scope", method="GET"),
    Route(
        "organisation.merge",
        P.MERGE_PEOPLE,
        foreign="scope",
        form=lambda c: {"person": c.people()},
        method="POST",
        status=303,
    ),
    Route("organisation.merges", P.MERGE_PEOPLE),
    Route("organisation.merge_done", P.MERGE_PEOPLE, lambda c: {"merge_id": c.merge()}, "scope"),
    Route("organisation.undo", P.MERGE_PEOPLE, lambda c: {"merge_id": c.merge()}, "scope"),
    Route("quizzes.deliveries", P.MANAGE_DELIVERIES),
    Route("quizzes.new_delivery", P.MANAGE_DELIVERIES, method="GET"),
    Route(
        "quizzes.new_delivery",
        P.MANAGE_DELIVERIES,
        foreign="scope",
        foreign_status=422,
        form=lambda c: delivery_form(unit_id=c.side.unit.id, pass_score="45", paper_count="1"),
        method="POST",
        status=303,
    ),
    Route("quizzes.delivery_checks", P.MANAGE_DELIVERIES),
    Route("quizzes.delivery_units", P.MANAGE_DELIVERIES, lambda _: {"q": "社区"}),
    Route("quizzes.delivery", P.MANAGE_DELIVERIES, lambda c: {"delivery_id": c.side.delivery.id}, "scope"),
    Route("quizzes.assemble_again", P.MANAGE_DELIVERIES, lambda c: {"delivery_id": c.failed_delivery()}, "scope"),
    Route("quizzes.extend", P.MANAGE_DELIVERIES, lambda c: {"delivery_id": c.side.delivery.id}, "scope"),
    Route("quizzes.corrections", P.MANAGE_DELIVERIES, lambda c: {"delivery_id": c.side.delivery.id}, "scope"),
    Route("quizzes.correction", P.MANAGE_DELIVERIES, lambda c: c.item_of_delivery(), "scope"),
    Route("quizzes.decide_correction", P.MANAGE_DELIVERIES, lambda c: c.correction(), "scope"),
    Route("quizzes.changes", P.MANAGE_DELIVERIES, lambda c: {"delivery_id": c.side.delivery.id}, "scope"),
    Route("quizzes.changes_xlsx", P.MANAGE_DELIVERIES, lambda c: {"delivery_id": c.side.delivery.id}, "scope"),
    Route("quizzes.attempts", P.MANAGE_DELIVERIES, lambda c: {"delivery_id": c.side.delivery.id}, "scope"),
    Route("quizzes.attempt", P.MANAGE_DELIVERIES, lambda c: {"public_id": c.taken()}, "scope"),
    Route(
        "quizzes.extra_time",
        P.MANAGE_DELIVERIES,
        lambda c: {"public_id": c.taken()},
        "scope",
        form=lambda _: {"minutes": "5"},
    ),
    Route(
        "quizzes.void",
        P.MANAGE_DELIVERIES,
        lambda c: {"public_id": c.taken()},
        "scope",
        form=lambda _: {"reason": "代答"},
    ),
    Route("quizzes.decide_voiding", P.MANAGE_DELIVERIES, lambda c: c.voiding(), "scope"),
    Route("quizzes.live", P.MANAGE_DELIVERIES, lambda c: {"delivery_id": c.side.delivery.id}, "scope"),
    Route("quizzes.live_figures", P.MANAGE_DELIVERIES, lambda c: {"delivery_id": c.side.delivery.id}, "scope"),
    Route("quizzes.edit_delivery", P.MANAGE_DELIVERIES, lambda c: {"delivery_id": c.side.delivery.id}, "scope"),
    Route("quizzes.delivery_qr", P.MANAGE_DELIVERIES, lambda c: {"delivery_id": c.side.delivery.id}, "scope"),
    Route(
        "quizzes.close_delivery",
        P.MANAGE_DELIVERIES,
        lambda c: {"delivery_id": c.side.delivery.id},
        "scope",
        method="GET",
    ),
    Route(
        "quizzes.close_delivery",
        P.MANAGE_DELIVERIES,
        lambda c: {"delivery_id": c.open_delivery()},
        "scope",
        method="POST",
    ),
    Route("quizzes.cards", P.MANAGE_DELIVERIES, lambda c: {"delivery_id": c.side.delivery.id}, "scope"),
    Route("quizzes.poster", P.MANAGE_DELIVERIES, lambda c: {"delivery_id": c.side.delivery.id}, "scope"),
    Route("quizzes.landing", PUBLIC, lambda c: {"code": c.side.delivery.poster_code}),
    Route("quizzes.start", PUBLIC, lambda c: {"code": c.side.delivery.poster_code}),
    Route("quizzes.continue_here", PUBLIC, lambda c: {"code": c.side.delivery.poster_code}),
    Route(
        "quizzes.units",
        PUBLIC,
        lambda c: {"code": c.own.delivery.poster_code, "parent": c.side.unit.id},
        "all",
    ),
    Route("quizzes.unit_search", PUBLIC, lambda c: {"code": c.own.delivery.poster_code, "q": "社区"}),
    Route("quizzes.question", PUBLIC, lambda c: {**c.attempt(), "position": 1}, **ATTEMPT),
    Route("quizzes.questions", PUBLIC, lambda c: c.attempt(), **ATTEMPT),
    Route("quizzes.grid", PUBLIC, lambda c: c.attempt(), **ATTEMPT),
    Route("quizzes.mark", PUBLIC, lambda c: c.attempt(), **ATTEMPT),
    Route("quizzes.move", PUBLIC, lambda c: c.attempt(), **ATTEMPT),
    Route("quizzes.submit", PUBLIC, lambda c: c.attempt(), **ATTEMPT),
    Route("quizzes.take_over_here", SIGNED_IN, lambda c: c.attempt(), **ATTEMPT),
    Route("quizzes.result", PUBLIC, lambda c: c.attempt(closed=True), **ATTEMPT),
    Route("quizzes.review", PUBLIC, lambda c: {**c.attempt(closed=True), "position": 1}, **ATTEMPT),
    Route("quizzes.claim", SIGNED_IN, lambda c: c.attempt(closed=True), **ATTEMPT),
    Route(
        "quizzes.save",
        PUBLIC,
        lambda c: c.attempt(),
        "all",
        foreign_status=200,  # a list of answers, each with its own word: "not_yours"
        json={"items": [{"position": 1, "answer": "b", "sequence": 1}]},
    ),
    Route("quizzes.receipt", PUBLIC),
    Route("surveys.surveys", P.MANAGE_DELIVERIES),
    Route("surveys.new_survey", P.MANAGE_DELIVERIES, method="GET"),
    Route(
        "surveys.new_survey",
        P.MANAGE_DELIVERIES,
        foreign="scope",
        foreign_status=422,
        form=lambda c: c.survey_form(),
        method="POST",
        status=303,
    ),
    Route("surveys.edit_survey", P.MANAGE_DELIVERIES, lambda c: c.survey(), "scope"),
    Route("surveys.survey", P.MANAGE_DELIVERIES, lambda c: c.survey(), "scope"),
    Route("surveys.survey", P.MANAGE_DELIVERIES, lambda c: c.survey(drawn=True), "scope"),
    Route("surveys.drop_survey", P.MANAGE_DELIVERIES, lambda c: c.survey(), "scope"),
    Route("surveys.announce", P.MANAGE_DELIVERIES, lambda c: c.survey(), "scope"),
    Route("surveys.withdraw", P.MANAGE_DELIVERIES, lambda c: c.survey(), "scope"),
    Route("surveys.draw", P.MANAGE_DELIVERIES, lambda c: c.survey(), "scope"),
    Route("surveys.drawn", PUBLIC, lambda c: c.survey(drawn=True)),
    Route("surveys.frame", P.MANAGE_DELIVERIES, lambda c: c.survey(drawn=True), "scope"),
    Route("surveys.cards", P.MANAGE_DELIVERIES, lambda c: c.survey(drawn=True), "scope"),
    Route("surveys.printed", P.MANAGE_DELIVERIES, lambda c: c.survey_cards(), "scope"),
    Route("surveys.people", P.MANAGE_DELIVERIES, lambda c: c.survey(drawn=True), "scope"),
    Route(
        "surveys.outcome",
        P.MANAGE_DELIVERIES,
        lambda c: c.survey_invitation(),
        "scope",
        form=lambda _: {"outcome": "refused"},
    ),
    Route("surveys.close", P.MANAGE_DELIVERIES, lambda c: c.survey(drawn=True), "scope"),
    Route("surveys.reopen", P.MANAGE_DELIVERIES, lambda c: c.survey(drawn=True, closed=True), "scope"),
    Route("surveys.estimate", P.MANAGE_DELIVERIES, lambda c: c.survey(drawn=True), "scope"),
    Route("surveys.weighting", P.MANAGE_DELIVERIES, lambda c: c.survey(drawn=True), "scope"),
    Route("surveys.estimate_xlsx", P.MANAGE_DELIVERIES, lambda c: c.survey(drawn=True), "scope"),
    Route("surveys.sample", P.MANAGE_DELIVERIES, lambda c: c.survey(drawn=True), "scope"),
    Route("surveys.design", P.MANAGE_DELIVERIES, lambda c: c.survey(drawn=True), "scope"),
    Route(
        "surveys.of_those_who_took_part",
        P.MANAGE_DELIVERIES,
        lambda c: {"delivery_id": c.side.survey_test.id},
        "scope",
    ),
    Route("surveys.card", PUBLIC, lambda c: c.survey_secret()),
    Route("surveys.card", PUBLIC, lambda _: {"secret": "A" * 22}, status=404),
    Route("surveys.card_here", PUBLIC, lambda c: c.survey_secret()),
    Route("trainings.public_session", PUBLIC, lambda c: {"code": c.open_code()}),
    Route("trainings.session_calendar", PUBLIC, lambda c: {"code": c.side.session.page_code}),
    Route("trainings.registration_link", PUBLIC, lambda c: {"code": c.side.session.page_code, "secret": "A" * 22}),
    Route("trainings.cancel_registration", PUBLIC, lambda c: c.own_registration(), "all"),
    Route("trainings.registration_seen", PUBLIC, lambda c: c.own_registration(), "all"),
    Route("trainings.calendar_feed", PUBLIC, lambda c: {"secret": c.feed()}),
    Route("trainings.calendar_page", SIGNED_IN),
    Route("trainings.liaison_sessions", P.REGISTER_OTHERS),
    Route("trainings.liaison_people", P.REGISTER_OTHERS, lambda c: {"session_id": c.audience_session()}, "scope"),
    Route("trainings.liaison_new_person", P.REGISTER_OTHERS, lambda c: {"session_id": c.audience_session()}, "scope"),
    Route("trainings.registrations", P.RUN_SESSIONS, lambda c: {"session_id": c.side.session.id}, "scope"),
    Route("trainings.register_other", P.RUN_SESSIONS, lambda c: {"session_id": c.side.session.id}, "scope"),
    Route("trainings.strike_registration", P.RUN_SESSIONS, lambda c: c.registration(), "scope"),
    Route("trainings.enter_code", PUBLIC),
    Route("trainings.scanned", PUBLIC, lambda c: {"code": c.side.session.code}),
    Route("trainings.opened", PUBLIC, lambda c: c.rotating_code(), status=303),
    Route("trainings.check_in_by_right", PUBLIC, lambda c: {"code": c.side.session.code}, method="GET"),
    # without a right nobody presses
    Route("trainings.check_in_by_right", PUBLIC, lambda c: {"code": c.side.session.code}, method="POST", status=409),
    Route("trainings.checked_in", PUBLIC, lambda c: {"code": c.side.session.code}),
    Route("trainings.sessions", P.RUN_SESSIONS),
    Route("trainings.new_session", P.RUN_SESSIONS, method="GET"),
    Route(
        "trainings.new_session",
        P.RUN_SESSIONS,
        foreign="scope",
        form=lambda c: {
            "title": "演练",
            "place": "二楼",
            "unit_id": str(c.side.unit.id),
            "day": c.free_day(),  # nothing else is planned then
            "begins": "14:00",
            "ends": "15:00",
        },
        method="POST",
        status=303,
    ),
    Route("trainings.own_units", P.RUN_SESSIONS, lambda _: {"q": "社区"}),
    Route("trainings.session", P.RUN_SESSIONS, lambda c: {"session_id": c.side.session.id}, "scope"),
    Route("trainings.past_sessions", P.RUN_SESSIONS),
    Route("trainings.new_session", P.RUN_SESSIONS, lambda c: {"copy": c.side.session.id}, "scope", method="GET"),
    Route("trainings.new_session", P.RUN_SESSIONS, lambda c: {"run": c.side.run.id}, "scope", method="GET"),
    Route("trainings.edit", P.RUN_SESSIONS, lambda c: {"session_id": c.side.session.id}, "scope"),
    Route("trainings.audience", P.RUN_SESSIONS, lambda c: {"session_id": c.side.session.id}, "scope"),
    Route("trainings.drop_rule", P.RUN_SESSIONS, lambda c: c.audience_rule(), "scope"),
    Route("trainings.call_session_off", P.RUN_SESSIONS, lambda c: {"session_id": c.side.called_off.id}, "scope"),
    Route("trainings.hold_after_all", P.RUN_SESSIONS, lambda c: {"session_id": c.side.called_off.id}, "scope"),
    Route("trainings.courses", P.RUN_SESSIONS),
    Route("trainings.new_course", P.RUN_SESSIONS, method="GET"),
    Route(
        "trainings.new_course",
        P.RUN_SESSIONS,
        foreign="scope",
        form=lambda c: {"title": "安全员培训", "unit_id": str(c.side.unit.id)},
        method="POST",
        status=303,
    ),
    Route("trainings.course", P.RUN_SESSIONS, lambda c: {"course_id": c.side.course.id}, "scope"),
    Route("trainings.change_course", P.RUN_SESSIONS, lambda c: {"course_id": c.side.course.id}, "scope"),
    Route("trainings.end_course", P.RUN_SESSIONS, lambda c: {"course_id": c.side.course.id}, "scope"),
    Route("trainings.offer_course_again", P.RUN_SESSIONS, lambda c: {"course_id": c.side.course.id}, "scope"),
    Route("trainings.new_run", P.RUN_SESSIONS, lambda c: {"course_id": c.side.course.id}, "scope"),
    Route("trainings.run", P.RUN_SESSIONS, lambda c: {"run_id": c.side.run.id}, "scope"),
    Route("trainings.change_run", P.RUN_SESSIONS, lambda c: {"run_id": c.side.run.id}, "scope"),
    Route("trainings.close_run", P.RUN_SESSIONS, lambda c: {"run_id": c.side.run.id}, "scope"),
    Route("trainings.run_again", P.RUN_SESSIONS, lambda c: {"run_id": c.side.run.id}, "scope"),
    Route("trainings.places", P.RUN_SESSIONS),
    Route("trainings.new_place", P.RUN_SESSIONS, method="GET"),
    Route(
        "trainings.new_place",
        P.RUN_SESSIONS,
        foreign="scope",
        form=lambda c: {"name": f"礼堂{c.free_day()}", "unit_id": str(c.side.unit.id)},
        method="POST",
        status=303,
    ),
    Route("trainings.change_place", P.RUN_SESSIONS, lambda c: {"place_id": c.side.place.id}, "scope"),
    Route("trainings.close_place", P.RUN_SESSIONS, lambda c: {"place_id": c.side.place.id}, "scope"),
    Route("trainings.reopen_place", P.RUN_SESSIONS, lambda c: {"place_id": c.side.place.id}, "scope"),
    Route("trainings.close", P.RUN_SESSIONS, lambda c: {"session_id": c.side.spare_session.id}, "scope"),
    Route("trainings.reopen", P.RUN_SESSIONS, lambda c: {"session_id": c.side.spare_session.id}, "scope"),
    Route("trainings.walk_in", P.RUN_SESSIONS, lambda c: {"session_id": c.side.session.id}, "scope"),
    Route("trainings.projector", P.RUN_SESSIONS, lambda c: {"session_id": c.side.session.id}, "scope"),
    Route("trainings.latest", P.RUN_SESSIONS, lambda c: {"session_id": c.side.session.id}, "scope"),
    Route("trainings.roster_template", P.RUN_SESSIONS),
    Route("trainings.roster", P.RUN_SESSIONS, lambda c: {"session_id": c.side.roster_session.id}, "scope"),
    Route("trainings.roster_units", P.RUN_SESSIONS, lambda c: {"session_id": c.side.roster_session.id}, "scope"),
    Route("trainings.refresh_roster", P.RUN_SESSIONS, lambda c: {"session_id": c.side.roster_session.id}, "scope"),
    Route("trainings.add_to_roster", P.RUN_SESSIONS, lambda c: {"session_id": c.side.roster_session.id}, "scope"),
    Route(
        "trainings.remove_from_roster",
        P.RUN_SESSIONS,
        lambda c: c.roster_entry(),
        "scope",
        form=lambda _: {"reason": "left"},
    ),
    Route("trainings.import_roster", P.RUN_SESSIONS, lambda c: {"session_id": c.side.roster_session.id}, "scope"),
    Route("trainings.roster_import", P.RUN_SESSIONS, lambda c: c.roster_import(), "all"),
    Route("trainings.roster_faults", P.RUN_SESSIONS, lambda c: c.roster_import(), "all"),
    Route("trainings.roster_import_columns", P.RUN_SESSIONS, lambda c: c.roster_import(), "all"),
    Route("trainings.apply_roster_import", P.RUN_SESSIONS, lambda c: c.roster_import(), "all"),
    Route("trainings.drop_roster_import", P.RUN_SESSIONS, lambda c: c.roster_import(), "all"),
    Route("trainings.codes", P.RUN_SESSIONS, lambda c: {"session_id": c.side.session.id}, "scope"),
    Route("trainings.attendances", P.RUN_SESSIONS, lambda c: {"session_id": c.side.session.id}, "scope"),
    Route("trainings.attendance", P.RUN_SESSIONS, lambda c: c.attendance(), "scope"),
    Route("trainings.decide", P.RUN_SESSIONS, lambda c: c.attendance(), "scope", form=lambda _: {"action": "confirm"}),
    Route("trainings.note", P.RUN_SESSIONS, lambda c: c.attendance(), "scope", form=lambda _: {"note": "已核对"}),
    Route(
        "trainings.check_out_by_hand",
        P.RUN_SESSIONS,
        lambda c: c.attendance(),
        "scope",
        form=lambda _: {"checked_out": ""},
        status=303,
    ),
    Route("trainings.check_out_everybody", P.RUN_SESSIONS, lambda c: {"session_id": c.side.session.id}, "scope"),
    Route(
        "trainings.back_fill",
        P.RUN_SESSIONS,
        lambda c: {"session_id": c.side.session.id},
        "scope",
        form=lambda _: {"name": "新来的"},
    ),
    Route("trainings.back_fill_people", P.RUN_SESSIONS, lambda c: {"session_id": c.side.session.id}, "scope"),
    Route("trainings.undo_line", P.RUN_SESSIONS, lambda c: c.attendance(method="back_filled"), "scope", status=303),
    Route("trainings.evidence", P.RUN_SESSIONS, lambda c: {"session_id": c.side.session.id}, "scope"),
    Route("trainings.evidence_photo", P.RUN_SESSIONS, lambda c: c.photo(), "scope"),
    Route("trainings.keep_photo", P.RUN_SESSIONS, lambda c: c.photo(), "scope", status=303),
    Route("trainings.remove_photo", P.RUN_SESSIONS, lambda c: c.photo(), "scope", status=303),
    Route("trainings.gain", P.RUN_SESSIONS, lambda c: {"session_id": c.side.session.id}, "scope", method="GET"),
    Route(
        "trainings.gain",
        P.RUN_SESSIONS,
        lambda c: {"session_id": c.side.session.id},
        "scope",
        form=lambda _: {},
        status=422,
        method="POST",
    ),
    Route("trainings.summary", P.RUN_SESSIONS, lambda c: {"session_id": c.side.session.id}, "scope"),
    Route("trainings.submit", P.RUN_SESSIONS, lambda c: {"session_id": c.side.spare_session.id}, "scope"),
    Route("trainings.take_back", P.RUN_SESSIONS, lambda c: {"session_id": c.side.spare_session.id}, "scope"),
    Route("trainings.session_poster", P.RUN_SESSIONS, lambda c: {"session_id": c.side.session.id}, "scope"),
    Route("trainings.cards", P.RUN_SESSIONS, lambda c: {"session_id": c.side.session.id}, "scope"),
    Route("trainings.printed", P.RUN_SESSIONS, lambda c: c.print(), "scope"),
    Route("trainings.sign_in_sheet", P.RUN_SESSIONS, lambda c: {"session_id": c.side.session.id}, "scope"),
    Route("trainings.sign_in_list", P.RUN_SESSIONS, lambda c: {"session_id": c.side.session.id}, "scope"),
    Route("trainings.attendance_paper", P.RUN_SESSIONS, lambda c: {"session_id": c.side.session.id}, "scope"),
    Route("trainings.attendance_list", P.RUN_SESSIONS, lambda c: {"session_id": c.side.session.id}, "scope"),
    Route("certificates.check_by_number", PUBLIC),
    Route("certificates.checked", PUBLIC, lambda c: {"code": c.certificate().check_code}, status=200),
    Route("certificates.own", SIGNED_IN, lambda c: {"certificate_id": c.certificate(own=True).id}, "all"),
    Route("certificates.own_pdf", SIGNED_IN, lambda c: {"certificate_id": c.certificate(own=True).id}, "all"),
    Route("certificates.run_certificates", P.RUN_SESSIONS, lambda c: {"run_id": c.side.run.id}, "scope"),
    Route("certificates.run_list", P.RUN_SESSIONS, lambda c: {"run_id": c.side.run.id}, "scope"),
    Route("certificates.ask_file", P.RUN_SESSIONS, lambda c: {"run_id": c.certificate().run_id}, "scope", status=303),
    Route("certificates.run_file", P.RUN_SESSIONS, lambda c: c.certificate_file(), "scope", status=200),
    Route("certificates.one_pdf", P.RUN_SESSIONS, lambda c: {"certificate_id": c.certificate().id}, "scope"),
    Route("certificates.issue", P.ISSUE_CERTIFICATES, lambda c: {"run_id": c.side.run.id}, "scope"),
    Route(
        "certificates.revoke_one",
        P.ISSUE_CERTIFICATES,
        lambda c: {"certificate_id": c.certificate().id},
        "scope",
        form=lambda _: {"reason": "名字写错"},
    ),
    Route(
        "certificates.again",
        P.ISSUE_CERTIFICATES,
        lambda c: {"certificate_id": c.certificate(revoked=True).id},
        "scope",
        status=303,
    ),
    Route("trainings.my_code", SIGNED_IN),
    Route("trainings.replace_my_code", SIGNED_IN),
    Route("trainings.scan", P.RUN_SESSIONS, lambda c: {"session_id": c.side.session.id}, "scope"),
    Route("trainings.scan_device", P.RUN_SESSIONS, lambda c: {"session_id": c.side.session.id}, "scope", json={}),
    Route(
        "trainings.scan_entries",
        P.RUN_SESSIONS,
        lambda c: {"session_id": c.side.session.id},
        "scope",
        json={"device": "nobody", "entries": []},
        status=409,  # no phone of that name scans there
    ),
    Route("trainings.scan_photo", P.RUN_SESSIONS, lambda c: {"session_id": c.side.session.id}, "scope"),
    Route("trainings.scan_file", P.RUN_SESSIONS, lambda c: {"session_id": c.side.session.id}, "scope"),
    Route("trainings.devices", P.RUN_SESSIONS, lambda c: {"session_id": c.side.session.id}, "scope"),
    Route("trainings.revoke_helper", P.RUN_SESSIONS, lambda c: c.helper_pass(), "scope"),
    Route("trainings.revoke_phone", P.RUN_SESSIONS, lambda c: c.scan_phone(), "scope"),
    Route("trainings.helper_enter", PUBLIC, lambda c: {"secret": c.helper_link()}, "all", 403, status=303),
    Route("trainings.helper_scan", PUBLIC, lambda c: c.helper_door(), "all", 403),
    Route("trainings.helper_device", PUBLIC, lambda c: c.helper_door(), "all", 403, json={}),
    Route(
        "trainings.helper_entries",
        PUBLIC,
        lambda c: c.helper_door(),
        "all",
        403,
        json={"device": "nobody", "entries": []},
        status=409,
    ),
    Route("trainings.helper_photo", PUBLIC, lambda c: c.helper_door(), "all", 403),
    Route("reports.overview", P.SEE_FIGURES),
    Route("reports.pass_rates", P.SEE_FIGURES),
    Route("reports.pass_rates", P.SEE_FIGURES, lambda c: {"unit": c.side.unit.id}, "scope"),
    Route("reports.pass_rates", P.SEE_FIGURES, lambda c: {"delivery": c.side.delivery.id}, "scope"),
    Route("reports.grid_file", P.SEE_FIGURES, lambda c: {"form": "xlsx", "unit": c.side.unit.id}, "scope"),
    Route("reports.grid_file", P.SEE_FIGURES, lambda c: {"form": "csv", "delivery": c.side.delivery.id}, "scope"),
    Route("reports.groups", P.EXPORT_FIGURES, lambda c: {"unit": c.side.unit.id, "by": "sex"}, "scope"),
    Route("reports.comparison", P.EXPORT_FIGURES, lambda c: {"unit": c.side.unit.id}, "scope"),
    Route("reports.session_months_page", P.EXPORT_FIGURES, lambda c: {"unit": c.side.unit.id}, "scope"),
    Route("reports.session_comparison", P.EXPORT_FIGURES, lambda c: {"unit": c.side.unit.id}, "scope"),
    Route("reports.records", P.EXPORT_FIGURES, lambda c: {"unit": c.side.unit.id}, "scope"),
    Route("reports.records", P.EXPORT_FIGURES, lambda c: {"delivery": c.side.delivery.id}, "scope"),
    Route("reports.sessions", P.EXPORT_FIGURES),
    Route("reports.sessions", P.EXPORT_FIGURES, lambda c: {"unit": c.side.unit.id}, "scope"),
    Route("reports.session_records", P.EXPORT_FIGURES, lambda c: {"unit": c.side.unit.id}, "scope"),
    Route(
        "reports.session_records", P.EXPORT_FIGURES, lambda c: {"unit": c.side.unit.id, "figure": "sessions"}, "scope"
    ),
    Route("reports.export", P.EXPORT_FIGURES, lambda c: {"name": "sessions", "unit": c.side.unit.id}, "scope"),
    Route("reports.export", P.EXPORT_FIGURES, lambda c: {"name": "pass_rates", "unit": c.side.unit.id}, "scope"),
    Route(
        "reports.export", P.EXPORT_FIGURES, lambda c: {"name": "pass_rates", "delivery": c.side.delivery.id}, "scope"
    ),
    Route(
        "reports.export",
        P.EXPORT_FIGURES,
        lambda c: {"name": "pass_rates", "unit": c.side.unit.id},
        "scope",
        form=lambda _: {"format": "csv"},
    ),
    Route(
        "reports.export_at_once",
        P.EXPORT_FIGURES,
        lambda c: {"name": "pass_rates", "form": "xlsx", "unit": c.side.unit.id},
        "scope",
    ),
    Route(
        "reports.export_at_once",
        P.EXPORT_FIGURES,
        lambda c: {"name": "pass_rates", "form": "csv", "delivery": c.side.delivery.id},
        "scope",
    ),
    Route("reports.exported", P.EXPORT_FIGURES, lambda c: {"public_id": c.export()}, "all"),
    Route("reports.items", P.EXPORT_FIGURES, lambda c: {"delivery_id": c.side.delivery.id}, "scope"),
    Route("reports.items_xlsx", P.EXPORT_FIGURES, lambda c: {"delivery_id": c.side.delivery.id}, "scope"),
    Route("reports.items_csv", P.EXPORT_FIGURES, lambda c: {"delivery_id": c.side.delivery.id}, "scope"),
    Route(
        "reports.years",
        P.EXPORT_FIGURES,
        lambda c: {"first": f"d{c.side.delivery.id}"},
        "scope",
    ),
    Route(
        "reports.years_file",
        P.EXPORT_FIGURES,
        lambda c: {"form": "csv", "first": f"d{c.side.delivery.id}"},
        "scope",
    ),
    Route(
        "reports.compare_years",
        P.EXPORT_FIGURES,
        foreign="scope",
        form=lambda c: {"first": f"d{c.side.delivery.id}", "second": "d0"},
        status=404,
    ),
    Route("accounts.sign_out", PUBLIC),  # the last one: it ends the sign-in that all others use
]

#: Everybody who asks: the grants, as role and whether over everything, and the side of home.
VISITORS: dict[str, tuple[Role | None, str, bool]] = {
    "resident": (None, "here", False),
    **{role.value: (role, "here", False) for role in Role if role != Role.ADMINISTRATOR},
    "unit_administrator": (Role.ADMINISTRATOR, "here", False),
    "administrator": (Role.ADMINISTRATOR, "here", True),
    "other_coordinator": (Role.COORDINATOR, "there", False),
}


class Ground:
    """One application with the rows of both sides and an account for each visitor."""

    days = itertools.count(30)
    industry: int
    bank: str
    topic: str

    def __init__(self, app: Flask, database: Database) -> None:
        self.app = app
        self.database = database
        runtime: Runtime = app.extensions["quizapp"]
        self.keys = runtime.keys
        with self.writing() as db:
            self.sides = {name: self._make_side(db, mark) for name, mark in MARKS.items()}
            industry = Industry(code="mine", name="矿业", name_en="Mining")
            db.add(industry)
            blueprint = make_blueprint(db)
            db.flush()
            self.industry = industry.id
            bank = db.get_one(ItemBank, blueprint.bank_id)
            self.bank, self.topic = bank.code, db.scalars(select(Topic.code).where(Topic.bank_id == bank.id)).one()
            self.fresh_account = make_account(db, (Role.TRAINER, None))
            self.visitors = {"guest": Visitor(GUEST)} | {
                name: self._make_visitor(db, *words) for name, words in VISITORS.items()
            }

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session in a transaction."""
        with self.database.session() as db, transaction(db):
            yield db

    def _make_side(self, db: Session, mark: str) -> Side:
        top = make_unit(db, name=f"{mark}街道", kind="street")
        account = make_account(db, (Role.TRAINER, top), name=f"{mark}教师", unit=top)
        actor = trainer_of(top, account)
        make_person(db, name=f"{mark}名册人", unit_id=top.id, source="roster")
        course = add_course(
            db,
            title=f"{mark}课程",
            subject="",
            kind=SessionKind.JOINT,
            unit_id=top.id,
            actor=actor,
            now=START,
        )
        return Side(
            mark=mark,
            unit=top,
            spare_unit=make_unit(db, top, name=f"{mark}社区"),
            delivery=make_delivery(db, top, title=f"{mark}测验"),
            session=self._make_session(db, mark, top, actor),
            spare_session=self._make_session(db, mark, top, actor),
            called_off=self._make_session(db, mark, top, actor),
            course=course,
            run=add_run(db, course=course, plan=RunPlan(f"{mark}第 1 期"), actor=actor, now=START),
            place=add_place(
                db,
                name=f"{mark}礼堂",
                address="",
                capacity=None,
                unit_id=top.id,
                actor=actor,
                now=START,
            ),
            roster_session=make_session(db, top, kind="joint", title=f"{mark}合训"),
            account=account,
            survey_test=make_test(db, top, title=f"{mark}素质测验"),
        )

    def _make_session(self, db: Session, mark: str, unit: OrgUnit, actor: Actor) -> TrainingSession:
        return open_session(
            db,
            title=f"{mark}演练",
            place=f"{mark}二楼",
            unit_id=unit.id,
            starts_at=START,
            ends_at=START + timedelta(hours=1),
            actor=actor,
            now=START,
        )

    def _make_visitor(self, db: Session, role: Role | None, home: str, whole: bool) -> Visitor:
        unit = self.sides[home].unit
        account = make_account(db, *([(role, None if whole else unit)] if role else []), name="来人", unit=unit)
        actor = find_actor(db, account.id, account.session_epoch)
        assert actor is not None
        signer = self.app.session_interface.get_signing_serializer(self.app)  # type: ignore[attr-defined] # signed cookies
        secret = open_sign_in(db, account=account, device="", remember=True, second_factor=False, now=START)
        cookie = signer.dumps({"_user_id": secret, "_fresh": True})
        return Visitor(actor, home, whole, cookie)

    def ask(self, route: Route, method: str, case: Case) -> TestResponse:
        """One request in a browser of its own."""
        with self.app.test_request_context():
            address = url_for(route.endpoint, **route.values(case))
        client = self.app.test_client()
        if case.visitor.cookie:
            client.set_cookie("session", case.visitor.cookie)
        for name, value in case.cookies.items():
            client.set_cookie(name, value)
        sent: dict[str, Any] = {}
        if method == "POST":
            sent = {"json": route.json} if route.json is not None else {"data": route.form(case)}
        return client.open(address, method=method, headers={"Sec-Fetch-Site": "same-origin"}, **sent)


@pytest.fixture(scope="module")
def ground(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    folder = tmp_path_factory.mktemp("access")
    copyfile(sqlite_template, folder / "quizapp.sqlite3")
    database = Database(f"sqlite:///{folder / 'quizapp.sqlite3'}")
    app = create_app(
        make_settings(folder, database), clock=FakeClock(), database=database, TESTING=True, WTF_CSRF_ENABLED=False
    )
    yield Ground(app, database)
    database.dispose()


def methods_of(app: Flask) -> dict[str, set[str]]:
    """Endpoint → the methods that it takes, without those that Flask adds."""
    found: dict[str, set[str]] = {}
    for rule in app.url_map.iter_rules():
        found.setdefault(rule.endpoint, set()).update((rule.methods or set()) - {"HEAD", "OPTIONS"})
    return found


def test_every_route_stands_in_the_table_with_what_its_view_demands(ground: Ground) -> None:
    routes = methods_of(ground.app)
    for endpoint, methods in routes.items():
        rows = [row for row in TABLE if row.endpoint == endpoint]
        for method in methods:
            assert any(row.method in (None, method) for row in rows), (
                f'{method} {endpoint} is asked by nobody: write Route("{endpoint}", …) into TABLE of '
                f"tests/policy/test_access.py, with what it demands and from which objects its address is built"
            )
        access = getattr(ground.app.view_functions[endpoint], "access", None)
        assert access is not None, (
            f"{endpoint} names no permission: put @public, @signed_in or @requires(…) on the view"
        )
        for row in rows:
            assert access == row.access, (
                f"{endpoint} demands {access}, the table says {row.access}: correct one of them"
            )
    gone = {row.endpoint for row in TABLE} - set(routes)
    assert not gone, f"{gone} are no longer routes: take them out of TABLE"


def expected(route: Route, method: str, visitor: Visitor, role: Role | None, foreign: bool) -> int | None:
    """The status that must come; None where the page has to open (or to show an empty form's errors)."""
    if route.access != PUBLIC and not visitor.actor.signed_in:
        return 401
    if isinstance(route.access, Permission) and (role is None or route.access not in ROLE_PERMISSIONS[role]):
        return 403
    if foreign and (route.foreign == "all" or not visitor.whole):
        return route.foreign_status
    if method == "POST" and route.whole and not visitor.whole:
        return 403
    return route.status


@pytest.mark.parametrize("name", ["guest", *VISITORS])
def test_everybody_opens_their_own_and_nothing_else(ground: Ground, name: str) -> None:
    visitor = ground.visitors[name]
    role = VISITORS[name][0] if name in VISITORS else None
    other_mark = MARKS["there" if visitor.home == "here" else "here"]
    wrong: list[str] = []
    methods = methods_of(ground.app)
    for route in TABLE:
        for method in sorted(methods[route.endpoint] & {route.method or "GET", route.method or "POST"}):
            for foreign in (False, True) if route.foreign else (False,):
                reply = ground.ask(route, method, Case(ground, visitor, foreign))
                asked = f"{method} {reply.request.path} ({route.endpoint}, {'foreign' if foreign else 'own'})"
                want = expected(route, method, visitor, role, foreign)
                good = (
                    (reply.status_code < 400 or reply.status_code == 422) if want is None else reply.status_code == want
                )
                if not good:
                    wrong.append(f"{asked}: {reply.status_code}, not {want or 'open'}")
                elif isinstance(route.access, Permission) and not visitor.whole and other_mark.encode() in reply.data:
                    wrong.append(f"{asked}: shows {other_mark}, which is of a foreign unit")
                elif foreign and want == route.foreign_status == 303 and not reply.location.endswith("?link=foreign"):
                    wrong.append(f"{asked}: goes on to {reply.location}")
                elif reply.status_code == 401 and not reply.is_json and "/sign-in" not in reply.text:
                    wrong.append(f"{asked}: does not lead to the sign-in")
    assert wrong == []


def test_a_foreign_answer_is_not_stored(ground: Ground) -> None:
    route = next(row for row in TABLE if row.endpoint == "quizzes.save")
    for name, visitor in ground.visitors.items():
        reply = ground.ask(route, "POST", Case(ground, visitor, foreign=True))
        assert [row["status"] for row in reply.get_json()["results"]] == ["not_yours"], name
