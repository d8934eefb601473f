import sys
from dataclasses import FrozenInstanceError, asdict, fields
from pathlib import Path
from typing import Any

import pytest

from bgremove.datatypes import Effort
from bgremove.errors import SettingsError
from bgremove.settings import CHECKOUT, CHOICES, PREFIX, Settings, unknown_names

sys.path.insert(0, str(CHECKOUT / "tools"))
from settings_table import markdown_table

PAGE = CHECKOUT / "docs" / "settings.md"
BEGIN, END = "<!-- settings -->\n", "<!-- /settings -->"


def read(**values: str) -> Settings:
    return Settings.from_env({PREFIX + name.upper(): value for name, value in values.items()})


def faults(**values: str) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        read(**values)
    return caught.value.faults


def test_the_defaults_are_those_of_the_contract() -> None:
    settings = Settings.from_env({})
    assert settings == Settings()
    assert settings.max_upload_bytes == 10 * 1024 * 1024
    assert settings.max_pixels == 52_000_000
    assert settings.max_side == 16_383
    assert settings.timeout_s == 20.0
    assert settings.weights_dir == CHECKOUT / "weights"
    assert settings.weights_mirror == ""
    assert settings.strict_models is False


def test_every_default_would_be_let_in() -> None:
    texts = {name: str(value) for name, value in asdict(Settings()).items()}
    for row in fields(Settings):
        if not row.metadata["blank"]:
            del texts[row.name]  # they are left out, not left empty
    texts["strict_models"] = "0"
    assert read(**texts) == Settings()


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        Settings().places = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("places", "3", 3),
        ("places", " 3 ", 3),
        ("max_pixels", "1_000_000", 1_000_000),
        ("timeout_s", "2", 2.0),
        ("timeout_s", "0.5", 0.5),
        ("timeout_s", "1e1", 10.0),
        ("strict_models", "1", True),
        ("strict_models", "TRUE", True),
        ("strict_models", "yes", True),
        ("strict_models", "0", False),
        ("strict_models", "False", False),
        ("strict_models", "no", False),
        ("weights_dir", "/srv/weights", Path("/srv/weights")),
        ("weights_mirror", "https://mirror.example/w", "https://mirror.example/w"),
        ("weights_mirror", "", ""),
        ("log_level", "DEBUG", "DEBUG"),
    ],
)
def test_a_value_is_read_as_its_type(name: str, text: str, value: object) -> None:
    got = getattr(read(**{name: text}), name)
    assert (got, type(got)) == (value, type(value))


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("places", "two", "not a whole number"),
        ("places", "", "not a whole number"),
        ("places", "1.5", "not a whole number"),
        ("places", "0", "not from 1 to 64"),
        ("places", "-1", "not from 1 to 64"),
        ("places", "65", "not from 1 to 64"),
        ("timeout_s", "soon", "not a number"),
        ("timeout_s", "0", "not from 0.05 to 600"),
        ("timeout_s", "nan", "not from 0.05 to 600"),
        ("timeout_s", "inf", "not from 0.05 to 600"),
        ("strict_models", "2", "not 0 or 1"),
        ("strict_models", "", "not 0 or 1"),
        ("weights_dir", " ", "empty"),
        ("log_level", "loud", "not one of DEBUG, INFO, WARNING, ERROR"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_wrong(name: str, text: str, why: str) -> None:
    assert faults(**{name: text}) == (f"{PREFIX}{name.upper()}={text!r}: {why}",)


def bounded() -> list[Any]:
    return [row for row in fields(Settings) if isinstance(row.default, int | float)]


@pytest.mark.parametrize(
    "row",
    [pytest.param(row, id=row.name) for row in bounded() if not isinstance(row.default, bool)],
)
def test_the_bounds_are_let_in_and_what_lies_beyond_is_not(row: Any) -> None:
    low, high = row.metadata["low"], row.metadata["high"]
    assert getattr(read(**{row.name: str(low)}), row.name) == low
    assert getattr(read(**{row.name: str(high)}), row.name) == high
    for beyond in (low - 1, high + 1):
        assert faults(**{row.name: str(beyond)})[0].endswith(f"not from {low} to {high}")


def test_all_faults_are_reported_at_once() -> None:
    found = faults(places="0", timeout_s="x", strict_models="maybe", queue="5")
    assert [fault.partition("=")[0] for fault in found] == [
        "BGREMOVE_PLACES",
        "BGREMOVE_STRICT_MODELS",
        "BGREMOVE_TIMEOUT_S",
    ]


def test_unknown_names_are_no_fault_but_are_said_with_what_may_be_meant() -> None:
    environment = {
        "BGREMOVE_TIMEOUT": "5",
        "BGREMOVE_SERVICE_HOST": "10.0.0.1",
        "BGREMOVE_PLACES": "2",
        "PATH": "/bin",
    }
    assert Settings.from_env(environment).timeout_s == 20.0
    host, timeout = unknown_names(environment)
    assert host.startswith("BGREMOVE_SERVICE_HOST: no such setting")
    assert timeout == "BGREMOVE_TIMEOUT: no such setting; did you mean BGREMOVE_TIMEOUT_S?"


def test_the_table_has_a_row_for_each_setting_and_no_path_of_this_machine() -> None:
    table = markdown_table()
    lines = table.splitlines()
    assert len(lines) == 2 + len(fields(Settings))
    assert all(line.count("|") == 5 for line in lines)
    assert all(f"| `{PREFIX}{row.name.upper()}` |" in table for row in fields(Settings))
    assert str(CHECKOUT) not in table
    assert "| `BGREMOVE_WEIGHTS_DIR` | `weights/` |" in table
    assert "| `BGREMOVE_STRICT_MODELS` | `0` |" in table
    assert "| `BGREMOVE_WEIGHTS_MIRROR` | none |" in table


def test_the_readme_has_the_table() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text.count(BEGIN) == text.count(END) == 1
    table = text.partition(BEGIN)[2].partition(END)[0]
    assert table.strip("\n") + "\n" == markdown_table(), "`make settings` prints the table"


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"effort": "quick"}, "effort='quick': not one of fast, balanced, best"),
        ({"max_pixels": "a"}, "max_pixels='a': str, not int"),
        ({"max_pixels": True}, "max_pixels=True: bool, not int"),
        ({"places": 0}, "places=0: not from 1 to 64"),
        ({"timeout_s": float("nan")}, "timeout_s=nan: not from 0.05 to 600"),
        ({"metrics": "no"}, "metrics='no': str, not bool"),
        ({"weights_dir": "weights"}, "weights_dir='weights': str, not Path"),
        (
            {"cors_origins": "x"},
            "cors_origins='x': x is not an origin such as https://shop.example",
        ),
        ({"rapidapi_proxy_secret": 3}, "rapidapi_proxy_secret: int, not str"),
    ],
)
def test_settings_made_in_code_are_checked(values: dict[str, Any], fault: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings(**values)
    assert caught.value.faults == (fault,)


def test_the_efforts_are_the_choices_of_their_setting() -> None:
    assert CHOICES["effort"] == tuple(Effort)


def test_numbers_of_code_are_taken_as_they_are() -> None:
    settings = Settings(timeout_s=7, weights_dir=Path("w"), effort="best", pages=False)
    assert settings.timeout_s == 7
