"""The clients of docs/clients, each in its own language, against a real gunicorn and network."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage

from bgremove.api.openapi.operations.removal import EXAMPLES
from tests.support.http import ROOT, Server, gunicorn
from tests.support.tiny import encoded

CLIENTS = ROOT / "docs" / "clients"
SIDE = 512
HANG_S = 120
COMMANDS = {
    "curl.sh": ["sh"],
    "client.py": [sys.executable],
    "client.mjs": ["node"],
    "client.php": ["php"],
}
NEEDS = {"curl.sh": "curl", "client.mjs": "node", "client.php": "php"}


@pytest.fixture(scope="module")
def server(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The deadline is wide, for machines that others use as well."""
    settings = {"BGREMOVE_WEIGHTS_DIR": str(weights), "BGREMOVE_TIMEOUT_S": "120"}
    with gunicorn(tmp_path_factory.mktemp("clients"), settings) as server:
        yield server


@pytest.fixture(scope="module")
def photograph() -> bytes:
    path = Path(skimage.__file__).parent / "data" / "astronaut.png"
    return encoded(np.asarray(cv2.imread(str(path)), dtype=np.uint8), ".jpg")


def run(name: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a client in a folder; skips, with the reason, where its language is not here."""
    _need(name)
    return subprocess.run(
        [*COMMANDS[name], str(CLIENTS / name), *arguments],
        cwd=folder,
        env=os.environ | {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"},
        capture_output=True,
        text=True,
        timeout=HANG_S,
        check=False,
    )


def _need(name: str) -> None:
    tool = NEEDS.get(name)
    if tool and shutil.which(tool) is None:
        pytest.skip(f"no {tool} here")
    if tool == "node":
        said = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True)
        if int(said.stdout[1:].partition(".")[0]) < 20:
            pytest.skip(f"Node.js {said.stdout.strip()} is older than 20")
    if tool == "php":
        said = subprocess.run(["php", "-m"], capture_output=True, text=True, check=True)
        if "curl" not in said.stdout.split():
            pytest.skip("PHP has no curl here")


@pytest.mark.parametrize("name", COMMANDS)
def test_a_client_gets_a_product_on_white(
    server: Server, photograph: bytes, tmp_path: Path, name: str
) -> None:
    (tmp_path / "a photo; 1.jpg").write_bytes(photograph)
    address = f"http://127.0.0.1:{server.port}"
    done = run(name, tmp_path, "a photo; 1.jpg", "white.jpg", address)
    assert (done.returncode, done.stderr) == (0, "")
    pixels = cv2.imread(str(tmp_path / "white.jpg"))
    assert pixels is not None
    assert pixels.shape == (SIDE, SIDE, 3)
    assert (pixels[:16, :16] == 255).all()
    assert not (pixels[100:150, 200:250] == 255).all()


@pytest.mark.parametrize("name", COMMANDS)
def test_a_client_says_what_the_server_says(server: Server, tmp_path: Path, name: str) -> None:
    (tmp_path / "photo.jpg").write_text("no picture")
    done = run(name, tmp_path, "photo.jpg", "white.jpg", f"http://127.0.0.1:{server.port}")
    assert done.returncode != 0
    assert "VALIDATION_ERROR" in done.stderr
    assert "The file is not a JPEG, PNG, BMP, WEBP or GIF picture" in done.stderr
    assert not (tmp_path / "white.jpg").exists()


@pytest.mark.skipif(shutil.which("newman") is None, reason="no newman here")
def test_the_postman_collection_runs(server: Server, photograph: bytes, tmp_path: Path) -> None:
    for example in EXAMPLES.values():
        (tmp_path / example["image"]).write_bytes(photograph)
    report = tmp_path / "report.json"
    done = subprocess.run(
        [
            *("newman", "run", str(CLIENTS / "postman.json"), "--working-dir", str(tmp_path)),
            *("--env-var", f"baseUrl=http://127.0.0.1:{server.port}"),
            *("--reporters", "cli,json", "--reporter-json-export", str(report)),
        ],
        capture_output=True,
        text=True,
        timeout=HANG_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    stats = json.loads(report.read_text("utf-8"))["run"]["stats"]
    assert stats["assertions"] == {"total": stats["requests"]["total"], "pending": 0, "failed": 0}
    assert stats["requests"]["total"] >= len(EXAMPLES) + 3
