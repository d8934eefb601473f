from pathlib import Path

import numpy as np
import pytest

from eval.dataset import read_manifest
from eval.draw import __main__ as drawn
from eval.draw.__main__ import KINDS, draw, main

WITHOUT_SUBJECT = {"page", "ruled", "blank", "texture"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_has_its_exact_alpha(kind: str) -> None:
    drawing = draw(kind, 0)
    assert drawing.pixels.shape[:2] == drawing.alpha.shape
    assert 0 <= drawing.alpha.min() <= drawing.alpha.max() <= 1
    assert drawing.alpha.any() == (kind not in WITHOUT_SUBJECT)
    border = np.concatenate([drawing.alpha[0], drawing.alpha[-1], *drawing.alpha.T[[0, -1]]])
    assert not border.any()


def test_the_same_seed_draws_the_same_picture() -> None:
    first, again, other = draw("chain", 1), draw("chain", 1), draw("chain", 1, seed=2)
    assert np.array_equal(first.pixels, again.pixels)
    assert first.pixels.shape != other.pixels.shape or (first.pixels != other.pixels).any()


def test_there_are_enough_pictures_of_each_kind() -> None:
    subjects = [count for kind, (_, count) in KINDS.items() if kind not in WITHOUT_SUBJECT]
    assert min(subjects) >= 9
    assert sum(subjects) >= 100


def test_the_folder_is_one_that_the_evaluation_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = {kind: (KINDS[kind][0], 2) for kind in ("mug", "transparent", "blank")}
    monkeypatch.setattr(drawn, "KINDS", few)
    main([str(tmp_path)])
    samples = read_manifest(tmp_path)
    assert [s.kind for s in samples] == ["mug"] * 2 + ["transparent"] * 2 + ["blank"] * 2
    assert all(s.soft and s.image.exists() for s in samples)
    assert samples[0].truth().max() == 1
