"""The estimate of a survey's page, and that `quizapp analyse literacy` finds the same in its files."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.cli import group
from quizapp.core.db import Database, transaction
from quizapp.core.scope import SYSTEM
from quizapp.core.tokens import Keys
from quizapp.organisation.models import Person
from quizapp.surveys.errors import MarginsInvalid, SurveyValueOutOfRange
from quizapp.surveys.models import Survey, SurveyInvitation
from quizapp.surveys.services.estimating import estimate_survey, hidden_groups, store_estimate
from quizapp.surveys.services.planning import Numbers, sizes_of
from quizapp.surveys.services.rows import design_of, design_toml, sample_csv, survey_rows
from quizapp.surveys.services.weighting import read_margins, set_weighting
from quizapp.surveys.views.words import group_label, margin_names, margin_values
from tests.conftest import START
from tests.factories import make_unit
from tests.surveys.support import answer, answer_within, make_district, make_test, readable_survey
from tests.surveys.test_drawing import _frame

AppMaker = Callable[..., Flask]


def _answered(db: Session, keys: Keys, share: float = 0.8, **plan: Any) -> Survey:
    """A survey that so many have answered: men score higher, and answer more often."""
    rng = Random(7)
    with transaction(db):
        top, streets = make_district(db, streets=5, each=40)
        for street in streets if "stratified_two_stage" in plan.values() else ():
            homes = [street, make_unit(db, street), make_unit(db, street)]
            for number, person in enumerate(db.scalars(select(Person).where(Person.unit_id == street.id)).all()):
                person.unit_id = homes[number % 3].id
            db.flush()
        survey = readable_survey(db, top, make_test(db, top), keys=keys, **{"margin": 0.09, **plan})
        for one in db.scalars(select(SurveyInvitation).order_by(SurveyInvitation.number)).all():
            male = rng.random() < 0.5
            if rng.random() < share + (0.1 if male else -0.1):
                sex, year = ("male" if male else "female"), 1950 + rng.randrange(50)
                score = 20 * rng.randrange(2, 6) if male else 20 * rng.randrange(0, 5)
                answer_within(db, one, keys, score, sex=sex, birth_year=year)
    return survey


def _command(db: Session, survey: Survey, folder: Path) -> dict[str, Any]:
    rows = survey_rows(db, survey)
    (folder / "sample.csv").write_text(sample_csv(rows), encoding="utf-8")
    (folder / "design.toml").write_text(design_toml(design_of(survey, rows)), encoding="utf-8")
    files = [str(folder / "sample.csv"), "--design", str(folder / "design.toml"), "--format", "json"]
    done = CliRunner().invoke(group, ["analyse", "literacy", *files])
    assert done.exit_code == 0, done.output
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


_BY_UNITS = {"per_unit": 15, "margin": 0.15}


@pytest.mark.parametrize(
    "plan",
    [{}, {"design": "simple"}, *({"design": name, **_BY_UNITS} for name in ("two_stage", "stratified_two_stage"))],
)
def test_the_page_and_the_command_find_the_same(
    either_db: Session, keys: Keys, tmp_path: Path, plan: dict[str, Any]
) -> None:
    survey = _answered(either_db, keys, **plan)
    found = estimate_survey(either_db, survey)
    told = _command(either_db, survey, tmp_path)
    main = found["main"]
    for name in ("estimate", "se", "low", "high", "n", "design_effect", "effective_n", "units"):
        assert main[name] == pytest.approx(told[name], rel=1e-12), name
    assert found["logit"]["low"] != main["low"]
    assert {"few_answers"} <= set(found["warnings"])
    assert ("few_units" in found["warnings"]) == ("two_stage" in plan.get("design", ""))


def test_those_who_did_not_answer_are_not_counted_as_observed(db: Session, keys: Keys) -> None:
    survey = _answered(db, keys, 0.5, design="simple")
    main, people = estimate_survey(db, survey)["main"], survey.counts["people"]
    assert main["n"] < 0.7 * survey.counts["drawn"]
    assert main["se"] ** 2 == pytest.approx(
        (1 - main["n"] / people) * main["estimate"] * (1 - main["estimate"]) / (main["n"] - 1), rel=1e-9
    )
    assert main["method"] == "korn_graubard"


def test_a_street_that_is_drawn_for_certain_adds_the_spread_within_it_alone(db: Session, keys: Keys) -> None:
    with transaction(db):
        top = make_unit(db, kind="district")
        streets = [make_unit(db, top, kind="street") for _ in range(4)]
        for street in streets:
            for home in [street] if street is streets[0] else [make_unit(db, street) for _ in range(5)]:
                db.add_all(Person(name="人", source="roster", unit_id=home.id, created_at=START) for _ in range(20))
        db.flush()
        plan = {"design": "stratified_two_stage", "per_unit": 8, "margin": 0.15}
        survey = readable_survey(db, top, make_test(db, top), keys=keys, **plan)
        for number, one in enumerate(db.scalars(select(SurveyInvitation)).all()):
            answer_within(db, one, keys, 80 if number % 3 else 20)
    found = estimate_survey(db, survey)
    assert found["main"]["units"] == survey.counts["units"]
    assert found["main"]["df"] == survey.counts["units"] - 4
    assert found["main"]["se"] > 0


def test_an_error_of_nought_by_chance_is_said_to_be_chance(db: Session, keys: Keys) -> None:
    with transaction(db):
        top = make_unit(db, kind="district")
        for _ in range(8):
            home = make_unit(db, top)
            db.add_all(Person(name="人", source="roster", unit_id=home.id, created_at=START) for _ in range(20))
        db.flush()
        plan = {"design": "two_stage", "per_unit": 20, "margin": 0.2}  # whole units, half of each literate
        survey = readable_survey(db, top, make_test(db, top), keys=keys, **plan)
        for number, one in enumerate(db.scalars(select(SurveyInvitation).order_by(SurveyInvitation.number)).all()):
            answer_within(db, one, keys, 80 if number % 2 else 20)
    found = estimate_survey(db, survey)
    assert found["main"]["se"] == 0
    assert found["main"]["low"] < 0.5 < found["main"]["high"]
    assert "no_spread" in found["warnings"]


def test_town_and_country_weigh_and_are_told_apart(db: Session, keys: Keys, tmp_path: Path) -> None:
    survey = _answered(db, keys)
    with transaction(db):
        for one in db.scalars(select(SurveyInvitation)).all():
            one.residence = "rural" if int(one.home) % 2 else "urban"
    plain = estimate_survey(db, survey)
    assert plain["groups"]["residence"].keys() == {"urban", "rural"}
    assert group_label("residence", "rural", {}) == "乡村"
    margins = read_margins("城乡,城镇,150\n城乡,农村,50", margin_names(), margin_values({}))
    assert margins == {"residence": {"urban": 150, "rural": 50}}
    with transaction(db):
        set_weighting(db, survey=survey, margins=margins, cap=None, actor=SYSTEM, now=START)
    fitted = estimate_survey(db, survey)
    assert fitted["weights"]["total"] == pytest.approx(200)
    town, country = (fitted["groups"]["residence"][name]["estimate"] for name in ("urban", "rural"))
    assert fitted["main"]["estimate"] == pytest.approx(0.75 * town + 0.25 * country)
    assert fitted["main"]["estimate"] == pytest.approx(_command(db, survey, tmp_path)["estimate"], rel=1e-12)


def test_minors_and_people_outside_count_in_nothing(db: Session, keys: Keys) -> None:
    survey = _answered(db, keys, design="simple")
    before = estimate_survey(db, survey)
    places = [place for place in survey_rows(db, survey).places if not place.answered]
    answer(db, places[0].invitation, keys, 100, birth_year=2015)
    answer(db, places[1].invitation, keys, 100)
    with transaction(db):
        places[1].invitation.outcome = "ineligible"
    after = estimate_survey(db, survey)
    assert after["main"]["n"] == before["main"]["n"]
    assert after["main"]["estimate"] == pytest.approx(before["main"]["estimate"])
    # two more were looked at and are outside: of the people of the list less is left to chance
    known, drawn = before["answers"], survey.counts["people"]
    left = [(1 - heard / drawn) * heard / (heard - 1) for heard in (known, known + 2)]
    assert (after["main"]["se"] / before["main"]["se"]) ** 2 == pytest.approx(left[1] / left[0], rel=1e-9)
    assert {"not_adults", "struck_out"} <= set(after["warnings"])
    assert (before["struck_out"], after["struck_out"]) == (0, 1)
    assert after["answers"] == before["answers"] + 2


def test_known_numbers_of_people_pull_the_estimate(db: Session, keys: Keys, tmp_path: Path) -> None:
    survey = _answered(db, keys)
    plain = estimate_survey(db, survey)
    text = "变量,值,人数\n性别,女,150\nsex,male,50"
    margins = read_margins(text, margin_names(), margin_values({}))
    assert margins == {"sex": {"female": 150, "male": 50}}
    with transaction(db):
        set_weighting(db, survey=survey, margins=margins, cap=3, actor=SYSTEM, now=START)
    fitted = estimate_survey(db, survey)
    assert fitted["main"]["estimate"] < plain["main"]["estimate"]  # women score less
    assert fitted["weights"]["total"] == pytest.approx(200)
    assert fitted["weights"]["largest"] <= 3 * 200 / fitted["main"]["n"] + 1e-9
    assert fitted["main"]["estimate"] == pytest.approx(_command(db, survey, tmp_path)["estimate"], rel=1e-12)
    crossed = read_margins("性别*年龄段,女*60-69,12", margin_names(), margin_values({}))
    assert crossed == {"sex*age_band": {"female*60-69": 12}}
    for wrong in ("性别,女", "身高,高,1", "性别,女,1\n性别,女,2", "性别,女,many\n性别,男,x"):
        with pytest.raises(MarginsInvalid):
            read_margins(wrong, margin_names(), margin_values({}))
    with pytest.raises(SurveyValueOutOfRange):
        set_weighting(db, survey=survey, margins={}, cap=1.0, actor=SYSTEM, now=START)
    with transaction(db):
        set_weighting(db, survey=survey, margins={"sex": {"female": 10}}, cap=None, actor=SYSTEM, now=START)
    assert estimate_survey(db, survey)["refusal"] == "margin_unknown"


def test_nobody_has_answered(db: Session, keys: Keys) -> None:
    with transaction(db):
        top, _streets = make_district(db)
        survey = readable_survey(db, top, make_test(db, top), keys=keys)
    assert estimate_survey(db, survey)["refusal"] == "no_rows"


def test_small_groups_show_their_number_alone(db: Session, keys: Keys) -> None:
    survey = _answered(db, keys, share=0.5)
    for groups in estimate_survey(db, survey)["groups"].values():
        for group_ in groups.values():
            assert group_["estimate"] is None or group_["n"] >= 10


@given(st.lists(st.integers(1, 40), min_size=2, max_size=7))
def test_all_less_the_groups_shown_is_never_the_rate_of_a_few(sizes: list[int]) -> None:
    people = {str(number): size for number, size in enumerate(sizes)}
    hidden = hidden_groups(people)
    assert all(people[label] >= 10 for label in people.keys() - hidden)
    assert bool(hidden) == (min(sizes) < 10)
    if hidden and hidden != people.keys():
        assert len(hidden) > 1
        assert sum(people[label] for label in hidden) >= 10


def test_a_group_too_small_takes_the_next_with_it_and_no_answer_is_a_group(db: Session, keys: Keys) -> None:
    with transaction(db):
        top, _streets = make_district(db, streets=2, each=60)
        survey = readable_survey(db, top, make_test(db, top), keys=keys, design="simple", margin=0.05)
        for number, one in enumerate(db.scalars(select(SurveyInvitation).order_by(SurveyInvitation.number)).all()):
            attempt = answer_within(db, one, keys, 20 * (number % 6))
            attempt.sex = None if number < 4 else "male" if number < 20 else "female"
        db.flush()
    found = estimate_survey(db, survey)
    sexes = found["groups"]["sex"]
    assert {label: group_["estimate"] is None for label, group_ in sexes.items()} == {
        "": True,
        "male": True,
        "female": False,
    }
    assert sum(group_["n"] for group_ in sexes.values()) == found["main"]["n"]


def test_fewer_than_ten_are_no_estimate(db: Session, keys: Keys) -> None:
    with transaction(db):
        top, _streets = make_district(db)
        survey = readable_survey(db, top, make_test(db, top), keys=keys)
        for one in db.scalars(select(SurveyInvitation)).all()[:9]:
            answer_within(db, one, keys, 80)
    assert estimate_survey(db, survey)["refusal"] == "few_counted"


def test_who_does_not_belong_is_taken_off_the_streets_size(db: Session, keys: Keys) -> None:
    """Two streets alike in size, half of the first moved away: 25 of its 50 and 10 of the second's 100 are literate."""
    with transaction(db):
        top = make_unit(db, kind="district")
        streets = [make_unit(db, top, kind="street") for _ in range(2)]
        for street in streets:
            db.add_all(Person(name="人", source="roster", unit_id=street.id, created_at=START) for _ in range(200))
        db.flush()
        survey = readable_survey(db, top, make_test(db, top), keys=keys, margin=0.0693, response=1.0)
        seen = Counter[str]()
        for one in db.scalars(select(SurveyInvitation).order_by(SurveyInvitation.number)).all():
            first, turn = one.stratum == str(streets[0].id), seen[one.stratum]
            seen[one.stratum] += 1
            if first and turn % 2:
                one.outcome = "ineligible"
            else:
                literate = turn % 4 == 0 if first else turn % 10 == 0
                answer_within(db, one, keys, 80 if literate else 20)
        db.flush()
    rows = survey_rows(db, survey)
    shares = rows.eligible_shares()
    assert shares[str(streets[0].id)] == pytest.approx(0.5, abs=0.01)
    assert shares[str(streets[1].id)] == 1
    found = estimate_survey(db, survey)
    # of 100 and 200 who belong to it, 50 and 20
    assert found["main"]["estimate"] == pytest.approx(70 / 300, abs=0.01)


