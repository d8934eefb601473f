"""A network with open axes answers pictures of its own size as before, and others as well."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
from onnx import ModelProto, numpy_helper

from bgremove.provisioning.quantization.flatten import flatten, open_axes
from tests.provisioning.quantization.network import SIDE, write_export


def answer(model: ModelProto, side: int) -> np.ndarray:
    picture = np.random.default_rng(side).random((1, 3, side, side), np.float32)
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"x": picture})[0])


def test_its_own_size_is_answered_as_before_and_others_in_their_size(tmp_path: Path) -> None:
    network = flatten(write_export(tmp_path))
    opened = open_axes(network)
    np.testing.assert_allclose(answer(opened, SIDE), answer(network, SIDE), atol=1e-6)
    assert answer(opened, 2 * SIDE).shape == (1, 1, 2 * SIDE, 2 * SIDE)


def test_a_resize_by_no_whole_factor_is_refused(tmp_path: Path) -> None:
    network = flatten(write_export(tmp_path))
    size = next(node.input[3] for node in network.graph.node if node.op_type == "Resize")
    (tensor,) = (t for t in network.graph.initializer if t.name == size)
    odd = numpy_helper.to_array(tensor) + np.array([0, 0, 1, 1])
    tensor.CopyFrom(numpy_helper.from_array(odd, size))
    with pytest.raises(ValueError, match="not by a whole factor"):
        open_axes(network)
