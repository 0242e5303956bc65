"""Near-duplicates: the index finds exactly what comparing every pair finds, and stays fast."""

from __future__ import annotations

import random
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quizapp.banks.near_duplicates import grams, jaccard, normalised, similar_pairs


def test_punctuation_width_and_case_do_not_count():
    assert normalised("ＡＢＣ，１２ 三（四）") == "abc12三四"
    assert grams("一二") == {"一二"}
    assert grams("，。") == frozenset()
    assert grams("一二三四") == {"一二三", "二三四"}
    assert jaccard(grams("，"), grams("。")) == 0


def test_a_pair_is_found_with_its_share():
    texts = ["下列几种能源，哪一种属于可再生能源？", "完全另外的一句话。", "下列几种能源中，哪一种属于可再生能源？"]
    ((one, other, share),) = similar_pairs(texts, 0.6)
    assert (one, other) == (0, 2)
    assert share == pytest.approx(12 / 17)


@given(st.lists(st.text(alphabet="abcd", max_size=12), max_size=12), st.sampled_from([0.2, 0.45, 0.6, 1.0]))
def test_the_index_finds_what_comparing_every_pair_finds(texts, at_least):
    sets = [grams(text) for text in texts]
    slow = [(i, j) for i, j in combinations(range(len(texts)), 2) if jaccard(sets[i], sets[j]) >= at_least]
    assert [(i, j) for i, j, _ in similar_pairs(texts, at_least)] == slow


@pytest.mark.parametrize("at_least", [0, -1, 1.1])
def test_a_similarity_of_nothing_is_refused(at_least):
    with pytest.raises(ValueError, match="similarity"):
        similar_pairs(["a"], at_least)


def test_few_pairs_are_compared_among_two_thousand_stems(monkeypatch: pytest.MonkeyPatch):
    """Work is counted, not timed: two thousand stems with common phrases are two million pairs."""
    import quizapp.banks.near_duplicates as module

    compared = 0

    def counted(one: frozenset[str], other: frozenset[str]) -> float:
        nonlocal compared
        compared += 1
        return jaccard(one, other)

    monkeypatch.setattr(module, "jaccard", counted)
    chance = random.Random(1)
    letters = [chr(code) for code in range(0x4E00, 0x4E00 + 600)]
    stems = ["下列哪一项做法是" + "".join(chance.choices(letters, k=14)) + "，正确的是" for _ in range(2000)]
    assert similar_pairs(stems, 0.6) == []
    assert compared < 20_000
