"""The application becomes ready without a request under any WSGI server."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.http import ROOT, START_S, free_port
from tests.support.tiny import tiny_weights


@pytest.mark.parametrize("options", [(), ("--preload",)])
def test_plain_gunicorn_becomes_ready_without_a_request(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    folder, log = tmp_path / "weights", tmp_path / "log"
    folder.mkdir()
    environment = os.environ | {"BGREMOVE_WEIGHTS_DIR": str(tiny_weights(folder))}
    address = f"127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", "gunicorn", "--bind", address, *options]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "bgremove:create_app()"],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=output,
        )
    try:
        end = time.monotonic() + START_S
        while '"message": "ready"' not in (text := log.read_text("utf-8")):
            assert time.monotonic() < end, text
            assert process.poll() is None, text
            time.sleep(0.05)
    finally:
        process.terminate()
        assert process.wait(START_S) == 0
    assert text.count('"message": "ready"') == 1
