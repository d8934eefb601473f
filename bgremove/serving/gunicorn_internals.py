"""Undocumented parts of gunicorn that `worker` overrides or uses.

gunicorn may change them in any release. tests/serving/test_gunicorn_internals.py compares the
installed release with this list and names the changes. After an upgrade that changes a part, read
the new source, adapt `worker`, run tests/deploy, then update the digest and TESTED_WITH.
"""

from __future__ import annotations

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
