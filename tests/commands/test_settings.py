import json

import pytest

from tests.commands.conftest import Invoke


def test_settings_prints_the_values_in_force_and_marks_those_that_are_set(
    invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BGREMOVE_TIMEOUT_S", "7.5")
    monkeypatch.setenv("BGREMOVE_RAPIDAPI_PROXY_SECRET", "sesame")
    result = invoke("settings")
    lines = [line.split() for line in result.output.splitlines()]
    assert ["*", "BGREMOVE_TIMEOUT_S", "7.5"] in lines
    assert ["BGREMOVE_PLACES", "2"] in lines
    assert "sesame" not in result.output
    assert json.loads(invoke("settings", "--json").output)["BGREMOVE_TIMEOUT_S"] == 7.5
