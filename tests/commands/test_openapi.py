import json

import pytest
from click.testing import CliRunner

from bgremove.app import describe
from bgremove.cli import main
from bgremove.settings import Settings


def test_the_document_is_printed() -> None:
    result = CliRunner().invoke(main, ["openapi"])
    assert result.exit_code == 0, result.stderr
    assert result.stdout == describe(Settings()).text


def test_it_is_that_of_a_server_with_the_same_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BGREMOVE_MAX_UPLOAD_BYTES", "1000")
    document = json.loads(CliRunner().invoke(main, ["openapi"]).output)
    image = document["components"]["schemas"]["RemovalForm"]["properties"]["image"]
    assert image["maxLength"] == 1000


def test_wrong_settings_are_said_without_a_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BGREMOVE_PAGES", "maybe")
    result = CliRunner().invoke(main, ["openapi"])
    assert (result.exit_code, result.output) == (1, "Error: BGREMOVE_PAGES='maybe': not 0 or 1\n")
