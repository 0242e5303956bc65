"""What "literate" means: two standards that are never mixed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from quizapp.measurement.survey.design import SurveyRefused

#: People younger than this are scored, but stand in no literacy rate.
ADULT: Final = 18


@dataclass(frozen=True)
class Standard:
    """A version of the rule by which a score out of `points` becomes "literate"."""

    code: str
    points: int
    #: Name → the score from which it holds, the highest first. Levels hold at and above: whoever is advanced is literate too.
    levels: Mapping[str, int]
    #: The level that the literacy rate counts.
    literate: str

    def threshold(self, level: str | None = None) -> int:
        """The score from which a level holds; the literacy rate's where none is named. Raises SurveyRefused for an unknown level."""
        name = level or self.literate
        if name not in self.levels:
            raise SurveyRefused("unknown_level", f"{self.code} has no level {name}: {', '.join(self.levels)}")
        return self.levels[name]

    def level_of(self, score: float) -> str | None:
        """The highest level whose score is reached (on it: reached); None below all, and for NaN: no score, no level."""
        return next((name for name, threshold in self.levels.items() if score >= threshold), None)


#: The benchmark test: 50 items of 2 points over 26 benchmarks, literate from 60.
LITERACY_2016: Final = Standard("literacy_2016", 100, MappingProxyType({"literate": 60}), "literate")
#: The survey's questionnaire: knowledge 40, method 20, spirit 20, application 20; advanced from 85, literate from 70, basic from 55.
SURVEY_2024: Final = Standard(
    "survey_2024", 100, MappingProxyType({"advanced": 85, "literate": 70, "basic": 55}), "literate"
)
STANDARDS: Final = MappingProxyType({standard.code: standard for standard in (LITERACY_2016, SURVEY_2024)})


def standard_code(text: str) -> str:
    """The name of a standard however somebody wrote it: "Literacy 2016", "ＳＵＲＶＥＹ_2024" are literacy_2016, survey_2024.

    Case, full width, space around it, and space, hyphens or nothing for the low line do not count. Of no standard's name: the text itself.
    """
    plain = re.sub(r"[\s_\-\u2010-\u2015\u2212]+", "", unicodedata.normalize("NFKC", text).casefold())
    return next((code for code in STANDARDS if code.replace("_", "") == plain), text)


def one_standard(codes: Iterable[str]) -> Standard:
    """The standard of all scores of an estimate, by names that `standard_code` reads.

    Raises SurveyRefused: unknown_standard (also where none is named), standards_mixed.
    """
    found = sorted({standard_code(code) for code in codes})
    unknown = [code for code in found if code not in STANDARDS]
    if unknown or not found:
        raise SurveyRefused(
            "unknown_standard", f"no standard {', '.join(unknown) or 'is named'}: {', '.join(STANDARDS)}"
        )
    if len(found) > 1:
        raise SurveyRefused(
            "standards_mixed",
            f"scores of {' and '.join(found)}: what the one calls literate the other does not. Estimate each by itself",
        )
    return STANDARDS[found[0]]
