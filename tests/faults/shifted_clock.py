"""gunicorn's settings as shipped, on a clock as many seconds ahead as the file FAULT_CLOCK says.

The machine's clock cannot be moved for one process, and libfaketime breaks `time.sleep` of
Python 3.11 and later. So the functions that tell the time of day are replaced, in the master and in
all that it forks; the monotonic clock runs on, as it does where an administrator sets the time.
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
