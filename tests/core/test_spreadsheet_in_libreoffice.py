"""The workbooks opened by LibreOffice, saved by it, and read back."""

from __future__ import annotations

import io
import shutil
import subprocess
import zipfile
from datetime import date, datetime
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook

from quizapp.core.spreadsheet import Point
from tests.core.test_spreadsheet import ROW, make_charted

SOFFICE = shutil.which("soffice")


def open_and_save(content: bytes, folder: Path) -> bytes:
    """What LibreOffice makes of a workbook, in its own format."""
    if SOFFICE is None:
        pytest.skip("no LibreOffice here: apt-get install libreoffice-calc-nogui")
    (folder / "table.xlsx").write_bytes(content)
    command = [SOFFICE, "--headless", f"-env:UserInstallation={(folder / 'profile').as_uri()}", "--convert-to", "ods"]
    subprocess.run([*command, "--outdir", folder, folder / "table.xlsx"], check=True, capture_output=True, timeout=120)
    return (folder / "table.ods").read_bytes()


def test_libreoffice_reads_cells_and_chart(tmp_path: Path) -> None:
    content = make_charted(Point("=1+1", 0.7, 0.6, 0.78), Point("紫兴社区", 0.8))
    saved = open_and_save(content, tmp_path)
    book = CalamineWorkbook.from_filelike(io.BytesIO(saved))
    assert book.sheet_names == ["说明", "合格率", "区间图"]
    row = book.get_sheet_by_name("合格率").to_python()[1]
    assert row[0] == ROW[0]
    assert row[1:4] == [241, 63.25, pytest.approx(203 / 241)]
    assert row[4:] == [date(2026, 11, 27), datetime(2026, 11, 27, 14, 2)]  # noqa: DTZ001 # a spreadsheet has no zones
    assert book.get_sheet_by_name("区间图").to_python()[1][:2] == ["=1+1", 0.7]  # a text, not a sum
    with zipfile.ZipFile(io.BytesIO(saved)) as archive:
        drawings = [name for name in archive.namelist() if name.startswith("Object") and name.endswith("content.xml")]
        assert len(drawings) == 1
        assert b"chart:error-indicator" in archive.read(drawings[0])
