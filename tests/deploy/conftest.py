"""What the tests of nginx share: a gunicorn with the real weights, and nginx before it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.nginx import UNLIMITED, Edge, nginx, program
from tests.support.http import Server, gunicorn


@pytest.fixture(scope="session")
def real_server(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return gunicorn with the real weights."""
    program()  # skips before anything is started
    folder = tmp_path_factory.mktemp("gunicorn")
    with gunicorn(folder, {"BGREMOVE_WEIGHTS_DIR": str(weights)}) as server:
        yield server


@pytest.fixture(scope="session")
def edge(real_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    """Return nginx before the real server, which refuses nobody for coming often."""
    with nginx(tmp_path_factory.mktemp("nginx"), [real_server.port], UNLIMITED) as edge:
        yield edge
