"""Rasch and 2PL models of a table of responses; the mathematics stands in `measurement.irt` and its neighbours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np

from quizapp.analyse.documents import read_json
from quizapp.analyse.output import number, p_value, table
from quizapp.analyse.refusals import Refused
from quizapp.analyse.scoring import Keyed
from quizapp.measurement import irt, linking
from quizapp.measurement.irt_curves import Floats, item_information
from quizapp.measurement.item_fit import ItemFit, MeanSquares, mean_squares, s_x2

#: Abilities at which information is reported.
PLACES = (-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0)
#: Anchors that a link needs.
FEWEST_ANCHORS = 3
#: Slopes and places beyond these are no scale of abilities.
STEEPEST, FURTHEST = 1e3, 1e4
#: An item whose slope is fewer standard errors from 0 has no place: the interval of −c/a is without end (Fieller 1954, JRSS B 16, 175).
PLACED = 1.96
#: Places beyond this are of no ability that anybody has.
FURTHEST_PLACE = 10.0
#: Anchors beyond this have probably changed.
DRIFTED = 1.96


@dataclass(frozen=True)
class Scale:
    """Items of an earlier run: model, slope and place by name."""

    model: str
    items: Mapping[str, tuple[float, float]]


@dataclass(frozen=True)
class Joined:
    """How the scale was put onto an earlier one."""

    anchors: Sequence[str]
    link: linking.Link
    drift: linking.Drift

    def as_json(self) -> dict[str, Any]:
        """Anchors with their drift, slope and shift."""
        return {
            "slope": self.link.slope,
            "shift": self.link.shift,
            "anchors": [
                {"item": item, "residual": residual, "robust_z": robust}
                for item, residual, robust in zip(
                    self.anchors, self.drift.residual.tolist(), self.drift.robust_z.tolist(), strict=True
                )
            ],
        }


@dataclass(frozen=True)
class ModelReport:
    """What `quizapp analyse irt` answers."""

    fit: irt.Fit
    names: Sequence[str]
    item_fit: Sequence[ItemFit]
    squares: MeanSquares
    respondents: Sequence[str]
    #: None where they were not asked for.
    abilities: irt.Abilities | None
    joined: Joined | None = None
    #: Sets of items that no respondent joins, by name; more than one stand side by side only if their people know equally much.
    islands: Sequence[Sequence[str]] = ()

    def put_onto(self, scale: Scale) -> ModelReport:
        """All parameters and abilities on the scale of an earlier run, through the items of the same name.

        2PL: Stocking and Lord; Rasch: mean-mean. The standard errors are carried over; the link's own error is not in them.
        """
        if scale.model != self.fit.model:
            raise Refused("other_model", f"the earlier scale is of the model {scale.model}: fit the same model")
        here = {name: place for place, name in enumerate(self.names)}
        anchors = [name for name in self.names if name in scale.items]
        if len(anchors) < FEWEST_ANCHORS:
            message = f"{len(anchors)} items stand in both: a link needs at least {FEWEST_ANCHORS} anchors"
            raise Refused("too_few_anchors", message)
        at = [here[name] for name in anchors]
        a_base, b_base = (np.array([scale.items[name][side] for name in anchors]) for side in (0, 1))
        a_new, b_new = self.fit.a[at], self.fit.b[at]
        join = linking.mean_mean if self.fit.model == "rasch" else linking.stocking_lord
        try:
            link = join(a_base, b_base, a_new, b_new)
        except ValueError as error:
            raise Refused("no_link", f"the anchors do not join the scales: {error}") from error
        a, b = link.items(self.fit.a, self.fit.b)
        unit = np.repeat([1 / link.slope, link.slope], len(a))
        fit = replace(
            self.fit,
            a=a,
            b=b,
            se_a=self.fit.se_a / link.slope,
            se_b=self.fit.se_b * link.slope,
            covariance=self.fit.covariance * np.outer(unit, unit),
        )
        abilities = self.abilities
        if abilities is not None:
            abilities = irt.Abilities(link.ability(abilities.eap), abilities.sd * link.slope)
        return replace(
            self, fit=fit, abilities=abilities, joined=Joined(anchors, link, linking.drift(link, b_base, b_new))
        )

    def warnings(self) -> list[dict[str, Any]]:
        """What a reader of the numbers must know, each with a stable code, words, and the items it is about."""
        found: list[dict[str, Any]] = []
        if len(self.islands) > 1:
            message = (
                f"The items fall into {len(self.islands)} sets that no respondent joins: "
                "they stand on one scale only if the people of each know equally much"
            )
            found.append({"code": "islands", "message": message, "sets": [list(names) for names in self.islands]})
        errors = zip(self.names, self.fit.se_a.tolist(), self.fit.se_b.tolist(), strict=True)
        if bare := [name for name, a, b in errors if not (isfinite(a) and isfinite(b))]:
            message = f"The data do not carry a standard error of {', '.join(bare)}: take the values as unknown"
            found.append({"code": "no_standard_error", "message": message, "items": bare})
        values = zip(self.names, self.fit.a.tolist(), self.fit.se_a.tolist(), self.fit.b.tolist(), strict=True)
        if unplaced := [
            name
            for name, a, error, b in values
            if abs(b) > FURTHEST_PLACE or (isfinite(error) and abs(a) < PLACED * error)
        ]:
            message = (
                f"The slope of {', '.join(unplaced)} cannot be told from 0, or the place lies beyond ±{FURTHEST_PLACE:g}: "
                "take b as unknown, no interval holds it"
            )
            found.append({"code": "no_place", "message": message, "items": unplaced})
        if falling := [name for name, a in zip(self.names, self.fit.a.tolist(), strict=True) if a < 0]:
            message = f"Those who know more get {', '.join(falling)} wrong more often (a below 0): look at the key"
            found.append({"code": "negative_slope", "message": message, "items": falling})
        if self.joined is not None:
            moved = zip(self.joined.anchors, self.joined.drift.robust_z.tolist(), strict=True)
            if drifted := [name for name, robust in moved if abs(robust) > DRIFTED]:
                message = (
                    f"Anchors that may have changed: {', '.join(drifted)}. Look at them, leave them out and link anew"
                )
                found.append({"code": "anchor_drift", "message": message, "items": drifted})
        return found

    def _information(self) -> tuple[Floats, Floats]:
        of_items = item_information(np.array(PLACES), self.fit.a, self.fit.b)
        return of_items, of_items.sum(axis=1)

    def as_json(self) -> dict[str, Any]:
        """The object of the command's contract, with information and fit; `scale` only where it was put onto an earlier one."""
        fit = self.fit
        of_items, of_test = self._information()
        found: dict[str, Any] = {
            "model": fit.model,
            "respondents": fit.respondents,
            "log_likelihood": fit.log_likelihood,
            "aic": fit.aic,
            "bic": fit.bic,
            "items": [
                {
                    "item": name,
                    "a": fit.a[j],
                    "b": fit.b[j],
                    "se_a": fit.se_a[j],
                    "se_b": fit.se_b[j],
                    "s_x2": self.item_fit[j].s_x2,
                    "s_x2_df": self.item_fit[j].df,
                    "s_x2_p": self.item_fit[j].p,
                    "infit": self.squares.infit[j],
                    "outfit": self.squares.outfit[j],
                    "information": of_items[:, j],
                }
                for j, name in enumerate(self.names)
            ],
            "information": {"theta": PLACES, "test": of_test},
            "warnings": self.warnings(),
            "abilities": [],
        }
        if self.abilities is not None:
            pairs = zip(self.respondents, self.abilities.eap.tolist(), self.abilities.sd.tolist(), strict=True)
            found["abilities"] = [{"respondent": name, "eap": eap, "sd": sd} for name, eap, sd in pairs]
        if self.joined is not None:
            found["scale"] = self.joined.as_json()
        return found

    def as_text(self) -> str:
        """Tables and one sentence for each figure."""
        fit = self.fit
        called = "Rasch (one common slope)" if fit.model == "rasch" else "2PL (each item its slope)"
        scale = "ability N(0,1) in these respondents" if self.joined is None else "on the earlier scale"
        head = (
            f"{called}, {scale}: {fit.respondents} respondents, {len(self.names)} items\n"
            f"log-likelihood {fit.log_likelihood:.4f}, {fit.parameters} parameters, AIC {fit.aic:.2f}, BIC {fit.bic:.2f}"
        )
        head += "".join(f"\nNote: {warning['message']}" for warning in self.warnings())
        rows = [
            [
                name,
                number(fit.a[j]),
                number(fit.se_a[j]),
                number(fit.b[j]),
                number(fit.se_b[j]),
                number(self.item_fit[j].s_x2, 2),
                str(self.item_fit[j].df),
                p_value(self.item_fit[j].p),
                number(self.squares.infit[j], 2),
                number(self.squares.outfit[j], 2),
            ]
            for j, name in enumerate(self.names)
        ]
        _, of_test = self._information()
        parts = [
            head,
            table(("item", "a", "SE", "b", "SE", "S-X²", "df", "p", "infit", "outfit"), rows),
            table(
                ("ability", *(f"{place:g}" for place in PLACES)),
                [
                    ["information", *(number(value, 2) for value in of_test)],
                    ["standard error", *(number(value**-0.5 if value > 0 else None, 2) for value in of_test)],
                ],
            ),
        ]
        if self.joined is not None:
            parts.append(self._join_text(self.joined))
        if self.abilities is not None:
            pairs = zip(self.respondents, self.abilities.eap.tolist(), self.abilities.sd.tolist(), strict=True)
            parts.append(table(("respondent", "ability", "SD"), [[name, number(e), number(s)] for name, e, s in pairs]))
        return "\n\n".join([*parts, _METHODS])

    @staticmethod
    def _join_text(joined: Joined) -> str:
        rows = [
            [name, number(residual), number(robust, 2), "look: it may have changed" if abs(robust) > DRIFTED else ""]
            for name, residual, robust in zip(
                joined.anchors, joined.drift.residual.tolist(), joined.drift.robust_z.tolist(), strict=True
            )
        ]
        head = f"Earlier scale = {joined.link.slope:.4f} × this scale {joined.link.shift:+.4f}, by {len(joined.anchors)} anchors"
        return head + "\n" + table(("anchor", "off by", "robust z", ""), rows)


