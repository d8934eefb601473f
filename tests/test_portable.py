"""The command, the Python API and the server without what only Linux has, as on macOS."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import pytest

from tests.support.http import ROOT, START_S, WireDoor, file, form, free_port, post
from tests.support.tiny import ball, encoded, tiny_weights

WITHOUT = """
import fcntl, os, pathlib, select, socket

for module, names in {
    os: ["memfd_create", "MFD_CLOEXEC", "MFD_ALLOW_SEALING", "sched_getaffinity", "pwritev"],
    fcntl: ["F_ADD_SEALS", "F_SEAL_SHRINK", "F_SEAL_GROW", "F_SEAL_WRITE", "F_SETLEASE"],
    select: ["POLLRDHUP"],
    socket: ["SOCK_SEQPACKET"],
}.items():
    for name in names:
        delattr(module, name)


def hidden(method):
    def wrapper(path, *arguments, **named):
        if str(path).startswith(("/proc", "/sys", "/dev/shm")):
            if method.__name__ in ("exists", "is_dir", "is_file"):
                return False
            raise FileNotFoundError(2, "No such file or directory", str(path))
        return method(path, *arguments, **named)
    return wrapper


for name in ("exists", "is_dir", "is_file", "open", "read_bytes", "read_text"):
    setattr(pathlib.Path, name, hidden(getattr(pathlib.Path, name)))
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a Python whose modules lack those names, in the decoders as well."""
    venv = tmp_path_factory.mktemp("venv")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    (site,) = venv.glob("lib/python3*/site-packages")
    (site / "all.pth").write_text(f"{sysconfig.get_path('purelib')}\n{ROOT}\n")
    (site / "sitecustomize.py").write_text(WITHOUT)
    return venv / "bin/python"


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tiny_weights(tmp_path_factory.mktemp("weights"))
    return os.environ | {"BGREMOVE_WEIGHTS_DIR": str(folder)}


def run(command: list[str], environment: dict[str, str], folder: Path) -> str:
    done = subprocess.run(
        command, env=environment, cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_names_are_gone(python: Path, environment: dict[str, str], tmp_path: Path) -> None:
    code = "import os, fcntl; print(hasattr(os, 'memfd_create'), hasattr(fcntl, 'F_ADD_SEALS'))"
    assert run([str(python), "-c", code], environment, tmp_path) == "False False\n"


def test_the_command_gives_the_same_pixels(
    python: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "photo.png").write_bytes(encoded(ball()))
    for number, interpreter in enumerate((str(python), sys.executable)):
        command = [interpreter, "-m", "bgremove", "remove", "photo.png", "-o", f"{number}.png"]
        run([*command, "--offline"], environment | {"PYTHONPATH": str(ROOT)}, tmp_path)
    assert (tmp_path / "0.png").read_bytes() == (tmp_path / "1.png").read_bytes()


def test_the_python_api_and_the_doctor_run(
    python: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "photo.png").write_bytes(encoded(ball()))
    code = "from bgremove import remove; print(remove('photo.png').size)"
    assert run([str(python), "-c", code], environment, tmp_path) == "(96, 64)\n"
    said = run([str(python), "-m", "bgremove", "doctor"], environment, tmp_path)
    assert "No problems found." in said


def test_the_server_serves(python: Path, environment: dict[str, str], tmp_path: Path) -> None:
    port, log = free_port(), tmp_path / "log"
    command = [str(python), "-m", "bgremove", "serve", "--offline", "--port", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=environment, cwd=tmp_path, stdout=output, stderr=output
        )
    try:
        end = time.monotonic() + START_S
        while '"message": "ready"' not in log.read_text("utf-8"):
            assert time.monotonic() < end, log.read_text("utf-8")
            assert process.poll() is None, log.read_text("utf-8")
            time.sleep(0.05)
        assert post(WireDoor(port), form(file("image", encoded(ball())))).status == 200
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(START_S) == 0


@pytest.mark.parametrize(
    ("code", "status", "last_line"),
    [
        ("from bgremove.cli import main; main(['doctor'])", 1, ""),
        ("from bgremove import remove", 1, "ImportError: "),
        ("from bgremove import create_app", 1, "ImportError: "),
    ],
)
def test_windows_is_told_in_one_sentence(code: str, status: int, last_line: str) -> None:
    windows = "import click, sys; sys.platform = 'win32'; sys.modules['fcntl'] = None\n"
    done = subprocess.run(
        [sys.executable, "-c", windows + code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    sentence = "bgremove runs on Linux and macOS; on Windows, run it in WSL or in Docker"
    assert done.returncode == status
    assert done.stderr.splitlines()[-1] == last_line + sentence
    assert last_line or len(done.stderr.splitlines()) == 1
