"""The real weights, where they are: each gives the answer that its row of the manifest promises."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from bgremove.datatypes import DecodedImage
from bgremove.deadline import Deadline
from bgremove.errors import ModelUnavailableError
from bgremove.inference.manifest import load_manifest
from bgremove.inference.preprocess import to_tensor
from bgremove.inference.session import Session
from bgremove.inference.verify import answer_of, known_picture
from bgremove.machine import available_cpus
from tests.support.graphs import put

SOON = Deadline.after(86_400)  # made when tests are collected: longer than any suite
PIXELS = "78a787c001ee0784053474509011fb7afa2eb7036e4de22868402e6b65091181"


def load(weights: Path, name: str) -> Session:
    model = load_manifest(weights).model(name)
    if not (weights / model.file).is_file():
        pytest.skip(f"{model.file} is not in {weights}; `make weights` tries to bring it")
    return Session(model, weights / model.file, available_cpus())


def test_the_picture_never_changes() -> None:
    bgr = known_picture().bgr
    assert (bgr.shape, bgr.dtype.name) == ((360, 480, 3), "uint8")
    assert hashlib.sha256(bgr.tobytes()).hexdigest() == PIXELS


def test_an_answer_is_the_means_of_the_maps_cells() -> None:
    saliency = np.kron(np.arange(16, dtype=np.float32).reshape(4, 4) / 16, np.ones((8, 8)))
    np.testing.assert_allclose(answer_of(saliency.astype(np.float32)), np.arange(16) / 16)


def test_u2net_answers_as_promised_and_sees_nothing_in_black(weights: Path) -> None:
    session = load(weights, "u2net")
    session.check_known_picture(SOON)
    black = DecodedImage(np.zeros((320, 320, 3), np.uint8))
    assert 0 <= session.run(to_tensor(black, session.model), SOON).max() <= 0.01


@pytest.mark.parametrize("name", ["u2netp", "isnet-general-use-fp16"])
def test_the_other_weights_answer_as_promised(weights: Path, name: str) -> None:
    load(weights, name).check_known_picture(SOON)


def test_real_weights_overwritten_in_the_middle_load_and_are_refused(
    weights: Path, tmp_path: Path
) -> None:
    model = load(weights, "u2netp").model
    data = bytearray((weights / model.file).read_bytes())
    middle = len(data) // 2
    data[middle : middle + 4096] = b"\xff" * 4096
    damaged = put(tmp_path, bytes(data), input=model.input, output=model.output, size=model.size)
    session = Session(damaged, tmp_path / damaged.file, available_cpus())
    with pytest.raises(ModelUnavailableError) as caught:
        session.check_known_picture(SOON)
    assert "NaN in the map" in (caught.value.private or "")
