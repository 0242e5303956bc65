"""`quizapp analyse items --group`, Clopper and Pearson beside Wilson, and parameters of `analyse irt` for `papers assemble`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from quizapp.cli import group
from tests.analyse.test_responses import found, refused, run, wide
from tests.measurement.reference import expected
from tests.measurement.responses import lsat6
from tests.measurement.test_dif import dif800


def dif_files(folder: Path) -> tuple[Path, Path]:
    scores, focal = dif800()
    names = [f"Q{number}" for number in range(1, scores.shape[1] + 1)]
    file = wide(folder / "r.csv", names, scores.astype(int).tolist())
    lines = ["respondent,group", *(f"r{n:04},{'foc' if one else 'ref'}" for n, one in enumerate(focal, start=1))]
    groups = folder / "g.csv"
    groups.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file, groups


def test_items_that_are_harder_for_a_group_are_found_as_r_finds_them(tmp_path: Path) -> None:
    file, groups = dif_files(tmp_path)
    answer = found("items", file, "--group", groups)
    names = {answer["dif"]["reference"]["group"], answer["dif"]["focal"]["group"]}
    assert names == {"ref", "foc"}
    turned = answer["dif"]["reference"]["group"] == "foc"
    for item, r in zip(answer["dif"]["items"], expected("dif_expected.json"), strict=True):
        assert item["odds_ratio"] == pytest.approx(1 / r["or_mh"] if turned else r["or_mh"], abs=1e-6)
        assert item["p"] == pytest.approx(r["p"], abs=1e-8)
        assert item["size"] == r["ets"]
    text = run("items", file, "--group", groups).stdout
    assert "people matched by their total" in text
    assert "dif" not in found("items", file)


def test_the_reference_group_can_be_named_and_is_told(tmp_path: Path) -> None:
    file, groups = dif_files(tmp_path)
    for reference, other in (("ref", "foc"), ("foc", "ref")):
        answer = found("items", file, "--group", groups, "--reference", reference)["dif"]
        assert (answer["reference"]["group"], answer["reference"]["chosen"]) == (reference, "named")
        assert answer["focal"]["group"] == other
        for item, r in zip(answer["items"], expected("dif_expected.json"), strict=True):
            assert item["odds_ratio"] == pytest.approx(r["or_mh"] if reference == "ref" else 1 / r["or_mh"], abs=1e-6)
            assert item["low"] < item["odds_ratio"] < item["high"]
        text = run("items", file, "--group", groups, "--reference", reference).stdout
        assert f"reference: {reference}, as named by --reference" in text
    plain = found("items", file, "--group", groups)["dif"]["reference"]
    assert plain["chosen"] in ("larger", "first_by_name")
    assert "--reference names the other" in run("items", file, "--group", groups).stdout
    assert "'x'; the groups are" in refused("unknown_group", "items", file, "--group", groups, "--reference", "x")
    assert run("items", file, "--reference", "ref").exit_code == 2


def test_groups_that_are_not_two_or_not_readable_are_refused(tmp_path: Path) -> None:
    file, groups = dif_files(tmp_path)
    other = tmp_path / "other.csv"
    other.write_text("respondent,group\nr0001,a\nr0002,b\nr0003,c\n", encoding="utf-8")
    assert "not 3 (a, b, c)" in refused("not_two_groups", "items", file, "--group", other)
    for text, word in (
        ("who,group\nr1,a\n", "row 1"),
        ("respondent,group\nr1,a\nr1,b\n", "row 3"),
        ("respondent,group\nr1\n", "row 2"),
    ):
        other.write_text(text, encoding="utf-8")
        assert word in refused("bad_groups", "items", file, "--group", other)
    other.write_bytes("respondent,group\nr0001,甲\n".encode("gbk"))
    refused("bad_groups", "items", file, "--group", other)
    assert groups.exists()


def test_the_exact_interval_stands_beside_wilsons(tmp_path: Path) -> None:
    items = found("items", wide(tmp_path / "r.csv", list("ABCDE"), lsat6().astype(int).tolist()))["items"]
    for item in items:
        assert item["difficulty_exact_low"] < item["difficulty_low"] < item["difficulty"]
        assert item["difficulty"] < item["difficulty_high"] < item["difficulty_exact_high"]
    none = found("items", wide(tmp_path / "one.csv", ["A", "B"], [[1, ""], [0, ""]]))["items"][1]
    assert (none["n"], none["difficulty_exact_low"]) == (0, None)


def test_irt_prints_fit_and_its_items_serve_as_parameters_of_a_pool(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    names = [f"Q{number}" for number in range(12)]
    a, b = rng.uniform(0.7, 1.7, 12), rng.normal(0, 1, 12)
    ability = rng.normal(size=(600, 1))
    scores = (rng.random((600, 12)) < 1 / (1 + np.exp(-a * (ability - b)))).astype(int)
    answer = found("irt", wide(tmp_path / "r.csv", names, scores.tolist()), "--model", "2pl")
    assert all(0.7 < item["infit"] < 1.1 and item["outfit"] > 0 for item in answer["items"])
    (tmp_path / "irt.json").write_text(json.dumps(answer), encoding="utf-8")
    pool = {"items": [{"id": name, "type": "true_false"} for name in [*names, "new"]]}
    (tmp_path / "pool.json").write_text(json.dumps(pool), encoding="utf-8")
    theta = [-1.0, 0.0, 1.0]
    known = [(item["a"], item["b"]) for item in answer["items"]]
    target = [sum(1 / (1 + np.exp(-x * (t - y))) for x, y in known) / 2 for t in theta]
    blueprint = {"n_items": 6, "theta": theta, "target_tcc": target, "tcc_tolerance": 0.4}
    (tmp_path / "blueprint.json").write_text(json.dumps(blueprint), encoding="utf-8")
    files = ["--pool", str(tmp_path / "pool.json"), "--blueprint", str(tmp_path / "blueprint.json"), "--format", "json"]

    def assemble(*more: str) -> dict[str, object]:
        done = CliRunner().invoke(group, ["papers", "assemble", *files, *more])
        return {"code": done.exit_code, **json.loads(done.stdout)}

    made = assemble("--parameters", str(tmp_path / "irt.json"))
    assert made["code"] == 0
    (paper,) = made["papers"]  # type: ignore[misc]
    assert "new" not in paper["items"], "an item without parameters is not drawn where curves are demanded"
    assert np.abs(np.array(paper["expected_score"]) - target).max() <= 0.4
    assert assemble()["code"] == 1
    strangers = {**answer, "items": [{**item, "item": "x" + item["item"]} for item in answer["items"]]}
    (tmp_path / "irt.json").write_text(json.dumps(strangers), encoding="utf-8")
    assert assemble("--parameters", str(tmp_path / "irt.json"))["error"]["code"] == "no_parameters"  # type: ignore[index]
    turned = {**answer, "items": [{**item, "a": -1.0} for item in answer["items"]]}
    (tmp_path / "irt.json").write_text(json.dumps(turned), encoding="utf-8")
    assert assemble("--parameters", str(tmp_path / "irt.json"))["error"]["code"] == "bad_parameters"  # type: ignore[index]
