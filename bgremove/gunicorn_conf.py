"""gunicorn's settings: `HOST`, `PORT` and `WEB_CONCURRENCY` are read from the environment.

`bgremove serve` and `deploy/gunicorn.conf.py` use them. gunicorn runs this file at start-up and at
each reload.

The worker class extends gthread: health checks answer at once while inference runs, all threads of
a worker share one set of sessions, and slow clients do not occupy threads.

gunicorn's timeout watches the main thread of a worker, not a request. A request has the
application's deadline (BGREMOVE_TIMEOUT_S), and its worker ends where it overruns that deadline
(BGREMOVE_GRACE_S). The timeout remains for native code that never releases the GIL.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import gunicorn.util

from bgremove import log
from bgremove.api.answers import write_envelope
from bgremove.api.metrics.folder import VARIABLE, CountsFolder
from bgremove.api.services import services_of
from bgremove.errors import SettingsError, WeightsError
from bgremove.inference.manifest import keep_manifest
from bgremove.keys.admission import admission_of
from bgremove.machine import available_cpus
from bgremove.memory import return_freed_memory
from bgremove.sandbox import hide_memory
from bgremove.serving.capacity import READERS, SPARE_THREADS, connections_for
from bgremove.serving.hangs import LastWords
from bgremove.serving.spawning import survive_failed_forks
from bgremove.settings import Settings, whole_number

# Hooks store state that outlives a reload on gunicorn's arbiter and workers: hence Any.
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 -- where it exists, its files stay off disks

try:
    host = os.environ.get("HOST", "127.0.0.1").strip().removeprefix("[").removesuffix("]")
    if not host:  # gunicorn would listen on every interface
        raise SettingsError(("HOST is empty; leave it out, or set 0.0.0.0 for every interface",))
    port = whole_number(os.environ, "PORT", 8000, low=1, high=65_535)
    workers = whole_number(os.environ, "WEB_CONCURRENCY", 1, low=1, high=256)
    settings = Settings.from_env(os.environ)
    # Stored here as well, so that workers started later or by a reload know the last good state.
    admission_of(settings)
    keep_manifest(settings.weights_dir)
    # The slots and the queue of a worker, and threads for reading uploads and for health checks.
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
preload_app = False  # a session created before the fork hangs when its worker stops
forwarder_headers = ""  # a SCRIPT_NAME from a client on loopback would be trusted and cause a 500
secure_scheme_headers: dict[
    str, str
] = {}  # the scheme is not used, and contradicting headers would be a 400
limit_request_line = 4094
limit_request_fields = 100
limit_request_field_size = 8190
errorlog = "-"
logconfig_dict = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"chosen": {"()": "bgremove.log.formatter", "choice": settings.log_format}},
    "filters": {"unquoted": {"()": "bgremove.log.WithoutQuotes"}},
    "handlers": {"stdout": {"class": "bgremove.log.LossyHandler", "formatter": "chosen"}},
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
    """Protect master and workers, and make the folder for the workers' counts."""
    hide_memory()
    survive_failed_forks(server)
    server.counts = None
    if settings.metrics:
        server.counts = CountsFolder(os.environ.get(VARIABLE), worker_tmp_dir)
        os.environ[VARIABLE] = str(server.counts.path)


def pre_fork(server: Any, worker: Any) -> None:
    """Prepare the places for a worker's last message and its counts."""
    worker.last_words = LastWords()
    if server.counts is not None:
        server.counts.make()


def child_exit(server: Any, worker: Any) -> None:
    """Log the last message of an ended worker, keep its counts and drop its gauges."""
    worker.last_words.log(worker.pid)
    if server.counts is not None:
        server.counts.retire(worker.pid)


def on_exit(server: Any) -> None:
    """Remove the folder for counts."""
    if server.counts is not None:
        server.counts.remove()


def post_fork(server: Any, worker: Any) -> None:
    """Limit the growth of a worker's memory."""
    return_freed_memory()


def post_worker_init(worker: Any) -> None:
    """Verify the weights, warm the default session and start the decoders, after fork."""
    worker.last_words.listen()
    log.serves_at = f"http://{bind}"
    services = services_of(worker.wsgi)
    services.hangs.ends_process = True  # gunicorn starts another
    services.warm_up.start()
    services.engine.decoders.start()
