"""The real decoder, taken over by a picture: it tries an attacker's actions and reports them.

The variable WITHOUT names sandbox layers to omit, by their modules.
"""

from __future__ import annotations

import ctypes
import json
import mmap
import os
import resource
import signal
import socket
import sys
import threading
from collections.abc import Callable
from typing import Any

from bgremove import sandbox
from bgremove.errors import ImageError
from bgremove.imaging import decoder_child

WORKER = os.getppid()
PTRACE_ATTACH = 16
library = ctypes.CDLL(None, use_errno=True)


def call(name: str, *arguments: Any) -> None:
    """Call a function of the C library, as an attacker's code does."""
    if getattr(library, name)(*arguments) < 0:
        raise OSError(ctypes.get_errno(), name)


def read_file(path: str) -> None:
    with open(path, "rb") as file:
        file.read(1)


def write_memory_of_worker() -> None:
    with open(f"/proc/{WORKER}/mem", "r+b"):
        pass


def connect(*address: Any) -> None:
    kind = socket.AF_UNIX if len(address) == 1 else socket.AF_INET
    with socket.socket(kind) as sock:
        sock.settimeout(2)
        sock.connect(address[0] if len(address) == 1 else address)


def map_code() -> None:
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC).close()


def start_thread() -> None:
    thread = threading.Thread(target=int)
    thread.start()
    thread.join()


def raise_a_limit() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (16, 16))


ATTEMPTS: dict[str, Callable[[], Any]] = {
    "read a file": lambda: read_file(__file__),
    "read the worker's environment": lambda: read_file(f"/proc/{WORKER}/environ"),
    "read its own environment": lambda: read_file("/proc/self/environ"),
    "write the worker's memory": write_memory_of_worker,
    "list a folder": lambda: os.listdir("/"),
    "write a file": lambda: os.close(os.open("/tmp/owned", os.O_CREAT | os.O_WRONLY)),
    "make a file in memory": lambda: os.close(os.memfd_create("owned")),
    "run a shell": lambda: os.posix_spawn("/bin/sh", ["sh", "-c", "true"], {}),
    "fork": lambda: os.fork() or os._exit(0),
    "start a thread": start_thread,
    "connect by TCP": lambda: connect("127.0.0.1", 9),
    "connect to a socket of the system": lambda: connect("\0owned"),
    "signal the worker": lambda: os.kill(WORKER, 0),
    "stop the worker": lambda: os.kill(WORKER, signal.SIGCONT),
    "trace the worker": lambda: call("ptrace", PTRACE_ATTACH, WORKER, None, None),
    "map code": map_code,
    "make memory code": lambda: call("mprotect", ctypes.c_void_p(0), ctypes.c_size_t(0), 7),
    "raise a limit": raise_a_limit,
    "change its root": lambda: os.chroot("/"),
    "limit the worker": lambda: resource.prlimit(WORKER, resource.RLIMIT_CPU),
}


def attack(*_: Any) -> None:
    """Try all actions, and answer with those that succeeded."""
    done = []
    for name, attempt in ATTEMPTS.items():
        try:
            attempt()
        except (OSError, RuntimeError, ValueError):
            continue
        done.append(name)
    raise ImageError("taken over", private=json.dumps(done))


def main() -> None:
    for wall in os.environ.get("WITHOUT", "").split():
        getattr(sandbox, wall).lacking = lambda: "left out"
    vars(decoder_child)["decode_planes"] = attack
    decoder_child.main(int(sys.argv[1]))


if __name__ == "__main__":
    main()
