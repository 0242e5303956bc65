"""How an invented resident answers: a three-parameter model, with weak topics, skipped questions, slips and haste."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from random import Random

from sqlalchemy import select
from sqlalchemy.orm import Session

from quizapp.banks.models import Item, ItemVersion
from quizapp.demo.people import Resident
from quizapp.quizzes.models import PaperItem
from quizapp.quizzes.scoring import answer_text

#: The chance of hitting the key blindly, by type; four options where there are options.
_GUESS = {"true_false": 0.5, "single_choice": 0.25, "multiple_choice": 0.08}
#: Seconds for a question of a type, for somebody of ordinary pace.
_SECONDS = {"true_false": 9.0, "single_choice": 14.0, "multiple_choice": 21.0}
#: Share of questions that are left out, and of answers that are changed once.
_SKIPPED, _CHANGED = 0.012, 0.05


@dataclass(frozen=True)
class Question:
    """What the model needs of one position."""

    position: int
    type: str
    options: tuple[str, ...]
    key: tuple[str, ...]
    topic_id: int
    #: Ability at which somebody who does not guess is right half the time.
    location: float


@dataclass(frozen=True)
class Given:
    """One answer, so many seconds after the start."""

    position: int
    answer: str
    second: float


def questions_of(db: Session, paper_id: int) -> list[Question]:
    """The questions of a paper, their location from the authors' guess of the share that is right."""
    rows = db.execute(
        select(PaperItem.position, ItemVersion, Item.topic_id)
        .join(ItemVersion, ItemVersion.id == PaperItem.item_version_id)
        .join(Item, Item.id == ItemVersion.item_id)
        .where(PaperItem.paper_id == paper_id)
        .order_by(PaperItem.position)
    )
    return [
        Question(
            position=position,
            type=version.type,
            options=tuple(option["id"] for option in version.options),
            key=tuple(version.key),
            topic_id=topic_id,
            location=_location(version.difficulty, _GUESS[version.type]),
        )
        for position, version, topic_id in rows
    ]


def _location(share: float, guess: float) -> float:
    """The location at which an average resident is right with this share: share = guess + (1 - guess) · logistic(-location)."""
    known = min(0.96, max(0.06, (share - guess) / (1 - guess)))
    return -1.15 * math.log(known / (1 - known))


@cache
def _weakness(group: str, topic_id: int) -> float:
    """What a group of residents knows less (below 0) or better about a topic; always the same."""
    return Random(f"{group}/{topic_id}").gauss(0, 0.45)  # noqa: S311 # a simulation


def answer_paper(rng: Random, resident: Resident, questions: list[Question], seconds: float) -> list[Given]:
    """The answers in the order in which they are given, as far as they fit into the time."""
    second = rng.uniform(3, 9)
    given: list[Given] = []
    for question in questions:
        second += _SECONDS[question.type] * resident.pace * rng.lognormvariate(0, 0.35)
        if second > seconds:
            break
        if rng.random() < _SKIPPED:
            continue
        if rng.random() < _CHANGED:
            given.append(Given(question.position, _wrong(rng, question), second))
            second += rng.uniform(2, 6)
        given.append(Given(question.position, _answer(rng, resident, question), second))
    return given


def _answer(rng: Random, resident: Resident, question: Question) -> str:
    ability = resident.ability + _weakness(resident.group, question.topic_id)
    guess = _GUESS[question.type]
    chance = guess + (1 - guess) / (1 + math.exp(question.location - ability))
    return answer_text(question.key) if rng.random() < chance else _wrong(rng, question)


def _wrong(rng: Random, question: Question) -> str:
    """An answer that is not the key: another option, or one right option forgotten, or one too many."""
    others = [option for option in question.options if option not in question.key]
    if question.type != "multiple_choice":
        # one distractor draws more than the others
        return rng.choices(others, [3, *(1 for _ in others[1:])])[0]
    chosen = list(question.key)
    if others and (len(chosen) < 2 or rng.random() < 0.4):
        chosen.append(rng.choice(others))
    else:
        chosen.remove(rng.choice(chosen))
    return answer_text(tuple(chosen))
