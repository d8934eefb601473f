"""The package as pip installs it, outside any checkout: it has its manifest, and it serves."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from tests.support.http import ROOT, file, form, gunicorn, post
from tests.support.tiny import ball, encoded, tiny_weights

SOURCES = ["setup.cfg", "pyproject.toml", "README.md", "LICENSE", "NOTICE", "bgremove", "weights"]


def run(*command: str | Path, env: dict[str, str] | None = None) -> str:
    """Run a command outside of the checkout; return what it prints."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "BGREMOVE_"))}
    done = subprocess.run(
        list(map(str, command)),
        cwd="/",
        env=inherited | (env or {}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build sdist and wheel from a copy without weights; return their folder."""
    copy, folder = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("built")
    for name in SOURCES:
        source, target = ROOT / name, copy / name
        if source.is_dir():
            ignored = shutil.ignore_patterns("*.onnx*", "*.tflite", "__pycache__", ".lock")
            shutil.copytree(source, target, symlinks=True, ignore=ignored)
        else:
            shutil.copy(source, target)
    run(sys.executable, "-m", "build", "--outdir", folder, copy)
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    (wheel,) = built.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a fresh virtual environment's Python, where the wheel is installed."""
    venv = tmp_path_factory.mktemp("venv")
    run(sys.executable, "-m", "venv", "--without-pip", venv)
    python = venv / "bin/python"
    pip: list[str | Path] = [
        sys.executable,
        "-m",
        "pip",
        "--disable-pip-version-check",
        "--python",
        python,
    ]
    run(*pip, "install", "--quiet", "--no-deps", "--no-index", wheel)
    # What it needs comes from this environment, after its own packages: as if installed there.
    (site,) = venv.glob("lib/python3*/site-packages")
    (site / "needs.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


def test_an_index_would_take_it(built: Path) -> None:
    said = run(sys.executable, "-m", "twine", "check", "--strict", *built.iterdir())
    assert said.count("PASSED") == 2


def test_its_description_reads_on_an_index(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith("/METADATA")]
        metadata = archive.read(name).decode()
    for field in (
        "Author: bgremove maintainers",
        "Project-URL: Documentation, https://",
        "Keywords:",
    ):
        assert field in metadata
    links = re.findall(r"\]\(([^)]*)\)", metadata)
    assert links
    assert [link for link in links if not link.startswith(("https://", "#"))] == []


def test_the_first_use_fetches_and_the_next_needs_no_source(python: Path, tmp_path: Path) -> None:
    mirror, folder = tmp_path / "mirror", tmp_path / "weights"
    mirror.mkdir()
    folder.mkdir()
    (tiny_weights(mirror) / "manifest.toml").rename(folder / "manifest.toml")
    photo, command = tmp_path / "photo.png", python.parent / "bgremove"
    photo.write_bytes(encoded(ball()))
    env = {"BGREMOVE_WEIGHTS_DIR": str(folder), "BGREMOVE_WEIGHTS_MIRROR": str(mirror)}
    for cutout, options in (("a.png", []), ("b.png", ["--offline"])):
        run(command, "remove", photo, "-o", tmp_path / cutout, *options, env=env)
        env = {"BGREMOVE_WEIGHTS_DIR": str(folder)}
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    said = run(
        python,
        "-c",
        f"from bgremove import remove; print(remove({str(photo)!r}).model)",
        env=env,
    )
    assert said == "tiny\n"


def test_advice_fits_an_installed_package(python: Path) -> None:
    said = run(python, "-c", "from bgremove import installation as i; print(i.pip_install('dask'))")
    assert said == "pip install 'bgremove[dask]'\n"


def test_it_brings_its_manifest_and_tables(python: Path) -> None:
    found = run(
        python,
        "-c",
        "from bgremove.inference import manifest as m; print(m.SHIPPED);"
        "forms = m.load_manifest(m.SHIPPED.parent / 'none').models;"
        "print(*[(m.SHIPPED.parent / f.int8.ranges).is_file() for f in forms if f.int8])",
    )
    shipped, tables = found.splitlines()
    assert "site-packages/bgremove/weights/manifest.toml" in shipped
    assert set(tables.split()) == {"True"}


def test_weights_have_a_place_of_the_users_and_no_checkout_is_guessed(python: Path) -> None:
    shown = run(python.parent / "bgremove", "settings", env={"HOME": "/home/somebody"})
    assert re.search("BGREMOVE_WEIGHTS_DIR +/home/somebody/.local/share/bgremove/weights", shown)


def test_it_serves_with_the_real_weights(python: Path, weights: Path, tmp_path: Path) -> None:
    """From a folder that holds what the image's does, and a folder of weights without manifest."""
    app, own = tmp_path / "app", tmp_path / "weights"
    app.mkdir()
    own.mkdir()
    for name in ("wsgi.py", "deploy/gunicorn.conf.py"):
        shutil.copy(ROOT / name, app)
    for model in ("u2net.onnx", "u2net.int8.onnx"):
        if (weights / model).is_file():
            (own / model).symlink_to((weights / model).resolve())
    settings = {"BGREMOVE_WEIGHTS_DIR": str(own), "PYTHONPATH": ""}
    with gunicorn(
        tmp_path, settings, python=python, started_in=app, config="gunicorn.conf.py"
    ) as server:
        answer = post(server.door, form(file("image", encoded(ball()))))
        assert answer.status == 200, answer
