"""The files of requirements/ pin what setup.cfg asks for, with hashes, as constraints.txt says."""

from __future__ import annotations

import configparser
import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
FILES = ("run", "dev", "tools")


def locked(name: str) -> dict[str, tuple[Requirement, int]]:
    """Return the requirements of a file by their names, with the number of their hashes."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text("utf-8")
    joined = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    found: dict[str, tuple[Requirement, int]] = {}
    for line in joined.replace("\\\n", "").splitlines():
        words = line.split("--hash=")
        assert all(re.fullmatch("sha256:[0-9a-f]{64}", hash_.strip()) for hash_ in words[1:]), line
        requirement = Requirement(words[0])
        found[canonicalize_name(requirement.name)] = (requirement, len(words) - 1)
    return found


def asked(*sections: str) -> set[str]:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    texts = [config["options"]["install_requires"]]
    texts += [config["options.extras_require"][section] for section in sections]
    lines = [line for text in texts for line in text.splitlines() if line]
    return {str(canonicalize_name(Requirement(line).name)) for line in lines} - {"bgremove"}


@pytest.mark.parametrize("name", FILES)
def test_each_requirement_has_one_version_and_the_hashes_of_its_files(name: str) -> None:
    found = locked(name)
    assert found
    for requirement, hashes in found.values():
        assert re.fullmatch(r"==[\w.]+", str(requirement.specifier)), requirement
        assert hashes, requirement


@pytest.mark.parametrize("name", ["run", "dev"])
def test_versions_are_those_of_the_constraints(name: str) -> None:
    pins = [Requirement(line) for line in (ROOT / "constraints.txt").read_text().splitlines()]
    found = locked(name)
    for pin in pins:
        if (own := found.get(canonicalize_name(pin.name))) is not None:
            assert own[0].specifier == pin.specifier, "make locks"
    if name == "dev":
        assert {canonicalize_name(pin.name) for pin in pins} <= found.keys()


def test_nothing_that_setup_cfg_asks_for_is_left_out() -> None:
    assert asked() <= locked("run").keys()
    assert asked("dev", "bench", "dask") <= locked("dev").keys()
    assert locked("run").keys() <= locked("dev").keys()
    assert "setuptools" in locked("run")  # builds the package itself, without a download


def test_other_systems_are_covered() -> None:
    """A wheel for each of macOS and Linux, on x86-64 and Arm, and more, has its own hash."""
    found = locked("run")
    for name in ("numpy", "onnxruntime", "opencv-python-headless", "pillow", "psutil", "isal"):
        assert found[name][1] >= 4, name


def test_the_image_installs_nothing_without_a_hash() -> None:
    text = (ROOT / "deploy" / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
    installs = re.findall(r"pip\b[^&\n]* install [^&\n]*", text)
    assert len(installs) == 4
    for command in installs:
        assert "--require-hashes" in command or "--no-deps --no-build-isolation ." in command


@pytest.mark.parametrize("name", FILES)
def test_no_file_names_a_server(name: str) -> None:
    text = (ROOT / "requirements" / f"{name}.txt").read_text("utf-8")
    assert "://" not in text
    assert "index-url" not in text
