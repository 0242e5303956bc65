"""Both sides of the measurement of item analysis and models compute the same."""

from __future__ import annotations

from pathlib import Path

from benchmarks import measurement, recovery


def test_both_sides_agree(tmp_path: Path) -> None:
    answers = tmp_path / "answers.csv"
    measurement.write_answers(answers, 400)
    assert measurement._difference(measurement.items_ours(answers), measurement.items_floor(answers)) < 1e-12
    assert measurement._difference(measurement.model_ours(400), measurement.model_floor(400)) < 0.01


def test_recovery_counts_what_holds() -> None:
    fitted, found = recovery.recover(500, 3)
    assert fitted == 3
    assert all(0.8 < held <= 1 for held in found[3::4])
