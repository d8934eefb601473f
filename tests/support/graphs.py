"""Networks of a few bytes that run in real ONNX Runtime, and rows of a manifest for them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

from bgremove.inference.models import Manifest, Model, Prior, Role
from bgremove.options import Subject

SIZE = 32
OPEN = ("batch", 3, "height", "width")
SLOW_SIZE = 512
SLOW_STEPS = 400  # multiplications of 512 × 512 matrices, 2 to 4 ms each


def model_of(data: bytes, **changes: Any) -> Model:
    """Return the row that describes ``data``, with ``changes`` to its values."""
    model = Model(
        name="tiny",
        file=changes.get("name", "tiny") + ".onnx",
        sha256=hashlib.sha256(data).hexdigest(),
        bytes=len(data),
        licence="none",
        paper="none",
        input="pixels",
        output="map",
        size=SIZE,
        mean=(0.0, 0.0, 0.0),
        std=(1.0, 1.0, 1.0),
        scaling="full",
        subjects=(Subject.UNIVERSAL,),
        sources=(),
        known_answer=(),
    )
    return replace(model, **changes)


def priors(data: bytes, **changes: Any) -> tuple[Prior, ...]:
    """Return the rows of three priors of people whose files are ``data``."""
    row: dict[str, Any] = {
        "sha256": hashlib.sha256(data).hexdigest(),
        "bytes": len(data),
        "licence": "none",
    }
    row |= {"licence": "none", "paper": "none", "sources": ()} | changes
    return tuple(
        Prior(name=role, file=f"{role}.tflite", role=role, **row) for role in get_args(Role)
    )


def put(folder: Path, data: bytes, **changes: Any) -> Model:
    """Write ``data`` to the path of its row, and return the row."""
    model = model_of(data, **changes)
    (folder / model.file).write_bytes(data)
    return model


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write a manifest as TOML; strings, numbers and lists have the same syntax as in JSON."""
    lines = [f"fallback = {json.dumps(manifest.fallback)}"]
    for model in manifest.models:
        row = asdict(model)
        lines.append(f"[models.{row.pop('name')}]")
        lines += [f"{key} = {_toml(value)}" for key, value in row.items() if value is not None]
    for prior in manifest.priors:
        row = asdict(prior)
        lines.append(f"[priors.{row.pop('name')}]")
        lines += [f"{key} = {_toml(value)}" for key, value in row.items()]
    (folder / "manifest.toml").write_text("\n".join(lines), encoding="utf-8")


def _toml(value: object) -> str:
    if isinstance(value, dict):
        pairs = [f"{key} = {_toml(inner)}" for key, inner in value.items()]
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(inner) for inner in value) + "]"
    return json.dumps(value)


def mean(size: int = SIZE) -> bytes:
    """Return ``map = mean(pixels, over channels)``: a picture's brightness, in [0, 1]."""
    return _graph([_mean("map")], size)


def mean_of_any_size() -> bytes:
    """Return `mean` with its height and width left open."""
    return _graph([_mean("map")], SIZE, axes=OPEN)


def nothing_of_any_size() -> bytes:
    """Return a map of zeros, from a graph with open axes."""
    nodes = [_mean(), _node("Sub", ["mean", "mean"])]
    return _graph(nodes, SIZE, axes=OPEN)


def brightness(size: int = SIZE) -> bytes:
    """Return ``map = sigmoid(mean(pixels, over channels))``."""
    return _graph([_mean(), _node("Sigmoid", ["mean"])], size)


def logits(size: int = SIZE) -> bytes:
    """Return ``map = 3 · mean(pixels) + 1``, which is not a valid saliency map: it exceeds 1."""
    nodes = [_mean(), _node("Mul", ["mean", "three"], "tripled"), _node("Add", ["tripled", "one"])]
    return _graph(nodes, size, three=np.float32(3), one=np.float32(1))


def not_a_number(size: int = SIZE) -> bytes:
    """Return ``map = sqrt(-1 - mean(pixels)²)``: NaN wherever pixels are not negative."""
    nodes = [
        _mean(),
        _node("Mul", ["mean", "mean"], "square"),
        _node("Sub", ["minus_one", "square"], "negative"),
        _node("Sqrt", ["negative"]),
    ]
    return _graph(nodes, size, minus_one=np.float32(-1))


def slow(steps: int = SLOW_STEPS) -> bytes:
    """Return a sigmoid of the mean after ``steps`` multiplications by the identity matrix."""
    nodes = [_mean()]
    for step in range(steps):
        taken = f"step{step - 1}" if step else "mean"
        nodes.append(_node("MatMul", [taken, "identity"], f"step{step}"))
    nodes.append(_node("Sigmoid", [f"step{steps - 1}"]))
    return _graph(nodes, SLOW_SIZE, identity=np.eye(SLOW_SIZE, dtype=np.float32))


def open_axes(size: int = SIZE) -> bytes:
    """Return `brightness` with its batch, height and width left open."""
    return _graph([_mean(), _node("Sigmoid", ["mean"])], size, axes=OPEN)


def shrunk(size: int = SIZE) -> bytes:
    """Return a map of half the size, from a graph with open axes."""
    pool = helper.make_node("AveragePool", ["mean"], ["small"], kernel_shape=[2, 2], strides=[2, 2])
    nodes = [_mean(), pool, _node("Sigmoid", ["small"])]
    return _graph(nodes, size, axes=OPEN)


def two_inputs(size: int = SIZE) -> bytes:
    """Return the mean of two pictures; a network of this service has only one input."""
    nodes = [_mean(), _node("Add", ["mean", "more"])]
    return _graph(nodes, size, more_inputs=["more"])


def _mean(given: str = "mean") -> NodeProto:
    return helper.make_node("ReduceMean", ["pixels"], [given], axes=[1], keepdims=1)


def _node(kind: str, taken: list[str], given: str = "map") -> NodeProto:
    return helper.make_node(kind, taken, [given])


def _graph(
    nodes: list[NodeProto],
    size: int,
    *,
    axes: Sequence[int | str] = (),
    more_inputs: Sequence[str] = (),
    **constants: Any,
) -> bytes:
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, axes or [1, 3, size, size])
        for name in ("pixels", *more_inputs)
    ]
    sides = ["out_height", "out_width"] if axes else [size, size]
    result = helper.make_tensor_value_info("map", TensorProto.FLOAT, [1, 1, *sides])
    kept = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "graph", inputs, [result], kept)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())
