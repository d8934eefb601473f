from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from eval import products
from eval.dataset import read_manifest
from eval.product_shapes import SHAPES, Pen


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_a_shape_lies_within_the_picture_and_leaves_background(shape) -> None:
    mask = np.zeros((300, 400), np.uint8)
    shape(Pen(mask))
    assert 0.01 < (mask > 127).mean() < 0.5
    border = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
    assert not border.any()


def test_a_wheel_is_seen_through_between_its_spokes() -> None:
    mask = np.zeros((600, 800), np.uint8)
    SHAPES[0](Pen(mask))
    holes, _ = cv2.connectedComponents((mask < 128).astype(np.uint8), connectivity=4)
    assert holes > 28


def test_the_set_is_one_that_the_evaluation_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(products, "SIDES", (160, 200))
    products.main([str(tmp_path)])
    samples = read_manifest(tmp_path)
    assert len(samples) == 2 * len(SHAPES)
    contrasts = []
    for sample in samples:
        truth, bgr = sample.truth(), cv2.imread(str(sample.image))
        assert bgr.shape[:2] == truth.shape
        assert sample.soft
        contrasts.append(np.abs(bgr[truth > 0.5].mean(0) - bgr[truth == 0].mean(0)).max())
    assert np.median(contrasts) > 20
