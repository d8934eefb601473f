"""The first use fetches what is missing, says so, and never stands in the way of a model there."""

from __future__ import annotations

import logging
import os
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from bgremove.errors import WeightsError
from bgremove.inference.manifest import load_manifest
from bgremove.inference.models import Manifest, Source
from bgremove.options import Subject
from bgremove.provisioning import progress
from bgremove.provisioning.first_use import ensure_weights
from bgremove.settings import Settings
from tests.provisioning.file_server import FileServer
from tests.support import graphs


@pytest.fixture
def folder(tmp_path: Path, server: FileServer) -> Path:
    """Return a folder with a manifest: a default that the server has, people that it lacks."""
    network = graphs.brightness()
    server.files["/default.onnx"] = network
    models = [
        graphs.model_of(
            data,
            name=name,
            subjects=(subject,),
            sources=(Source("url", url=server.url(f"/{name}.onnx")),),
        )
        for name, data, subject in (
            ("default", network, Subject.UNIVERSAL),
            ("people", network + b"\0", Subject.HUMAN),
        )
    ]
    folder = tmp_path / "weights"
    folder.mkdir()
    graphs.write_manifest(folder, Manifest(tuple(models), "default"))
    return folder


def said(folder: Path, *, offline: bool = False) -> list[str]:
    sentences: list[str] = []
    ensure_weights(Settings(weights_dir=folder), offline=offline, say=sentences.append)
    return sentences


def test_it_says_what_it_fetches_and_what_is_out_of_reach(folder: Path) -> None:
    first, missing, end = said(folder)
    assert first == (
        f"Downloading the models, once: 0.0 MB, licence none, into {folder}."
        " It takes a minute or two."
    )
    assert missing == (
        "The optional model people could not be downloaded; subject human uses default instead."
        " The next try is tomorrow."
    )
    assert end == "The models are ready."
    assert (folder / "default.onnx").is_file()


def test_an_optional_model_is_announced_apart_and_missed_in_one_sentence(
    folder: Path, server: FileServer
) -> None:
    default, _ = load_manifest(folder).models
    voter = replace(
        default,
        name="voter",
        file="voter.onnx",
        subjects=(),
        joins=(Subject.HUMAN,),
        sources=(Source("url", url=server.url("/voter.onnx")),),
    )
    graphs.write_manifest(folder, Manifest((default, voter), "default"))
    first, missing, _ = said(folder)
    assert "0.0 MB (and voter, 0.0 MB, if in reach), licence" in first
    assert missing == (
        "The optional model voter could not be downloaded; subject human works without it."
        " The next try is tomorrow."
    )
    assert said(folder) == []


def test_steps_are_said_as_they_end(
    folder: Path, server: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "LOG_INTERVAL_S", 0.0)
    assert "  default.onnx: 0 of 0 MB" in said(folder)
    assert not logging.getLogger(progress.__name__).handlers


def test_what_is_out_of_reach_is_asked_for_once_a_day(folder: Path, server: FileServer) -> None:
    said(folder)
    asked = len(server.requests)
    assert said(folder) == []
    assert len(server.requests) == asked
    a_day_ago = time.time() - 25 * 3600
    os.utime(folder / ".people.failed", (a_day_ago, a_day_ago))
    assert any("people" in sentence for sentence in said(folder))
    assert len(server.requests) == asked + 1


def test_offline_asks_nobody(folder: Path, server: FileServer) -> None:
    with pytest.raises(WeightsError, match=r"default\.onnx is not in"):
        said(folder, offline=True)
    assert server.requests == []
    said(folder)
    (folder / ".people.failed").unlink()
    assert said(folder, offline=True) == []


def test_an_unreachable_default_says_what_to_do(folder: Path, server: FileServer) -> None:
    server.files.clear()
    asked = len(server.requests)
    for _ in range(2):  # a default model is tried each time
        with pytest.raises(WeightsError, match=r"default could not be downloaded: .*404.*MIRROR"):
            said(folder)
    assert len(server.requests) == asked + 2
    assert not list(folder.glob(".*.failed"))


def test_without_the_library_that_builds_a_default_that_is_there_serves(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said(folder)
    (folder / ".people.failed").unlink()
    for name in ("fetch", "build"):
        monkeypatch.delitem(sys.modules, f"bgremove.provisioning.{name}", raising=False)
    monkeypatch.setitem(sys.modules, "onnx", None)
    monkeypatch.setitem(sys.modules, "onnx.checker", None)
    *_, last = said(folder)
    assert last.startswith("Some models are missing: onnx")


def test_only_an_optional_model_is_announced_by_its_name(
    tmp_path: Path, server: FileServer
) -> None:
    network = graphs.brightness()
    server.files["/default.onnx"] = network
    default = graphs.model_of(
        network,
        name="default",
        subjects=(Subject.UNIVERSAL,),
        sources=(Source("url", url=server.url("/default.onnx")),),
    )
    extra = graphs.model_of(
        network + b"\0",
        name="extra",
        subjects=(),
        joins=(Subject.HUMAN,),
        sources=(Source("url", url=server.url("/extra.onnx")),),
    )
    graphs.write_manifest(tmp_path, Manifest((default,), "default"))
    said(tmp_path)
    graphs.write_manifest(tmp_path, Manifest((default, extra), "default"))
    first, missing, _ = said(tmp_path)
    assert first.startswith("Downloading the optional model extra, 0.0 MB, if in reach")
    assert missing.startswith("The optional model extra could not be downloaded")
