from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from bgremove.errors import NoSubjectError
from bgremove.options import Subject
from eval import command, metrics, structure
from eval.calibration import expected_error
from eval.command import Answer
from eval.dataset import read_manifest


def square(offset: int = 0) -> np.ndarray:
    mask = np.zeros((80, 100), bool)
    mask[20 + offset : 60 + offset, 30:70] = True
    return mask


def remove_blue(data: bytes, _subject: Subject) -> Answer:
    bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    return Answer((bgr[..., 2] > 100).astype(np.float32), 0.9)


def refuse(_data: bytes, _subject: Subject) -> Answer:
    raise NoSubjectError("nothing", "tiny")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    bgr = np.full((80, 100, 3), (200, 0, 0), np.uint8)
    bgr[square()] = (0, 0, 200)
    cv2.imwrite(str(tmp_path / "a.png"), bgr)
    cv2.imwrite(str(tmp_path / "m.png"), square().astype(np.uint8) * 255)
    head = ["dataset", "subject", "stem", "image_path", "mask_path", "mask_kind"]
    rows = [
        head,
        ["d", "product", "a", "a.png", "m.png", "binary"],
        ["d", "human", "b", "a.png", "m.png", "alpha"],
    ]
    (tmp_path / "manifest.tsv").write_text("\n".join("\t".join(row) for row in rows))
    return tmp_path


def test_right_answers_score_best() -> None:
    truth = square()
    alpha = truth.astype(np.float32)
    assert metrics.mean_error(alpha, alpha) == 0
    assert metrics.iou(truth, truth) == 1
    assert metrics.boundary_f(truth, truth) == 1
    assert metrics.f_curve(alpha, truth).max() == pytest.approx(1)
    assert metrics.gradient_error(alpha, alpha) == 0
    assert structure.s_measure(alpha, truth) == pytest.approx(1, abs=1e-3)


def test_boundaries_may_be_two_pixels_off() -> None:
    assert metrics.boundary_f(square(2), square()) == 1
    assert metrics.boundary_f(square(3), square()) < 0.95


def test_known_values() -> None:
    half = np.full((80, 100), 0.5, np.float32)
    truth = square()
    assert metrics.mean_error(half, truth.astype(np.float32)) == pytest.approx(0.5)
    assert metrics.sad(half, truth.astype(np.float32)) == pytest.approx(4)
    assert metrics.iou(square(20), truth) == pytest.approx(1 / 3)


@pytest.mark.parametrize(("value", "expected"), [(False, 0.75), (True, 0.25)])
def test_structure_of_an_empty_or_full_truth(value: bool, expected: float) -> None:
    quarter = np.full((4, 4), 0.25, np.float32)
    assert structure.s_measure(quarter, np.full((4, 4), value)) == pytest.approx(expected)


def test_empty_masks() -> None:
    nothing = np.zeros((5, 5), bool)
    assert metrics.iou(nothing, nothing) == 1
    assert metrics.boundary_f(nothing, nothing) == 1
    assert metrics.boundary_f(np.zeros((80, 100), bool), square()) == 0


def test_a_manifest_is_read(folder: Path) -> None:
    first, second = read_manifest(folder)
    assert (first.subject, first.soft, second.soft) == (Subject.PRODUCT, False, True)
    assert first.truth().mean() == pytest.approx(0.2)


def test_tables_and_sheets_are_written(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(command, "load", lambda name: {"r:b": remove_blue, "r:n": refuse}[name])
    out = tmp_path / "out"
    command.main([str(folder), "--remove", "r:b", "--remove", "r:n", "--out", str(out)])
    table = (out / "table.md").read_text(encoding="utf-8")
    assert "| product | 1 | 0 | 0.0000 | 1.0000 | 1.0000 | 1.0000 | 1.0000 | 0.0000 | 0 |" in table
    assert "| all | 2 | 2 | 0.2000 |" in table
    assert table.splitlines()[0] in capsys.readouterr().out
    assert {path.name for path in out.iterdir()} == {"table.md", "r.b.png", "r.n.png"}


def test_a_remover_is_named_by_module_and_function() -> None:
    assert command.load("eval.metrics:iou") is metrics.iou


def test_an_alpha_of_another_size_is_an_error(folder: Path) -> None:
    sample = read_manifest(folder)[0]
    with pytest.raises(ValueError, match="alpha is"):
        command.evaluate(lambda _d, _s: Answer(np.zeros((3, 3), np.float32)), sample)


def test_a_ghost_is_wider_than_an_edge() -> None:
    alpha = np.zeros((100, 200), np.float32)
    alpha[20:60, 50:150] = 1
    assert metrics.ghost_share(alpha) == 0
    alpha[20:60, 50:55] = 0.5  # an edge: 5 of 6 pixels wide
    assert metrics.ghost_share(alpha) == 0
    alpha[20:60, 50:60] = 0.5
    assert metrics.ghost_share(alpha) == pytest.approx(400 / 3600)
    assert metrics.ghost_share(np.zeros_like(alpha)) == 0


def test_calibration_error_is_the_gap_in_each_bin() -> None:
    confidence, iou = np.array([0.95, 0.95, 0.55]), np.array([1.0, 0.8, 0.65])
    assert expected_error(confidence, iou) == pytest.approx((2 * 0.05 + 0.1) / 3)


def test_halves_kinds_and_calibration_are_reported(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = folder / "manifest.tsv"
    head, *rows = manifest.read_text().splitlines()
    kinds = [f"{head}\tkind", *(f"{row}\t{kind}" for row, kind in zip(rows, "xy", strict=True))]
    manifest.write_text("\n".join(kinds))
    monkeypatch.setattr(command, "load", lambda _name: remove_blue)
    command.main([str(folder), "--halves", "--out", str(tmp_path)])
    table = (tmp_path / "table.md").read_text(encoding="utf-8")
    assert "| product |" not in table
    assert "calibration error 0.100 over 1 answers" in table
    assert "| y | 1 | 0 | 1.000 | 1.000 | 0.90 | 0 |" in table
    assert "calibration error 0.100 over 2 answers; 0 of the 2 at 0.8 or more" in table


def test_photographs_are_reported_by_subject_on_both_halves(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "load", lambda _name: remove_blue)
    command.main([str(folder), "--halves", "--out", str(tmp_path)])
    table = (tmp_path / "table.md").read_text(encoding="utf-8")
    assert "served, even | n |" in table
    assert "served, odd | n |" in table
