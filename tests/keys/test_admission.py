from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from bgremove.errors import SettingsError
from bgremove.keys.admission import Admission, admission_of
from bgremove.keys.ring import new_key
from bgremove.settings import Settings

SECRET = "0b6b2f2e-7d0e-11f0-8de9"


@pytest.fixture
def keys_file(tmp_path: Path) -> Path:
    path = tmp_path / "keys.txt"
    path.write_text(f"{new_key('a', date(2026, 11, 22), frozenset())[1]}\n")
    return path


def fault(settings: Settings) -> str:
    with pytest.raises(SettingsError) as caught:
        admission_of(settings)
    (said,) = caught.value.faults
    return said


def test_by_default_everybody_is_served_and_the_log_says_so() -> None:
    admission = admission_of(Settings())
    assert admission == Admission(None, None)
    assert admission.is_open
    assert admission.state == {}
    assert str(admission) == "no API keys are configured: everybody is served"


def test_what_is_configured_is_told(keys_file: Path) -> None:
    admission = admission_of(Settings(api_keys_file=str(keys_file), rapidapi_proxy_secret=SECRET))
    assert not admission.is_open
    assert admission.state == {"keys": "in force", "gateway": "in force"}
    assert str(admission) == "in force: 1 API keys, 1 secrets of the gateway"
    assert SECRET not in repr(admission)


def test_a_secret_in_a_file_is_read_there(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text(SECRET + "\n")
    admission = admission_of(Settings(rapidapi_proxy_secret_file=str(path)))
    assert admission.keys is None
    assert admission.gateway is not None
    assert admission.gateway.ring.name_of(SECRET.encode()) == "rapidapi"


def test_two_places_for_one_secret_are_a_fault(tmp_path: Path) -> None:
    settings = Settings(rapidapi_proxy_secret=SECRET, rapidapi_proxy_secret_file="x")
    said = "BGREMOVE_RAPIDAPI_PROXY_SECRET and BGREMOVE_RAPIDAPI_PROXY_SECRET_FILE are both set"
    assert fault(settings) == f"{said}; leave one out"


def test_a_secret_that_is_none_is_a_fault_that_does_not_show_it() -> None:
    said = fault(Settings(rapidapi_proxy_secret="tooshort"))
    assert said.startswith("BGREMOVE_RAPIDAPI_PROXY_SECRET: not a secret of 16 to 256")
    assert "tooshort" not in said


def test_a_file_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "none"
    for name in ("api_keys_file", "rapidapi_proxy_secret_file"):
        changed: dict[str, Any] = {name: str(path)}
        said = fault(Settings(**changed))
        assert said == f"BGREMOVE_{name.upper()}={path}: No such file or directory"


@pytest.mark.parametrize(
    "name", ["API_KEYS_FILE", "RAPIDAPI_PROXY_SECRET", "RAPIDAPI_PROXY_SECRET_FILE"]
)
@pytest.mark.parametrize("value", ["", "  "])
def test_set_to_nothing_is_a_fault_and_opens_no_door(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match="empty; leave it out instead"):
        Settings.from_env({f"BGREMOVE_{name}": value})


def test_the_settings_show_no_secret() -> None:
    settings = Settings.from_env({"BGREMOVE_RAPIDAPI_PROXY_SECRET": SECRET})
    assert settings.rapidapi_proxy_secret == SECRET
    assert SECRET not in repr(settings)
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({"BGREMOVE_RAPIDAPI_PROXY_SECRET": "", "BGREMOVE_PLACES": "0"})
    assert "BGREMOVE_RAPIDAPI_PROXY_SECRET: empty; leave it out instead" in caught.value.faults
