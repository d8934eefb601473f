"""A log that nobody reads: pictures are answered, and lines are counted instead of written."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from tests.support.http import file, form, gunicorn, post
from tests.support.tiny import ball, encoded, tiny_weights

GOOD = form(file("image", encoded(ball())))


def test_a_log_that_nobody_reads_holds_no_picture_up(tmp_path: Path) -> None:
    weights = tmp_path / "weights"
    weights.mkdir()
    os.mkfifo(tmp_path / "gunicorn.log")  # the server's standard output and error
    reading = os.open(tmp_path / "gunicorn.log", os.O_RDONLY | os.O_NONBLOCK)
    fcntl.fcntl(reading, fcntl.F_SETPIPE_SZ, 4096)
    try:
        with gunicorn(tmp_path, {"BGREMOVE_WEIGHTS_DIR": str(tiny_weights(weights))}) as server:
            for _ in range(60):  # far more lines than the pipe takes
                assert post(server.door, GOOD).status == 200
            os.read(reading, 1 << 16)
            assert post(server.door, GOOD).status == 200
            assert b"log lines were dropped" in os.read(reading, 1 << 16)
            assert server.stop() == 0
    finally:
        os.close(reading)
