"""The only package that imports onnxruntime."""
