"""The only package that imports onnxruntime."""

import os

# Before that: ONNX Runtime would note each session for its makers, in the home directory and, by
# the address in its library, over HTTPS.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
