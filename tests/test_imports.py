"""Imports point one way, and what a room must not know it does not import."""

import ast
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# A room imports only from rows above its own. The rooms of one row do not know each other.
PLAN = [
    ["headers", "sandbox"],
    ["errors"],
    ["datatypes"],
    ["options"],
    ["deadline", "download", "settings", "log", "machine", "memory"],
    ["stages", "room", "keys", "installation"],
    ["inference", "matting", "imaging"],
    ["sight", "provisioning", "cost"],
    ["engine"],
    ["pipeline", "serving"],
    ["remover"],
    ["api", "batch", "doctor"],
    ["app"],
    ["commands"],
    ["cli", "gunicorn_conf"],
    ["__main__"],
    ["bgremove"],  # the package itself, which hands out its public names when asked
    ["wsgi"],
]
RANK = {room: rank for rank, row in enumerate(PLAN) for room in row}
MAY_IMPORT = {
    "onnxruntime": {"inference", "provisioning"},
    "onnx": {"provisioning"},
    "psutil": {"machine", "doctor", "api"},
    "tqdm": {"provisioning", "commands"},
    "flask": {"api", "app"},
    "werkzeug": {"api", "app", "serving"},
    "gunicorn": {"api", "serving", "gunicorn_conf"},
    "marshmallow": {"api"},
    "click": {"cli", "commands"},
    "urllib3": {"batch"},
    "watchdog": {"batch"},
    "apispec": {"api"},
    "prometheus_client": {"api"},
}
MATTING_KNOWS = {"bgremove", "cv2", "numpy"}
READ_ENVIRONMENT = {
    "bgremove.app": "settings",
    "bgremove.batch.cluster": "the settings of a cluster's worker, on its own machine",
    "bgremove.commands.common": "settings, and the key for other services",
    "bgremove.gunicorn_conf": "settings, and where to listen",
    "bgremove.remover.remover": "settings",
    "bgremove.inference": "turns ONNX Runtime's telemetry off",
    "bgremove.imaging.decoder.process": "what its child inherits, and OpenCV's limits for it",
}
NETWORK = {
    "urllib.request",
    "http.client",
    "tqdm",
    "urllib3",
    "dask.distributed",
    "fsspec",
    "bgremove.provisioning.packages",
    "bgremove.provisioning.sources",
    "bgremove.batch.remote",
}

# Pillow and the modules that decode: a worker hands pictures to a process of their own.
DECODERS = {
    "PIL",
    "bgremove.imaging.decoder.bmp",
    "bgremove.imaging.decoder.colour",
    "bgremove.imaging.decoder.decode",
    "bgremove.imaging.decoder.child",
    "bgremove.imaging.decoder.stored",
}


def program() -> dict[str, str]:
    """Return the source of every module of the program, by its dotted name."""
    paths = [ROOT / "wsgi.py", *(ROOT / "bgremove").rglob("*.py")]
    return {_dotted(path): path.read_text(encoding="utf-8") for path in paths}


def _dotted(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imported(name: str, modules: Mapping[str, str], *, lazy: bool = True) -> Iterator[str]:
    """Yield what a module imports; those inside its functions only if ``lazy``."""
    tree = ast.parse(modules[name])
    for node in ast.walk(tree) if lazy else tree.body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name} imports relatively"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole in modules or whole in NETWORK else str(node.module)


