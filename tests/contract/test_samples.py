"""The examples of the page /docs run as they stand, against a real server and network."""

from __future__ import annotations

import html
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from bgremove.api.pages import FOLDER
from tests.support.http import ROOT, Server, gunicorn

PANEL = re.compile(r'<pre role="tabpanel" id="(\w+)".*?><code>(.*?)</code></pre>', re.S)
SAMPLES = {
    language: html.unescape(code)
    for language, code in PANEL.findall((FOLDER / "docs.html").read_text("utf-8"))
}
WRITTEN = "http://127.0.0.1:8000"
COMMANDS = {
    "curl": ["sh", "-e", "sample"],
    "python": [sys.executable, "sample"],
    "javascript": ["node", "sample.mjs"],
    "php": ["php", "sample"],
}
HANG_S = 120


@pytest.fixture(scope="module")
def server(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    settings = {"BGREMOVE_WEIGHTS_DIR": str(weights), "BGREMOVE_TIMEOUT_S": "120"}
    with gunicorn(tmp_path_factory.mktemp("samples"), settings) as server:
        yield server


def run(language: str, folder: Path, server: Server) -> subprocess.CompletedProcess[str]:
    """Run an example with this server's address; skips where its language is not installed."""
    *_, name = command = COMMANDS[language]
    tool = "curl" if language == "curl" else command[0]
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed here")
    (folder / name).write_text(
        SAMPLES[language].replace(WRITTEN, f"http://127.0.0.1:{server.port}")
    )
    return subprocess.run(
        command,
        cwd=folder,
        env=os.environ | {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"},
        capture_output=True,
        text=True,
        timeout=HANG_S,
        check=False,
    )


def test_every_language_has_a_sample() -> None:
    assert SAMPLES.keys() == COMMANDS.keys()
    for code in SAMPLES.values():
        assert code.count(WRITTEN) == 1


@pytest.mark.parametrize("language", COMMANDS)
def test_a_sample_gives_a_product_on_white(language: str, server: Server, tmp_path: Path) -> None:
    shutil.copy(ROOT / "bgremove/pages/example-coffee.jpg", tmp_path / "photo.jpg")
    done = run(language, tmp_path, server)
    assert done.returncode == 0, done.stderr
    with Image.open(tmp_path / "white.jpg") as picture:
        assert (picture.format, picture.mode, picture.size) == ("JPEG", "RGB", (600, 400))
        assert picture.getpixel((2, 2)) == (255, 255, 255)


@pytest.mark.parametrize("language", COMMANDS)
def test_a_sample_shows_the_message_of_an_error(
    language: str, server: Server, tmp_path: Path
) -> None:
    (tmp_path / "photo.jpg").write_text("no picture")
    done = run(language, tmp_path, server)
    shown = done.stdout + done.stderr
    if language == "curl":  # the error is in the file
        shown += (tmp_path / "white.jpg").read_text("utf-8")
    assert "The file is not a JPEG, PNG, BMP, WEBP or GIF picture" in shown
    assert done.returncode != 0


def test_the_php_sample_closes_what_it_opens() -> None:
    """Check brackets and quotes where PHP itself is not installed."""
    code = re.sub(r"'[^'\n]*'", "", SAMPLES["php"])
    assert code.startswith("<?php\n")
    assert "'" not in code
    for opening, closing in ("()", "[]", "{}"):
        assert code.count(opening) == code.count(closing)