def test_the_file_tells_no_card_and_keeps_no_order(db: Session, keys: Keys) -> None:
    survey = _answered(db, keys)
    lines = sample_csv(survey_rows(db, survey)).splitlines()
    assert "number" not in lines[0]
    assert lines[1:] == sorted(lines[1:], key=lambda line: line.split(","))


def test_strata_count_by_their_people_however_many_answer(db: Session, keys: Keys) -> None:
    survey = _answered(db, keys)
    rows = survey_rows(db, survey)
    assert design_of(survey, rows).margins == {"stratum": survey.counts["strata"]}
    assert estimate_survey(db, survey)["weights"]["total"] == pytest.approx(survey.counts["people"])


def test_people_of_one_unit_are_alike_and_cost_more() -> None:
    frame = _frame([50] * 40)
    singly = sizes_of(frame, "simple", Numbers(margin=0.08))
    by_units = sizes_of(frame, "two_stage", Numbers(margin=0.08, per_unit=20, likeness=0.05))
    assert singly.design_effect == 1
    assert by_units.design_effect == pytest.approx(1 + (20 * 0.6 - 1) * 0.05)
    assert by_units.answers > singly.answers == by_units.answers_singly
    unlike = sizes_of(_frame([25] * 20 + [75] * 20), "two_stage", Numbers(margin=0.1, per_unit=20, likeness=0.05))
    assert unlike.size_effect == 1.25
    assert unlike.design_effect == pytest.approx(1.25 * (1 + (20 * 0.6 - 1) * 0.05))


