from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

import eval_metrics
import eval_structure
import evaluate
from eval_dataset import read_manifest

from bgremove.datatypes import Subject
from bgremove.errors import NoSubjectError


def square(offset: int = 0) -> np.ndarray:
    mask = np.zeros((80, 100), bool)
    mask[20 + offset : 60 + offset, 30:70] = True
    return mask


def remove_blue(data: bytes, _subject: Subject) -> np.ndarray:
    bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    return (bgr[..., 2] > 100).astype(np.float32)


def refuse(_data: bytes, _subject: Subject) -> np.ndarray:
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
    assert eval_metrics.mean_error(alpha, alpha) == 0
    assert eval_metrics.iou(truth, truth) == 1
    assert eval_metrics.boundary_f(truth, truth) == 1
    assert eval_metrics.f_curve(alpha, truth).max() == pytest.approx(1)
    assert eval_metrics.gradient_error(alpha, alpha) == 0
    assert eval_structure.s_measure(alpha, truth) == pytest.approx(1, abs=1e-3)


def test_boundaries_may_be_two_pixels_off() -> None:
    assert eval_metrics.boundary_f(square(2), square()) == 1
    assert eval_metrics.boundary_f(square(3), square()) < 0.95


def test_known_values() -> None:
    half = np.full((80, 100), 0.5, np.float32)
    truth = square()
    assert eval_metrics.mean_error(half, truth.astype(np.float32)) == pytest.approx(0.5)
    assert eval_metrics.sad(half, truth.astype(np.float32)) == pytest.approx(4)
    assert eval_metrics.iou(square(20), truth) == pytest.approx(1 / 3)


@pytest.mark.parametrize(("value", "expected"), [(False, 0.75), (True, 0.25)])
def test_structure_of_an_empty_or_full_truth(value: bool, expected: float) -> None:
    quarter = np.full((4, 4), 0.25, np.float32)
    assert eval_structure.s_measure(quarter, np.full((4, 4), value)) == pytest.approx(expected)


def test_empty_masks() -> None:
    nothing = np.zeros((5, 5), bool)
    assert eval_metrics.iou(nothing, nothing) == 1
    assert eval_metrics.boundary_f(nothing, nothing) == 1
    assert eval_metrics.boundary_f(np.zeros((80, 100), bool), square()) == 0


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
    monkeypatch.setattr(evaluate, "load", lambda name: {"r:b": remove_blue, "r:n": refuse}[name])
    out = tmp_path / "out"
    evaluate.main([str(folder), "--remove", "r:b", "--remove", "r:n", "--out", str(out)])
    table = (out / "table.md").read_text(encoding="utf-8")
    assert "| product | 1 | 0 | 0.0000 | 1.0000 | 1.0000 | 1.0000 | 1.0000 | 0 |" in table
    assert "| all | 2 | 2 | 0.2000 |" in table
    assert table.splitlines()[0] in capsys.readouterr().out
    assert {path.name for path in out.iterdir()} == {"table.md", "r.b.png", "r.n.png"}


def test_a_remover_is_named_by_module_and_function() -> None:
    assert evaluate.load("eval_metrics:iou") is eval_metrics.iou


def test_an_alpha_of_another_size_is_an_error(folder: Path) -> None:
    with pytest.raises(ValueError, match="alpha is"):
        evaluate.evaluate(lambda _d, _s: np.zeros((3, 3), np.float32), read_manifest(folder)[0])
