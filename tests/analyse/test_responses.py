"""`quizapp analyse items|irt|gain`: the contract's keys and R's figures from files, and every bad file refused with its row."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xlsxwriter
from click.testing import CliRunner, Result

from quizapp.analyse.tables import read_responses
from quizapp.cli import group
from tests.measurement.reference import columns, expected
from tests.measurement.responses import iq16, lsat6
from tests.operations.support import run_command

ITEM_KEYS = {
    *("item", "n", "difficulty", "difficulty_low", "difficulty_high", "discrimination", "upper_lower_27"),
    *("difficulty_exact_low", "difficulty_exact_high"),
    *("alpha_if_deleted", "omitted", "not_reached", "median_seconds", "options", "flags"),
}


def run(*arguments: object) -> Result:
    return CliRunner().invoke(group, ["analyse", *map(str, arguments)])


def found(*arguments: object) -> dict[str, Any]:
    result = run(*arguments, "--format", "json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def refused(code: str, *arguments: object) -> str:
    """A refusal: status 1, one object with the code, and as a table one line on standard error."""
    result = run(*arguments, "--format", "json")
    assert result.exit_code == 1, result.output
    error = json.loads(result.stdout)["error"]
    assert error["code"] == code, error
    shown = run(*arguments)
    assert (shown.exit_code, shown.stdout) == (1, "")
    assert error["message"] in shown.stderr
    assert shown.stderr.count("\n") == 1
    return str(error["message"])


def wide(path: Path, items: list[str], rows: list[list[Any]], *, mark: str = "", end: str = "\n") -> Path:
    lines = [",".join(["respondent", *items])]
    lines += [",".join(map(str, (f"r{number:04}", *row))) for number, row in enumerate(rows, start=1)]
    path.write_bytes((mark + end.join(lines) + end).encode("utf-8"))
    return path


def write(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.fixture
def lsat_file(tmp_path: Path) -> Path:
    return wide(tmp_path / "lsat6.csv", [f"Q{n}" for n in range(1, 6)], lsat6().tolist())


@pytest.fixture
def iq_files(tmp_path: Path) -> tuple[Path, Path]:
    r = expected("classical_expected.json")
    key = write(
        tmp_path / "key.json", json.dumps({"items": r["iq16_items"], "key": r["iq16_key"], "options": "1 to 8"})
    )
    return wide(tmp_path / "iq16.csv", r["iq16_items"], iq16().tolist()), key


def test_items_of_lsat6_have_the_contract_s_keys_and_r_s_figures(lsat_file: Path) -> None:
    answer = found("items", lsat_file)
    r = expected("classical_expected.json")["lsat6"]
    keys = {"respondents", "complete_rows", "items_count", "items", "warnings"}
    assert {*answer} == {*keys, "alpha", "alpha_low", "alpha_high", "sem"}
    assert answer["warnings"] == []
    assert (answer["respondents"], answer["complete_rows"], answer["items_count"]) == (1000, 1000, 5)
    assert answer["alpha"] == pytest.approx(r["alpha"], abs=1e-9)
    assert (answer["alpha_low"], answer["alpha_high"]) == pytest.approx(tuple(r["alpha_ci95_feldt"].values()), abs=1e-6)
    assert answer["sem"] == pytest.approx(r["sem_sd_n1"], abs=1e-9)
    for item, of_r in zip(answer["items"], r["items"], strict=True):
        assert {*item} == ITEM_KEYS
        assert item["discrimination"] == pytest.approx(of_r["r_item_rest"], abs=1e-9)
        assert item["upper_lower_27"] == pytest.approx(of_r["D27_expected_over_ties"], abs=1e-9)
        assert (item["omitted"], item["not_reached"], item["median_seconds"], item["flags"]) == (0, 0, None, [])


def test_a_key_gives_the_options_of_iq16(iq_files: tuple[Path, Path]) -> None:
    responses, key = iq_files
    answer = found("items", responses, "--key", key)
    table = columns("iq16_options.csv")
    options = {(item["item"], option["option"]): option for item in answer["items"] for option in item["options"]}
    assert len(options) == len(table["item"])
    for row, item in enumerate(table["item"]):
        option = options[item, table["option"][row]]
        assert (option["n"], option["is_key"]) == (int(table["n"][row]), table["is_key"][row] == "1")
        assert option["share"] == pytest.approx(float(table["prop"][row]), abs=1e-9)
        assert option["rest_correlation"] == pytest.approx(float(table["r_option_rest"][row]), abs=1e-9)
    wrong = json.loads(key.read_text())
    wrong["key"][3] = 5
    write(key, json.dumps(wrong))
    flags = found("items", responses, "--key", key)["items"][3]["flags"]
    assert flags[0].startswith("key suspect: those who do well elsewhere choose 6")
    shown = run("items", responses, "--key", key)
    assert "reason.19: key suspect" in shown.stdout
    assert "Wilson's 95% interval" in shown.stdout


def test_one_table_gives_the_same_in_every_form(tmp_path: Path) -> None:
    items = ["第一题", "Q2", "Q3"]
    rows = [["A", "B", "-"], ["A", "", "C"], ["B", "B", "C"], ["A", "-", "-"], ["C", "B", "A"], ["A", "B", "C"]]
    key = write(tmp_path / "key.csv", "\ufeffitem,key\n第一题,A\nQ2,B\nQ3,C\nQ9,A\n")
    plain = found("items", wide(tmp_path / "a.csv", items, rows), "--key", key)
    assert [item["n"] for item in plain["items"]] == [6, 5, 6]
    assert [item["omitted"] for item in plain["items"]] == [0, 0, 0]
    assert [item["not_reached"] for item in plain["items"]] == [0, 1, 2]
    assert plain["complete_rows"] == 5
    assert [(o["option"], o["n"], o["is_key"]) for o in plain["items"][2]["options"]] == [
        ("-", 2, False),
        ("A", 1, False),
        ("C", 3, True),
    ]
    assert found("items", wide(tmp_path / "b.csv", items, rows, mark="\ufeff", end="\r\n"), "--key", key) == plain
    quoted = [[f'"{cell}"' for cell in row] for row in rows]
    assert found("items", wide(tmp_path / "c.csv", items, quoted), "--key", key) == plain
    spaced = [[f" {cell} " for cell in row] for row in rows]
    assert found("items", wide(tmp_path / "d.csv", items, spaced), "--key", key) == plain

    book = xlsxwriter.Workbook(str(tmp_path / "e.xlsx"))
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, ["respondent", *items])
    for number, row in enumerate(rows, start=1):
        sheet.write_number(number, 0, number)
        for column, cell in enumerate(row, start=1):
            if cell:
                sheet.write_string(number, column, cell)
    book.close()
    assert found("items", tmp_path / "e.xlsx", "--key", key) == plain

    long = ["respondent,item,option,seconds"]
    for number, row in enumerate(rows):
        for place, cell in enumerate(row):
            if cell:
                long.append(f"{number},{items[place]},{cell},{10 * place + number if cell != '-' else ''}")
    with_times = found("items", write(tmp_path / "f.csv", "\n".join(long)), "--key", key)
    careful = write(tmp_path / "g.csv", "\n".join(long) + "\n\n")
    assert found("items", careful, "--key", key) == with_times
    assert [item["median_seconds"] for item in with_times["items"]] == [2.5, 13.0, 23.0]
    for item in with_times["items"]:
        item["median_seconds"] = None
    assert with_times == plain


def test_scores_may_be_numbers_with_a_point_as_programs_write_them(tmp_path: Path) -> None:
    rows = [["1.0", "0.0", ""], ["0.0", "1.0", "1.0"], ["1.0", "1.0", "0.0"]]
    answer = found("items", wide(tmp_path / "a.csv", ["a", "b", "c"], rows))
    assert [item["difficulty"] for item in answer["items"]] == pytest.approx([2 / 3, 2 / 3, 0.5])
    assert [option["option"] for option in answer["items"][0]["options"]] == ["0", "1"]


def test_in_a_long_table_each_person_has_an_order_of_their_own(tmp_path: Path) -> None:
    text = "respondent,item,score\n1,a,1\n1,b,-\n1,c,0\n2,c,1\n2,b,0\n2,a,-\n3,a,1\n3,b,1\n3,c,1\n"
    answer = found("items", write(tmp_path / "a.csv", text))
    assert [(i["item"], i["omitted"], i["not_reached"]) for i in answer["items"]] == [
        ("a", 0, 1),
        ("b", 1, 0),
        ("c", 0, 0),
    ]


def test_scores_that_run_against_the_rest_are_told_in_words(tmp_path: Path) -> None:
    rows = lsat6()
    rows[:, 2] = 1 - rows[:, 2]
    responses = wide(tmp_path / "a.csv", list("abcde"), rows.tolist())
    flags = found("items", responses)["items"][2]["flags"]
    assert [flag.split(":")[0] for flag in flags] == ["key suspect", "no discrimination"]
    assert "do worse elsewhere" in flags[0]
    shown = run("items", responses).stdout
    assert "Look at these, the most harmful first:\n  c: key suspect" in shown


def test_options_that_the_key_lists_are_seen_though_nobody_chose_them(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    able = rng.normal(size=300)
    rows = [["A" if able[n] + rng.normal() > 0 else "BC"[n % 2] for _ in range(6)] for n in range(300)]
    responses = wide(tmp_path / "a.csv", [f"Q{n}" for n in range(6)], rows)
    key = write(tmp_path / "key.csv", "item,key,options\n" + "".join(f"Q{n},A,A|B|C|D\n" for n in range(6)))
    item = found("items", responses, "--key", key)["items"][0]
    assert {o["option"]: o["n"] for o in item["options"]}["D"] == 0
    assert item["flags"] == ["dead distractor: D chosen by fewer than 5%"]


def test_different_papers_are_analysed_apart(tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    able = rng.normal(size=240)
    rows: list[list[Any]] = []
    for n in range(240):
        right = [int(able[n] + rng.normal() > 0) for _ in range(9)]
        rows.append([*right[:6], "", "", ""] if n % 2 else ["", "", "", *right[3:]])
    names = [f"Q{n}" for n in range(9)]
    both = found("items", wide(tmp_path / "both.csv", names, rows))
    assert (both["complete_rows"], both["alpha"], len(both["papers"])) == (0, None, 2)
    assert [item["n"] for item in both["items"]] == [120] * 3 + [240] * 3 + [120] * 3
    for paper, (part, items) in zip(both["papers"], ((0, slice(3, 9)), (1, slice(0, 6))), strict=True):
        alone = wide(tmp_path / "one.csv", names[items], [row[items] for row in rows[part::2]])
        assert paper == found("items", alone)
    assert both["items"][0]["discrimination"] == both["papers"][1]["items"][0]["discrimination"]
    shown = run("items", tmp_path / "both.csv").stdout
    assert "Paper 2" in shown
    assert "Note:" not in shown


def test_papers_of_too_few_people_are_told(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    rows = [["", *[int(x) for x in rng.integers(0, 2, 4)], *[""] * 10] for _ in range(20)]
    for paper in range(3):
        own = [[""] * 15 for _ in range(8)]
        for row in own:
            for place in (0, 1, 5 + 3 * paper, 6 + 3 * paper, 7 + 3 * paper):
                row[place] = int(rng.integers(0, 2))
        rows += own
    odd = [""] * 15
    odd[0] = odd[14] = 1
    rows.append(odd)
    names = [f"Q{n}" for n in range(15)]
    answer = found("items", wide(tmp_path / "r.csv", names, rows))
    assert [(w["code"], w["respondents"]) for w in answer["warnings"]] == [("small_papers", 24), ("not_comparable", 1)]
    assert answer["warnings"][0]["papers"] == 3
    assert [paper["respondents"] for paper in answer["papers"]] == [20]
    assert answer["items"][0]["n"] == 25
    assert answer["items"][0]["upper_lower_27"] is None
    assert answer["items"][14]["n"] == 1
    shown = run("items", tmp_path / "r.csv").stdout
    assert "Note: 24 of 45 respondents took one of 3 papers that fewer than 10 people took" in shown


def test_too_little_for_a_figure_is_null(tmp_path: Path) -> None:
    answer = found("items", wide(tmp_path / "a.csv", ["a", "b"], [[1, 1]]))
    assert (answer["alpha"], answer["alpha_low"], answer["sem"], answer["complete_rows"]) == (None, None, None, 1)
    assert (answer["items"][0]["discrimination"], answer["items"][0]["difficulty"]) == (None, 1.0)
    assert "Fewer than 30 respondents" in run("items", tmp_path / "a.csv").stdout


def test_irt_has_the_contract_s_keys_and_r_s_figures(lsat_file: Path) -> None:
    answer = found("irt", lsat_file, "--model", "2pl", "--abilities")
    r = expected("irt_expected.json")
    assert (answer["model"], answer["respondents"]) == ("2pl", 1000)
    assert answer["log_likelihood"] == pytest.approx(r["2pl"]["loglik"], abs=0.002)
    assert (answer["aic"], answer["bic"]) == pytest.approx((r["2pl"]["aic"], r["2pl"]["bic"]), abs=0.004)
    for item, of_r in zip(answer["items"], r["2pl"]["items"], strict=True):
        assert item["a"] == pytest.approx(of_r["a"], abs=0.002)
        assert item["b"] == pytest.approx(of_r["b"], abs=0.005)
        assert (item["se_a"], item["se_b"]) == pytest.approx((of_r["se_a"], of_r["se_b"]), rel=0.02)
        assert len(item["information"]) == 7
    assert answer["information"]["test"] == pytest.approx(list(r["test_information"].values()), abs=0.002)
    by_pattern = {p["pattern"]: p for p in r["patterns"]}
    for ability, row in zip(answer["abilities"], lsat6().tolist(), strict=True):
        of_r = by_pattern["".join(map(str, row))]
        assert (ability["eap"], ability["sd"]) == pytest.approx((of_r["eap"], of_r["eap_sd"]), abs=0.003)
    assert answer["abilities"][0]["respondent"] == "r0001"
    rasch = found("irt", lsat_file, "--model", "rasch")
    assert [item["b"] for item in rasch["items"]] == pytest.approx(r["rasch"]["b"], abs=0.005)
    assert rasch["abilities"] == []
    shown = run("irt", lsat_file, "--model", "rasch", "--abilities").stdout
    assert "one common slope" in shown
    assert "observed information" in shown


def test_a_later_year_is_put_onto_the_scale_of_an_earlier_one(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    b = np.linspace(-1.5, 1.5, 14)

    def year(name: str, mean: float, items: slice) -> Path:
        right = rng.random((2000, 14)) < 1 / (1 + np.exp(-1.2 * (rng.normal(mean, 1, 2000)[:, None] - b)))
        names = [f"Q{n}" for n in range(14)][items]
        return wide(tmp_path / name, names, right[:, items].astype(int).tolist())

    last = run("irt", year("last.csv", 0, slice(0, 10)), "--model", "2pl", "--format", "json")
    scale = write(tmp_path / "last.json", last.stdout)
    this = year("this.csv", 0.6, slice(4, 14))
    moved = found("irt", this, "--model", "2pl", "--onto", scale, "--abilities")
    assert moved["scale"]["shift"] == pytest.approx(0.6, abs=0.12)
    assert [anchor["item"] for anchor in moved["scale"]["anchors"]] == [f"Q{n}" for n in range(4, 10)]
    assert [item["b"] for item in moved["items"]] == pytest.approx(b[4:], abs=0.3)
    assert np.mean([ability["eap"] for ability in moved["abilities"]]) == pytest.approx(0.6, abs=0.12)
    assert "by 6 anchors" in run("irt", this, "--model", "2pl", "--onto", scale).stdout
    printed = json.loads(last.stdout)
    printed["items"][6]["b"] += 2
    drifted = found("irt", this, "--model", "2pl", "--onto", write(tmp_path / "moved.json", json.dumps(printed)))
    assert [(one["code"], one["items"]) for one in drifted["warnings"]] == [("anchor_drift", ["Q6"])]
    refused("other_model", "irt", this, "--model", "rasch", "--onto", scale)
    write(scale, json.dumps({"model": "2pl", "items": [{"item": "Q5", "a": 1, "b": 0}]}))
    assert "at least 3" in refused("too_few_anchors", "irt", this, "--model", "2pl", "--onto", scale)
    refused("bad_scale", "irt", this, "--model", "2pl", "--onto", write(scale, "[]"))


def test_an_item_that_the_able_get_wrong_is_told(tmp_path: Path) -> None:
    rows = [[1 - row[0], *row[1:]] for row in lsat6().tolist()]
    told = found("irt", wide(tmp_path / "a.csv", list("abcde"), rows), "--model", "2pl")["warnings"]
    assert [(one["code"], one["items"]) for one in told] == [("negative_slope", ["a"])]


def test_items_without_a_place_are_told_and_noise_is_refused(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    names = [f"Q{n}" for n in range(6)]
    coins = rng.integers(0, 2, (400, 6))
    message = refused("no_common_ability", "irt", wide(tmp_path / "n.csv", names, coins.tolist()), "--model", "rasch")
    assert "at least 2.71 are needed" in message
    scores = (rng.random((600, 6)) < 1 / (1 + np.exp(-1.4 * rng.normal(size=(600, 1))))).astype(int)
    scores[:, 5] = rng.random(600) < 0.8
    answer = found("irt", wide(tmp_path / "r.csv", names, scores.tolist()), "--model", "2pl")
    (told,) = [warning for warning in answer["warnings"] if warning["code"] == "no_place"]
    assert told["items"] == ["Q5"]
    assert "Note: The slope of Q5 cannot be told from 0" in run("irt", tmp_path / "r.csv", "--model", "2pl").stdout


def test_items_that_no_respondent_joins_are_told(tmp_path: Path) -> None:
    rows = [[*row[:3], "", "", ""] if n % 2 else ["", "", "", *row[:3]] for n, row in enumerate(lsat6().tolist())]
    apart = wide(tmp_path / "a.csv", list("abcdef"), rows)
    assert "Note: The items fall into 2 sets that no respondent joins" in run("irt", apart, "--model", "rasch").stdout
    told = found("irt", apart, "--model", "rasch")["warnings"]
    assert [(one["code"], one["sets"]) for one in told] == [("islands", [["a", "b", "c"], ["d", "e", "f"]])]
    assert "one scale only if the people of each know equally much" in told[0]["message"]
    rows[0][0] = 1
    joined = wide(tmp_path / "b.csv", list("abcdef"), rows)
    assert "fall into" not in run("irt", joined, "--model", "rasch").stdout
    assert found("irt", joined, "--model", "rasch")["warnings"] == []


def test_a_model_is_refused_with_the_number_needed(tmp_path: Path, lsat_file: Path) -> None:
    rows = lsat6()[::6].tolist()
    few = wide(tmp_path / "few.csv", ["a", "b", "c", "d", "e"], rows)
    assert "167 respondents: 2pl needs at least 200" in refused("too_few_respondents", "irt", few, "--model", "2pl")
    found("irt", few, "--model", "rasch")
    constant = wide(
        tmp_path / "constant.csv", ["a", "b", "c", "d", "same"], [[*row[:4], 1] for row in lsat6().tolist()]
    )
    assert "item same: 0 wrong answers" in refused("too_few_answers", "irt", constant, "--model", "rasch")
    assert run("irt", lsat_file).exit_code == 2
    assert run("irt", lsat_file, "--model", "3pl").exit_code == 2


def before_after(path: Path, rows: list[tuple[str, str]]) -> Path:
    names = [f"{side}_I{n:02}" for side in ("pre", "post") for n in range(1, 11)]
    return wide(path, names, [[*(before or [""] * 10), *(after or [""] * 10)] for before, after in rows])


def test_a_gain_has_the_contract_s_keys_and_r_s_figures(tmp_path: Path) -> None:
    table = columns("prepost40.csv")
    pairs = list(zip(table["before"], table["after"], strict=True))
    r = expected("gain_expected.json")
    gap = (table["before"][0], " " + table["after"][0][1:])
    answer = found(
        "gain", before_after(tmp_path / "a.csv", [*pairs, ("1" * 10, ""), ("0" * 10, ""), ("", "1" * 10), gap])
    )
    assert (answer["pairs"], answer["only_pre"], answer["only_post"], answer["incomplete"]) == (40, 2, 1, 1)
    t = r["total"]["paired_t"]
    for name, value in (("mean_gain", 1.35), ("t", t["t"]), ("df", t["df"]), ("p", t["p"]), ("low", t["ci95"][0])):
        assert answer[name] == pytest.approx(value, abs=1e-8)
    assert answer["items"][0]["pairs"] == 40
    for item, of_r in zip(answer["items"][1:], r["items"][1:], strict=True):
        # The person with a gap was given these items both times.
        assert item["pairs"] == 41
        assert {"item", "pre", "post", "gained", "lost", "p_exact"} <= {*item}
        assert (item["gained"], item["lost"]) in [
            (of_r["gained_01"], of_r["lost_10"]),
            (of_r["gained_01"] + 1, of_r["lost_10"]),
            (of_r["gained_01"], of_r["lost_10"] + 1),
        ]
    clean = found("gain", before_after(tmp_path / "b.csv", pairs))
    for item, of_r in zip(clean["items"], r["items"], strict=True):
        assert (item["pre"], item["post"]) == pytest.approx((of_r["p_pre"], of_r["p_post"]))
        assert (item["gained"], item["lost"]) == (of_r["gained_01"], of_r["lost_10"])
        assert item["p_exact"] == pytest.approx(of_r["p_exact"], abs=1e-8)
    shown = run("gain", tmp_path / "a.csv").stdout
    assert (
        "40 people took both tests; 2 took only the test before, 1 only the one after, 1 were not given every item"
        in shown
    )


def test_a_gain_of_other_columns_or_of_nobody_is_refused(tmp_path: Path) -> None:
    odd = wide(tmp_path / "a.csv", ["pre_a", "post_a", "group"], [[0, 1, 1]])
    assert "group" in refused("not_before_after", "gain", odd)
    refused("unequal_tests", "gain", wide(tmp_path / "b.csv", ["pre_a", "pre_b", "post_a"], [[0, 1, 1]]))
    refused("no_pairs", "gain", wide(tmp_path / "c.csv", ["pre_a", "post_a"], [[0, ""], ["", 1]]))
    parallel = found("gain", wide(tmp_path / "d.csv", ["pre_a", "post_b"], [[0, 1], [0, 0], [1, 1]]))
    assert (parallel["pairs"], parallel["items"]) == (3, [])


def test_who_took_the_test_before_after_the_other_is_counted_and_not_paired(tmp_path: Path) -> None:
    names = ["pre_a", "pre_b", "pre_at", "post_a", "post_b", "post_at"]
    rows: list[list[object]] = [
        [0, 0, "2026-03-01", 1, 1, "2026-03-02"],
        [1, 0, "2026-03-01", 1, 1, "2026-03-01"],
        [0, 1, "", 0, 1, "2026-03-01 09:30"],
        [1, 1, "2026-03-05 10:00", 0, 0, "2026-03-05 09:00"],
        [1, 1, "2026-03-05", "", "", "2026-03-01"],
        [0, 1, "2026-03-01", 1, 1, "2026-03-03"],
    ]
    timed = found("gain", wide(tmp_path / "r.csv", names, rows))
    kept = [[*row[:2], *row[3:5]] for place, row in enumerate(rows) if place != 3]
    plain = found("gain", wide(tmp_path / "p.csv", [*names[:2], *names[3:5]], kept))
    assert (timed.pop("out_of_order"), plain.pop("out_of_order")) == (1, None)
    assert timed == plain
    assert (timed["pairs"], timed["only_pre"], timed["mean_gain"]) == (4, 1, 1.0)
    assert "1 took the test before later than the one after" in run("gain", tmp_path / "r.csv").stdout
    assert "their order is not checked" in run("gain", tmp_path / "p.csv").stdout
    refused("one_time", "gain", wide(tmp_path / "x.csv", ["pre_a", "pre_at", "post_a"], [[0, "2026-03-01", 1]]))
    odd = wide(tmp_path / "y.csv", ["pre_a", "pre_at", "post_a", "post_at"], [[0, "Monday", 1, "2026-03-01"]])
    assert "row 2, pre_at" in refused("not_a_time", "gain", odd)
    mixed = [[0, "2026-03-01T09:00+08:00", 1, "2026-03-01"]]
    refused("not_a_time", "gain", wide(tmp_path / "z.csv", ["pre_a", "pre_at", "post_a", "post_at"], mixed))
    item = found("gain", wide(tmp_path / "i.csv", ["pre_at", "post_at"], [[0, 1], [1, 1], [0, 0]]))
    assert (item["pairs"], item["items"][0]["item"]) == (3, "at")


def test_a_figure_that_is_not_defined_is_null_with_its_reason(tmp_path: Path) -> None:
    two = found("gain", wide(tmp_path / "r.csv", ["pre_a", "pre_b", "post_a", "post_b"], [[0, 0, 1, 1], [1, 0, 1, 0]]))
    assert two["effect_size_g"] is None
    assert {*two["undefined"]} == {"effect_size_g"}
    assert "Not defined: effect_size_g: 2 pairs leave" in run("gain", tmp_path / "r.csv").stdout
    one = found("gain", wide(tmp_path / "s.csv", ["pre_a", "post_a"], [[1, 1]]))
    assert {name for name, value in one.items() if value is None} - {"out_of_order"} == {*one["undefined"]}
    same = found("gain", wide(tmp_path / "t.csv", ["pre_a", "post_a"], [[0, 1]] * 4))
    assert {name for name, value in same.items() if value is None} - {"out_of_order"} == {*same["undefined"]}


BAD_TABLES = {
    "empty": (b"  \n", "empty"),
    "heading alone": (b"respondent,a,b\n", "no_respondents"),
    "no respondent": (b"person,a\n1,1\n", "no_respondent"),
    "no items": (b"respondent\n1\n", "no_items"),
    "an item twice": (b"respondent,a,a\n1,1,1\n", "item_twice"),
    "an item without name": (b"respondent,a,,b\n1,1,1,0\n", "no_item_name"),
    "a short row": (b"respondent,a,b\n1,1,0\n2,1\n", "wrong_width: row 3"),
    "a long row": (b"respondent,a,b\n1,1,0,1\n", "wrong_width: row 2"),
    "widths that make up for each other": (b"respondent,a,b\n1,1,0,1\n2,1\n", "wrong_width: row 2"),
    "no scores": (b"respondent,a,b\n1,1,0\n2,0,C\n", "not_scored: row 3, item b"),
    "half right": (b"respondent,a,b\n1,1,0\n\n2,0,0.5\n", "not_scored: row 4, item b"),
    "a person twice": (b"respondent,a\nx,1\ny,1\nx,0\n", "respondent_twice: row 4"),
    "nobody": (b"respondent,a\nx,1\n,1\n", "no_respondent: row 3"),
    "GB18030": ("respondent,题\n1,1\n2,0\n".encode("gb18030"), "not_utf8: row 1"),
    "semicolons": (b"respondent;a;b\n1;1;0\n", "unreadable: row 1"),
    "a picture": (b"\x89PNG\r\n\x1a\n\x00\x00\x00", "not_utf8"),
    "zeros": (b"respondent,a\n1,\x001\n", "unreadable"),
    "half a workbook": (b"PK\x03\x04 and no more", "unreadable"),
    "an open quote": (b'respondent,a\n1,"1\n2,0\n', "unreadable"),
    "quotes that take two cells for one": (b'respondent,a,b\n1,"1,0"\n', "wrong_width: row 2"),
    "a quote within a cell": (b'respondent,a\n1,1"\n2,0\n', "not_scored: row 2"),
    "an answer twice": (b"respondent,item,score\n1,a,1\n1,b,1\n1,a,0\n", "answer_twice: row 4"),
    "no seconds": (b"respondent,item,score,seconds\n1,a,1,9\n1,b,1,fast\n", "not_seconds: row 3"),
    "a long table of options": (b"respondent,item,option\n1,a,1\n1,b,C\n", "not_scored: row 3, item b"),
    "no item in a long table": (b"respondent,item,score\n1,,1\n", "no_respondent: row 2"),
}


@pytest.mark.parametrize("name", BAD_TABLES)
def test_a_bad_table_is_refused_with_its_row(name: str, tmp_path: Path) -> None:
    content, expectation = BAD_TABLES[name]
    code, _, place = expectation.partition(": ")
    message = refused(code, "items", write(tmp_path / "responses.csv", content))
    assert place in message


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        ("item,key\na,1\n", "no_key", "right answer for b"),
        ("item,key\na,1\nb,\n", "bad_key", "row 3"),
        ("item,key\na,1\na,0\n", "bad_key", "already"),
        ("question,answer\na,1\n", "bad_key", "«item» and «key»"),
        ('{"items": ["a"], "key": ["1", "2"]}', "bad_key", "as many"),
        ('{"items": ["a", "b"]}', "bad_key", "as it must be"),
        ("{", "bad_key", "as it must be"),
        ("", "empty", "is empty"),
    ],
)
def test_a_bad_key_is_refused(content: str, code: str, words: str, tmp_path: Path) -> None:
    responses = wide(tmp_path / "a.csv", ["a", "b"], [[1, 0], [0, 1]])
    assert words in refused(code, "items", responses, "--key", write(tmp_path / "key", content))


def test_wrong_usage_ends_with_2(tmp_path: Path) -> None:
    assert run("items").exit_code == 2
    assert run("items", tmp_path / "none.csv").exit_code == 2
    assert run("items", wide(tmp_path / "a.csv", ["a"], [[1]]), "--format", "xml").exit_code == 2


def test_it_runs_without_settings_and_speaks_utf8_in_any_locale(tmp_path: Path) -> None:
    responses = wide(tmp_path / "答卷.csv", ["安全题"], [[1], [0], [1]])
    done = run_command(tmp_path, "analyse", "items", str(responses), "--format", "json", LC_ALL="C", PORT="wrong")
    assert json.loads(done.stdout)["items"][0]["item"] == "安全题"
    assert [path.name for path in tmp_path.iterdir()] == ["答卷.csv"]


def test_it_starts_light() -> None:
    code = (
        "import atexit, sys; from quizapp.cli import main; sys.argv = ['quizapp', 'analyse', 'items', '--help']; "
        "atexit.register(lambda: print([n for n in ('flask', 'numpy', 'scipy', 'sqlalchemy') if n in sys.modules])); main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip().endswith("[]"), done.stdout


def test_the_fast_way_reads_what_the_careful_way_reads(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    for cells in ("01-", "ABCDE-", "甲乙", ["AB", "C", "", "ABCD"], ["longer", "than", "two"], [*map(str, range(300))]):
        rows = [[str(cells[n]) for n in rng.integers(0, len(cells), 7)] for _ in range(200)]
        plain = read_responses(wide(tmp_path / "a.csv", list("abcdefg"), rows), scored=False)
        careful = read_responses(wide(tmp_path / "b.csv", ['"a"""', *"bcdefg"], rows), scored=False)
        assert plain.respondents == careful.respondents
        for table in (plain, careful):
            text = [[("", *table.labels)[number] for number in row] for row in table.answers]
            assert text == rows


