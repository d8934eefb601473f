"""Preparation of the weights before a server starts: fetch, verify, build, quantise, calibrate.

The only package that imports onnx; commands use it, requests never do.
"""

import bgremove.inference  # noqa: F401 -- turns ONNX Runtime's telemetry off before it is imported
