import json
from pathlib import Path

import pytest

from tests.commands.conftest import Invoke


@pytest.fixture
def real(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BGREMOVE_WEIGHTS_DIR", str(weights))


def test_a_machine_that_serves_is_told_so(invoke: Invoke, real: None) -> None:
    result = invoke("doctor")
    assert result.exit_code == 0
    for words in ("of", "may be used", "u2net", "verified", "inference", "in all", "All is well."):
        assert words in result.output


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
    assert "WRONG: u2net: absent: `bgremove weights` brings it" in result.output
    assert result.output.endswith("Something is wrong.\n")


def test_wrong_settings_are_advice_and_no_crash(
    invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BGREMOVE_PLACES", "0")
    result = invoke("doctor", "--json")
    found = json.loads(result.output)
    assert (result.exit_code, found["ok"]) == (1, False)
    assert found["advice"][0]["text"] == "BGREMOVE_PLACES='0': not from 1 to 64"
    assert found["machine"]["cores_allowed"] >= 1
