"""Run the steps of deploy/Dockerfile where there is no container engine, then ask what they made.

    python tools/image_check.py [--mounted weights]     (as root, for it mounts)

Each stage is an overlay on this machine, which stands in for the base image: it must have Python
3.11 and npm. Nothing outside the scratch folder changes. What stays unknown is what the base image
lacks: the shared libraries that it must have are listed at the end.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PORT = "18123"
START_S = 120.0
BASE = "python:"
SCRATCH = "/dev/shm"  # noqa: S108 -- of another file system than /, which overlays may not contain
FLAG = re.compile(r"--(\w+)=(\S+)\s+")


@dataclass
class Stage:
    """A stage: its layers, newest first, and what later steps inherit."""

    layers: list[Path]
    env: dict[str, str] = field(default_factory=dict)
    folder: str = "/"
    user: str = "0:0"
    command: list[str] = field(default_factory=list)


class Build:
    """What docker build does with the instructions that deploy/Dockerfile has."""

    def __init__(self, scratch: Path, arguments: dict[str, str]) -> None:
        self.scratch = scratch
        self.arguments = arguments
        self.stages: dict[str, Stage] = {}
        self.current = Stage([])

    def run(self, text: str, target: str) -> Stage:
        """Take every step of the stages that ``target`` is made of; return that stage."""
        steps = list(_steps(text))
        wanted = self._wanted(steps, target)
        name = ""
        for word, rest in steps:
            if word == "FROM":
                name = rest.split()[-1]
            if word == "ARG" or not name or name in wanted:
                print(f"--- {word} {rest[:100]}", flush=True)
                getattr(self, f"_{word.lower()}")(rest)
        return self.stages[target]

    def _wanted(self, steps: list[tuple[str, str]], target: str) -> set[str]:
        needs: dict[str, set[str]] = {}
        arguments = dict(rest.partition("=")[::2] for word, rest in steps if word == "ARG")
        name = ""
        for word, rest in steps:
            if word == "FROM":
                parent, _, name = self._filled(rest, arguments | self.arguments).split()
                needs[name] = {parent}
            elif word == "COPY" and (source := dict(FLAG.findall(rest)).get("from")):
                needs[name].add(source)
        wanted, waiting = set(), [target]
        while waiting:
            stage = waiting.pop()
            wanted.add(stage)
            waiting += needs.get(stage, set())
        return wanted

    def _filled(self, text: str, names: dict[str, str]) -> str:
        return re.sub(r"\$\{(\w+)\}|\$(\w+)", lambda m: names.get(m[1] or m[2], ""), text)

    def _arg(self, rest: str) -> None:
        name, _, default = rest.partition("=")
        value = self.arguments.get(name, default.strip('"'))
        self.arguments[name] = value
        self.current.env[name] = value

    def _from(self, rest: str) -> None:
        parent, _, name = self._filled(rest, self.arguments).split()
        layer = self.scratch / name
        layer.mkdir()
        if parent.startswith(
            BASE
        ):  # Python may lie in root's home, which the image's user must read
            (layer / "root").mkdir(mode=0o755)
        below = Stage([]) if parent.startswith(BASE) else self.stages[parent]
        self.current = Stage([layer, *below.layers], dict(below.env), below.folder, below.user)
        self.stages[name] = self.current

    def _env(self, rest: str) -> None:
        inherited = {"PATH": os.environ["PATH"]} | self.current.env
        for pair in shlex.split(rest):
            name, _, value = pair.partition("=")
            self.current.env[name] = self._filled(value, inherited)

    def _workdir(self, rest: str) -> None:
        self.current.folder = rest
        self.inside(["mkdir", "-p", rest], folder="/")

    def _user(self, rest: str) -> None:
        self.current.user = rest

    def _copy(self, rest: str) -> None:
        *sources, target = FLAG.sub("", rest).split()
        origin = dict(FLAG.findall(rest)).get("from")
        layer = self.current.layers[0]
        goal = layer / os.path.join(self.current.folder, target).lstrip("/")
        for source in sources:
            above = [ROOT] if origin is None else self.stages[origin].layers
            found = [path / source.lstrip("/") for path in above]
            path = next(path for path in found if path.exists())
            to = goal / path.name if target.endswith("/") else goal
            to.parent.mkdir(parents=True, exist_ok=True)
            if path.is_dir():
                ignore = (
                    shutil.ignore_patterns("*.onnx*", "__pycache__") if origin is None else None
                )
                shutil.copytree(path, to, symlinks=True, ignore=ignore, dirs_exist_ok=True)
            else:
                shutil.copy(path, to)

    def _run(self, rest: str) -> None:
        caches = [m.partition("target=")[2] for m in re.findall(r"--mount=(\S+)", rest)]
        command = re.sub(r"--mount=\S+\s+", "", rest)
        if "apt-get" in command and shutil.which("npm"):
            print("    (npm is here already)")
            return
        made = [shlex.join(["mkdir", "-p", cache]) for cache in caches]
        self.inside(["sh", "-c", " && ".join([*made, command])])

    def _entrypoint(self, rest: str) -> None:
        self.current.command = json.loads(rest)

    def _cmd(self, rest: str) -> None:
        self.current.command = json.loads(rest)

    def _healthcheck(self, rest: str) -> None:
        self.current.env["HEALTHCHECK"] = rest.partition(" CMD ")[2]

    def _volume(self, rest: str) -> None:
        self.inside(["mkdir", "-p", rest], folder="/")

    def _expose(self, rest: str) -> None:
        """Say nothing: a port is opened by who runs the image."""

    def inside(self, command: list[str], *, folder: str = "", read_only: bool = False) -> None:
        """Run a command in the current stage; raises CalledProcessError when it fails."""
        subprocess.run(self.entered(command, folder, read_only), check=True)  # noqa: S603

    def entered(self, command: list[str], folder: str = "", read_only: bool = False) -> list[str]:
        """Return what runs a command in the current stage, alone with its own mounts."""
        stage = self.current
        upper, *lower = stage.layers
        root, work = self.scratch / "root", self.scratch / "work"
        root.mkdir(exist_ok=True)
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        below = ":".join([*map(str, lower), "/"])
        env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent" if read_only else "/root"}
        words = [f"{name}={value}" for name, value in (env | stage.env).items()]
        user, _, group = stage.user.partition(":")
        script = [
            f"mount -t overlay overlay -o lowerdir={below},upperdir={upper},workdir={work} {root}",
            f"mount --rbind /dev {root}/dev && mount --rbind /proc {root}/proc",
        ]
        if read_only:  # as `docker run --read-only --tmpfs /tmp`
            tmp = f"{root}/tmp"  # noqa: S108 -- of the image
            script += [f"mount -t tmpfs tmpfs {tmp}", f"mount -o remount,ro {root}"]
        enter = ["setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups"]
        go = f"cd {shlex.quote(folder or stage.folder)} && exec {shlex.join(command)}"
        call = ["chroot", str(root), "env", "-i", *words, *enter, "sh", "-c", go]
        script.append(f"exec {shlex.join(call)}")
        return ["unshare", "--mount", "sh", "-ec", "\n".join(script)]


def _steps(text: str) -> list[tuple[str, str]]:
    text = re.sub(r"^#.*\n", "", text, flags=re.M)
    joined = re.sub(r"\\\n\s*", "", text)
    return [
        (word, rest)
        for word, _, rest in (line.partition(" ") for line in joined.splitlines() if line)
    ]


def _check_server(build: Build) -> None:
    """Start what the image starts, read-only and as its user, and ask its health check."""
    stage = build.current
    stage.env |= {"PORT": PORT, "HOST": "127.0.0.1"}
    process = subprocess.Popen(build.entered(stage.command, read_only=True))  # noqa: S603
    try:
        end = time.monotonic() + START_S
        while time.monotonic() < end and process.poll() is None:
            time.sleep(0.5)
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/readyz", timeout=5) as answer:
                    print(answer.read().decode())
                    break
            except OSError:
                continue
        else:
            raise SystemExit("it did not become ready")
        user = Path(f"/proc/{process.pid}/status").read_text().partition("Uid:")[2].split()[0]
        enter = ["nsenter", "--target", str(process.pid), "--mount", "--root", "env"]
        health = [
            f"PATH={stage.env['PATH']}",
            f"PORT={PORT}",
            *json.loads(stage.env["HEALTHCHECK"]),
        ]
        subprocess.run([*enter, *health], check=True)  # noqa: S603
        print(f"ready as user {user}, and its health check agrees")
    finally:
        process.terminate()
        print(f"gunicorn ended with {process.wait(60)}")


def _list_libraries(layer: Path) -> None:
    """Name the shared libraries outside the image's own folders that it loads."""
    found = set()
    for path in layer.rglob("*.so*"):
        ldd = ["ldd", str(path)]
        said = subprocess.run(ldd, capture_output=True, text=True, check=False).stdout  # noqa: S603
        outside = ("=> /lib", "=> /usr", "not found")
        found |= {line.split()[0] for line in said.splitlines() if any(o in line for o in outside)}
    print("shared libraries of the base image:", ", ".join(sorted(found)))


def main() -> None:
    """Build, list what the image would hold, start it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--mounted",
        type=Path,
        metavar="FOLDER",
        help="take the weights from there: nothing is fetched",
    )
    options = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("Only root may mount overlays here")
    with tempfile.TemporaryDirectory(prefix="image-check-", dir=SCRATCH) as scratch:
        os.chmod(scratch, 0o755)  # noqa: S103 -- the image's user has to come through here
        build = Build(Path(scratch), {"WEIGHTS": "mounted" if options.mounted else "baked"})
        build.run((ROOT / "deploy/Dockerfile").read_text("utf-8"), "serve")
        layer = build.current.layers[0]
        for path in options.mounted.glob("*.onnx*") if options.mounted else ():
            shutil.copy(path, layer / "weights")
        for path in sorted(layer.iterdir()):
            size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
            print(f"/{path.name}: {size / 1e6:.0f} MB")
        _check_server(build)
        _list_libraries(layer)


if __name__ == "__main__":
    main()
