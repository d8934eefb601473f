"""Make a calibration table: run a network on a folder of pictures and record value ranges.

    python tools/calibrate.py u2net photos/

The pictures should be varied photographs. The next `bgremove weights` builds the int8 form from the
table. Then update the manifest: the SHA-256 of the table, which is printed, and that of the int8
form and its known answer.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np
import onnxruntime as ort
from onnx import ModelProto, TensorProto, helper

from bgremove.datatypes import ArrayF32, DecodedImage
from bgremove.errors import SettingsError, WeightsError
from bgremove.inference.manifest import load_manifest, manifest_path
from bgremove.inference.models import Model
from bgremove.inference.preprocess import to_tensor
from bgremove.inference.verify import state_of
from bgremove.provisioning.quantization.flatten import flatten, open_axes
from bgremove.provisioning.quantization.scales import HEADER, Ranges
from bgremove.settings import Settings

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp"})


def main(name: str, pictures: Path) -> None:
    """Write the table of a model of the manifest, and print its hash."""
    settings = Settings.from_env(os.environ)
    model = load_manifest(settings.weights_dir).model(name)
    if model.int8 is None or model.quantised is None:
        sys.exit(f"{name} has no int8 form in the manifest")
    table = manifest_path(settings.weights_dir).parent / model.int8.ranges
    weights = settings.weights_dir / model.file
    calibrate(model.quantised, weights, pictures, table, model.int8.quantile)
    print(f"{table.name}: written, SHA-256 {state_of(table)[0]}")


def calibrate(
    model: Model, weights: Path, pictures: Path, table: Path, quantile: float = 1.0
) -> None:
    """Write the ranges of a model's tensors on a folder of pictures to ``table``.

    Args:
        model: Gives the input size.
        weights: The exported float32 network, of any size.
        pictures: Folder of pictures, including subfolders.
        table: File to write.
        quantile: See `measure`.

    """
    network = flatten(weights)
    sides = [axis.dim_value for axis in network.graph.input[0].type.tensor_type.shape.dim]
    if model.size not in sides:
        network = open_axes(network)
    write_ranges(table, measure(network, tensors_of(pictures, model), quantile))


def tensors_of(pictures: Path, model: Model) -> Iterator[ArrayF32]:
    """Yield the model's input tensor for each picture of a folder and its subfolders."""
    for path in sorted(pictures.rglob("*")):
        if path.suffix.lower() in SUFFIXES:
            bgr = cv2.imread(str(path), cv2.IMREAD_COLOR)
            if bgr is None:
                raise ValueError(f"{path} is no picture that can be read")
            yield to_tensor(DecodedImage(bgr.astype(np.uint8)), model)


def measure(
    network: ModelProto, tensors: Iterable[ArrayF32], quantile: float
) -> dict[str, tuple[float, float]]:
    """Return (low, high) of the input and of each output of a convolution or sum.

    ``quantile`` is taken over the pictures' maxima (and mirrored, over their minima): 1 keeps all
    values, 0.5 the range of a typical picture. In IS-Net some tensors of some pictures reach ten
    times the typical range, which would make the steps ten times as large. The input always keeps
    its whole range.
    """
    names = _measured(network)
    given = network.graph.input[0].name
    session = _session(network, names)
    spans: dict[str, list[tuple[float, float]]] = {name: [] for name in (given, *names)}
    for tensor in tensors:
        values = dict(
            zip((given, *names), (tensor, *session.run(names, {given: tensor})), strict=True)
        )
        for name, found in spans.items():
            found.append((float(values[name].min()), float(values[name].max())))
    ranges = {name: _span(found, quantile) for name, found in spans.items()}
    return ranges | {given: _span(spans[given], 1.0)}


def _measured(network: ModelProto) -> list[str]:
    """Return the names of the outputs of convolutions and sums, or of a following ``Relu``."""
    relus = {node.input[0]: node.output[0] for node in network.graph.node if node.op_type == "Relu"}
    return [
        relus.get(node.output[0], node.output[0])
        for node in network.graph.node
        if node.op_type in {"Conv", "Add"}
    ]


def _session(network: ModelProto, names: list[str]) -> ort.InferenceSession:
    """Return a session that outputs the named tensors."""
    open_network = ModelProto()
    open_network.CopyFrom(network)
    del open_network.graph.output[:]
    open_network.graph.output.extend(
        helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in names
    )
    options = ort.SessionOptions()
    options.enable_cpu_mem_arena = False  # it would keep the gigabytes of the largest picture
    return ort.InferenceSession(
        open_network.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def _span(found: list[tuple[float, float]], quantile: float) -> tuple[float, float]:
    """Reduce the pictures' ranges to one that contains 0."""
    low = np.quantile([low for low, _ in found], 1 - quantile)
    high = np.quantile([high for _, high in found], quantile)
    return min(0.0, float(low)), max(0.0, float(high))


def write_ranges(path: Path, table: Ranges) -> None:
    """Write a table in the order of the network, with numbers to four digits."""
    rows = (f"{name}\t{low:.4g}\t{high:.4g}" for name, (low, high) in table.items())
    path.write_text("\n".join([HEADER, *rows, ""]), encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: make calibrate MODEL=u2net PICTURES=photos")
    try:
        main(sys.argv[1], Path(sys.argv[2]))
    except (SettingsError, WeightsError, ValueError) as error:
        sys.exit(str(error))
