"""Inference at request time: sessions, their options, and the tensors they are given."""

import os

# ONNX Runtime records each session for its vendor, in the home directory and, judging by the
# address in its library, over HTTPS. The variable is read when the library is imported.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
