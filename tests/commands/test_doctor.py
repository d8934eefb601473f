import json
from dataclasses import replace
from pathlib import Path

import pytest

from bgremove.doctor.machine import EXTRAS, look_at_machine
from bgremove.inference import manifest
from tests.commands.conftest import Invoke
from tests.support.tiny import tiny_weights


@pytest.fixture
def real(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BGREMOVE_WEIGHTS_DIR", str(weights))


def test_a_machine_that_serves_is_told_so(invoke: Invoke, real: None) -> None:
    result = invoke("doctor")
    assert result.exit_code == 0
    for words in (
        "of",
        "available",
        "u2net",
        "verified",
        "inference",
        "total",
        "No problems found.",
    ):
        assert words in result.output


def test_an_optional_library_is_named_where_it_lacks_and_not_as_advice(
    invoke: Invoke, real: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = look_at_machine()
    without = replace(seen, libraries=seen.libraries | dict.fromkeys(EXTRAS), nginx=None)
    monkeypatch.setattr("bgremove.commands.doctor.look_at_machine", lambda: without)
    listed, _, advice = invoke("doctor").output.partition("Advice:")
    assert "not installed; only clusters and object stores need it: pip install" in listed
    assert "not installed; only a service for other machines needs it" in listed
    assert "not installed" not in advice


def test_the_same_as_json(invoke: Invoke, real: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BGREMOVE_THREADS", "1")
    monkeypatch.setenv("BGREMOVE_PLACE", "1")
    found = json.loads(invoke("doctor", "--json").output)
    assert found["ok"] is True
    assert found["settings"]["BGREMOVE_THREADS"] == "1"
    assert found["service"]["trial"]["stages_ms"]["inference"] > 0
    assert any("did you mean BGREMOVE_PLACES?" in one["text"] for one in found["advice"])


def test_what_is_wrong_is_said_and_makes_the_exit_code(
    invoke: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BGREMOVE_WEIGHTS_DIR", str(tmp_path))
    result = invoke("doctor")
    assert result.exit_code == 1
    assert "problem: u2net: absent; run `bgremove weights`" in result.output
    assert result.output.endswith("Problems found.\n")


def test_a_damaged_file_is_for_weights_to_mend_and_a_broken_manifest_is_not(
    invoke: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BGREMOVE_WEIGHTS_DIR", str(tiny_weights(tmp_path)))
    model = tmp_path / "tiny.onnx"
    model.write_bytes(model.read_bytes()[:-1] + b"x")
    assert "of the manifest; run `bgremove weights`\n" in invoke("doctor").output
    (tmp_path / "manifest.toml").write_text("models = 1")
    manifest._last_good.clear()  # as a process that starts now
    result = invoke("doctor")
    assert "is no manifest: it has no table called models\n" in result.output
    assert "run `bgremove weights`" not in result.output


def test_keys_that_no_server_would_start_with_are_wrong(
    invoke: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BGREMOVE_API_KEYS_FILE", str(tmp_path / "none"))
    result = invoke("doctor")
    assert result.exit_code == 1
    assert f"problem: BGREMOVE_API_KEYS_FILE={tmp_path}/none: No such file" in result.output


def test_wrong_settings_are_advice_and_no_crash(
    invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BGREMOVE_PLACES", "0")
    result = invoke("doctor", "--json")
    found = json.loads(result.output)
    assert (result.exit_code, found["ok"]) == (1, False)
    assert found["advice"][0]["text"] == "BGREMOVE_PLACES='0': not from 1 to 64"
    assert found["machine"]["cores_allowed"] >= 1
