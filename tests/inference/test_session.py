"""Tiny networks in real ONNX Runtime."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest

from bgremove.datatypes import ArrayF32
from bgremove.deadline import Deadline
from bgremove.errors import (
    ClientGoneError,
    DeadlineExceededError,
    ModelUnavailableError,
    UpstreamError,
)
from bgremove.inference.preprocess import to_tensor
from bgremove.inference.session import Session
from bgremove.inference.verify import answer_of, known_picture
from tests.support import graphs

SOON = Deadline.after(86_400)  # made when tests are collected: longer than any suite


def session_of(folder: Path, data: bytes, **changes: object) -> Session:
    model = graphs.put(folder, data, **changes)
    return Session(model, folder / model.file, threads=2)


def pixels(size: int = graphs.SIZE, seed: int = 1) -> ArrayF32:
    return np.random.default_rng(seed).random((1, 3, size, size), dtype=np.float32)


def expected(tensor: ArrayF32) -> ArrayF32:
    return np.asarray(1 / (1 + np.exp(-tensor.mean(axis=1)[0])), dtype=np.float32)


def refusal(make: Callable[[], object]) -> str:
    """Return why a model is refused; the client is told no more than that it is."""
    with pytest.raises(ModelUnavailableError) as caught:
        make()
    assert caught.value.message == "The model for this subject is not available"
    assert caught.value.private is not None
    return caught.value.private


def test_a_map_is_float32_of_the_networks_size_and_its_own_values(tmp_path: Path) -> None:
    tensor = pixels()
    saliency = session_of(tmp_path, graphs.brightness()).run(tensor, SOON)
    assert (saliency.shape, saliency.dtype.name) == ((graphs.SIZE, graphs.SIZE), "float32")
    np.testing.assert_allclose(saliency, expected(tensor), atol=1e-6)


def test_a_faint_map_is_not_stretched(tmp_path: Path) -> None:
    session = session_of(tmp_path, graphs.brightness())
    saliency = session.run(pixels() * 0.001 - 8, SOON)
    assert 0 < saliency.min() < saliency.max() < 0.001


def test_names_may_be_left_to_the_graph(tmp_path: Path) -> None:
    session = session_of(tmp_path, graphs.brightness(), input="", output="")
    np.testing.assert_allclose(session.run(pixels(), SOON), expected(pixels()), atol=1e-6)


def test_axes_that_a_graph_leaves_open_fit(tmp_path: Path) -> None:
    session = session_of(tmp_path, graphs.open_axes())
    np.testing.assert_allclose(session.run(pixels(), SOON), expected(pixels()), atol=1e-6)


def test_an_absent_file_is_refused(tmp_path: Path) -> None:
    model = graphs.model_of(graphs.brightness())
    why = refusal(lambda: Session(model, tmp_path / model.file, threads=1))
    assert why == "tiny.onnx cannot be read: No such file or directory"


def test_a_file_of_another_size_is_refused(tmp_path: Path) -> None:
    data = graphs.brightness()
    why = refusal(lambda: session_of(tmp_path, data[:-1], bytes=len(data)))
    assert why == f"tiny.onnx has {len(data) - 1} bytes, not {len(data)}"


def test_a_file_of_another_hash_is_refused(tmp_path: Path) -> None:
    why = refusal(lambda: session_of(tmp_path, graphs.brightness(), sha256="0" * 64))
    assert why == "tiny.onnx does not have the SHA-256 of the manifest"


@pytest.mark.parametrize("data", [b"", b"garbage" * 1000, graphs.brightness()[:-40]])
def test_what_is_no_network_is_refused(tmp_path: Path, data: bytes) -> None:
    assert "tiny.onnx does not load" in refusal(lambda: session_of(tmp_path, data))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"input": "picture"}, "not 'picture' of shape [1, 3, 32, 32]"),
        ({"output": "mask"}, "not 'mask' of shape [1, 1, 32, 32]"),
        ({"size": 64}, "has {'pixels': [1, 3, 32, 32]}, not 'pixels' of shape [1, 3, 64, 64]"),
    ],
)
def test_other_names_and_shapes_are_refused(
    tmp_path: Path, changes: dict[str, object], said: str
) -> None:
    assert said in refusal(lambda: session_of(tmp_path, graphs.brightness(), **changes))


def test_a_network_of_two_inputs_is_refused(tmp_path: Path) -> None:
    data = graphs.two_inputs()
    assert "has 2 inputs, not one" in refusal(lambda: session_of(tmp_path, data, output=""))


def test_a_map_of_nan_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UpstreamError) as caught:
        session_of(tmp_path, graphs.not_a_number()).run(pixels(), SOON)
    assert (caught.value.message, caught.value.private) == (
        "The model failed on this picture",
        "NaN in the map",
    )


def test_a_map_of_another_size_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UpstreamError, match="The model failed on this picture") as caught:
        session_of(tmp_path, graphs.shrunk()).run(pixels(), SOON)
    assert caught.value.private == "a map of shape (1, 1, 16, 16)"


def test_what_onnx_runtime_says_is_for_the_log_only(tmp_path: Path) -> None:
    session = session_of(tmp_path, graphs.brightness())
    with pytest.raises(UpstreamError) as caught:
        session.run(pixels(graphs.SIZE * 2), SOON)
    assert caught.value.message == "The model failed on this picture"
    assert "pixels" in (caught.value.private or "")


def test_the_known_picture_passes_without_a_known_answer(tmp_path: Path) -> None:
    session_of(tmp_path, graphs.brightness()).check_known_picture(SOON)


def test_the_known_picture_passes_with_its_answer(tmp_path: Path) -> None:
    model = graphs.model_of(graphs.brightness())
    answer = answer_of(expected(to_tensor(known_picture(), model)))
    session = session_of(tmp_path, graphs.brightness(), known_answer=tuple(answer.tolist()))
    session.check_known_picture(SOON)


def test_another_answer_to_the_known_picture_is_refused(tmp_path: Path) -> None:
    session = session_of(tmp_path, graphs.brightness(), known_answer=(0.0,) * 16)
    why = refusal(lambda: session.check_known_picture(SOON))
    assert "answers the known picture wrong, by 0." in why


def test_nan_for_the_known_picture_is_refused_even_without_an_answer(tmp_path: Path) -> None:
    session = session_of(tmp_path, graphs.not_a_number())
    why = refusal(lambda: session.check_known_picture(SOON))
    assert why == "tiny.onnx fails on the known picture: NaN in the map"


def test_a_map_beyond_one_for_the_known_picture_is_refused(tmp_path: Path) -> None:
    session = session_of(tmp_path, graphs.logits())
    why = refusal(lambda: session.check_known_picture(SOON))
    assert "tiny.onnx maps the known picture to [1." in why


@pytest.fixture(scope="module")
def slow_session(tmp_path_factory: pytest.TempPathFactory) -> Session:
    return session_of(tmp_path_factory.mktemp("slow"), graphs.slow(), size=graphs.SLOW_SIZE)


def test_a_run_is_cancelled_at_its_deadline_and_the_session_goes_on(slow_session: Session) -> None:
    tensor = pixels(graphs.SLOW_SIZE)
    saliency = slow_session.run(tensor, SOON)
    np.testing.assert_allclose(saliency, expected(tensor), atol=1e-5)

    # A run that reached its end would return its map.
    with pytest.raises(DeadlineExceededError) as caught:
        slow_session.run(tensor, Deadline.after(0.1))
    assert caught.value.private == "deadline passed in inference"

    np.testing.assert_array_equal(slow_session.run(tensor, SOON), saliency)


def test_a_cancelled_run_leaves_the_others_alone(slow_session: Session) -> None:
    tensor = pixels(graphs.SLOW_SIZE)
    with ThreadPoolExecutor(2) as pool:
        whole = pool.submit(slow_session.run, tensor, SOON)
        cut = pool.submit(slow_session.run, tensor, Deadline.after(0.1))
        assert isinstance(cut.exception(), DeadlineExceededError)
        np.testing.assert_allclose(whole.result(), expected(tensor), atol=1e-5)


def test_the_known_picture_has_a_deadline_too(slow_session: Session) -> None:
    with pytest.raises(DeadlineExceededError):
        slow_session.check_known_picture(Deadline.after(0.05))


def test_a_deadline_that_has_passed_runs_nothing(tmp_path: Path) -> None:
    session = session_of(tmp_path, graphs.brightness())
    with pytest.raises(DeadlineExceededError):
        session.run(pixels(), Deadline(at=time.monotonic() - 1, timeout_s=1))


def test_threads_share_a_session_without_mixing_their_maps(tmp_path: Path) -> None:
    session = session_of(tmp_path, graphs.brightness())
    tensors = [pixels(seed=seed) for seed in range(40)]
    with ThreadPoolExecutor(8) as pool:
        maps = list(pool.map(lambda tensor: session.run(tensor, SOON), tensors))
    for tensor, saliency in zip(tensors, maps, strict=True):
        np.testing.assert_allclose(saliency, expected(tensor), atol=1e-6)


def test_no_timer_outlives_its_run(tmp_path: Path) -> None:
    session = session_of(tmp_path, graphs.brightness())
    before = threading.active_count()
    for _ in range(20):
        session.run(pixels(), SOON)
    end = time.monotonic() + 60
    while threading.active_count() > before:
        assert time.monotonic() < end, threading.enumerate()
        time.sleep(0.01)


def test_nothing_is_run_for_who_has_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session = session_of(tmp_path, graphs.brightness())
    runs: list[object] = []
    monkeypatch.setattr(ort.InferenceSession, "run", lambda *given: runs.append(given))
    with pytest.raises(ClientGoneError, match="inference"):
        session.run(pixels(), Deadline.after(600, lambda: True))
    assert runs == []
