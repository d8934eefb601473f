"""A real nginx with the shipped configuration, moved to loopback ports and temporary folders."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.http import ANSWER_S, HOST, WireDoor
from harness.programs import ROOT, STOP_S, NotInstalledError, free_ports, running

SHIPPED = ROOT / "deploy"
Changes = Mapping[str, Mapping[str, str]]
# For tests that are not about the limits: no client is refused.
UNLIMITED: Changes = {
    "nginx/limits.conf": {"=10r/s": "=9999r/s", "=20r/s": "=9999r/s"},
    "nginx/service.conf": {
        "limit_conn bgremove_connections 20": "limit_conn bgremove_connections 999"
    },
}


@dataclass(frozen=True)
class Edge:
    """A running nginx: its ports, and the folder with its configuration and logs."""

    folder: Path
    port: int
    tls_port: int
    redirect_port: int

    @property
    def door(self) -> WireDoor:
        """A client of the site without TLS."""
        return WireDoor(self.port)

    @property
    def tls_door(self) -> WireDoor:
        """A client of the site with TLS, which checks the certificate."""
        return WireDoor(self.tls_port, context=trusting(self.folder))

    def lines(self) -> list[dict[str, Any]]:
        """Return the lines of the access log, each of which must be JSON."""
        text = (self.folder / "access.log").read_text("utf-8")
        return [json.loads(line) for line in text.splitlines()]

    def line_of(self, request_id: str) -> dict[str, Any]:
        """Return the access log's line of a request, which may follow shortly after the answer."""
        end = time.monotonic() + ANSWER_S
        while time.monotonic() < end:
            found = [line for line in self.lines() if line["requestId"] == request_id]
            if found:
                return found[0]
            time.sleep(0.02)
        raise AssertionError(f"no line with {request_id}")


def trusting(folder: Path) -> ssl.SSLContext:
    """Return a client's TLS context that trusts the certificate of ``certificate``."""
    return ssl.create_default_context(cafile=str(folder / "fullchain.pem"))


def certificate(folder: Path) -> None:
    """Create a certificate for bgremove.test that is valid for one day."""
    if shutil.which("openssl") is None:
        raise NotInstalledError("openssl is not installed; it makes the certificate")
    command = ["openssl", "req", "-x509", "-nodes", "-days", "1"]
    command += ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-subj", "/CN=bgremove.test", "-addext", "subjectAltName=DNS:bgremove.test"]
    command += ["-keyout", str(folder / "privkey.pem"), "-out", str(folder / "fullchain.pem")]
    subprocess.run(command, check=True, capture_output=True)


def program() -> str:
    """Return the path of nginx.

    Raises:
        NotInstalledError: There is none.
    """
    path = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if path is None:
        raise NotInstalledError("nginx is not installed")
    return path


def render(folder: Path, upstreams: Sequence[int] = (), changes: Changes | None = None) -> Edge:
    """Copy the shipped configuration to ``folder``, with as few changes as possible.

    Every replacement must find its text, so that these tests stay in step with the shipped files.
    ``changes`` are more replacements, by file. Missing ``upstreams`` become unused ports.
    """
    own, spare = free_ports(5), 3
    edge = Edge(folder, *own[:spare])
    first, second = (*upstreams, *own[spare:])[:2]
    replacements: dict[str, dict[str, str]] = {
        "nginx.conf": {
            "user www-data;": f"user {pwd.getpwuid(os.getuid()).pw_name};",
            "/run/nginx.pid": f"{folder}/nginx.pid",
            "/var/log/nginx/": f"{folder}/",
            "/var/lib/nginx/": f"{folder}/",
            "include nginx/site.conf;": "include nginx/site.conf; include nginx/site-plain.conf;",
        },
        "nginx/site.conf": {
            "listen 443": f"listen 127.0.0.1:{edge.tls_port}",
            "listen 80": f"listen 127.0.0.1:{edge.redirect_port}",
            "/etc/nginx/tls/": f"{folder}/",
            "/var/www/acme": f"{folder}/acme",
        },
        "nginx/site-plain.conf": {"listen 80": f"listen 127.0.0.1:{edge.port}"},
        "nginx/upstream.conf": {
            "127.0.0.1:8000": f"127.0.0.1:{first}",
            "127.0.0.1:8001": f"127.0.0.1:{second}",
        },
    }
    shutil.copytree(SHIPPED / "nginx", folder / "nginx")
    shutil.copy(SHIPPED / "nginx.conf", folder)
    for more in (replacements, changes or {}):
        for name, texts in more.items():
            _replace(folder / name, texts)
    certificate(folder)
    return edge


def _replace(path: Path, texts: Mapping[str, str]) -> None:
    text = path.read_text("utf-8")
    for old, new in texts.items():
        assert old in text, f"{path.name} has no {old!r}"
        text = text.replace(old, new)
    path.write_text(text, "utf-8")


@contextlib.contextmanager
def nginx(
    folder: Path, upstreams: Sequence[int] = (), changes: Changes | None = None
) -> Iterator[Edge]:
    """Run nginx on loopback until the block ends."""
    configuration = str(folder / "nginx.conf")
    command = [program(), "-p", str(folder), "-c", configuration, "-g", "daemon off;"]
    edge = render(folder, upstreams, changes)
    with running(command, folder / "output.log", lambda: _listens(edge.port), os.environ):
        yield edge


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError):
        socket.create_connection((HOST, port), timeout=5).close()
        return True
    return False


@contextlib.contextmanager
def broken_upstream(answer: bytes | None) -> Iterator[int]:
    """Run a faulty upstream that accepts connections and sends ``answer``, or nothing."""
    held: list[socket.socket] = []
    with socket.create_server((HOST, 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    sock = listener.accept()[0]
                except OSError:
                    return
                held.append(sock)
                if answer is not None:
                    sock.recv(65536)
                    sock.sendall(answer)
                    sock.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield int(listener.getsockname()[1])
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(STOP_S)
    for sock in held:
        sock.close()
