"""gunicorn's settings: `HOST`, `PORT` and `WEB_CONCURRENCY` are read from the environment.

`bgremove serve` and `deploy/gunicorn.conf.py` start with them; gunicorn runs this file at its start
and at each reload.

gthread, because health answers at once while inference runs, and all threads of a worker share one
set of sessions; its class is our own and keeps slow clients off the threads. The timeout watches a
worker's main thread, not a request: that has the application's deadline (BGREMOVE_TIMEOUT_S), and
ends its worker where it overruns that (BGREMOVE_GRACE_S). What is left for the timeout is native
code that never lets go of the interpreter.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import gunicorn.util

from bgremove import log
from bgremove.api.metrics.folder import VARIABLE, CountsFolder
from bgremove.api.raw import write_envelope
from bgremove.api.services import services_of
from bgremove.errors import SettingsError, WeightsError
from bgremove.inference.manifest import keep_manifest
from bgremove.keys.admission import admission_of
from bgremove.machine import available_cpus
from bgremove.memory import return_freed_memory
from bgremove.sandbox import hide_memory
from bgremove.serving.bodies import READERS, SPARE_THREADS
from bgremove.serving.descriptors import connections_for
from bgremove.serving.last_words import LastWords
from bgremove.settings import Settings, whole_number

# Hooks keep what outlives a reload in attributes of gunicorn's own arbiter and workers: hence Any.
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 -- where it exists, what is written stays off disks

try:
    host = os.environ.get("HOST", "127.0.0.1")
    port = whole_number(os.environ, "PORT", 8000, low=1, high=65_535)
    workers = whole_number(os.environ, "WEB_CONCURRENCY", 1, low=1, high=256)
    settings = Settings.from_env(os.environ)
    # Here as well: what was good stays known to the workers of a reload, and of a later moment.
    admission_of(settings)
    keep_manifest(settings.weights_dir)
    # The places and the queue of a worker, and some for reading uploads and for health.
    threads = settings.places + settings.queue + READERS + SPARE_THREADS
    worker_connections = connections_for(settings.places, threads)
except SettingsError as error:
    sys.exit("\n".join(error.faults))
except WeightsError as error:
    sys.exit(error.message)
bind = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
worker_class = "bgremove.serving.worker.Worker"
timeout = 30
graceful_timeout = 30
keepalive = 5
# A heartbeat file on a disk can block the worker; None is the folder for temporary files.
worker_tmp_dir = str(SHARED_MEMORY) if SHARED_MEMORY.is_dir() else None
control_socket_disable = True
preload_app = False  # a session made before fork hangs when its worker stops
forwarder_headers = ""  # a SCRIPT_NAME of a client on loopback would be believed, and end in a 500
secure_scheme_headers: dict[
    str, str
] = {}  # nothing asks for the scheme, and headers that disagree are a 400
limit_request_line = 4094
limit_request_fields = 100
limit_request_field_size = 8190
errorlog = "-"
logconfig_dict = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"chosen": {"()": "bgremove.log.formatter", "choice": settings.log_format}},
    "filters": {"unquoted": {"()": "bgremove.log.WithoutQuotes"}},
    "handlers": {"stdout": {"class": "bgremove.log_handler.LossyHandler", "formatter": "chosen"}},
    "root": {"level": "WARNING", "handlers": ["stdout"]},
    "loggers": {
        "gunicorn.error": {
            "level": "WARNING" if log.is_plain(settings.log_format) else "INFO",
            "handlers": ["stdout"],
            "filters": ["unquoted"],
            "propagate": False,
        }
    },
}

gunicorn.util.write_error = write_envelope

if workers > 1 and "BGREMOVE_THREADS" not in os.environ:
    raw_env = [f"BGREMOVE_THREADS={max(1, available_cpus() // workers)}"]


def on_starting(server: Any) -> None:
    """Hide the memory of master and workers, and make the folder that workers count in."""
    hide_memory()
    server.counts = None
    if settings.metrics:
        server.counts = CountsFolder(os.environ.get(VARIABLE), worker_tmp_dir)
        os.environ[VARIABLE] = str(server.counts.path)


def pre_fork(server: Any, worker: Any) -> None:
    """Give the worker somewhere to leave its last words and its counts."""
    worker.last_words = LastWords()
    if server.counts is not None:
        server.counts.make()


def child_exit(server: Any, worker: Any) -> None:
    """Log a worker's last words, and keep the counts of one that has ended, not its gauges."""
    worker.last_words.log(worker.pid)
    if server.counts is not None:
        server.counts.retire(worker.pid)


def on_exit(server: Any) -> None:
    """Leave no folder behind."""
    if server.counts is not None:
        server.counts.remove()


def post_fork(server: Any, worker: Any) -> None:
    """Keep a worker's memory flat."""
    return_freed_memory()


def post_worker_init(worker: Any) -> None:
    """Verify the weights, warm the default session and start the decoders, after fork."""
    worker.last_words.listen()
    log.serves_at = f"http://{bind}"
    services = services_of(worker.wsgi)
    services.hangs.ends_process = True  # gunicorn starts another
    services.warm_up.start()
    services.engine.decoders.start()