_METHODS = """How it is computed
  a, b        slope and place of the item: at ability b half are right; maximum marginal likelihood, 81 points from −6 to 6
  SE          from the observed information (exact second derivatives)
  S-X²        do people with equal totals get the item right as often as the model says? A small p says no
  infit, outfit  surprising answers by those expected, near the item's place and overall: above 1.3 too many; the 2PL hides some
  ability     expected value given the answers and N(0,1), with its SD; never the bare maximum
More in docs/methods.md, section "IRT"."""


def analyse_model(data: Keyed, model: irt.Model, *, with_abilities: bool) -> ModelReport:
    """Fit a model. Raises Refused with the number needed where the data are too few."""
    scores = data.scores()
    names = data.responses.items
    try:
        fit = irt.fit(scores, model)
    except irt.TooFewData as few:
        of_item = "" if few.item is None else f"item {names[few.item]}: "
        raise Refused(few.code, of_item + str(few)) from few
    except irt.NoCommonAbility as error:
        raise Refused(error.code, f"{error}. Look at the items with `quizapp analyse items`") from error
    except irt.NotConverged as error:
        message = f"item {names[error.item]}: {error}. Look at it with `quizapp analyse items`, then leave it out"
        raise Refused(error.code, message) from error
    checked = s_x2(scores, fit.a, fit.b, parameters=1 if model == "rasch" else 2)
    abilities = irt.abilities(scores, fit.a, fit.b)
    squares = mean_squares(scores, abilities.eap, fit.a, fit.b)
    return ModelReport(
        fit,
        names,
        checked,
        squares,
        data.responses.respondents,
        abilities if with_abilities else None,
        islands=_islands(scores, names),
    )


