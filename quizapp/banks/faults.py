"""What is wrong with bank files: a code with file, line and data, and the words for each code.

The words stand here, in English, because the terminal is the only place where they are shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Level(StrEnum):
    """Whether a fault keeps the banks from being loaded."""

    REFUSE = "refuse"
    WARN = "warn"


@dataclass(frozen=True)
class Fault:
    """One fault. `check` is the id of the rule in `CHECKS`, or "format"."""

    code: str
    level: Level
    file: str
    line: int
    data: Mapping[str, Any] = field(default_factory=dict)
    check: str = "format"

    @property
    def message(self) -> str:
        """What is wrong, in one sentence without a full stop."""
        return WORDS[self.code][0] % self.data

    @property
    def cure(self) -> str:
        """What to do about it."""
        return WORDS[self.code][1] % self.data

    def __str__(self) -> str:
        mark = "warning: " if self.level == Level.WARN else ""
        return f"{self.file}:{self.line}: {mark}{self.message}. {self.cure}."

    def as_json(self) -> dict[str, Any]:
        """For `--format json`."""
        return {
            "code": self.code,
            "check": self.check,
            "level": str(self.level),
            "file": self.file,
            "line": self.line,
            "message": self.message,
            "cure": self.cure,
            "data": dict(self.data),
        }


#: code → (what is wrong, what to do about it).
WORDS: dict[str, tuple[str, str]] = {
    # files and format
    "no_files": ("there is no bank file here", "Name the folder that holds safety/, health/ and the others"),
    "no_standard": ("the literacy bank has no standard", "Put standards/literacy_2016.yaml beside it"),
    "not_utf8": ("this line is not UTF-8", "Save the file as UTF-8"),
    "yaml": (
        "this is not readable YAML: %(problem)s",
        "Check indentation, colons and quotes here; quote text with a colon",
    ),
    "empty_file": ("the file is empty", "Write bank, topic, title and items, or delete the file"),
    "duplicate_field": ("the field %(field)s stands here twice", "Keep one of them"),
    "unknown_field": ("there is no field %(field)s", "%(hint)s"),
    "missing_field": ("%(what)s has no %(field)s", "Add %(field)s"),
    "wrong_type": ("%(what)s is %(given)s, it should be %(wanted)s", "Write %(example)s"),
    "not_one_of": ("%(what)s is %(given)s", "Write one of %(wanted)s"),
    "wrong_pattern": ("%(what)s is %(given)s, which does not have the right form", "Write it like %(example)s"),
    "empty_text": ("%(what)s is empty", "Write the text"),
    "too_short": ("%(what)s has %(length)s characters, at least %(least)s", "Say more"),
    "too_long": ("%(what)s has %(length)s characters, at most %(limit)s", "Shorten it"),
    "out_of_range": ("%(what)s is %(given)s", "It lies between %(low)s and %(high)s"),
    "wrong_count": ("%(what)s has %(given)s entries", "It has %(wanted)s"),
    "repeated_entry": ("%(what)s names something twice", "Name each once"),
    "options_not_allowed": ("a true/false item has no %(field)s", "Remove %(field)s, or change the type"),
    # one item or file against the others
    "wrong_bank": ("bank is %(given)s but the folder is %(folder)s", "Write bank: %(folder)s, or move the file"),
    "duplicate_topic": ("topic %(topic)s stands in %(other)s too", "Give each file of a bank its own topic"),
    "duplicate_id": ("the id %(id)s stands at %(other)s too", "Give this item a new id; an id is never used again"),
    "option_order": ("the options are %(given)s", "Name them a, b, c … in this order"),
    "key_unknown": ("the key %(key)s is none of the options", "Name an option that exists"),
    "point_not_allowed": ("point stands in an item of the bank %(bank)s", "Remove it; only literacy has points"),
    "point_missing": ("this literacy item has no point", "Add the number of its benchmark point, 1 to 132"),
    "point_unknown": ("point %(point)s is not in the standard", "Name one of its points"),
    "benchmark_mismatch": (
        "the id %(id)s says benchmark %(said)s, point %(point)s belongs to benchmark %(benchmark)s",
        "Correct the point or the id",
    ),
    "english_mark": (
        "the Chinese stem marks a word with ** and the English one does not",
        "Mark the same word in both",
    ),
    "english_has_chinese": ("%(what)s contains Chinese characters", "Translate them"),
    "citation_one_language": ("%(what)s is in Chinese only", "Write it in both languages: {zh: …, en: …}"),
    "chinese_missing": ("%(what)s has no Chinese character", "Write it in Chinese"),
    "picture": ("the picture %(file)s %(why)s", "Draw it as question_banks/README.md says, and keep it there"),
    # spreadsheets
    "sheet_columns": ("no sheet has the column %(wanted)s", "Fill in the template of `quizapp banks template`"),
    "sheet_topic": ("there is no topic %(topic)s in the bank %(bank)s", "Write one of: %(known)s"),
    "sheet_long": ("the sheet has more than %(most)s items", "Send the others in a second file"),
    # standard
    "standard_numbers": ("number %(given)s stands where %(wanted)s should", "Number without gaps, from 1"),
    # the checks of item writing
    "stem_too_long": ("the stem has %(length)s characters, at most %(most)s", "Shorten it"),
    "stem_lengths": (
        "%(bank)s: stems have a median of %(median)s characters, 90 %% have at most %(p90)s",
        "Aim at a median of 18 to 32 and 60 for 90 %%",
    ),
    "rationale_length": (
        "the rationale has %(length)s characters",
        "Write 25 to 120: why the key is right and the likeliest wrong answer wrong",
    ),
    "rationale_copy": ("the rationale repeats the %(what)s", "Say why, not again what"),
    "article_vague": (
        "the citation's article %(article)s names no article, section or clause",
        "Say where in the document it stands",
    ),
    "citation_expired": ("the citation was valid until %(until)s", "Check the fact against the new document"),
    "review_due": ("the item was to be looked at again by %(by)s", "Check it and set a new month"),
    "stale": ("%(found)s is out of date: %(why)s", "%(cure)s"),
    "duplicate_stem": ("the stem is the same as that of %(other)s", "Ask something else, or delete one"),
    "near_duplicate": (
        "stem, picture and key are %(share)s %% the same as those of %(other)s",
        "Ask something else, or delete one",
    ),
    "all_of_above": ("option %(option)s says %(found)s", "Write an option of its own"),
    "option_same": ("options %(one)s and %(other)s say the same", "Change one"),
    "option_inside": (
        "option %(one)s is contained in option %(other)s",
        "Word them so that neither contains the other",
    ),
    "numbers_not_ascending": (
        "the options are numbers but do not ascend",
        "Sort them from small to large and set ordered: true",
    ),
    "labels_not_ordered": ("the options are labels in their order but may be mixed", "Set ordered: true"),
    "numbers_not_ordered": ("the options are numbers but may be mixed", "Set ordered: true"),
    "negative_unmarked": (
        "the stem asks for what is not so (%(found)s) without marking it",
        "Put the negative word between ** and **, or ask positively",
    ),
    "mark_unbalanced": ("a ** has no partner", "Put the negative word between ** and **"),
    "negative_share": ("%(bank)s: %(share)s %% of the stems are negative, at most 10 %%", "Ask positively: %(ids)s"),
    "stem_echo": (
        "stem and key share %(count)s pairs of characters more than any distractor does",
        "Take the word out of the key or put it into a distractor",
    ),
    "hedge_share": (
        "%(bank)s: in %(share)s %% of the items only the key hedges (一般, 通常, 可能 …)",
        "Take the hedge out of: %(ids)s",
    ),
    "longest_is_key": (
        "%(bank)s, %(language)s: of %(n)s items with one longest option it is the key in %(share)s %%, at most %(most)s %%",
        "Shorten the key or lengthen a distractor in some of: %(ids)s",
    ),
    "longest_is_key_all": (
        "%(bank)s: the longest option is the key in %(share)s %% of all %(n)s choice items",
        "Shorten the key in some of: %(ids)s",
    ),
    "key_length": (
        "%(bank)s, %(language)s: keys are %(ratio)s times as long as distractors",
        "Bring it between 0.93 and 1.08",
    ),
    "shortest_is_key": (
        "%(bank)s: of %(n)s items with one shortest option it is the key in %(share)s %%, chance is %(chance)s %%",
        "Bring it within 10 points of chance",
    ),
    "key_balance": (
        "%(bank)s: the keys are spread unevenly over the letters (%(counts)s; chi-square p %(p)s)",
        "Move keys to the rarer letters",
    ),
    "key_run": ("%(length)s single-choice items in a row have the key %(key)s", "Exchange options in one of them"),
    "true_share": ("%(bank)s: %(share)s %% of %(n)s true/false items are true", "Bring it to 45 to 55 %%"),
    "absolute_words": (
        "%(bank)s, %(language)s: an absolute word stands in %(false)s %% of the false statements and %(true)s %% of the true ones",
        "Bring the difference to 10 points at most, so that the word gives nothing away",
    ),
    "rare_characters": (
        "%(bank)s: %(share)s %% of the Chinese characters are not among the common ones, at most 2 %%",
        "Use plainer words",
    ),
    "option_lengths": (
        "the longest option (%(language)s) has %(longest)s characters, the shortest %(shortest)s",
        "Bring them within a factor of 2.5",
    ),
    "option_ends": (
        "some options (%(language)s) end in a full stop and others do not",
        "Give the options one form",
    ),
    "audience_missing": ("this %(bank)s item says not whom it is for", "Add audience, such as [resident]"),
    "use_both": (
        "a literacy item is for practice and for the test",
        "Write use: test or use: practice; what the test asks is not practised",
    ),
    "hl66_cover": ("no approved item serves the points %(points)s of health literacy", "Tag or write items: hl66_NN"),
    "review_file": ("the file is not named as a review", "Name it like 2026-11-27_round1_expert.csv"),
    "review_columns": ("the first line is not that of a review", "Write %(wanted)s"),
    "review_row": (
        "the row of %(item)s cannot be read",
        "Give a version that the item has or that versions.csv names, role, answer, verdict as question_banks/README.md says",
    ),
    "all_options_right": (
        "%(bank)s: in %(share)s %% of the multiple-choice items all options are right, at most 25 %%",
        "Change some of: %(ids)s",
    ),
    "benchmark_items": (
        "benchmark %(benchmark)s has %(count)s items for the test, at least %(least)s",
        "Write more for it",
    ),
    "point_cover": (
        "%(count)s points have fewer than %(least)s items for the test: %(points)s",
        "Write items for them",
    ),
    "blueprint_bank": (
        "the blueprint %(code)s draws from a bank that is not here: %(bank)s",
        "Correct the name of the bank",
    ),
    "blueprint_topic": (
        "the blueprint %(code)s names a topic that %(bank)s does not have: %(topic)s",
        "Correct its topics",
    ),
    "blueprint_score": (
        "the blueprint %(code)s passes at %(pass_score)s of %(max_score)s points",
        "Ask for at most all points",
    ),
    "blueprint_short": (
        "the bank cannot fill the blueprint %(code)s: %(rule)s %(name)s has %(available)s of %(needed)s",
        "Write items, or change the rule",
    ),
    "blueprint_guess": (
        "blind guessing may pass %(code)s in %(share)s %% of attempts, at most %(limit)s %%",
        "Give single-choice items four options, or draw fewer true/false items",
    ),
}