def test_a_large_wide_table_is_read_and_analysed_as_it_stands(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    body = np.full((40_000, 100), ord(","), dtype=np.uint8)
    body[:, 1::2] = rng.integers(ord("A"), ord("E"), size=(40_000, 50))
    head = "respondent," + ",".join(f"Q{n}" for n in range(50)) + "\n"
    lines = b"".join(b"r%d" % n + row.tobytes() + b"\n" for n, row in enumerate(body))
    responses = write(tmp_path / "a.csv", head.encode() + lines)
    key = write(tmp_path / "key.csv", "item,key\n" + "".join(f"Q{n},A\n" for n in range(50)))
    answer = found("items", responses, "--key", key)
    assert answer["respondents"] == 40_000
    right = (body[:, 1::2] == ord("A")).sum(axis=0)
    assert [round(item["difficulty"] * 40_000) for item in answer["items"]] == right.tolist()


@pytest.mark.parametrize(
    ("cells", "keys", "options"),
    [
        (["1.0", "2.0"], ["1.0", "2.0"], "1.0|2.0|3.0"),
        (["1", "2"], ["1.0", "2.00"], "1|2.0|3"),
        (["1.0", "2.0"], ["1", "2"], "1|2|3"),
        (["A", "B"], ["a", "b"], "a|b|c"),
        (["a", "B"], ["A", "Ｂ"], "Ａ|B|c"),
        (["Ａ", " b　"], ["A", " B "], " A | B | C "),
        (["１", "2.0"], ["1", "２"], "1|2|３"),
    ],
)
def test_a_key_meets_the_answers_however_a_program_wrote_them(
    cells: list[str], keys: list[str], options: str, tmp_path: Path
) -> None:
    one, two = cells
    rows = [[one, two], [one, one], [two, two], [one, two], [two, one], [one, ""]] * 5
    names = ["P", "Q"]
    plain = [[cell and "12"[cell == two] for cell in row] for row in rows]
    key = write(tmp_path / "p.csv", "item,key,options\nP,1,1|2|3\nQ,2,1|2|3\n")
    expected_ = found("items", wide(tmp_path / "plain.csv", names, plain), "--key", key)
    table = wide(tmp_path / "r.csv", names, rows)
    as_csv = "item,key,options\n" + "".join(f"{name},{k},{options}\n" for name, k in zip(names, keys, strict=True))
    as_json = json.dumps({"items": names, "key": keys, "options": [options.split("|")] * 2}, ensure_ascii=False)
    quoted = write(tmp_path / "q.csv", table.read_text("utf-8").replace("P,Q", '"P","Q"').replace("r0001,", '"r0001",'))
    for number, written in enumerate((as_csv, as_json)):
        for file in (table, quoted):
            answer = found("items", file, "--key", write(tmp_path / f"key{number}", written))
            assert answer["warnings"] == []
            for item, other in zip(answer["items"], expected_["items"], strict=True):
                assert item["difficulty"] == other["difficulty"] > 0.5
                assert item["discrimination"] == other["discrimination"]
                assert [(o["n"], o["is_key"]) for o in item["options"]] == [
                    (o["n"], o["is_key"]) for o in other["options"]
                ]


def test_letters_count_with_their_case_where_the_key_tells_them_apart(tmp_path: Path) -> None:
    table = wide(tmp_path / "r.csv", ["P", "Q"], [["a", "b"], ["A", "B"], ["a", "b"]])
    answer = found("items", table, "--key", write(tmp_path / "k.csv", "item,key,options\nP,a,a|A\nQ,B,\n"))
    assert [item["difficulty"] for item in answer["items"]] == pytest.approx([2 / 3, 1 / 3])
    merged = found("items", table, "--key", write(tmp_path / "k.csv", "item,key\nP,a\nQ,B\n"))
    assert [item["difficulty"] for item in merged["items"]] == [1, 1]
    assert [option["option"] for option in merged["items"][1]["options"]] == ["B"]


def test_a_key_that_nobody_chose_is_told_loudly(tmp_path: Path) -> None:
    rows = [[cell, "-", "x"] for cell in "AABBC"]
    table = wide(tmp_path / "r.csv", ["P", "Q", "R"], rows)
    key = write(tmp_path / "k.csv", "item,key,options\nP,E,A|B|C\nQ,A,A|B\nR,Y,\n")
    answer = found("items", table, "--key", key)
    (warning,) = answer["warnings"]
    # nobody answered Q at all, which says nothing of its key
    assert (warning["code"], warning["items"]) == ("key_never_chosen", ["P", "R"])
    assert answer["items"][0]["flags"][0] == (
        "key never chosen: none of 5 who answered chose E, which is not among the options of the key file; "
        "compare the key with the answers"
    )
    assert not any("key" in flag for flag in answer["items"][1]["flags"])
    shown = run("items", table, "--key", key).stdout
    assert "Note: nobody gave the answer that the key calls right to P, R" in shown
    assert shown.index("P: key never chosen") < shown.index("R: key never chosen")
    assert "«-» means not answered" in refused(
        "bad_key", "items", table, "--key", write(tmp_path / "k", "item,key\nP,-\n")
    )
