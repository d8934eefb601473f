"""The undocumented parts of gunicorn that `bgremove.serving.worker` overrides or uses.

gunicorn may change them in any release; these tests compare the installed release with the list and
name the changes. After an upgrade that changes a part, read the new source, adapt the worker, run
tests/deploy, then update the digest and TESTED_WITH.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
from importlib.metadata import version

import pytest
from gunicorn.workers.gthread import TConn, ThreadWorker

from bgremove.serving import worker

TESTED_WITH = "27.0.1"
# Methods of ThreadWorker, each with the first 12 hexadecimal digits of the SHA-256 of its source.
METHODS = {
    "accept": "f8dcead3dce5",
    "enqueue_req": "c9f428953d24",
    "get_thread_pool": "003f3549a71b",
    "handle": "ca85c9be3df7",
    "handle_request": "6d0de5b91910",
    "init_process": "e4fc63a1a68e",
    "on_pending_socket_readable": "2475f7087832",
    "run": "f92c7394d857",
    "set_accept_enabled": "140150ebfd3c",
    "_keepalive_after": "4ebdbbc8bf5a",
    "murder_pending": "7bf11f464542",
}
# Attributes of ThreadWorker and of its connections (TConn).
WORKER_ATTRIBUTES = ("nr_conns", "pending_conns", "poller", "sockets", "log")
CONNECTION_ATTRIBUTES = ("sock", "parser", "timeout", "data_ready")
CHANGED = (
    f"gunicorn {version('gunicorn')} differs from {TESTED_WITH}, which the worker was written for: "
    "{}; see tests/serving/test_gunicorn_internals.py"
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
