"""The canary of gunicorn's internals: fails, and names what changed, when an upgrade moves them."""

from __future__ import annotations

import ast
import hashlib
import inspect
from importlib.metadata import version

import pytest
from gunicorn.workers.gthread import TConn, ThreadWorker

from bgremove.serving import worker
from bgremove.serving.gunicorn_internals import (
    CONNECTION_ATTRIBUTES,
    METHODS,
    TESTED_WITH,
    WORKER_ATTRIBUTES,
)

CHANGED = (
    f"gunicorn {version('gunicorn')} differs from {TESTED_WITH}, which the worker was written for: "
    "{}; see bgremove/serving/gunicorn_internals.py"
)


@pytest.mark.parametrize("name", METHODS)
def test_a_method_is_as_it_was_when_the_worker_was_written(name: str) -> None:
    method = getattr(ThreadWorker, name, None)
    assert method is not None, CHANGED.format(f"{name} is gone")
    digest = hashlib.sha256(inspect.getsource(method).encode()).hexdigest()
    assert digest.startswith(METHODS[name]), CHANGED.format(f"{name} has changed")


@pytest.mark.parametrize("name", [*WORKER_ATTRIBUTES, *CONNECTION_ATTRIBUTES])
def test_an_attribute_is_still_used_by_gunicorn_itself(name: str) -> None:
    source = inspect.getsource(inspect.getmodule(ThreadWorker)) + inspect.getsource(
        ThreadWorker.__mro__[1]
    )
    assert f".{name}" in source, CHANGED.format(f"{name} is gone")


def test_every_override_of_the_worker_is_on_the_list() -> None:
    tree = ast.parse(inspect.getsource(worker.Worker))
    names = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    overridden = {name for name in names if hasattr(ThreadWorker, name)}
    assert overridden <= METHODS.keys()


def test_every_attribute_of_a_connection_is_on_the_list() -> None:
    tree = ast.walk(ast.parse(inspect.getsource(worker)))
    used = {
        node.attr
        for node in tree
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "conn"
    }
    assert used <= set(CONNECTION_ATTRIBUTES)
    assert TConn
