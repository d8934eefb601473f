"""The check of an engine: whether a picture can be decoded and held in memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from bgremove.deadline import Deadline
from bgremove.engine import build_engine
from bgremove.settings import Settings
from tests.support.tiny import tiny_weights

LIMITED = """
import resource, sys
from pathlib import Path
import psutil
from bgremove.deadline import Deadline
from bgremove.engine import build_engine
from bgremove.errors import UpstreamError
from bgremove.settings import Settings
engine = build_engine(Settings(weights_dir=Path(sys.argv[1])))
engine.decoders.start()
limit = psutil.Process().memory_info().vms + 100_000_000
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
try:
    engine.check(Deadline.after(60))
except UpstreamError as error:
    print(error.message)
finally:
    engine.close()
"""


def test_an_engine_with_memory_and_a_decoder_passes(tmp_path: Path) -> None:
    engine = build_engine(Settings(weights_dir=tiny_weights(tmp_path)))
    engine.check(Deadline.after(60))
    engine.close()


def test_a_limited_address_space_is_named_with_the_next_step(tmp_path: Path) -> None:
    command = [sys.executable, "-c", LIMITED, str(tiny_weights(tmp_path))]
    run = subprocess.run(command, check=True, capture_output=True, text=True)
    assert "ulimit -v" in run.stdout
