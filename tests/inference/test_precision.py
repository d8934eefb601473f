"""Which precision runs: what is set, what the machine's instructions say, or the clock."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bgremove.inference.models import Int8, Manifest, Model, Precision
from bgremove.inference.readiness import WarmUp, int8_is_faster
from bgremove.inference.sessions import Sessions
from bgremove.options import Subject
from tests.support import graphs

INT8 = Int8("quick.onnx", "0" * 64, 1, "none.tsv", 1.0, (), (), ())


def with_int8(folder: Path, float32: bytes, int8: bytes) -> Model:
    """Put two graphs as the two forms of one model."""
    model = graphs.put(folder, float32, name="net")
    form = graphs.put(folder, int8, name="quick")
    return replace(model, int8=replace(INT8, sha256=form.sha256, bytes=form.bytes))


def sessions_of(model: Model, folder: Path, precision: Precision) -> Sessions:
    manifest = Manifest((model,), model.name)
    return Sessions(manifest, folder, max_sessions=2, threads=1, precision=precision)


@pytest.mark.parametrize(("precision", "name"), [("int8", "net-int8"), ("float32", "net")])
def test_the_setting_decides(tmp_path: Path, precision: Precision, name: str) -> None:
    model = with_int8(tmp_path, graphs.brightness(), graphs.brightness())
    sessions = sessions_of(model, tmp_path, precision)
    assert sessions.choose(Subject.UNIVERSAL).model.name == name
    assert sessions.default.name == name
    assert not sessions.is_precision_open


def test_what_has_not_been_built_runs_in_float32_and_is_named_so(tmp_path: Path) -> None:
    model = with_int8(tmp_path, graphs.brightness(), graphs.brightness())
    (tmp_path / "quick.onnx").unlink()
    assert sessions_of(model, tmp_path, "int8").choose(Subject.UNIVERSAL).model.name == "net"


@pytest.mark.parametrize("has", [True, False])
def test_by_itself_it_follows_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has: bool
) -> None:
    monkeypatch.setattr("bgremove.inference.sessions.has_int8_instructions", lambda: has)
    model = with_int8(tmp_path, graphs.brightness(), graphs.brightness())
    sessions = sessions_of(model, tmp_path, "auto")
    assert sessions.int8 is has
    assert sessions.is_precision_open is not has


@pytest.mark.parametrize("quick_int8", [True, False])
def test_without_instructions_the_clock_decides(tmp_path: Path, quick_int8: bool) -> None:
    quick, slow = graphs.brightness(graphs.SLOW_SIZE), graphs.slow(steps=40)
    pair = (slow, quick) if quick_int8 else (quick, slow)
    model = replace(with_int8(tmp_path, *pair), size=graphs.SLOW_SIZE)
    assert int8_is_faster(model, tmp_path, threads=1) is quick_int8


def test_int8_that_answers_wrong_is_not_faster(tmp_path: Path) -> None:
    model = with_int8(tmp_path, graphs.brightness(), graphs.not_a_number())
    assert not int8_is_faster(model, tmp_path, threads=1)
    assert not int8_is_faster(replace(model, int8=None), tmp_path, threads=1)


def test_warming_up_settles_an_open_precision(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bgremove.inference.sessions.has_int8_instructions", lambda: False)
    model = with_int8(tmp_path, graphs.brightness(), graphs.not_a_number())
    sessions = sessions_of(model, tmp_path, "auto")
    warm_up = WarmUp(sessions)
    warm_up.run()
    assert warm_up.readiness.ready
    assert warm_up.readiness.subjects["universal"] == "net"
    assert sessions.loaded() == ("net",)
