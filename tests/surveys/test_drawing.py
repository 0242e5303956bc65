"""The draw: by seed and list alone, weights that add up to the list, once, and again by anybody who has list and seed."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from quizapp.analyse.drawing import Frame, draw, frame_text, listing, parse_frame
from quizapp.cli import group
from quizapp.core.db import transaction
from quizapp.core.scope import SYSTEM
from quizapp.core.tokens import Keys, digest
from quizapp.measurement.survey.drawing import draw_in_listed_units, draw_in_units
from quizapp.organisation.models import Person
from quizapp.surveys.errors import (
    FrameTooSmall,
    StrataOfOneUnit,
    SurveyAnnounced,
    SurveyDrawn,
    SurveyValueMissing,
)
from quizapp.surveys.models import SurveyInvitation
from quizapp.surveys.services.announcing import announce_survey, frame_file, withdraw_announcement
from quizapp.surveys.services.drawing import card_secret, draw_survey
from quizapp.surveys.services.planning import Numbers, drop_plan, frame_of, sizes_of
from quizapp.surveys.services.rows import survey_rows
from tests.conftest import START
from tests.factories import make_person, make_unit
from tests.surveys.support import SEED, make_district, make_survey, make_test, readable_survey

_SIZES = st.lists(st.integers(2, 40), min_size=2, max_size=6)


def _frame(sizes: list[int]) -> Frame:
    return Frame(
        people=[(f"{unit}-{one}", str(unit), f"u{unit}") for unit, size in enumerate(sizes) for one in range(size)]
    )


@given(sizes=_SIZES, seed=st.text(min_size=1, max_size=20), data=st.data())
def test_weights_add_up_to_the_list_and_the_order_of_the_list_does_not_matter(
    sizes: list[int], seed: str, data: st.DataObject
) -> None:
    frame = _frame(sizes)
    people = data.draw(st.integers(2 * len(sizes), sum(sizes)))
    drawn = draw(frame, seed=seed, people=people)
    assert len({one.id for one in drawn}) == people
    assert sum(one.weight for one in drawn) == pytest.approx(sum(sizes))
    shuffled = Frame(people=frame.people[::-1])
    assert listing(draw(shuffled, seed=seed, people=people)) == listing(drawn)
    assert frame_text(shuffled) == frame_text(frame)


@given(sizes=_SIZES, seed=st.text(min_size=1, max_size=20), per_unit=st.integers(1, 9))
def test_places_of_lists_are_drawn_like_people_with_these_names(sizes: list[int], seed: str, per_unit: int) -> None:
    listed = {f"u{number}": size for number, size in enumerate(sizes)}
    named = {"": {unit: [f"{unit}:{place}" for place in range(1, size + 1)] for unit, size in listed.items()}}
    drawn = draw_in_listed_units({"": listed}, 2, per_unit, seed)
    assert drawn == draw_in_units(named, 2, per_unit, seed)
    # where all units have their turn, the weights add up to all people
    everywhere = draw_in_listed_units({"": listed}, len(sizes), per_unit, seed)
    assert sum(one.weight for one in everywhere) == pytest.approx(sum(sizes))


@given(
    strata=st.lists(st.lists(st.integers(1, 30), min_size=1, max_size=5), min_size=1, max_size=4),
    seed=st.text(min_size=1, max_size=20),
    data=st.data(),
)
def test_every_stratum_gives_units_and_people_and_lists_are_the_same_in_strata(
    strata: list[list[int]], seed: str, data: st.DataObject
) -> None:
    units = {f"{s}-{u}": size for s, sizes in enumerate(strata) for u, size in enumerate(sizes)}
    of = {unit: unit.split("-")[0] for unit in units}
    frame = Frame(units=units, unit_strata=of)
    least = sum(min(2, len(sizes)) for sizes in strata)
    count = data.draw(st.integers(least, len(units)))
    drawn = draw(frame, seed=seed, people=4, units=count)
    named = Frame(people=[(f"{unit}:{p}", of[unit], unit) for unit, size in units.items() for p in range(1, size + 1)])
    assert listing(drawn) == listing(draw(named, seed=seed, people=4, units=count))
    assert {one.unit for one in drawn} <= units.keys()
    assert len({one.unit for one in drawn}) == count
    for number, sizes in enumerate(strata):
        mine = [one for one in drawn if one.stratum == str(number)]
        assert len({one.unit for one in mine}) >= min(2, len(sizes))
        assert all(one.populations == (len(sizes), units[one.unit]) for one in mine)
    assert parse_frame(frame_text(frame)) == frame
    if count == len(units):
        assert sum(one.weight for one in drawn) == pytest.approx(sum(units.values()))


def test_a_stratified_draw_invites_by_size_and_can_be_drawn_again(
    either_db: Session, keys: Keys, tmp_path: Path
) -> None:
    db = either_db
    with transaction(db):
        top, streets = make_district(db)
        db.add(Person(name="小孩", source="roster", unit_id=streets[0].id, birth_year=2015, created_at=START))
        db.add(Person(name="自己填的", source="typed", unit_id=streets[0].id, created_at=START))
        survey = make_survey(db, top, make_test(db, top), keys=keys)
    invitations = db.scalars(select(SurveyInvitation).order_by(SurveyInvitation.number)).all()
    assert survey.counts["people"] == 40 + 41 + 42
    assert survey.counts["left_out"] == {"minor": 1, "closed_unit": 0}
    assert survey.counts["strata"] == {str(street.id): 40 + number for number, street in enumerate(streets)}
    assert len(invitations) == survey.counts["drawn"] == survey.counts["wanted"]
    assert sum(one.weight for one in invitations) == pytest.approx(123)
    assert {one.stratum for one in invitations} == {str(street.id) for street in streets}
    assert all(one.secret_hash == digest(card_secret(keys, survey.id, one.number)) for one in invitations)
    # with the kept list and the public seed, the command draws the same
    path = tmp_path / "frame.csv"
    path.write_text(frame_file(survey), encoding="utf-8")
    done = CliRunner().invoke(
        group, ["analyse", "draw", str(path), "--seed", SEED, "--people", str(survey.counts["wanted"])]
    )
    assert done.exit_code == 0, done.stderr
    assert survey.drawn_digest in done.stderr
    assert survey.frame_digest in done.stderr
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [int(row["id"]) for row in rows] == [one.person_id for one in invitations]


def test_units_first_gives_each_its_chance(either_db: Session, keys: Keys) -> None:
    db = either_db
    with transaction(db):
        top, streets = make_district(db, streets=6, each=20)
        survey = make_survey(db, top, make_test(db, top), keys=keys, design="two_stage", per_unit=8, margin=0.2)
    invitations = db.scalars(select(SurveyInvitation)).all()
    homes = {one.home for one in invitations}
    assert len(homes) == survey.counts["units"] < survey.counts["units_there"] == 6
    sizes = {str(street.id): 20 + number for number, street in enumerate(streets)}
    for one in invitations:
        assert one.populations == [6, sizes[one.home]]
        assert one.weight == pytest.approx(6 / len(homes) * sizes[one.home] / 8)


def test_units_are_drawn_in_every_street_and_the_command_draws_the_same(
    either_db: Session, keys: Keys, tmp_path: Path
) -> None:
    db = either_db
    with transaction(db):
        top = make_unit(db, kind="district")
        streets = [make_unit(db, top, kind="street") for _ in range(3)]
        for street in streets:
            for number in range(4):
                home = make_unit(db, street)
                for _ in range(10 + number):
                    make_person(db, source="roster", unit_id=home.id)
        alone = make_unit(db, top, kind="department")  # whose people have no unit below it
        for _ in range(9):
            make_person(db, source="roster", unit_id=alone.id)
        survey = make_survey(
            db, top, make_test(db, top), keys=keys, design="stratified_two_stage", per_unit=6, margin=0.15
        )
    invitations = db.scalars(select(SurveyInvitation)).all()
    homes = {unit.id: {one.home for one in invitations if one.stratum == str(unit.id)} for unit in (*streets, alone)}
    assert homes[alone.id] == {str(alone.id)}  # the only one of its stratum is always there
    assert all(len(homes[street.id]) >= 2 for street in streets)
    assert sum(map(len, homes.values())) == survey.counts["units"] < survey.counts["units_there"] == 13
    assert survey.counts["strata"] == {**{str(street.id): 46 for street in streets}, str(alone.id): 9}
    path = tmp_path / "frame.csv"
    path.write_text(frame_file(survey), encoding="utf-8")
    arguments = ["--seed", SEED, "--people", "6", "--units", str(survey.counts["units"])]
    done = CliRunner().invoke(group, ["analyse", "draw", str(path), *arguments])
    assert done.exit_code == 0, done.stderr
    assert survey.drawn_digest in done.stderr


def test_a_list_of_units_is_drawn_from_street_by_street(either_db: Session, keys: Keys) -> None:
    db = either_db
    with transaction(db):
        top = make_unit(db, kind="district")
        streets = [make_unit(db, top, kind="street") for _ in range(4)]
        homes = [make_unit(db, street, name=f"{street.name}社区{n}") for street in streets for n in range(8)]
        lines = "\n".join(f"{home.name},600" for home in homes)
        survey = make_survey(
            db, top, make_test(db, top), keys=keys, design="stratified_two_stage", frame_kind="units", unit_list=lines,
            margin=0.1, response=0.7,
        )  # fmt: skip
    invitations = db.scalars(select(SurveyInvitation)).all()
    drawn = [len({one.home for one in invitations if one.stratum == str(street.id)}) for street in streets]
    assert sum(drawn) == survey.counts["units"]
    assert min(drawn) >= 2
    assert max(drawn) - min(drawn) <= 1
    assert survey.counts["strata"] == {str(street.id): 4800 for street in streets}
    assert parse_frame(frame_file(survey)).unit_strata == {str(home.id): str(home.parent_id) for home in homes}


def test_whether_town_or_country_is_kept_as_it_was_at_the_draw(either_db: Session, keys: Keys) -> None:
    db = either_db
    with transaction(db):
        top, streets = make_district(db, residence="urban")
        streets[1].residence = "rural"
        db.flush()
        survey = readable_survey(db, top, make_test(db, top), keys=keys)
        streets[1].residence = None
    found = {one.home: one.residence for one in db.scalars(select(SurveyInvitation)).all()}
    assert found == {str(street.id): "rural" if street is streets[1] else "urban" for street in streets}
    assert {row[-1] for row in survey_rows(db, survey).rows} == {"urban", "rural"}


def test_a_list_of_units_invites_places_of_their_lists(either_db: Session, keys: Keys) -> None:
    db = either_db
    with transaction(db):
        top = make_unit(db, kind="district")
        communities = [make_unit(db, top, name=f"社区{number}") for number in range(40)]
        lines = "单位,人数\n" + "\n".join(f"{one.name}，{500 + number}" for number, one in enumerate(communities))
        survey = make_survey(
            db, top, make_test(db, top), keys=keys, design="two_stage", frame_kind="units", unit_list=lines, margin=0.08
        )
    invitations = db.scalars(select(SurveyInvitation)).all()
    assert survey.counts["people"] == sum(500 + number for number in range(40))
    assert len({one.home for one in invitations}) == survey.counts["units"]
    assert all(one.person_id is None and one.place and one.place <= one.populations[1] for one in invitations)
    assert parse_frame(frame_file(survey)).units == {str(one.id): 500 + n for n, one in enumerate(communities)}


def test_it_is_drawn_once_and_stays(either_db: Session, keys: Keys) -> None:
    db = either_db
    with transaction(db):
        top, _streets = make_district(db)
        survey = make_survey(db, top, make_test(db, top), keys=keys)
    before = survey.drawn_digest
    for again in (
        lambda: draw_survey(db, survey=survey, keys=keys, actor=SYSTEM, now=START),
        lambda: drop_plan(db, survey, actor=SYSTEM, now=START),
    ):
        with pytest.raises(SurveyDrawn), transaction(db):
            again()
    assert survey.drawn_digest == before


def test_an_announced_list_stays_while_the_roster_changes_and_waits_for_its_numbers(
    either_db: Session, keys: Keys, tmp_path: Path
) -> None:
    db = either_db
    with transaction(db):
        top, _streets = make_district(db)
        survey = make_survey(db, top, make_test(db, top))
        announce_survey(db, survey=survey, actor=SYSTEM, now=START)
    listed = survey.frame_digest
    for refused in (
        lambda: announce_survey(db, survey=survey, actor=SYSTEM, now=START),
        lambda: drop_plan(db, survey, actor=SYSTEM, now=START),
    ):
        with pytest.raises(SurveyAnnounced), transaction(db):
            refused()
    with transaction(db):
        people = db.scalars(select(Person).order_by(Person.id)).all()
        for one in people[::3]:  # a third are merged with people who came later
            one.merged_into_id = make_person(db, source="roster", unit_id=one.unit_id).id
    for missing in ("", " 7 ", "x" * 61):
        with pytest.raises(SurveyValueMissing), transaction(db):
            draw_survey(db, survey=survey, keys=keys, actor=SYSTEM, now=START, came_out=missing)
    with transaction(db):
        draw_survey(db, survey=survey, keys=keys, actor=SYSTEM, now=START, came_out=" 03 08  11 17 ")
    assert survey.seed == f"{SEED} 03 08 11 17"
    assert (survey.frame_digest, survey.counts["people"]) == (listed, 123)
    invited = {one.person_id for one in db.scalars(select(SurveyInvitation)).all()}
    assert len(invited) == survey.counts["drawn"]
    assert not invited & {one.id for one in people[::3]}
    path = tmp_path / "frame.csv"
    path.write_text(frame_file(survey), encoding="utf-8")
    arguments = ["--seed", survey.seed, "--people", str(survey.counts["wanted"])]
    done = CliRunner().invoke(group, ["analyse", "draw", str(path), *arguments])
    assert survey.drawn_digest in done.stderr


def test_a_withdrawn_announcement_stays_to_be_seen(db: Session, keys: Keys) -> None:
    with transaction(db):
        top, _streets = make_district(db)
        survey = make_survey(db, top, make_test(db, top))
        announce_survey(db, survey=survey, actor=SYSTEM, now=START)
        first = survey.frame_digest
        for _ in range(2):
            withdraw_announcement(db, survey=survey, actor=SYSTEM, now=START)
        make_person(db, source="roster", unit_id=top.id)
        announce_survey(db, survey=survey, actor=SYSTEM, now=START)
        draw_survey(db, survey=survey, keys=keys, actor=SYSTEM, now=START, came_out="123")
    assert [(one["list"], "withdrawn_at" in one) for one in survey.announcements] == [
        (first, True),
        (survey.frame_digest, False),
    ]
    with pytest.raises(SurveyDrawn), transaction(db):
        withdraw_announcement(db, survey=survey, actor=SYSTEM, now=START)


def test_strata_of_one_unit_each_are_drawn_from_singly() -> None:
    with pytest.raises(StrataOfOneUnit):
        sizes_of(_frame([300, 300, 300]), "stratified_two_stage", Numbers(margin=0.1))


def test_too_many_wanted_names_what_can_be_reached() -> None:
    frame = _frame([30, 30])
    with pytest.raises(FrameTooSmall) as refused:
        sizes_of(frame, "simple", Numbers(margin=0.02, response=0.5))
    margin = refused.value.data["margin"]
    assert isinstance(margin, float)
    assert sizes_of(frame, "simple", Numbers(margin=margin / 100 + 0.005, response=0.5)).people <= 60


def test_four_hundred_of_a_hundred_thousand(db: Session, keys: Keys) -> None:
    with transaction(db):
        top, streets = make_district(db, streets=10, each=0)
        db.execute(
            text(
                "INSERT INTO person (name, name_key, source, unit_id, created_at) WITH RECURSIVE n(i) AS "
                "(SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) "
                "SELECT '', '', 'roster', :first + i % 10, :now FROM n"
            ),
            {"first": streets[0].id, "now": START},
        )
        delivery = make_test(db, top)
        survey = make_survey(db, top, delivery, margin=0.0632, response=0.6)
    with transaction(db):
        draw_survey(db, survey=survey, keys=keys, actor=SYSTEM, now=START)
    assert db.scalar(select(func.count(SurveyInvitation.id))) == 400


def test_whoever_is_merged_or_erased_is_not_drawn(db: Session) -> None:
    with transaction(db):
        top, streets = make_district(db, streets=1, each=0)
        kept = make_person(db, source="roster", unit_id=streets[0].id)
        make_person(db, source="roster", unit_id=streets[0].id, merged_into_id=kept.id)
        make_person(db, source="roster", unit_id=streets[0].id, erased_at=START)
    frame, _left_out = frame_of(db, top, "simple", "roster", {}, START)
    assert [person for person, _, _ in frame.people] == [str(kept.id)]
