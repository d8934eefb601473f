"""Every command of the README and of docs/ runs, here or where the list below says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from bgremove.matting.confidence import WARN_BELOW
from tests.provisioning.file_server import FileServer
from tests.support.http import ROOT, Server, gunicorn
from tests.support.tiny import ball, encoded

PAGES = {
    str(path.relative_to(ROOT)): path.read_text("utf-8")
    for path in (ROOT / "README.md", *ROOT.glob("docs/*.md"))
}
BLOCKS = {
    (name, number): block
    for name, text in PAGES.items()
    for number, block in enumerate(re.findall(r"^```sh\n(.*?)^```", text, re.M | re.S))
}
RUN_HERE = {
    *(("README.md", number) for number in (3, 4)),
    ("docs/http.md", 0),
    ("docs/keys.md", 0),
    ("docs/command.md", 0),
    *(("docs/migrating.md", number) for number in (0, 1)),
}
RUN_ELSEWHERE = {
    ("README.md", 0): "tests/deploy/test_package.py installs the wheel and uses the command",
    ("README.md", 1): "CI runs make on a machine with nothing installed",
    ("README.md", 2): "needs a container engine",
    ("docs/browser.md", 0): "tests/browser asks from another origin",
    ("docs/batch.md", 0): "tests/batch/test_plan.py plans batches in stores of fsspec",
    ("docs/batch.md", 1): "tests/batch/test_cluster.py starts a cluster",
    ("docs/batch.md", 2): "for the start file of a shell",
    **{
        ("docs/deployment.md", n): "changes a machine's /etc; tests/deploy runs the parts"
        for n in range(8)
    },
}
LIMIT_S = 240
# A store and a cluster on this machine.
CLUSTER = {
    "s3://shop/photos": "photos",
    "s3://shop/cutouts": "clustered",
    "--scheduler tcp://head:8786": "--jobs 1",
}


# The pages that state when a cut-out is probably wrong.
WARNED = {f"docs/{page}.md" for page in ("batch", "command", "http", "page", "troubleshooting")}


def test_the_pages_state_the_confidence_from_which_bgremove_warns() -> None:
    stated = {
        (page, float(below))
        for page, text in PAGES.items()
        for line in text.splitlines()
        if re.search("probably wrong|low-confidence", line, re.IGNORECASE)
        for below in re.findall(r"below (\.\d+)", line)
    }
    assert stated == {(page, WARN_BELOW) for page in WARNED}


@pytest.fixture(scope="module")
def real(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("gunicorn")
    settings = {"BGREMOVE_WEIGHTS_DIR": str(weights), "BGREMOVE_TIMEOUT_S": "120"}
    settings["BGREMOVE_EFFORT"] = "fast"  # one network: the pages are not about the cut-outs
    with gunicorn(folder, settings) as server:
        yield server


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """Return a folder as the README assumes it: a photograph, folders, and the command."""
    for folder in ("photos/summer", "incoming", ".venv/bin"):
        (tmp_path / folder).mkdir(parents=True)
    tinted = ball(320, 240)
    tinted[..., 0] //= 2  # coloured: a gray picture's answers have one channel
    for name in ("photo.jpg", "photos/one.jpg", "photos/summer/two.jpg", "incoming/three.jpg"):
        (tmp_path / name).write_bytes(encoded(tinted, ".jpg"))
    shutil.copy(ROOT / "bgremove/pages/example-astronaut.jpg", tmp_path / "person.jpg")
    command = tmp_path / ".venv/bin/bgremove"
    command.write_text(
        f"#!/bin/sh\nexec {sys.executable} -c 'from bgremove.cli import main; main()' \"$@\"\n"
    )
    command.chmod(0o755)
    command.with_name("activate").write_text(f"PATH={command.parent}:$PATH\n")
    return tmp_path


def run(script: str, desk: Path, port: int) -> None:
    """Run a block with ``set -e``, against the server that is there."""
    for address in ("127.0.0.1:8000", "host:8000"):
        script = script.replace(f"http://{address}", f"http://127.0.0.1:{port}")
    path = f"{desk / '.venv/bin'}:{os.environ['PATH']}"
    env = os.environ | {"PYTHONPATH": str(ROOT), "PATH": path}
    done = subprocess.run(
        ["sh", "-ec", script], cwd=desk, env=env, capture_output=True, timeout=LIMIT_S, check=False
    )
    assert done.returncode == 0, done.stderr.decode()


def kind(path: Path) -> tuple[str | None, str]:
    with Image.open(path) as picture:
        picture.load()
        return picture.format, picture.mode


def test_no_block_is_left_out() -> None:
    assert BLOCKS.keys() == RUN_HERE | RUN_ELSEWHERE.keys()
    for name, text in PAGES.items():
        assert text.count("```sh\n") == len([block for block in BLOCKS if block[0] == name])


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
def test_the_readme_does_what_it_says(
    desk: Path, real: Server, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(BLOCKS["README.md", 3], desk, real.port)
    assert kind(desk / "white.jpg") == ("JPEG", "RGB")
    here = f"export BGREMOVE_WEIGHTS_DIR={weights} BGREMOVE_EFFORT=fast\n"
    run(here + BLOCKS["README.md", 4], desk, real.port)
    assert kind(desk / "cutouts" / "one.png") == ("PNG", "RGBA")
    (python,) = re.findall(r"^```python\n(.*?)^```", PAGES["README.md"], re.M | re.S)
    run(f"{here}{sys.executable} - <<'EOF'\n{python}EOF\n", desk, real.port)
    assert kind(desk / "cutout.png") == ("PNG", "RGBA")


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
def test_the_requests_give_what_they_say(desk: Path, real: Server) -> None:
    run(BLOCKS["docs/http.md", 0], desk, real.port)
    assert kind(desk / "cutout.png") == ("PNG", "RGBA")
    assert kind(desk / "white.jpg") == ("JPEG", "RGB")
    assert kind(desk / "white.png") == ("PNG", "RGB")
    assert kind(desk / "crop.png") == ("PNG", "RGBA")
    assert kind(desk / "mask.png") == ("PNG", "L")


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
def test_who_comes_from_elsewhere_gets_what_they_had(desk: Path, real: Server) -> None:
    for number in (0, 1):
        run(BLOCKS["docs/migrating.md", number], desk, real.port)
    assert kind(desk / "cutout.png") == ("PNG", "RGBA")
    assert kind(desk / "mask.png") == ("PNG", "L")


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
def test_keys_are_made_and_revoked(desk: Path, real: Server) -> None:
    run(BLOCKS["docs/keys.md", 0].replace("bgremove serve\n", ""), desk, real.port)
    assert "Acme" not in (desk / "keys.txt").read_text("utf-8")
    assert kind(desk / "cutout.png") == ("PNG", "RGBA")


def test_the_command_line_does_what_it_says(desk: Path, server: Server, tiny: Path) -> None:
    """Use networks of one step: each of a dozen commands would load the real ones."""
    watch = re.compile(r"^(bgremove remove --watch [^#\n]*).*$", re.M)
    until_done = (
        r"\1 & until [ -f cutouts/three.png ]; do sleep 0.2; done;"
        r" kill $!; wait $! || [ $? -ge 124 ]"
    )
    block = watch.sub(until_done, BLOCKS["docs/command.md", 0])
    for there, here in CLUSTER.items():
        assert there in block
        block = block.replace(there, here)
    with FileServer() as shop:
        shop.files["/mug.jpg"] = (desk / "photo.jpg").read_bytes()
        block = block.replace("https://shop.example/mug.jpg", shop.url("/mug.jpg"))
        run(f"export BGREMOVE_WEIGHTS_DIR={tiny}\n{block}", desk, server.port)
    assert kind(desk / "white.jpg") == ("JPEG", "RGB")
    cutouts = ("cutouts/one.png", "cutouts/summer/two.png", "cutouts/three.png")
    made = ("photo.cutout.png", "cutout.png", "mug.png", *cutouts)
    for name in (*made, "served/one.png", "clustered/one.png", "clustered/summer/two.png"):
        assert kind(desk / name) == ("PNG", "RGBA")


def test_every_link_leads_somewhere() -> None:
    home = "https://github.com/bgremove/bgremove/blob/main/"
    raw = "https://raw.githubusercontent.com/bgremove/bgremove/main/"
    for name, text in PAGES.items():
        folder = (ROOT / name).parent
        for link in re.findall(r"\]\(([^)\s]+)\)", text):
            path = link.partition("#")[0]
            if path.startswith((home, raw)):
                assert (ROOT / path.removeprefix(home).removeprefix(raw)).exists(), (name, link)
            elif path and not path.startswith("http"):
                assert (folder / path).exists(), (name, link)
