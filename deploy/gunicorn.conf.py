"""gunicorn's settings: `HOST`, `PORT` and `WEB_CONCURRENCY` are read from the environment.

gthread, because health answers at once while inference runs, and all threads of a worker share one
set of sessions; its class is our own and keeps slow clients off the threads. The timeout watches a
worker's main thread, not a request: that has the application's deadline (BGREMOVE_TIMEOUT_S), and
ends its worker where it overruns that (BGREMOVE_GRACE_S). What is left for the timeout is native
code that never lets go of the interpreter.
"""

import os
import sys
from importlib import import_module

import gunicorn.util

from bgremove.api.metrics.folder import VARIABLE, CountsFolder
from bgremove.api.raw import write_envelope
from bgremove.api.services import services_of
from bgremove.errors import SettingsError, WeightsError
from bgremove.inference.manifest import load_manifest
from bgremove.keys.admission import admission_of
from bgremove.machine import available_cpus
from bgremove.memory import return_freed_memory
from bgremove.serving.bodies import READERS, SPARE_THREADS
from bgremove.serving.descriptors import connections_for
from bgremove.serving.last_words import LastWords
from bgremove.settings import Settings

bind = f"{os.environ.get('HOST', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
try:
    settings = Settings.from_env(os.environ)
    # Here as well: what was good stays known to the workers of a reload, and of a later moment.
    admission_of(settings)
    load_manifest(settings.weights_dir)
    # The places and the queue of a worker, and some for reading uploads and for health.
    threads = settings.places + settings.queue + READERS + SPARE_THREADS
    worker_connections = connections_for(settings.places, threads)
except SettingsError as error:
    sys.exit("\n".join(error.faults))
except WeightsError as error:
    sys.exit(error.message)
workers = int(os.environ.get("WEB_CONCURRENCY", "1"))
worker_class = "bgremove.serving.worker.Worker"
timeout = 30
graceful_timeout = 30
keepalive = 5
worker_tmp_dir = "/dev/shm"  # noqa: S108 -- a heartbeat file on a disk can block the worker
control_socket_disable = True
preload_app = False  # a session made before fork hangs when its worker stops
forwarder_headers = ""  # a SCRIPT_NAME of a client on loopback would be believed, and end in a 500
secure_scheme_headers = {}  # nothing asks for the scheme, and headers that disagree are a 400
limit_request_line = 4094
limit_request_fields = 100
limit_request_field_size = 8190
errorlog = "-"
logconfig_dict = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "bgremove.log.JsonFormatter"}},
    "filters": {"unquoted": {"()": "bgremove.log.WithoutQuotes"}},
    "handlers": {"stdout": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"level": "WARNING", "handlers": ["stdout"]},
    "loggers": {
        "gunicorn.error": {
            "level": "INFO",
            "handlers": ["stdout"],
            "filters": ["unquoted"],
            "propagate": False,
        }
    },
}

gunicorn.util.write_error = write_envelope

if workers > 1 and "BGREMOVE_THREADS" not in os.environ:
    raw_env = [f"BGREMOVE_THREADS={max(1, available_cpus() // workers)}"]


def on_starting(server):
    """Make the folder that workers count in: once, in the master, where a reload leaves it be."""
    server.counts = None
    if settings.metrics:
        server.counts = CountsFolder(os.environ.get(VARIABLE), worker_tmp_dir)
        os.environ[VARIABLE] = str(server.counts.path)


def pre_fork(server, worker):
    """Give the worker somewhere to leave its last words and its counts."""
    worker.last_words = LastWords()
    if server.counts is not None:
        server.counts.make()


def child_exit(server, worker):
    """Log a worker's last words, and keep the counts of one that has ended, not its gauges."""
    worker.last_words.log(worker.pid)
    if server.counts is not None:
        server.counts.retire(worker.pid)


def on_exit(server):
    """Leave no folder behind."""
    if server.counts is not None:
        server.counts.remove()


def post_fork(server, worker):
    """Keep a worker's memory flat."""
    return_freed_memory()


def post_worker_init(worker):
    """Verify the weights, warm the default session and start the decoders, after fork."""
    worker.last_words.listen()
    services = services_of(import_module("wsgi").app)
    services.hangs.ends_process = True  # gunicorn starts another
    services.warm_up.start()
    services.engine.decoders.start()
