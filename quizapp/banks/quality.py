"""QUALITY.md of the banks: what is in them, what was measured of them, and what their readers found. Made from the files alone.

`quizapp banks check --quality` writes it; a test keeps it up to date, so that a figure in it is always that of the files beside it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from quizapp.banks.checks.duplicates import LOOK
from quizapp.banks.checks.shares import ABSOLUTE_MORE, LONGEST_MOST, RARE_MOST
from quizapp.banks.measures import (
    FEWEST_TO_LEARN,
    LANGUAGES,
    absolute_words,
    counts_of,
    extreme_is_key,
    key_length_ratio,
    key_letters,
    of_type,
    rare_characters,
    sentence_lengths,
    similar_items,
    stem_lengths,
    true_share,
)
from quizapp.banks.parsed import ParsedBanks, ParsedItem
from quizapp.banks.reviews import SOLVERS, ReaderRole, Reading, Verdict, last_readings, role_figures

#: Readers who guess, and readers who know.
_GUESSING = (ReaderRole.GUESSER, ReaderRole.OPTIONS_ONLY)
_KNOWING = (ReaderRole.EXPERT, ReaderRole.SCEPTIC)
_LANGUAGE = {"zh": "Chinese", "en": "English"}


def approved(banks: ParsedBanks, bank: str | None = None) -> list[ParsedItem]:
    """The items that are served, of one bank or of all."""
    return [item for item in banks.items if item.state == "approved" and bank in (None, item.bank)]


def quality_page(banks: ParsedBanks, readings: Sequence[Reading]) -> str:
    """The whole page, in Markdown."""
    return "\n".join(_lines(banks, readings)) + "\n"


def _lines(banks: ParsedBanks, readings: Sequence[Reading]) -> Iterator[str]:
    codes = banks.bank_codes
    yield "# Quality of the question banks"
    yield ""
    yield "Made by `quizapp banks check --quality` from the files in this folder; do not edit it. Approved items alone count."
    yield ""
    yield from _section("What is there", _stock(banks, codes))
    yield from _section("What gives answers away", _cues(banks, codes))
    yield from _section("Reading", _reading(banks, codes))
    yield from _section("Nearly the same", _similar(banks))
    yield from _section("Literacy by benchmark and point", _literacy(banks))
    yield from _section("Topics and audiences", _topics(banks, codes))
    yield from _section("Readers who did not see the key", _readers(banks, readings))
    yield from _section("Due for review", _due(banks, codes))


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    yield f"## {title}"
    yield ""
    yield from lines
    yield ""


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(map(str, row)) + " |"


def _percent(share: float) -> str:
    return f"{share * 100:.1f} %"


def _stock(banks: ParsedBanks, codes: Sequence[str]) -> Iterator[str]:
    columns = [counts_of(approved(banks, code)) for code in codes]
    rows: list[Sequence[object]] = [
        ["items", *(c.items for c in columns)],
        *([t, *(c.types.get(t, 0) for c in columns)] for t in ("true_false", "single_choice", "multiple_choice")),
        *([f"use: {u}", *(c.uses.get(u, 0) for c in columns)] for u in ("test", "practice", "both")),
        *([d, *(c.dimensions.get(d, 0) for c in columns)] for d in ("knowledge", "method", "spirit", "application")),
        *([f"difficulty {n}", *(c.levels.get(n, 0) for c in columns)] for n in range(1, 6)),
        *(
            [f"stimulus: {x}", *(c.stimuli.get(x, 0) for c in columns)]
            for x in ("situation", "table", "chart", "picture")
        ),
    ]
    rows.append(["with a picture", *(c.pictures for c in columns)])
    yield from _table(["", *codes], rows)
    yield ""
    reasoned = [i for i in approved(banks, "literacy") if i.stimulus and i.dimension in ("method", "application")]
    yield f"Literacy items of method and application that give a situation, table, chart or picture to reason from: {len(reasoned)}."


def _cues(banks: ParsedBanks, codes: Sequence[str]) -> Iterator[str]:
    rows: list[Sequence[object]] = []
    for language in LANGUAGES:
        name = _LANGUAGE[language]
        most = _percent(LONGEST_MOST[language])
        found = [extreme_is_key(approved(banks, code), max, language) for code in codes]
        rows.append(
            [
                f"key is the longest option, {name}, of items with one longest (at most {most})",
                *(_of(len(hits), len(unique)) for unique, hits in found),
            ]
        )
        ratios = [key_length_ratio(approved(banks, code), language) for code in codes]
        rows.append([f"length of keys ÷ of distractors, {name} (0.93 to 1.08)", *(_ratio(ratio) for ratio in ratios)])
        words = [absolute_words(approved(banks, code), language) for code in codes]
        rows.append(
            [
                f"absolute word in false / in true statements, {name} (at most {ABSOLUTE_MORE * 100:.0f} points more)",
                *(f"{_percent(false.share)} / {_percent(true.share)}" for false, true in words),
            ]
        )
    shortest = [extreme_is_key(approved(banks, code), min) for code in codes]
    rows.append(
        [
            "key is the shortest option, Chinese (chance 25 %)",
            *(_of(len(hits), len(unique)) for unique, hits in shortest),
        ]
    )
    letters = [key_letters(approved(banks, code), 4) for code in codes]
    rows.append(
        [
            "keys at a, b, c, d; chi-square p (above 0.01)",
            *(f"{'/'.join(map(str, counts.values()))}; {p:.2f}" for counts, p in letters),
        ]
    )
    true = [true_share(approved(banks, code)) for code in codes]
    rows.append(["true among true/false (45 to 55 %)", *(_of(share.hits, share.of) for share in true)])
    full = [of_type(approved(banks, code), "multiple_choice") for code in codes]
    rows.append(
        [
            "all options right, of multiple choice (at most 25 %)",
            *(_of(sum(len(i.key) == len(i.options) for i in items), len(items)) for items in full),
        ]
    )
    yield from _table(["", *codes], rows)
    yield ""
    yield from _form(banks)
    yield ""
    yield "Public Chinese banks of the same kind measure 28 to 97 % at the first line, where chance is 25 %."


def _form(banks: ParsedBanks) -> Iterator[str]:
    """What a model finds that cannot read."""
    if len(of_type(approved(banks), "single_choice")) < FEWEST_TO_LEARN:
        return
    from quizapp.banks.form_guesser import form_guesses  # numpy only where there is something to learn

    for language in LANGUAGES:
        guesses = form_guesses(approved(banks), language)
        if guesses is not None:
            found, chance, of = guesses
            yield (
                f"A model that cannot read and learns from nine tenths of the single-choice items which form the key has (length, digits, "
                f"marks, absolute and hedging words, likeness, place), {_LANGUAGE[language]}: {found} of {of} keys of the last tenths, "
                f"{(found - chance) / of * 100:+.1f} points from chance."
            )


def _of(hits: int, of: int) -> str:
    return f"{_percent(hits / of)} of {of}" if of else "–"


def _ratio(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _reading(banks: ParsedBanks, codes: Sequence[str]) -> Iterator[str]:
    rows: list[Sequence[object]] = []
    parts = [approved(banks, code) for code in codes]
    lengths = [stem_lengths(items) if len(items) > 1 else (0.0, 0.0) for items in parts]
    rows.append(["length of stems, median", *(f"{middle:g}" for middle, _ninth in lengths)])
    rows.append(["length of stems, 90 % are at most", *(f"{ninth:.0f}" for _middle, ninth in lengths)])
    rows.append(["characters between two marks, mean", *(f"{sentence_lengths(items):.1f}" for items in parts)])
    rare = [rare_characters(items) for items in parts]
    rows.append(
        [f"characters beyond the 3,755 common ones (at most {_percent(RARE_MOST)})", *(_percent(s.share) for s in rare)]
    )
    yield from _table(["Chinese characters", *codes], rows)


def _similar(banks: ParsedBanks) -> Iterator[str]:
    pairs = similar_items(approved(banks), LOOK)
    yield (
        "Pairs whose stem, picture in words and key share 45 % or more of their sequences of three characters, within and across the "
        f"banks: {len(pairs)}. From 60 % on the check refuses them."
    )
    if pairs:
        yield ""
        ordered = sorted(pairs, key=lambda pair: -pair[2])
        yield from _table(["", "", "shared"], ([one.code, other.code, _percent(s)] for one, other, s in ordered))


def _literacy(banks: ParsedBanks) -> Iterator[str]:
    items = approved(banks, "literacy")
    tests = Counter(item.point for item in items if item.use == "test")
    practice = Counter(item.point for item in items if item.use == "practice")
    yield "Each point: items for the test + items for practice. The points are restated; see standards/literacy_2016.yaml."
    yield ""
    yield from _restated(banks)
    rows: list[Sequence[object]] = []
    for benchmark in banks.benchmarks:
        points = ", ".join(f"{point}: {tests[point]}+{practice[point]}" for point in benchmark.points)
        total = sum(tests[p] for p in benchmark.points), sum(practice[p] for p in benchmark.points)
        rows.append([benchmark.number, benchmark.name["en"], total[0], total[1], points])
    yield from _table(["", "benchmark", "test", "practice", "points"], rows)


def _restated(banks: ParsedBanks) -> Iterator[str]:
    """What of the standard was compared with the document, and what is remembered worst."""
    if not banks.benchmarks:
        return
    points = sum(len(b.points) for b in banks.benchmarks)
    titles = [b.number for b in banks.benchmarks if b.title_seen]
    ranges = [b.number for b in banks.benchmarks if b.range_seen]
    texts = [number for b in banks.benchmarks for number in sorted(b.points_seen)]
    unsure = [number for b in banks.benchmarks for number in sorted(b.unsure)]
    yield (
        f"Compared with the document: {len(titles)} titles of {len(banks.benchmarks)} ({_numbers(titles)}), the ranges of points of "
        f"{len(ranges)} ({_numbers(ranges)}), the texts of {len(texts)} points of {points} ({_numbers(texts)}). All others are restated "
        f"from memory (`seen: false`). Least sure: {_numbers(unsure)}."
    )
    yield ""


def _numbers(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers)) or "none"


def _topics(banks: ParsedBanks, codes: Sequence[str]) -> Iterator[str]:
    for code in codes:
        if code == "literacy":
            continue
        counts = counts_of(approved(banks, code))
        topics = ", ".join(f"{topic} {n}" for topic, n in counts.topics.items())
        audiences = ", ".join(f"{audience} {n}" for audience, n in counts.audiences.items())
        yield f"- **{code}**: {topics}. Audiences: {audiences or 'everybody'}."
    health = {tag for item in approved(banks, "health") for tag in item.tags if tag.startswith("hl66_")}
    yield f"- Points of health literacy (2024) that an item serves: {len(health)} of 66."


def _readers(banks: ParsedBanks, readings: Sequence[Reading]) -> Iterator[str]:
    items = approved(banks)
    figures = role_figures(readings)
    yield (
        "Each item is solved by readers who see stem, picture and options only: a careful expert, a sceptic who looks for a second "
        "defensible answer, and a guesser who knows nothing and looks for cues; a fourth sees the options alone. The readers are "
        "language models with different instructions, so they stand for care and for guessing, not for residents; what residents "
        "know is measured from their answers. Disagreement led to rewriting, not to arguing. Rates are by the keys of that time."
    )
    yield ""
    if not figures:
        yield "No reading is on record."
        return
    rows = [
        [f.round, f.role, f.read, _percent(f.agreement), f"{f.above_chance * 100:+.1f}", f.objections] for f in figures
    ]
    yield from _table(["round", "reader", "read", "agree with the key", "points above chance", "objections"], rows)
    yield ""
    last = last_readings(readings, items)
    yield from _present(items, last)


def _present(items: list[ParsedItem], last: list[Reading]) -> Iterator[str]:
    """What the newest readings of the present wordings say."""
    knowing = [r for r in last if r.role in _KNOWING]
    read = Counter(r.item for r in last if r.role in SOLVERS)
    whole = sum(read[item.code] == len(SOLVERS) for item in items)
    yield f"Items whose present wording each of the three solvers read: {whole} of {len(items)}."
    if knowing:
        agreed = sum(r.agrees for r in knowing)
        share = _percent(agreed / len(knowing))
        yield f"Expert and sceptic on present wordings: {agreed} of {len(knowing)} answers are the key ({share})."
    blind = [r for r in last if r.role == ReaderRole.OPTIONS_ONLY]
    if blind:
        (figures,) = role_figures([replace(r, round=0) for r in blind])
        yield (
            f"Reader of the options alone, on present wordings: {_percent(figures.agreement)} right of {figures.read}, "
            f"{figures.above_chance * 100:+.1f} points from chance."
        )
        yield (
            "This reader was told to use all that it knows, and knows much: the gain also holds items whose right option a knowing person "
            "recognises without the question. The model that cannot read, above, has no knowledge at all. The aim is at most 10 points "
            "for both."
        )
    yield ""
    yield from _objections(last)


def _objections(last: list[Reading]) -> Iterator[str]:
    """What the newest readers of the present wordings still hold against them."""
    verdicts = [verdict for verdict in Verdict if verdict != Verdict.FINE]
    rows: list[Sequence[object]] = []
    for role in sorted({r.role for r in last}):
        found = [r for r in last if r.role == role]
        counts = Counter(r.verdict for r in found)
        by_cue = sum(r.verdict == Verdict.CUE and r.agrees for r in found)
        rows.append([role, len(found), *(counts[verdict] for verdict in verdicts), by_cue])
    yield "Objections that stand, by the newest reading of each present wording:"
    yield ""
    yield from _table(["reader", "read", *verdicts, "cue, with the right answer"], rows)
    yield ""
    for roles, right in ((_GUESSING, True), (_KNOWING, False)):
        named = [
            {r.item for r in last if r.role == role and r.verdict == Verdict.CUE and (r.agrees or not right)}
            for role in roles
        ]
        both = sorted(set.intersection(*named))
        how = ", both with the right answer" if right else ""
        yield f"Items that {roles[0]} and {roles[1]} both call answerable by cues{how}: {len(both)}{_listed(both)}."


def _listed(codes: Sequence[str]) -> str:
    return f" ({', '.join(codes)})" if codes else ""


def _due(banks: ParsedBanks, codes: Sequence[str]) -> Iterator[str]:
    months = sorted({item.review_by[:4] for item in approved(banks)})
    rows = []
    for year in months:
        counts = [sum(item.review_by[:4] == year for item in approved(banks, code)) for code in codes]
        rows.append([year, *counts])
    yield from _table(["review by", *codes], rows)
    yield ""
    ending = [item for item in approved(banks) if item.citation.get("valid_until")]
    listed = ", ".join(f"{item.code} ({item.citation['valid_until']})" for item in ending)
    yield f"Sources that end on a known day: {listed or 'none'}."
