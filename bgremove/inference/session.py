"""ONNX Runtime session for a network, verified at load and cancellable during a run."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
import onnxruntime as ort
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from bgremove.datatypes import ArrayF32
from bgremove.deadline import Deadline
from bgremove.errors import DeadlineExceededError, ModelUnavailableError, UpstreamError
from bgremove.inference.models import Model, Weights
from bgremove.inference.preprocess import to_tensor
from bgremove.inference.runtime import (
    NAMES,
    Provider,
    provider_options,
    session_options,
    share_arena,
)
from bgremove.inference.verify import answer_of, known_picture

FAILED = "The model failed on this picture"
ORT_ERRORS: tuple[type[Exception], ...] = tuple(
    vars(ort_errors)[name]
    for name in (
        "EPFail",
        "EngineError",
        "Fail",
        "InvalidArgument",
        "InvalidGraph",
        "InvalidProtobuf",
        "NoModel",
        "NoSuchFile",
        "NotFound",
        "NotImplemented",
        "RuntimeException",
    )
)
RANGE_TOLERANCE = 0.01  # beyond [0, 1]; a quantised sigmoid may end one step outside
KNOWN_ANSWER_TOLERANCE = 0.02  # on the map's [0, 1]; float32 builds differ by less than 0.001


class Session:
    """A loaded model. Safe to run from several threads at once."""

    def __init__(self, model: Model, path: Path, threads: int, provider: Provider = "cpu") -> None:
        """Load ``path`` and check it against its row of the manifest.

        Raises ModelUnavailableError if the file is absent, its hash differs from the manifest's, it
        does not load, has other inputs or outputs, or would run on another provider.
        """
        self.model = model
        share_arena()
        with verified(model, path) as weights:
            try:
                # Loaded from the open file; with bytes, the Python object would keep them.
                self._session = ort.InferenceSession(
                    _name_of(weights, path),
                    session_options(threads),
                    providers=[NAMES[provider]],
                    provider_options=[provider_options(provider, threads)],
                )
            except ORT_ERRORS as error:
                raise unavailable(model, "does not load", error) from error
        if self._session.get_providers()[0] != NAMES[provider]:  # it would run on the CPU instead
            raise unavailable(model, f"cannot run on {provider}: its libraries do not load here")
        inputs = self._session.get_inputs()
        if len(inputs) != 1:
            raise unavailable(model, f"has {len(inputs)} inputs, not one")
        # One run at a time. Each run uses all its cores, and two at once take more memory and
        # finish fewer pictures (7.1 instead of 7.7 a second on 2 cores).
        self._turn = threading.Lock()
        self._input = self._named(inputs, model.input, 3)
        self._output = self._named(self._session.get_outputs(), model.output, 1)

    def check_known_picture(self, deadline: Deadline) -> None:
        """Run the known picture; raise ModelUnavailableError if the answer differs.

        Raises DeadlineExceededError if the run is not finished in time.
        """
        try:
            saliency = self.run(to_tensor(known_picture(), self.model), deadline)
        except DeadlineExceededError:
            raise
        except UpstreamError as error:
            why = "fails on the known picture"
            raise unavailable(self.model, why, error.private) from error
        low, high = float(saliency.min()), float(saliency.max())
        if low < -RANGE_TOLERANCE or high > 1 + RANGE_TOLERANCE:
            why = f"maps the known picture to [{low:g}, {high:g}], not [0, 1]"
            raise unavailable(self.model, why)
        if not self.model.known_answer:
            return
        expected = np.asarray(self.model.known_answer, dtype=np.float32)
        off = float(np.abs(answer_of(saliency) - expected).max())
        if off > KNOWN_ANSWER_TOLERANCE:
            raise unavailable(self.model, f"answers the known picture wrong, by {off:.3f}")

    def run(self, tensor: ArrayF32, deadline: Deadline) -> ArrayF32:
        """Compute the saliency map of ``tensor``, stopping at ``deadline``.

        Args:
            tensor: float32 (1, 3, S, S), from `preprocess.to_tensor`.
            deadline: When it passes, the run is cancelled between two nodes of the graph.

        Returns:
            float32 (S, S) in [0, 1], the raw output without rescaling.

        Raises:
            DeadlineExceededError: The run was cancelled.
            UpstreamError: ONNX Runtime failed or ran out of memory, or the map has another size or
                contains NaN.

        """
        if not self._turn.acquire(timeout=deadline.remaining_s):
            raise deadline.exceeded("waiting for the network")
        try:
            outputs = self._run(tensor, deadline)
        finally:
            self._turn.release()
        saliency = np.asarray(outputs[0], dtype=np.float32)
        if saliency.shape != (1, 1, *tensor.shape[2:]):
            raise UpstreamError(FAILED, private=f"a map of shape {saliency.shape}")
        if not np.isfinite(saliency).all():
            raise UpstreamError(FAILED, private="NaN in the map")
        return saliency.reshape(tensor.shape[2:])

    def _run(self, tensor: ArrayF32, deadline: Deadline) -> list[ArrayF32]:
        deadline.check("inference")
        options = ort.RunOptions()  # `terminate` is sticky: fresh options for each run
        timer = threading.Timer(deadline.remaining_s, setattr, (options, "terminate", True))
        timer.daemon = True
        timer.start()
        try:
            outputs: list[ArrayF32] = self._session.run(
                [self._output], {self._input: tensor}, options
            )
            return outputs
        except ORT_ERRORS as error:
            if options.terminate:
                raise deadline.exceeded("inference") from error
            raise UpstreamError(FAILED, private=str(error)) from error
        finally:
            timer.cancel()

    def _named(self, nodes: list[ort.NodeArg], name: str, channels: int) -> str:
        """Return the name of an input or output after a check of its shape.

        An open axis has a name or None for its length; it matches any length.
        """
        node = next((node for node in nodes if node.name == (name or nodes[0].name)), None)
        wanted = [1, channels, self.model.size, self.model.size]
        if node is None or not _fits(node.shape, wanted):
            found = {node.name: node.shape for node in nodes}
            raise unavailable(self.model, f"has {found}, not {name!r} of shape {wanted}")
        return str(node.name)


def _fits(shape: list[int | str | None], wanted: list[int]) -> bool:
    return len(shape) == len(wanted) and all(
        length == want or not isinstance(length, int)
        for length, want in zip(shape, wanted, strict=True)
    )


def _name_of(file: BinaryIO, path: Path) -> str:
    """Return a name that opens this same open file if the system has one, else its path."""
    own = Path(f"/proc/self/fd/{file.fileno()}")
    return str(own if own.exists() else path)


@contextmanager
def verified(model: Weights, path: Path) -> Iterator[BinaryIO]:
    """Open the weights and verify the open file, so that a later replacement is not loaded."""
    try:
        with path.open("rb") as weights:
            size = os.fstat(weights.fileno()).st_size
            if size != model.bytes:
                raise unavailable(model, f"has {size} bytes, not {model.bytes}")
            if hashlib.file_digest(weights, "sha256").hexdigest() != model.sha256:
                raise unavailable(model, "does not have the SHA-256 of the manifest")
            yield weights
    except OSError as error:
        raise unavailable(model, f"cannot be read: {error.strerror}") from error


def unavailable(model: Weights, why: str, cause: object = None) -> ModelUnavailableError:
    """Return the error for weights that cannot be used."""
    return ModelUnavailableError(
        "The model for this subject is not available",
        reason=f"{model.file} {why}",
        private=None if cause is None else str(cause),
    )
