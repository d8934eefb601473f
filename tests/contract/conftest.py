"""Every contract test asks twice: through Flask's test client, and through a real gunicorn."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bgremove import create_app
from bgremove.api.services import services_of
from bgremove.settings import Settings
from tests.support.http import Door, FlaskDoor, Server, gunicorn
from tests.support.tiny import ball, encoded, tiny_weights


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_weights(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="session")
def server(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("gunicorn")
    with gunicorn(folder, {"BGREMOVE_WEIGHTS_DIR": str(tiny)}) as server:
        yield server


@pytest.fixture(scope="session")
def flask_door(tiny: Path) -> Iterator[FlaskDoor]:
    app = create_app(Settings(weights_dir=tiny))
    services_of(app).warm_up.run()
    yield FlaskDoor(app)
    services_of(app).engine.decoders.close()


@pytest.fixture(params=["flask", "gunicorn"])
def door(request: pytest.FixtureRequest) -> Door:
    if request.param == "flask":
        flask_door: FlaskDoor = request.getfixturevalue("flask_door")
        return flask_door
    server: Server = request.getfixturevalue("server")
    return server.door


@pytest.fixture(scope="session")
def picture() -> bytes:
    return encoded(ball())
