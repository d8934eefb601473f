"""Weights of one step in the environment, pictures for them, and the command run as people do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bgremove.cli import main
from bgremove.remover import engines
from tests.support.tiny import ball, encoded, tiny_weights

Invoke = Callable[..., Result]


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_weights(tmp_path_factory.mktemp("weights"))


@pytest.fixture
def invoke(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Invoke]:
    """Return what runs the command line with these arguments, and with ``input`` as its input."""
    monkeypatch.setenv("BGREMOVE_WEIGHTS_DIR", str(tiny))

    def run(*arguments: str | Path, stdin: bytes = b"") -> Result:
        return CliRunner().invoke(main, [str(argument) for argument in arguments], input=stdin)

    yield run
    assert engines._engines == {}  # every command closes what it opened


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Return a folder with three pictures, one of them in a folder of its own."""
    folder = tmp_path / "photos"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.jpg").write_bytes(encoded(ball(), ".jpg"))
    (folder / "b.png").write_bytes(encoded(ball()))
    (folder / "sub" / "c.bmp").write_bytes(encoded(ball(), ".bmp"))
    return folder
