"""The plot of quality over processor time."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import pytest

from eval.plot import main, read

TABLE = (
    "series\tname\tcpu_ms\tiou\nours\tfast\t400\t.8\nours\tbest\t1700\t.85\ntheirs\tu\t1500\t.82\n"
)


def test_each_series_keeps_its_points(tmp_path: Path) -> None:
    table = tmp_path / "quality.tsv"
    table.write_text(TABLE, encoding="utf-8")
    series = read(table)
    assert series == {
        "ours": [(400.0, 0.8, "fast"), (1700.0, 0.85, "best")],
        "theirs": [(1500.0, 0.82, "u")],
    }


def test_the_picture_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table, picture = tmp_path / "quality.tsv", tmp_path / "quality.png"
    table.write_text(TABLE, encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["plot", str(table), str(picture)])
    main()
    assert cv2.imread(str(picture)) is not None
