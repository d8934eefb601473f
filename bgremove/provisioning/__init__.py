"""Preparation of the weights before a server starts: fetch, verify, build, quantise.

This is the only package that imports onnx. Commands use it; requests never do.
"""

import bgremove.inference  # noqa: F401 -- disables ONNX Runtime's telemetry before its import
