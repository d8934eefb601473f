"""Every command of the README runs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import pytest
from PIL import Image
from skimage import data

from tests.support.http import ROOT, Server, gunicorn
from tests.support.tiny import encoded

README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = dict(re.findall(r"^## ([^\n]+)\n(?:(?!^## ).)*?^```sh\n(.*?)^```", README, re.M | re.S))
RUN_BY_CI = {"Start"}  # make run, make test
LIMIT_S = 90
# A store and a cluster on this machine.
CLUSTER = {
    "s3://shop/photos": "photos",
    "s3://shop/cutouts": "clustered",
    "--scheduler tcp://head:8786": "--jobs 1",
}


@pytest.fixture(scope="module")
def real(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("gunicorn")
    with gunicorn(folder, {"BGREMOVE_WEIGHTS_DIR": str(weights)}) as server:
        yield server


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """Return a folder as the README assumes it: a photograph, folders, and the command."""
    for folder in ("photos/summer", "incoming", ".venv/bin"):
        (tmp_path / folder).mkdir(parents=True)
    photograph = cv2.cvtColor(data.astronaut(), cv2.COLOR_RGB2BGR)  # a person, as `human` wants
    for name in ("photo.jpg", "photos/one.jpg", "photos/summer/two.jpg", "incoming/three.jpg"):
        (tmp_path / name).write_bytes(encoded(photograph, ".jpg"))
    command = tmp_path / ".venv/bin/bgremove"
    command.write_text(
        f"#!/bin/sh\nexec {sys.executable} -c 'from bgremove.cli import main; main()' \"$@\"\n"
    )
    command.chmod(0o755)
    command.with_name("activate").write_text(f"PATH={command.parent}:$PATH\n")
    return tmp_path


def run(script: str, desk: Path, port: int) -> None:
    """Run a block with ``set -e``, against the server that is there."""
    for address in ("127.0.0.1:8000", "a:8000", "b:8000"):
        script = script.replace(f"http://{address}", f"http://127.0.0.1:{port}")
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        ["sh", "-ec", script], cwd=desk, env=env, capture_output=True, timeout=LIMIT_S, check=False
    )
    assert done.returncode == 0, done.stderr.decode()


def kind(path: Path) -> tuple[str | None, str]:
    with Image.open(path) as picture:
        picture.load()
        return picture.format, picture.mode


def test_no_block_is_left_out() -> None:
    assert README.count("```sh\n") == len(BLOCKS)
    assert BLOCKS.keys() == RUN_BY_CI | {"Use", "Keys", "Command line"}


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
def test_the_requests_give_what_they_say(desk: Path, real: Server) -> None:
    run(BLOCKS["Use"], desk, real.port)
    assert kind(desk / "cutout.png") == ("PNG", "RGBA")
    assert kind(desk / "white.jpg") == ("JPEG", "RGB")
    assert kind(desk / "white.png") == ("PNG", "RGB")
    assert kind(desk / "crop.png") == ("PNG", "RGBA")
    assert kind(desk / "mask.png") == ("PNG", "L")


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
def test_keys_are_made_and_revoked(desk: Path, real: Server) -> None:
    run(BLOCKS["Keys"].replace("make run\n", ""), desk, real.port)
    assert "Acme" not in (desk / "keys.txt").read_text("utf-8")
    assert kind(desk / "cutout.png") == ("PNG", "RGBA")


def test_the_command_line_does_what_it_says(desk: Path, real: Server, weights: Path) -> None:
    watch = re.compile(r"^(bgremove remove --watch [^#\n]*)", re.M)
    block = watch.sub(r"timeout -s INT 6 \1 || [ $? -ge 124 ] ", BLOCKS["Command line"])
    for there, here in CLUSTER.items():
        assert there in block
        block = block.replace(there, here)
    run(f"export BGREMOVE_WEIGHTS_DIR={weights}\n{block}", desk, real.port)
    assert kind(desk / "white.jpg") == ("JPEG", "RGB")
    cutouts = ("cutouts/one.png", "cutouts/summer/two.png", "cutouts/three.png")
    for made in ("cutout.png", *cutouts, "clustered/one.png", "clustered/summer/two.png"):
        assert kind(desk / made) == ("PNG", "RGBA")
