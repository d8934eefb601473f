"""What computes is chosen once and said aloud; nothing runs silently on something else."""

from pathlib import Path

import onnxruntime as ort
import pytest

from bgremove.errors import ModelUnavailableError, SettingsError
from bgremove.inference.models import Manifest
from bgremove.inference.readiness import WarmUp
from bgremove.inference.runtime import NAMES, choose_provider, provider_options
from bgremove.inference.session import Session
from bgremove.inference.sessions import Sessions
from tests.support import graphs

CPU_ONLY = ["CPUExecutionProvider"]


@pytest.mark.parametrize(
    ("available", "chosen"),
    [
        (["CPUExecutionProvider"], "cpu"),
        (["AzureExecutionProvider", "CPUExecutionProvider"], "cpu"),
        (["OpenVINOExecutionProvider", "CPUExecutionProvider"], "openvino"),
        (["TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"], "cuda"),
    ],
)
def test_by_itself_it_is_the_best_of_the_installed_build(
    monkeypatch: pytest.MonkeyPatch, available: list[str], chosen: str
) -> None:
    monkeypatch.setattr(ort, "get_available_providers", lambda: available)
    assert choose_provider("auto") == chosen
    assert choose_provider("cpu") == "cpu"


def test_a_provider_that_is_not_there_stops_the_start_and_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ort, "get_available_providers", lambda: CPU_ONLY)
    with pytest.raises(SettingsError, match="'cuda': the installed onnxruntime has only cpu"):
        choose_provider("cuda")


@pytest.mark.filterwarnings("ignore:Specified provider")
def test_a_session_that_would_run_on_another_provider_is_refused(tmp_path: Path) -> None:
    if NAMES["cuda"] in ort.get_available_providers():
        pytest.skip("this onnxruntime has CUDA")
    model = graphs.put(tmp_path, graphs.brightness())
    with pytest.raises(ModelUnavailableError) as caught:
        Session(model, tmp_path / model.file, 1, "cuda")
    assert caught.value.reason == "tiny.onnx cannot run on cuda: its libraries do not load here"


def test_readiness_says_what_computes_and_other_hardware_runs_in_float32(tmp_path: Path) -> None:
    model = graphs.put(tmp_path, graphs.brightness())
    manifest = Manifest((model,), model.name)
    sessions = Sessions(manifest, tmp_path, max_sessions=1, threads=1)
    warm_up = WarmUp(sessions)
    warm_up.run()
    assert warm_up.readiness.provider == "cpu"
    elsewhere = Sessions(manifest, tmp_path, max_sessions=1, threads=1, provider="cuda")
    assert not elsewhere.int8
    assert not elsewhere.is_precision_open


def test_openvino_computes_on_the_cpu_and_so_in_int8_with_the_threads_it_is_given(
    tmp_path: Path,
) -> None:
    model = graphs.put(tmp_path, graphs.brightness())
    manifest = Manifest((model,), model.name)
    sessions = Sessions(
        manifest, tmp_path, max_sessions=1, threads=1, precision="int8", provider="openvino"
    )
    assert sessions.int8
    options = provider_options("openvino", threads=3)
    assert options == {"device_type": "CPU", "num_of_threads": "3"}
    assert provider_options("cpu", threads=3) == {}
