"""The int8 form is built from what is there, and accepted by its bytes or by its answer."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bgremove.deadline import Deadline
from bgremove.errors import ModelUnavailableError, WeightsError
from bgremove.inference.manifest import SHIPPED, load_manifest
from bgremove.inference.models import Int8, Manifest, Model
from bgremove.inference.preprocess import to_tensor
from bgremove.inference.session import Session
from bgremove.inference.verify import answer_of, as_built, fault_of, known_picture, state_of
from bgremove.provisioning.build import build
from bgremove.provisioning.fetch import fetch_all
from bgremove.provisioning.quantization.flatten import flatten
from harness.programs import ROOT
from tests.provisioning.quantization.network import SIDE, write_export
from tests.support import graphs

sys.path.insert(0, str(ROOT / "tools"))
from calibrate import calibrate, measure, write_ranges

WRONG = "0" * 64


@pytest.fixture
def model(tmp_path: Path) -> Model:
    """Return a row with an int8 form whose hash nobody has built yet; its float32 file is there."""
    write_export(tmp_path).rename(tmp_path / "net.onnx")
    row = replace(
        graphs.model_of((tmp_path / "net.onnx").read_bytes(), name="net"),
        input="x",
        output="y",
        size=SIDE,
    )
    tensor = to_tensor(known_picture(), row)
    table = measure(flatten(tmp_path / "net.onnx"), [tensor], 1.0)
    write_ranges(tmp_path / "net.ranges.tsv", table)
    (tmp_path / "manifest.toml").touch()
    answer = answer_of(Session(row, tmp_path / "net.onnx", 1).run(tensor, Deadline.after(20)))
    int8 = Int8(
        file="net.int8.onnx",
        sha256=WRONG,
        bytes=1,
        ranges="net.ranges.tsv",
        quantile=1.0,
        float_nodes=(),
        stepped_nodes=("side",),
        known_answer=tuple(float(value) for value in answer),
    )
    return replace(row, int8=int8)


def quantised(model: Model) -> Model:
    assert model.quantised is not None
    return model.quantised


def test_a_build_with_other_tools_is_accepted_by_its_answer(
    model: Model, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    build(model, tmp_path)
    path = tmp_path / "net.int8.onnx"
    assert "its answer is right" in caplog.text
    accepted = as_built(quantised(model), tmp_path)
    assert (accepted.sha256, accepted.bytes) == state_of(path)
    session = Session(accepted, path, 1)
    session.check_known_picture(Deadline.after(20))
    assert not list(tmp_path.glob("*.part"))


def test_a_build_with_the_bytes_of_the_manifest_needs_no_note(model: Model, tmp_path: Path) -> None:
    build(model, tmp_path)
    sha256, size = state_of(tmp_path / "net.int8.onnx")
    assert model.int8 is not None
    pinned = replace(model, int8=replace(model.int8, sha256=sha256, bytes=size))
    (tmp_path / "net.int8.onnx").unlink()
    build(pinned, tmp_path)
    assert not (tmp_path / "net.int8.onnx.sha256").exists()
    assert fault_of(quantised(pinned), tmp_path / "net.int8.onnx") is None


def test_what_is_built_is_not_built_again(
    model: Model, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    build(model, tmp_path)
    caplog.clear()
    build(model, tmp_path)
    assert [record.message for record in caplog.records] == ["net-int8: verified"]


def test_a_damaged_build_is_built_again(model: Model, tmp_path: Path) -> None:
    build(model, tmp_path)
    path = tmp_path / "net.int8.onnx"
    whole = path.read_bytes()
    path.write_bytes(whole[:-9] + bytes(9))
    build(model, tmp_path)
    assert path.read_bytes() == whole


def test_a_build_with_another_answer_is_refused(model: Model, tmp_path: Path) -> None:
    assert model.int8 is not None
    opposite = tuple(1 - value for value in model.int8.known_answer)
    wrong = replace(model, int8=replace(model.int8, known_answer=opposite))
    with pytest.raises(WeightsError, match="answers the known picture wrong"):
        build(wrong, tmp_path)
    assert not list(tmp_path.glob("*int8*"))


@pytest.mark.parametrize("damage", ["absent", "header", "lacking"])
def test_a_table_that_does_not_fit_is_named(model: Model, tmp_path: Path, damage: str) -> None:
    table = tmp_path / "net.ranges.tsv"
    lines = table.read_text(encoding="utf-8").splitlines()
    if damage == "absent":
        table.unlink()
    else:
        kept = ["nonsense", *lines[1:]] if damage == "header" else lines[:2]
        table.write_text("\n".join(kept) + "\n", encoding="utf-8")
    with pytest.raises(WeightsError, match=r"net\.ranges\.tsv"):
        build(model, tmp_path)


def test_a_model_without_an_int8_form_is_left_alone(model: Model, tmp_path: Path) -> None:
    before = sorted(tmp_path.iterdir())
    build(replace(model, int8=None), tmp_path)
    assert sorted(tmp_path.iterdir()) == before


def test_a_table_can_be_made_again_from_pictures(
    model: Model, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    import cv2

    pictures = tmp_path / "pictures"
    pictures.mkdir()
    cv2.imwrite(str(pictures / "one.png"), known_picture().bgr)
    table = tmp_path / "net.ranges.tsv"
    before = table.read_text(encoding="utf-8")
    calibrate(model, tmp_path / "net.onnx", pictures, table)
    assert table.read_text(encoding="utf-8") == before
    assert np.isfinite([float(row.split("\t")[1]) for row in before.splitlines()[1:]]).all()


def test_the_real_networks_were_built_with_the_bytes_of_the_manifest(weights: Path) -> None:
    forms = [model.quantised for model in load_manifest(weights).models]
    built = [form for form in forms if form and (weights / form.file).exists()]
    assert "u2net-int8" in [form.name for form in built]
    for form in built:
        assert fault_of(as_built(form, weights), weights / form.file) is None


def test_a_swapped_build_is_refused_in_words(model: Model, tmp_path: Path) -> None:
    build(model, tmp_path)
    path, form = tmp_path / "net.int8.onnx", quantised(model)
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    said = fault_of(as_built(form, tmp_path), path)
    assert said is not None
    assert "has SHA-256" in said
    with pytest.raises(ModelUnavailableError) as caught:
        Session(as_built(form, tmp_path), path, 1)
    assert caught.value.reason == "net.int8.onnx does not have the SHA-256 of the manifest"


@pytest.mark.parametrize(
    "changes", [{"quantile": 0.5}, {"ranges_sha256": WRONG}, {"stepped_nodes": ()}, "float32"]
)
def test_a_build_from_other_inputs_than_the_manifests_is_not_used(
    model: Model, tmp_path: Path, changes: dict[str, Any] | str
) -> None:
    """As after an upgrade that brings other weights, another table or another recipe."""
    build(model, tmp_path)
    path = tmp_path / "net.int8.onnx"
    assert fault_of(as_built(quantised(model), tmp_path), path) is None
    assert model.int8 is not None
    if isinstance(changes, dict):
        newer = replace(model, int8=replace(model.int8, **changes))
    else:
        newer = replace(model, sha256=WRONG)
    said = fault_of(as_built(quantised(newer), tmp_path), path)
    assert said is not None
    assert said.endswith("of the manifest")


def test_a_table_with_another_hash_is_named(model: Model, tmp_path: Path) -> None:
    assert model.int8 is not None
    pinned = replace(model, int8=replace(model.int8, ranges_sha256=WRONG))
    with pytest.raises(WeightsError, match=rf"net\.ranges\.tsv has SHA-256 \w+, not the {WRONG}"):
        build(pinned, tmp_path)


def test_the_shipped_tables_are_those_of_the_manifest() -> None:
    for model in load_manifest(SHIPPED.parent).models:
        if model.int8 is not None:
            digest, _ = state_of(SHIPPED.parent / model.int8.ranges)
            assert digest == model.int8.ranges_sha256


def test_half_a_note_is_no_note(model: Model, tmp_path: Path) -> None:
    (tmp_path / "net.int8.onnx.sha256").write_text(WRONG, encoding="ascii")
    assert as_built(quantised(model), tmp_path) == quantised(model)


def test_a_form_that_cannot_be_built_leaves_the_model_ready(
    model: Model, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "net.ranges.tsv").write_text("nonsense\n", encoding="utf-8")
    assert fetch_all(Manifest((model,), model.name), tmp_path) == {}
    said = "net: no int8 form, it runs in float32: cannot be built: net.ranges.tsv"
    assert said in caplog.text
