from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bgremove.doctor.service import try_service
from bgremove.inference import manifest
from bgremove.settings import Settings
from tests.support.tiny import tiny_weights


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(weights_dir=tiny_weights(tmp_path))


def test_one_picture_is_cut_out_stage_by_stage(weights: Path) -> None:
    service = try_service(Settings(weights_dir=weights))
    assert service.faults == ()
    assert service.trial is not None
    assert service.trial.model.startswith("u2net")
    assert list(service.trial.stages_ms) == [
        *("probe", "decode", "load", "preprocess", "inference", "matte", "foreground", "encode")
    ]
    assert service.trial.total_ms == pytest.approx(sum(service.trial.stages_ms.values()), abs=0.1)
    assert service.models["u2net"] == "verified"
    assert service.provider == "cpu"


def test_damaged_weights_are_a_fault(settings: Settings) -> None:
    file = settings.weights_dir / "tiny.onnx"
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    service = try_service(settings)
    assert service.trial is None
    assert "tiny: tiny.onnx has SHA-256" in service.faults[0]


@pytest.mark.parametrize("name", ["api_keys_file", "rapidapi_proxy_secret_file"])
def test_keys_that_cannot_be_read_are_a_fault_beside_the_others(
    settings: Settings, name: str
) -> None:
    file = str(settings.weights_dir / "no-keys")
    changed: dict[str, Any] = {name: file}
    service = try_service(replace(settings, **changed))
    variable = f"BGREMOVE_{name.upper()}"
    assert service.faults == (f"{variable}={file}: No such file or directory",)
    assert service.models["tiny"] == "verified"
    (settings.weights_dir / "manifest.toml").write_text("models = 1")
    manifest._last_good.clear()  # as a process that starts now
    faults = try_service(replace(settings, **changed)).faults
    assert len(faults) == 2
    assert "is no manifest" in faults[1]


def test_a_manifest_that_is_none_is_a_fault(settings: Settings) -> None:
    (settings.weights_dir / "manifest.toml").write_text("models = 1")
    assert "is no manifest" in try_service(settings).faults[0]


def test_a_provider_that_is_not_there_is_a_fault(settings: Settings) -> None:
    assert "has only cpu" in try_service(replace(settings, provider="cuda")).faults[0]


def test_a_trial_that_fails_is_a_fault(settings: Settings) -> None:
    service = try_service(replace(settings, max_pixels=1000))
    assert service.trial is None
    assert "the trial picture failed: The picture is 1,440 x 1,080" in service.faults[0]
