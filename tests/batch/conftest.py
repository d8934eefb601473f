"""Weights of one step and a real gunicorn on them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bgremove.settings import Settings
from tests.support.http import Server, gunicorn
from tests.support.tiny import tiny_weights


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(weights_dir=tiny_weights(tmp_path_factory.mktemp("weights")))


@pytest.fixture(scope="session")
def service(
    settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Server]]:
    folder = tmp_path_factory.mktemp("gunicorn")
    with gunicorn(folder, {"BGREMOVE_WEIGHTS_DIR": str(settings.weights_dir)}) as server:
        yield f"http://127.0.0.1:{server.port}", server
