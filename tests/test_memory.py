"""Freed pictures go back to the system, whatever small things lie between them."""

import subprocess
import sys

PROGRAM = """
import sys
import numpy as np
from bgremove.memory import return_freed_memory

def resident_mb():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * 4096 / 1e6

if sys.argv[1] == "fixed":
    assert return_freed_memory()
kept, before = [], resident_mb()
for _ in range(6):
    pictures = []
    for _ in range(10):
        pictures.append(np.ones(8 << 20, np.uint8))
        kept.append(bytes(100_000))
    del pictures
print(resident_mb() - before - sum(map(len, kept)) / 1e6)
"""


def left_mb(how: str) -> float:
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, how], check=True, capture_output=True, text=True
    )
    return float(run.stdout)


def test_a_worker_keeps_nothing_of_freed_pictures() -> None:
    assert left_mb("fixed") < 16
    assert left_mb("as it comes") > left_mb("fixed") + 16
