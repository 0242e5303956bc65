"""From answers to a score: pure rules.

A multiple-choice answer is right when it names all right options and no other; there are no part points. No answer is no point.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from quizapp.quizzes.errors import AnswerMalformed


@dataclass(frozen=True)
class PositionKey:
    """The key of one position: sorted ids of the right options, and what a right answer is worth."""

    key: tuple[str, ...]
    points: int
    #: Further answers that are right since a correction.
    more: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class Score:
    """Points, right answers, answers given."""

    points: int
    right: int
    answered: int


def parse_answer(text: object) -> tuple[str, ...]:
    """The option ids of an answer as it is sent and stored: "b", "a,c", "" for taken back. Raises AnswerMalformed."""
    if not isinstance(text, str) or len(text) > 20:
        raise AnswerMalformed
    if not text:
        return ()
    parts = text.split(",")
    if any(len(part) != 1 or not "a" <= part <= "z" for part in parts) or len(set(parts)) != len(parts):
        raise AnswerMalformed
    return tuple(sorted(parts))


def answer_text(options: tuple[str, ...]) -> str:
    """An answer as it is stored."""
    return ",".join(sorted(options))


def is_right(answer: str, key: tuple[str, ...], more: tuple[tuple[str, ...], ...] = ()) -> bool:
    """Whether a stored answer is the key, or one of the further answers that are right since a correction."""
    if not answer:
        return False
    chosen = tuple(answer.split(","))
    return chosen == key or chosen in more


def score(keys: Mapping[int, PositionKey], answers: Mapping[int, str]) -> Score:
    """Score the stored answers (position → text) of an attempt with the keys of its paper."""
    right = [position for position, key in keys.items() if is_right(answers.get(position, ""), key.key, key.more)]
    return Score(
        points=sum(keys[position].points for position in right),
        right=len(right),
        answered=sum(1 for position in keys if answers.get(position)),
    )
