"""The percentiles of `make bench`, which keeps its code in tools/."""

from __future__ import annotations

import sys

from tests.support.http import ROOT

sys.path.insert(0, str(ROOT / "tools"))

from bench_machine import facts
from bench_stats import percentile

__all__ = ["facts", "percentile"]