def _islands(scores: Floats, names: Sequence[str]) -> list[list[str]]:
    """The sets of items that no respondent joins, in the order of the columns."""
    given = ~np.isnan(scores)
    reached = np.eye(given.shape[1], dtype=np.bool_) | (given.T.astype(np.float32) @ given.astype(np.float32) > 0)
    for _ in range(int(np.ceil(np.log2(max(given.shape[1], 2))))):
        reached = reached @ reached
    # an item is of the set of the first one that it reaches
    first = reached.argmax(axis=1)
    return [[names[place] for place in np.flatnonzero(first == one).tolist()] for one in np.unique(first)]


def read_scale(path: Path) -> Scale:
    """What the command printed as JSON for an earlier year. Raises Refused."""
    content = read_json(path, "bad_scale")
    try:
        rows = [(str(item["item"]), float(item["a"]), float(item["b"])) for item in content["items"]]
        scale = Scale(str(content["model"]), {name: (a, b) for name, a, b in rows})
    except (ValueError, KeyError, TypeError) as error:
        raise Refused("bad_scale", f"{path.name} is not what `quizapp analyse irt … --format json` printed") from error
    if len(scale.items) < len(rows) or not all(abs(a) <= STEEPEST and abs(b) <= FURTHEST for _, a, b in rows):
        raise Refused(
            "bad_scale",
            f"{path.name}: an item stands twice, or has a beyond {STEEPEST:g} or b beyond {FURTHEST:g}",
        )
    return scale
