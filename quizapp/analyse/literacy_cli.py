"""`quizapp analyse literacy`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from quizapp.analyse.refusals import answer_json, answer_line, refusing

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("literacy")
@click.argument("sample", type=_FILE)
@click.option("--design", "design_file", required=True, type=_FILE, help="TOML file: how the sample was drawn.")
@click.option("--format", "format_", type=click.Choice(["table", "json"]), default="table", help="How to answer.")
def literacy(sample: Path, design_file: Path, format_: str) -> None:
    """Estimate a rate or a mean of a population from a probability SAMPLE (CSV or xlsx), with its error.

    \b
    The design is a TOML file; tables come last:
      sampling = "probability"        anything else is refused
      outcome = "score"               a column; with success = "Yes" or at_least = 70,
                                      standard = "survey_2024" (and age = "age"), or statistic = "mean"
      adults_only = true              instead of age; a column called age is looked at unasked all the same
      disposition = "outcome"         a column; "ineligible" there: not of the population
      standard_column = "test"        whose standard each score is of (a column called standard is looked at unasked)
      weight = "w"                    people for whom a row stands
      strata = "street"
      clusters = ["community", "household"]
      fpc = ["communities", "households"]    population sizes; "" or none: with replacement
      interval = "korn_graubard"      or logit, wilson, wald
      by = "sex"
      trim = [0.3, 3.0]
      [margins.sex]
      F = 51000
      M = 49000

    An empty outcome, NA, NaN, N/A, null or . is none; with success any other value counts as not having it, and is told.

    Example: quizapp analyse literacy sample.csv --design design.toml --format json
    """
    from quizapp.analyse.design_file import read_design
    from quizapp.analyse.literacy import estimate
    from quizapp.analyse.sample import read_sample

    with refusing(as_json=format_ == "json"):
        answer = estimate(read_sample(sample), read_design(design_file))
    if format_ == "json":
        answer_json(answer)
    else:
        _table(answer)


def _table(answer: dict[str, Any]) -> None:
    levels = [(f"{name} (from {found['from']})", found) for name, found in answer.get("levels", {}).items()]
    rows = [("all", answer), *answer["domains"].items(), *levels]
    width = max(len(name) for name, _ in rows)
    rate = answer["statistic"] == "rate"
    per = " in %" if rate else ""
    answer_line(f"{'':{width}}  {'n':>7}  {'estimate' + per:>13}  {'se':>8}  {'interval':>19}  {'deff':>6}  method")
    for name, row in rows:
        if row["estimate"] is None:
            answer_line(f"{name:{width}}  {row['n']:>7}  {row['error']['message']}")
            continue
        value, se, low, high = (_number(row[key], rate) for key in ("estimate", "se", "low", "high"))
        deff = "–" if row["design_effect"] is None else f"{row['design_effect']:.2f}"
        answer_line(
            f"{name:{width}}  {row['n']:>7}  {value:>13}  {se:>8}  {low + ' to ' + high:>19}  {deff:>6}  {row['method'] or '–'}"
        )
    answer_line(
        f"{100 * answer['confidence']:g} % intervals; {answer['df']} degrees of freedom, {answer['units']} first-stage units"
    )
    for warning in answer["warnings"]:
        answer_line(f"Note: {warning}")


def _number(value: float | None, rate: bool) -> str:
    return "–" if value is None else f"{100 * value if rate else value:.2f}"
