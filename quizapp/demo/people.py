"""The invented residents: names, numbers that no network has given out, and who they are."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from quizapp.organisation.models import KeyGroup, UnitKind

_SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎"
_GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂英华玉萍红梅文辉建国志远春秋云山海松柏雨晴思源嘉宁子轩欣怡浩然"

#: Band of the national survey: share among those who take part, year of birth from, to (in the year 2026).
_AGES = (
    (0.14, 1998, 2008),
    (0.19, 1987, 1996),
    (0.20, 1977, 1986),
    (0.20, 1967, 1976),
    (0.18, 1957, 1966),
    (0.09, 1944, 1956),
)
#: Schooling by decade of birth: shares of primary, junior, senior, college, university.
_SCHOOLING = {
    1940: (0.45, 0.33, 0.15, 0.05, 0.02),
    1950: (0.33, 0.39, 0.19, 0.06, 0.03),
    1960: (0.18, 0.43, 0.25, 0.09, 0.05),
    1970: (0.09, 0.40, 0.27, 0.14, 0.10),
    1980: (0.04, 0.29, 0.25, 0.22, 0.20),
    1990: (0.02, 0.18, 0.24, 0.28, 0.28),
    2000: (0.01, 0.10, 0.30, 0.30, 0.29),
}
#: Born then or later: young people; born then or before: old ones.
_YOUNG_SINCE, _OLD_UNTIL = 2008, 1966
EDUCATIONS = ("primary", "junior", "senior", "college", "university")
#: What schooling adds to the ability, in standard deviations.
_SCHOOLING_EFFECT = dict(zip(EDUCATIONS, (-0.75, -0.3, 0.05, 0.4, 0.7), strict=True))


@dataclass(frozen=True)
class Resident:
    """Somebody who answers: what they would state, how able and how quick they are."""

    name: str
    phone: str
    birth_year: int
    sex: str
    education: str
    #: Standard deviations from the mean of the district.
    ability: float
    #: Multiplies the seconds for a question.
    pace: float

    def key_group(self, unit_kind: str) -> str:
        """The key group that they would state, by age and by where they live or work."""
        if self.birth_year >= _YOUNG_SINCE or unit_kind == UnitKind.SCHOOL:
            return KeyGroup.YOUTH.value
        if self.birth_year <= _OLD_UNTIL:
            return KeyGroup.ELDERLY.value
        if unit_kind == UnitKind.ENTERPRISE:
            return KeyGroup.INDUSTRIAL_WORKER.value
        number = int(self.phone[-2:])
        if unit_kind == UnitKind.DEPARTMENT or number % 13 == 0:
            return KeyGroup.OFFICIAL.value
        return KeyGroup.FARMER.value if number % 4 == 0 else KeyGroup.OTHER.value

    @property
    def group(self) -> str:
        """Age and schooling, by which weak topics differ."""
        return f"{self.birth_year // 20}-{self.education}"


def make_resident(rng: Random, number: int) -> Resident:
    """The resident of a number: numbers 1000xxxxxxx belong to nobody."""
    sex = rng.choice(("female", "male"))
    given = rng.choice(_GIVEN) + (rng.choice(_GIVEN) if rng.random() < 0.72 else "")
    _, first, last = rng.choices(_AGES, [share for share, _, _ in _AGES])[0]
    year = rng.randint(first, last)
    education = rng.choices(EDUCATIONS, _SCHOOLING[min(2000, max(1940, year // 10 * 10))])[0]
    late = max(0.0, (2026 - year - 55) / 25)
    return Resident(
        name=rng.choice(_SURNAMES) + given,
        phone=f"1000{number:07d}",
        birth_year=year,
        sex=sex,
        education=education,
        ability=rng.gauss(0.25 + _SCHOOLING_EFFECT[education] - 0.35 * late, 0.85),
        pace=rng.lognormvariate(0.35 * late, 0.3),
    )
