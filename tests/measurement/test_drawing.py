"""Drawing with a public seed: the same people for everybody, each with the chance that their weight says."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quizapp.measurement.survey import estimate_rate, make_design
from quizapp.measurement.survey.drawing import allocate, draw_in_units, draw_people, shuffled

STRATA = {"north": [f"n{i}" for i in range(60)], "south": [f"s{i}" for i in range(30)], "hill": ["h0", "h1", "h2"]}
UNITS = {
    "north": {f"a{u}": [f"a{u}-{i}" for i in range(5 + 3 * u)] for u in range(6)},
    "south": {f"b{u}": [f"b{u}-{i}" for i in range(12)] for u in range(4)},
}


def test_list_and_seed_alone_decide() -> None:
    # SHA-256("2026\\x1fa"), …("2026\\x1fb"), …("2026\\x1fc"): anybody can sort them
    assert shuffled(["c", "a", "b"], "2026") == shuffled(["a", "b", "c"], "2026")
    one = draw_people(STRATA, 20, "2026")
    assert draw_people({name: ids[::-1] for name, ids in reversed(STRATA.items())}, 20, "2026") == one
    assert draw_people(STRATA, 20, "2027") != one
    assert draw_in_units(UNITS, 6, 4, "x") == draw_in_units(dict(reversed(UNITS.items())), 6, 4, "x")


def test_strata_give_in_proportion_and_weights_stand_for_everybody() -> None:
    drawn = draw_people(STRATA, 20, "s")
    assert Counter(person.stratum for person in drawn) == {"north": 12, "south": 6, "hill": 2}
    assert sum(person.weight for person in drawn) == pytest.approx(93)
    design = make_design(20, strata=[p.stratum for p in drawn], populations=[[float(p.populations[0]) for p in drawn]])
    assert design.weights == pytest.approx([p.weight for p in drawn])


def test_everybody_has_the_chance_that_the_weight_says() -> None:
    times: Counter[str] = Counter()
    for seed in range(2000):
        times.update(person.id for person in draw_people(STRATA, 20, str(seed)))
    for person in STRATA["north"]:
        assert times[person] / 2000 == pytest.approx(0.2, abs=0.045)
    assert sum(times.values()) == 2000 * 20


def test_estimates_from_drawn_units_hit_the_truth_on_average() -> None:
    literate = {
        person: int(person.endswith(("1", "4", "7"))) for of in UNITS.values() for ids in of.values() for person in ids
    }
    totals = []
    for seed in range(1500):
        drawn = draw_in_units(UNITS, 6, 4, str(seed))
        totals.append(sum(p.weight * literate[p.id] for p in drawn))
    assert np.mean(totals) == pytest.approx(sum(literate.values()), rel=0.02)
    design = make_design(
        len(drawn),
        strata=[p.stratum for p in drawn],
        clusters=[[p.unit for p in drawn]],
        populations=[[float(p.populations[stage]) for p in drawn] for stage in (0, 1)],
    )
    assert design.weights == pytest.approx([p.weight for p in drawn])
    assert estimate_rate(design, [literate[p.id] for p in drawn]).df == 4


@given(st.dictionaries(st.text("abcdef", min_size=1), st.integers(1, 400), min_size=1, max_size=6), st.data())
def test_allocation_gives_what_is_asked_within_its_limits(sizes: dict[str, int], data: st.DataObject) -> None:
    fewest = sum(min(2, size) for size in sizes.values())
    wanted = data.draw(st.integers(fewest, sum(sizes.values())))
    given_ = allocate(sizes, wanted)
    assert sum(given_.values()) == wanted
    assert all(min(2, size) <= given_[name] <= size for name, size in sizes.items())


def test_a_draw_that_cannot_be_is_refused() -> None:
    for call in (
        lambda: draw_people(STRATA, 94, "x"),
        lambda: draw_people(STRATA, 5, "x"),
        lambda: draw_people({"a": ["1", "1", "2"]}, 2, "x"),
        lambda: draw_in_units(UNITS, 6, 0, "x"),
        lambda: draw_in_units(UNITS, 11, 2, "x"),
    ):
        with pytest.raises(ValueError, match=r"of|twice|least"):
            call()
