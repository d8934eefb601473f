"""The clients of docs/clients, each in its own language, against a real gunicorn and network."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage

from bgremove.api.removal_description import EXAMPLES
from tests.support.http import ROOT, Server, free_port, gunicorn
from tests.support.scripted_server import Reply, scripted_server
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
NOT_FOR_USERS = ("Traceback", "Warning", "Uncaught", "    at ")  # of Python, PHP and Node.js
NAME = 'a "photo"; 1.jpg'
ON_WHITE = ("subject=product", "output_format=white_bg", "background=#ffffff")
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


def test_a_missing_library_is_named_without_a_trace() -> None:
    script = str(CLIENTS / "client.py")
    without = f"import runpy, sys; sys.modules['requests'] = None; runpy.run_path({script!r})"
    ran = subprocess.run([sys.executable, "-c", without], capture_output=True, text=True)
    assert ran.returncode == 1
    assert ran.stderr == "requests is not installed: python -m pip install requests\n"


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
    (tmp_path / NAME).write_bytes(photograph)
    address = f"http://127.0.0.1:{server.port}"
    done = run(name, tmp_path, NAME, "white.jpg", address, *ON_WHITE)
    assert (done.returncode, done.stderr) == (0, "")
    pixels = cv2.imread(str(tmp_path / "white.jpg"))
    assert pixels is not None
    assert pixels.shape == (SIDE, SIDE, 3)
    assert (pixels[:16, :16] == 255).all()
    assert not (pixels[100:150, 200:250] == 255).all()
    assert {path.name for path in tmp_path.iterdir()} == {NAME, "white.jpg"}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_client_says_what_the_server_says(server: Server, tmp_path: Path, name: str) -> None:
    (tmp_path / "photo.jpg").write_text("no picture")
    done = run(name, tmp_path, "photo.jpg", "white.jpg", f"http://127.0.0.1:{server.port}")
    assert done.returncode != 0
    assert "VALIDATION_ERROR" in done.stderr
    assert "The file is not a JPEG, PNG, BMP, WEBP or GIF picture" in done.stderr
    assert not (tmp_path / "white.jpg").exists()


def fails(name: str, folder: Path, *arguments: str) -> str:
    """Return what a client says when it fails, which must be words for its user."""
    done = run(name, folder, *arguments)
    assert done.returncode != 0
    assert not any(words in done.stdout + done.stderr for words in NOT_FOR_USERS), done
    return done.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_without_a_server_an_older_result_stays(tmp_path: Path, name: str) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"picture")
    (tmp_path / "white.jpg").write_bytes(b"older")
    address = f"http://127.0.0.1:{free_port()}"
    said = fails(name, tmp_path, "photo.jpg", "white.jpg", address)
    assert "connect" in said.lower()
    assert "older" not in said
    assert (tmp_path / "white.jpg").read_bytes() == b"older"
    assert {path.name for path in tmp_path.iterdir()} == {"photo.jpg", "white.jpg"}


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("body", ["<h1>Bad gateway</h1>", '{"error": "Bad gateway"}'])
def test_an_answer_that_is_not_the_servers_is_shown(tmp_path: Path, name: str, body: str) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"picture")
    with scripted_server(Reply(status=502, body=body.encode())) as proxy:
        said = fails(name, tmp_path, "photo.jpg", "white.jpg", proxy.url)
    assert "502" in said
    assert body in said
    assert not (tmp_path / "white.jpg").exists()


@pytest.mark.parametrize("name", COMMANDS)
def test_a_picture_that_is_not_there_is_said(tmp_path: Path, name: str) -> None:
    with scripted_server(Reply()) as server:
        said = fails(name, tmp_path, "photo.jpg", "white.jpg", server.url)
    assert re.search("no such file|failed to open|cannot be read", said, re.IGNORECASE)
    assert not (tmp_path / "white.jpg").exists()


@pytest.mark.parametrize("name", COMMANDS)
def test_a_result_that_cannot_be_written_is_said(tmp_path: Path, name: str) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"picture")
    with scripted_server(Reply(body=b"cut out")) as server:
        said = fails(name, tmp_path, "photo.jpg", "nowhere/white.jpg", server.url)
    assert re.search("nowhere/white.jpg|Failure writing output", said)


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


@pytest.mark.parametrize("name", COMMANDS)
def test_a_client_sends_what_it_is_told(
    server: Server, photograph: bytes, tmp_path: Path, name: str
) -> None:
    (tmp_path / NAME).write_bytes(photograph)
    address = f"http://127.0.0.1:{server.port}"
    assert run(name, tmp_path, NAME, "cutout.png", address).returncode == 0
    pixels = cv2.imread(str(tmp_path / "cutout.png"), cv2.IMREAD_UNCHANGED)
    assert pixels is not None
    assert pixels.shape == (SIDE, SIDE, 4)
    said = fails(name, tmp_path, NAME, "white.jpg", address, "subject=cat")
    assert "VALIDATION_ERROR" in said


def test_the_python_and_javascript_clients_can_be_imported() -> None:
    code = "import client; print(client.remove_background.__name__)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=CLIENTS, capture_output=True, text=True, check=True
    )
    assert done.stdout == "remove_background\n"
    _need("client.mjs")
    module = json.dumps(str(CLIENTS / "client.mjs"))
    code = f"import({module}).then((found) => console.log(typeof found.removeBackground))"
    done = subprocess.run(["node", "-e", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("function\n", "")
