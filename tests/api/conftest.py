"""The application on weights of one step, asked through Flask's test client."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask

from bgremove import create_app
from bgremove.api.services import services_of
from bgremove.log import JsonFormatter
from bgremove.settings import Settings
from tests.support.http import FlaskDoor
from tests.support.tiny import ball, encoded, tiny_weights

LogLines = Callable[[], list[dict[str, Any]]]


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(weights_dir=tiny_weights(tmp_path_factory.mktemp("weights")))


@pytest.fixture(scope="session")
def app(settings: Settings) -> Iterator[Flask]:
    app = create_app(settings)
    yield app
    services_of(app).engine.decoders.close()


@pytest.fixture(scope="session")
def door(app: Flask) -> FlaskDoor:
    return FlaskDoor(app)


@pytest.fixture(scope="session")
def picture() -> bytes:
    return encoded(ball())


@contextmanager
def captured_log() -> Iterator[LogLines]:
    """Give what returns the lines logged in the block, parsed; `create_app` ends the capture."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    logger = logging.getLogger("bgremove")
    logger.addHandler(handler)
    try:
        yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    finally:
        logger.removeHandler(handler)


@pytest.fixture
def log_lines(app: Flask) -> Iterator[LogLines]:
    assert app
    with captured_log() as lines:
        yield lines
