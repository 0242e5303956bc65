"""What can be guessed from the form of options alone."""

from __future__ import annotations

import random

from quizapp.banks.form_guesser import form_guesses
from quizapp.banks.measures import FEWEST_TO_LEARN
from quizapp.banks.parsed import ParsedItem
from tests.banks.files import character, make_item


def bank(count: int, longer: int) -> list[ParsedItem]:
    """Items whose key is `longer` characters longer than the other options, which differ by chance."""
    draw = random.Random(7)
    items = []
    for number in range(count):
        key = draw.choice("abcd")
        options = {
            letter: "".join(
                character(draw.randrange(2_000)) for _ in range(draw.randint(6, 9) + (letter == key) * longer)
            )
            for letter in "abcd"
        }
        items.append(make_item(f"SAF-FIRE-{number}", options=options, key=(key,)))
    return items


def test_keys_that_are_longer_are_found_and_keys_that_are_not_are_not():
    found, chance, of = form_guesses(bank(200, longer=3)) or (0, 0.0, 0)
    assert (chance, of) == (50.0, 200)
    assert found > 120
    found, chance, of = form_guesses(bank(200, longer=0)) or (0, 0.0, 0)
    assert abs(found - chance) < 20


def test_few_items_teach_nothing():
    assert form_guesses(bank(FEWEST_TO_LEARN - 1, longer=3)) is None