def room_of(module: str) -> str:
    """Return the room of one of the program's own modules: ``inference`` for all within."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else parts[0]


def faults(modules: Mapping[str, str]) -> list[str]:
    """Say of every import that the plan does not allow what it is."""
    found = []
    for name in modules:
        for target in imported(name, modules):
            found += [f"{name} imports {target}: {why}" for why in _wrong(name, target)]
    return found


def _wrong(name: str, target: str) -> Iterator[str]:
    room, package = room_of(name), target.partition(".")[0]
    if package in ("bgremove", "wsgi"):
        other = room_of(target)
        if other not in RANK or room not in RANK:
            yield "no room of the plan"
        elif other not in (room, "bgremove") and RANK[other] >= RANK[room]:
            yield "the arrow points back"
    elif room not in MAY_IMPORT.get(package, {room}):
        yield "not in this room"


def environment_readers(modules: Mapping[str, str]) -> set[str]:
    """Return the modules that look at the environment."""
    return {name for name, text in modules.items() if any(map(_reads, ast.walk(ast.parse(text))))}


def _reads(node: ast.AST) -> bool:
    if isinstance(node, ast.ImportFrom):
        return node.module == "os" and any(a.name in ("environ", "getenv") for a in node.names)
    return (
        isinstance(node, ast.Attribute)
        and node.attr in ("environ", "getenv", "environb")
        and isinstance(node.value, ast.Name)
        and node.value.id == "os"
    )


def reached(start: str, modules: Mapping[str, str]) -> set[str]:
    """Return everything that importing ``start`` imports, directly or not."""
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += imported(name, modules, lazy=False) if name in modules else []
    return seen


def test_imports_point_one_way() -> None:
    assert faults(program()) == []


def test_every_room_has_its_place_in_the_plan() -> None:
    assert {room_of(module) for module in program()} == set(RANK)


def test_the_environment_is_read_at_the_top_only() -> None:
    assert environment_readers(program()) == set(READ_ENVIRONMENT)


def test_matting_knows_numpy_and_opencv_only() -> None:
    modules = program()
    known = {
        target.partition(".")[0]
        for name in modules
        if room_of(name) == "matting"
        for target in imported(name, modules)
    }
    standard = {"__future__", "collections", "concurrent", "dataclasses", "math", "typing"}
    assert known - standard <= MATTING_KNOWS


def test_a_worker_never_imports_a_decoder() -> None:
    assert reached("bgremove.app", program()) & DECODERS == set()
    listing = "import bgremove.app, sys; print(*sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", listing], check=True, capture_output=True, text=True, cwd=ROOT
    )
    assert set(run.stdout.split()) & DECODERS == set()


def test_the_probe_never_imports_a_decoder() -> None:
    assert reached("bgremove.imaging.probe", program()) & (DECODERS | {"cv2"}) == set()


def test_the_recipe_leaves_native_code_to_its_stages() -> None:
    assert set(imported("bgremove.pipeline", program())) & {"cv2", "numpy"} == set()


@pytest.mark.parametrize("start", ["bgremove.app", "bgremove.pipeline"])
def test_a_request_can_never_reach_the_network(start: str) -> None:
    assert reached(start, program()) & NETWORK == set()


@pytest.mark.parametrize(
    ("module", "text", "fault"),
    [
        ("bgremove.errors", "import bgremove.pipeline", "points back"),
        ("bgremove.errors", "from bgremove import pipeline", "points back"),
        ("bgremove.imaging.encode", "from bgremove.matting.refine import refine", "points back"),
        ("bgremove.matting.refine", "from bgremove.imaging import encode", "points back"),
        ("bgremove.inference.session", "from bgremove.imaging import encode", "points back"),
        ("bgremove.pipeline", "def f():\n    from bgremove.api import multipart", "points back"),
        ("bgremove.inference.session", "from wsgi import app", "points back"),
        ("bgremove.pipeline", "import bgremove.helpers", "no room"),
        ("bgremove.pipeline", "import onnxruntime as ort", "not in this room"),
        ("bgremove.pipeline", "from flask import g", "not in this room"),
        ("bgremove.cli", "import flask.typing", "not in this room"),
    ],
)
def test_the_check_bites(module: str, text: str, fault: str) -> None:
    modules = program() | {module: text}
    (found,) = [line for line in faults(modules) if line.startswith(f"{module} imports")]
    assert fault in found


@pytest.mark.parametrize(
    "text", ["import os\nx = os.environ['A']", "from os import getenv", "import os\nos.getenv('A')"]
)
def test_the_check_of_the_environment_bites(text: str) -> None:
    assert environment_readers({"bgremove.pipeline": text, "bgremove.log": "import os"}) == {
        "bgremove.pipeline"
    }


def test_the_check_of_the_network_bites() -> None:
    bad = {"bgremove.stages": "from bgremove.provisioning.fetch import fetch_all"}
    assert "bgremove.provisioning.sources" in reached("bgremove.app", program() | bad)
