"""gunicorn's settings as shipped, with a clock shifted by the seconds in the file at FAULT_CLOCK.

The machine's clock cannot be moved for one process, and libfaketime breaks `time.sleep` of
Python 3.11 and later. This module replaces the functions that return the time of day, in the
master and the processes it forks. The monotonic clock is unchanged, as when an administrator sets
the time.
"""

import os
import time
from pathlib import Path

CLOCK = Path(os.environ["FAULT_CLOCK"])
SHIPPED = Path("deploy/gunicorn.conf.py")
_time, _time_ns = time.time, time.time_ns

time.time = lambda: _time() + int(CLOCK.read_text("ascii"))
time.time_ns = lambda: _time_ns() + int(CLOCK.read_text("ascii")) * 1_000_000_000

exec(compile(SHIPPED.read_text("utf-8"), str(SHIPPED), "exec"))
