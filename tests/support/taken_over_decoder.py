"""The real decoder, taken over by a picture: it tries an attacker's actions and reports them.

The variable WITHOUT names sandbox layers to omit, by their modules.
"""

from __future__ import annotations

import ctypes
import errno
import json
import mmap
import os
import platform
import resource
import signal
import socket
import sys
import threading
from collections.abc import Callable
from typing import Any

from bgremove import sandbox
from bgremove.errors import ImageError
from bgremove.imaging.decoder import child as decoder_child

WORKER = os.getppid()
PTRACE_SEIZE = 0x4206  # unlike an attachment, it does not stop the worker
NEW_USER_NAMESPACE = 0x10000000
PR_SET_DUMPABLE = 4
# Numbers of calls without a function in the C library, on x86-64 and aarch64.
NUMBERS = {
    "clone": (56, 220),
    "add_key": (248, 217),
    "bpf": (321, 280),
    "clone3": (435, 435),
    "io_uring_setup": (425, 425),
    "memfd_secret": (447, 447),
    "pidfd_getfd": (438, 438),
    "process_madvise": (440, 440),
    "sendmsg": (46, 211),
    "perf_event_open": (298, 241),
    "pidfd_open": (434, 434),
    "userfaultfd": (323, 282),
}
library = ctypes.CDLL(None, use_errno=True)


def call(name: str, *arguments: Any) -> None:
    """Call a function of the C library, as an attacker's code does."""
    if getattr(library, name)(*arguments) < 0:
        raise OSError(ctypes.get_errno(), name)


def call_number(name: str, *arguments: Any) -> int:
    """Call the kernel by number."""
    number = NUMBERS[name][platform.machine() == "aarch64"]
    result: int = library.syscall(ctypes.c_long(number), *arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), name)
    return result


def copy_memory_of_worker(name: str) -> None:
    """Ask for a copy at an address that no process has: the right is checked before it."""
    buffer = ctypes.create_string_buffer(8)
    here = (ctypes.c_size_t * 2)(ctypes.addressof(buffer), 8)
    there = (ctypes.c_size_t * 2)(8, 8)
    one = ctypes.c_ulong(1)
    try:
        call(name, WORKER, here, one, there, one, ctypes.c_ulong(0))
    except OSError as error:
        if error.errno != errno.EFAULT:
            raise


def run_from_memory() -> None:
    """Run a program that no file system holds, in a child."""
    with open("/bin/true", "rb") as program:
        content = program.read()
    memory = os.memfd_create("program")
    os.write(memory, content)
    child = os.fork()
    if not child:
        os.execve(memory, ["true"], {})
    if os.waitpid(child, 0)[1]:
        raise OSError("it did not run")


def clone_with_namespace() -> None:
    child = call_number("clone", NEW_USER_NAMESPACE | signal.SIGCHLD, None, None, None, None)
    if not child:
        os._exit(0)
    os.waitpid(child, 0)


def open_a_ring() -> None:
    """Open a queue through which the kernel would make calls that a filter does not see."""
    os.close(call_number("io_uring_setup", ctypes.c_uint(1), ctypes.create_string_buffer(120)))


def read_file(path: str) -> None:
    with open(path, "rb") as file:
        file.read(1)


def write_file() -> None:
    os.close(os.open("/tmp/owned", os.O_CREAT | os.O_WRONLY))
    os.unlink("/tmp/owned")


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


def reach(name: str, *arguments: Any) -> None:
    """Call the kernel with arguments that it refuses, after a filter has let the call pass."""
    try:
        call_number(name, *arguments)
    except OSError as error:
        if error.errno in (errno.EPERM, errno.ENOSYS):
            raise


def map_a_file() -> None:
    """Map standard error, which is /dev/null, as any file would be."""
    mmap.mmap(2, 4096, mmap.MAP_PRIVATE, mmap.PROT_READ).close()


def raise_a_limit() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (16, 16))


ATTEMPTS: dict[str, Callable[[], Any]] = {
    "read a file": lambda: read_file(__file__),
    "read the worker's environment": lambda: read_file(f"/proc/{WORKER}/environ"),
    "read its own environment": lambda: read_file("/proc/self/environ"),
    "write the worker's memory": write_memory_of_worker,
    "list a folder": lambda: os.listdir("/"),
    "write a file": write_file,
    "make a file in memory": lambda: os.close(os.memfd_create("owned")),
    "run a shell": lambda: os.posix_spawn("/bin/sh", ["sh", "-c", "true"], {}),
    "fork": lambda: os.fork() or os._exit(0),
    "start a thread": start_thread,
    "connect by TCP": lambda: connect("127.0.0.1", 9),
    "connect to a socket of the system": lambda: connect("\0owned"),
    "signal the worker": lambda: os.kill(WORKER, 0),
    "stop the worker": lambda: os.kill(WORKER, signal.SIGCONT),
    "trace the worker": lambda: call("ptrace", PTRACE_SEIZE, WORKER, None, None),
    "map code": map_code,
    "make memory code": lambda: call("mprotect", ctypes.c_void_p(0), ctypes.c_size_t(0), 7),
    "raise a limit": raise_a_limit,
    "change its root": lambda: os.chroot("/"),
    "read the worker's memory": lambda: read_file(f"/proc/{WORKER}/mem"),
    "copy from the worker's memory": lambda: copy_memory_of_worker("process_vm_readv"),
    "copy to the worker's memory": lambda: copy_memory_of_worker("process_vm_writev"),
    "hold the worker": lambda: os.close(call_number("pidfd_open", WORKER, ctypes.c_uint(0))),
    "kill every process": lambda: os.kill(-1, 0),
    "open a ring for calls": open_a_ring,
    "run a program from memory": run_from_memory,
    "make a namespace": lambda: call("unshare", NEW_USER_NAMESPACE),
    "clone into a namespace": clone_with_namespace,
    "bind a port": lambda: socket.create_server(("127.0.0.1", 0)).close(),
    "make a pair of sockets": socket.socketpair,
    "duplicate a descriptor": lambda: os.close(os.dup(0)),
    "show its memory": lambda: call("prctl", PR_SET_DUMPABLE, ctypes.c_ulong(1), 0, 0, 0),
    "load a program into the kernel": lambda: call_number("bpf", 0, bytes(64), 64),
    "watch the kernel": lambda: call_number("perf_event_open", bytes(120), 0, -1, -1, 0),
    "handle faults of memory": lambda: os.close(call_number("userfaultfd", 0)),
    "keep a secret in the kernel": lambda: call_number("add_key", b"user", b"a", b"b", 1, -2),
    "take a descriptor of the worker": lambda: os.close(
        call_number("pidfd_getfd", call_number("pidfd_open", WORKER, ctypes.c_uint(0)), 0, 0)
    ),
    "send a descriptor": lambda: reach("sendmsg", 0, None, 0),
    "map a file": map_a_file,
    "hide memory": lambda: os.close(call_number("memfd_secret", 0)),
    "clone in the newer way": lambda: reach("clone3", None, 0),
    "advise another's memory": lambda: reach("process_madvise", 0, None, 0, 0, 0),
    "become another user": lambda: os.setresuid(65534, 65534, 65534),
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
