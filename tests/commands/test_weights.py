import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from bgremove.cli import main
from bgremove.inference.manifest import load_manifest
from bgremove.inference.models import Manifest
from bgremove.inference.preprocess import to_tensor
from bgremove.inference.verify import answer_of, known_picture
from bgremove.options import Subject
from tests.support import graphs

COMMAND = Path(sys.executable).with_name("bgremove")
STATES = """default: ready
people: missing; subject human uses default
half: ready
spare: not needed
"""


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    """Return a folder that has the default model and a stand-in, but nothing else."""
    folder = tmp_path / "mirror"
    folder.mkdir()
    graphs.put(folder, graphs.brightness(), name="default")
    graphs.put(folder, graphs.brightness(), name="half")
    return folder


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mirror: Path) -> Path:
    """Return an empty weights folder with a manifest, which the environment names."""
    folder = tmp_path / "weights"
    folder.mkdir()
    default = graphs.model_of(graphs.brightness(), name="default")
    people = graphs.model_of(b"", bytes=1, name="people", subjects=(Subject.HUMAN,))
    half = graphs.model_of(graphs.brightness(), name="half", stands_in_for="people")
    spare = graphs.model_of(graphs.brightness(), name="spare", stands_in_for="default")
    graphs.write_manifest(folder, Manifest((default, people, half, spare), "default"))
    monkeypatch.setenv("BGREMOVE_WEIGHTS_DIR", str(folder))
    monkeypatch.setenv("BGREMOVE_WEIGHTS_MIRROR", str(mirror))
    return folder


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def test_weights_are_fetched_and_what_became_of_each_is_said(folder: Path) -> None:
    result = invoke("weights")
    assert result.exit_code == 0
    assert STATES in result.output
    assert (folder / "default.onnx").read_bytes() == graphs.brightness()


def test_priors_of_people_are_fetched_and_a_missing_one_is_said(folder: Path, mirror: Path) -> None:
    (default,) = [m for m in load_manifest(folder).models if m.name == "default"]
    graphs.write_manifest(folder, Manifest((default,), "default", graphs.priors(b"prior")))
    for role in ("mask", "faces"):
        (mirror / f"{role}.tflite").write_bytes(b"prior")
    result = invoke("weights")
    assert result.exit_code == 0
    assert "mask: ready\n" in result.output
    assert (
        "bodies: missing; subject human keeps the salient subject, people or not\n" in result.output
    )
    assert (folder / "faces.tflite").read_bytes() == b"prior"
    assert invoke("weights", "--strict").exit_code == 1


def test_strict_fails_where_any_model_is_missing(folder: Path) -> None:
    assert invoke("weights", "--strict").exit_code == 1


def test_the_installed_command_does_the_same(folder: Path) -> None:
    done = subprocess.run(
        [COMMAND, "weights"],
        env=os.environ | {"BGREMOVE_TIMEOUT": "5"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == STATES
    assert "BGREMOVE_TIMEOUT: no such setting; did you mean BGREMOVE_TIMEOUT_S?" in done.stderr
    assert "people: file://" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_answer_to_the_known_picture_is_printed(folder: Path) -> None:
    invoke("weights")
    result = invoke("weights", "--answer", "default")
    assert result.exit_code == 0
    tensor = to_tensor(known_picture(), graphs.model_of(graphs.brightness()))
    wanted = answer_of(1 / (1 + np.exp(-tensor.mean(axis=1)[0])))
    assert json.loads(result.output.splitlines()[-1]) == pytest.approx(wanted.tolist(), abs=1e-4)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nobody", "Error: the manifest has no model 'nobody'"),
        ("default", "Error: default.onnx cannot be read: No such file or directory"),
    ],
)
def test_an_answer_that_is_not_to_be_had_is_said_so(folder: Path, name: str, said: str) -> None:
    result = invoke("weights", "--answer", name)
    assert (result.exit_code, result.output.splitlines()[-1]) == (1, said)


def test_a_broken_manifest_is_said_without_a_trace(folder: Path) -> None:
    (folder / "manifest.toml").write_text("models = 1")
    result = invoke("weights")
    assert result.exit_code == 1
    assert f"Error: {folder}/manifest.toml is no manifest: " in result.output


def test_a_misspelt_setting_is_said(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BGREMOVE_PLACE", "1")
    assert (
        "BGREMOVE_PLACE: no such setting; did you mean BGREMOVE_PLACES?" in invoke("weights").output
    )


def test_wrong_settings_are_said_without_a_trace(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BGREMOVE_PLACES", "0")
    result = invoke("weights")
    assert result.exit_code == 1
    assert "Error: BGREMOVE_PLACES='0': not from 1 to 64" in result.output


def test_what_could_not_be_downloaded_is_tried_again_each_time(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for _ in range(2):
        caplog.clear()
        assert STATES in invoke("weights").output
        assert "people: file://" in caplog.text


def test_without_the_default_model_it_fails_and_says_why(folder: Path, mirror: Path) -> None:
    (mirror / "default.onnx").unlink()
    result = invoke("weights")
    assert result.exit_code == 1
    said = result.output.splitlines()[-1]
    assert said.startswith("Error: default could not be downloaded: file://")
    assert said.endswith("set BGREMOVE_WEIGHTS_MIRROR to a folder or URL that has the file")
    assert list(folder.glob(".*.failed")) == []