@pytest.mark.usefixtures("database")
def test_the_survey_2024_shows_its_levels(database: Database, keys: Keys) -> None:
    with database.session() as db:
        with transaction(db):
            top, _streets = make_district(db, streets=5, each=40)
            survey = readable_survey(db, top, make_test(db, top, "survey_2024"), keys=keys, margin=0.09)
            for number, one in enumerate(db.scalars(select(SurveyInvitation)).all()):
                answer_within(db, one, keys, (40, 60, 80, 100)[number % 4])
        found = estimate_survey(db, survey)
    assert list(found["levels"]) == ["advanced", "literate", "basic"]
    assert found["main"]["estimate"] == found["levels"]["literate"]["estimate"]
    assert (
        found["levels"]["advanced"]["estimate"]
        < found["levels"]["literate"]["estimate"]
        < found["levels"]["basic"]["estimate"]
    )


def test_an_estimate_of_a_weighting_that_has_changed_meanwhile_is_dropped(db: Session, keys: Keys) -> None:
    survey = _answered(db, keys)
    found = estimate_survey(db, survey)
    with transaction(db):
        set_weighting(db, survey=survey, margins={}, cap=4, actor=SYSTEM, now=START)
    with transaction(db):
        store_estimate(db, survey=survey, found=found, actor=SYSTEM, now=START)
    assert survey.estimate is None
    with transaction(db):
        store_estimate(db, survey=survey, found=estimate_survey(db, survey), actor=SYSTEM, now=START)
    assert survey.estimate is not None
