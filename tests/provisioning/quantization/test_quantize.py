"""The int8 build, on a network small enough to work out, in real ONNX Runtime."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

from bgremove.provisioning.quantization.flatten import flatten
from bgremove.provisioning.quantization.quantize import Recipe, build_int8, quantize
from bgremove.provisioning.quantization.scales import read_ranges, round_weights
from harness.programs import ROOT
from tests.provisioning.quantization.network import SIDE, write_export

sys.path.insert(0, str(ROOT / "tools"))
from calibrate import measure, write_ranges

RECIPE = Recipe(stepped_nodes=("side",))


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    return write_export(tmp_path)


def _tensors(count: int) -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    return [rng.uniform(-1, 1, (1, 3, SIDE, SIDE)).astype(np.float32) for _ in range(count)]


def _answers(path: Path) -> np.ndarray:
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    return np.stack([session.run(["y"], {"x": tensor})[0] for tensor in _tensors(4)])


@pytest.fixture
def table(exported: Path, tmp_path: Path) -> Path:
    write_ranges(tmp_path / "t.tsv", measure(flatten(exported), _tensors(4), 1.0))
    return tmp_path / "t.tsv"


def test_a_flattened_network_answers_the_same_and_holds_the_network_alone(
    exported: Path, tmp_path: Path
) -> None:
    flat = flatten(exported)
    onnx.save(flat, tmp_path / "flat.onnx")
    assert not {"Cast", "Shape"} & {node.op_type for node in flat.graph.node}
    assert [output.name for output in flat.graph.output] == ["y"]
    np.testing.assert_allclose(_answers(tmp_path / "flat.onnx"), _answers(exported), atol=1e-6)


def test_half_precision_weights_become_the_same_numbers_in_float32(exported: Path) -> None:
    model = onnx.load(exported)
    halves = numpy_helper.to_array(model.graph.initializer[0]).astype(np.float16)
    model.graph.initializer[0].CopyFrom(numpy_helper.from_array(halves, "w1"))
    model.graph.node[0].input[1] = "w1_cast"
    model.graph.node.insert(0, helper.make_node("Cast", ["w1"], ["w1_cast"], to=TensorProto.FLOAT))
    onnx.save(model, exported)
    weights = {tensor.name: tensor for tensor in flatten(exported).graph.initializer}
    np.testing.assert_array_equal(numpy_helper.to_array(weights["w1"]), halves.astype(np.float32))


@pytest.mark.parametrize(
    "recipe", [RECIPE, Recipe(float_nodes=("side",)), Recipe(("first", "side", "add"))]
)
def test_int8_answers_like_float32(
    exported: Path, table: Path, tmp_path: Path, recipe: Recipe
) -> None:
    build_int8(exported, read_ranges(table), tmp_path / "int8.onnx", recipe)
    assert np.abs(_answers(tmp_path / "int8.onnx") - _answers(exported)).mean() < 0.01


def test_onnx_runtime_makes_int8_kernels_of_every_convolution(
    exported: Path, table: Path, tmp_path: Path
) -> None:
    build_int8(exported, read_ranges(table), tmp_path / "int8.onnx", RECIPE)
    options = ort.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    ort.InferenceSession(tmp_path / "int8.onnx", options, providers=["CPUExecutionProvider"])
    kinds = [node.op_type for node in onnx.load(tmp_path / "optimised.onnx").graph.node]
    assert kinds.count("QLinearConv") == 4
    assert "Conv" not in kinds


def test_another_process_writes_the_same_bytes(exported: Path, table: Path, tmp_path: Path) -> None:
    build_int8(exported, read_ranges(table), tmp_path / "one.onnx", RECIPE)
    program = (
        "import sys; from pathlib import Path;"
        "from bgremove.provisioning.quantization.scales import read_ranges;"
        "from bgremove.provisioning.quantization.quantize import Recipe, build_int8;"
        "source, table, target = map(Path, sys.argv[1:]);"
        "build_int8(source, read_ranges(table), target, Recipe(stepped_nodes=('side',)))"
    )
    arguments = [sys.executable, "-c", program, exported, table, tmp_path / "two.onnx"]
    subprocess.run([str(word) for word in arguments], check=True)
    assert (tmp_path / "one.onnx").read_bytes() == (tmp_path / "two.onnx").read_bytes()


def test_a_tensor_missing_from_the_table_is_named(exported: Path, table: Path) -> None:
    ranges = read_ranges(table)
    del ranges["x"]
    with pytest.raises(KeyError, match="x"):
        quantize(flatten(exported), ranges, RECIPE)


def test_a_relu_in_one_scale_with_negative_values_is_refused(exported: Path, table: Path) -> None:
    ranges = read_ranges(table) | {"r2": (-1.0, 1.0)}
    with pytest.raises(ValueError, match="Relu"):
        quantize(flatten(exported), ranges, RECIPE)


def test_rounding_errors_cancel_within_each_kernel_and_channel() -> None:
    weights = np.random.default_rng(2).normal(size=(8, 24, 3, 3)).astype(np.float32)
    scales = np.abs(weights).max(axis=(1, 2, 3)) / np.float32(127)
    errors = weights / scales[:, None, None, None] - round_weights(weights, scales)
    assert np.abs(errors).max() <= 1.5
    assert np.abs(errors.sum(axis=(2, 3))).max() <= 1.5
    assert np.abs(errors.sum(axis=(1, 2, 3))).max() <= 0.51


def test_a_table_is_read_back_as_written(tmp_path: Path) -> None:
    table = {"x": (-2.118, 2.64), "1966": (0.0, 20.41)}
    write_ranges(tmp_path / "t.tsv", table)
    assert read_ranges(tmp_path / "t.tsv") == table


@pytest.mark.parametrize("row", ["x\t1\t0", "x\tnan\t1", "x\t0\tinf", "x\t0", "x\ta\tb"])
def test_a_broken_table_is_refused(tmp_path: Path, row: str) -> None:
    (tmp_path / "t.tsv").write_text(f"tensor\tlow\thigh\n{row}\n")
    with pytest.raises(ValueError, match=r"."):
        read_ranges(tmp_path / "t.tsv")
