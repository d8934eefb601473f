"""Build the int8 form of a network from its verified float32 file and its calibration table."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

from onnx.checker import ValidationError

from bgremove.deadline import Deadline
from bgremove.errors import UpstreamError, WeightsError
from bgremove.inference.manifest import manifest_path
from bgremove.inference.models import Int8, Model
from bgremove.inference.session import Session
from bgremove.inference.verify import as_built, fault_of, forget_build, note_build, state_of
from bgremove.provisioning.progress import step
from bgremove.provisioning.quantization.quantize import Recipe, build_int8
from bgremove.provisioning.quantization.scales import read_ranges

CHECK_TIMEOUT_S = 60.0
logger = logging.getLogger(__name__)


def build(model: Model, folder: Path) -> None:
    """Build the int8 form of ``model`` in ``folder`` if it is absent or damaged.

    The pinned tools give the bytes whose hash is in the manifest. Other bytes are accepted if the
    network gives the known answer. Raises WeightsError if the build fails both checks.
    """
    quantised, int8 = model.quantised, model.int8
    if quantised is None or int8 is None:
        return
    path = folder / quantised.file
    if path.exists() and fault_of(as_built(quantised, folder), path) is None:
        logger.info("%s: verified", quantised.name)
        return
    part = path.with_name(path.name + ".part")
    with step(f"{model.name}: building its fast int8 form"):
        _write(model, int8, folder, part)
    if fault_of(quantised, part) is None:
        forget_build(quantised, folder)
    else:
        _check_answer(quantised, part)
        note_build(quantised, folder, part)
    part.replace(path)


def _write(model: Model, int8: Int8, folder: Path, part: Path) -> None:
    table = manifest_path(folder).parent / int8.ranges
    try:
        _check_table(table, int8)
        ranges = read_ranges(table)
        recipe = Recipe(int8.float_nodes, int8.stepped_nodes, any_size=int8.size > 0)
        build_int8(folder / model.file, ranges, part, recipe)
    except (OSError, ValueError, KeyError, ValidationError) as error:
        raise WeightsError(f"cannot be built: {table.name}: {error!r}") from error


def _check_table(table: Path, int8: Int8) -> None:
    """Raise WeightsError if the table's hash differs from the manifest's."""
    digest, _ = state_of(table)
    if int8.ranges_sha256 not in ("", digest):
        raise WeightsError(
            f"{table.name} has SHA-256 {digest}, not the {int8.ranges_sha256} of the manifest"
        )


def _check_answer(quantised: Model, part: Path) -> None:
    """Raise WeightsError if the answer to the known picture differs from the manifest's."""
    sha256, size = state_of(part)
    try:
        session = Session(replace(quantised, sha256=sha256, bytes=size), part, threads=1)
        session.check_known_picture(Deadline.after(CHECK_TIMEOUT_S))
    except UpstreamError as error:
        part.unlink()
        raise WeightsError(f"was built, but is not what it should be: {error.private}") from error
    logger.warning("%s: built by other versions of the tools; its answer is right", quantised.name)
