"""Which answer of each item is right, and who was right."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quizapp.analyse.keys import KeyOfItem
from quizapp.analyse.refusals import Refused
from quizapp.analyse.responses import BLANK, Responses
from quizapp.measurement.classical import ABSENT


@dataclass(frozen=True)
class Keyed:
    """Responses with what is right. Numbers of labels go from 1."""

    responses: Responses
    #: All labels: those of the table, then those that only the key names.
    labels: Sequence[str]
    #: The right label of each item.
    keys: Sequence[int]
    #: The options of each item where the key lists them, else empty.
    options: Sequence[tuple[int, ...]]

    def scores(self) -> NDArray[np.float64]:
        """1 right, 0 wrong, NaN not given: (respondents, items)."""
        answers: NDArray[Any] = self.responses.answers
        return np.where(answers == ABSENT, np.nan, answers == np.asarray(self.keys))


def keyed(responses: Responses, key: Mapping[str, KeyOfItem] | None) -> Keyed:
    """Join responses and key; without a key, cells are 0 and 1. Raises Refused with the row or the item."""
    if key is None:
        _only_scores(responses)
        key = {item: KeyOfItem("1") for item in responses.items}
    missing = [item for item in responses.items if item not in key]
    if missing:
        raise Refused("no_key", f"the key has no right answer for {', '.join(missing[:5])}. Add the missing rows")
    said = [label for item in responses.items for label in (key[item].key, *key[item].options)]
    # Letters count without their case, unless the key itself tells "a" from "A".
    alike = any(
        len({option.casefold() for option in of_item.options}) < len({*of_item.options}) for of_item in key.values()
    )
    fold: Callable[[str], str] = str if alike else str.casefold
    responses = _spelled(responses, said, fold)
    labels = list(responses.labels)
    numbers = {fold(label): number for number, label in enumerate(labels, start=1)}

    def number(label: str) -> int:
        if fold(label) not in numbers:
            labels.append(label)
            numbers[fold(label)] = len(labels)
        return numbers[fold(label)]

    keys = [number(key[item].key) for item in responses.items]
    options = [tuple(number(option) for option in key[item].options) for item in responses.items]
    return Keyed(responses, labels, keys, options)


def _spelled(responses: Responses, said: Sequence[str], fold: Callable[[str], str]) -> Responses:
    """The table with one label for answers that are alike, spelled as the key has it, else as the first by the alphabet."""
    spelling: dict[str, str] = {}
    for label in (*said, *sorted(responses.labels)):
        spelling.setdefault(fold(label), label)
    labels = list(dict.fromkeys(spelling[fold(label)] for label in responses.labels))
    if labels == list(responses.labels):
        return responses
    numbers = [ABSENT, *(labels.index(spelling[fold(label)]) + 1 for label in responses.labels)]
    return replace(
        responses, answers=np.array(numbers, dtype=responses.answers.dtype)[responses.answers], labels=labels
    )


def _only_scores(responses: Responses) -> None:
    odd = [n for n, label in enumerate(responses.labels, start=1) if label not in ("0", "1", BLANK)]
    if not odd:
        return
    where = np.argwhere(np.isin(responses.answers, odd))
    person, item = (int(value) for value in where[0])
    label = responses.labels[int(responses.answers[person, item]) - 1]
    raise Refused(
        "not_scored",
        f"row {responses.row_of(person, item)}, item {responses.items[item]}: «{label}» is neither 0 nor 1. "
        "Give the right answers with --key KEY",
    )
