"""Inference at request time: sessions, their options, and their input tensors."""

import os

# ONNX Runtime records telemetry of each session in the home directory. Its library also contains an
# HTTPS address of its vendor. It reads this variable at import.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
