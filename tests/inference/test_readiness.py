import logging
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from bgremove.deadline import Deadline
from bgremove.errors import ModelUnavailableError, UpstreamError
from bgremove.inference.models import Int8, Manifest
from bgremove.inference.readiness import WarmUp
from bgremove.inference.sessions import Sessions
from bgremove.options import Subject
from tests.support import graphs

DATA = graphs.brightness()


def sessions_of(folder: Path, *, strict: bool = False, data: bytes = DATA) -> Sessions:
    """Make a cache over a default model and one for people, neither of which has a file yet."""
    default = graphs.model_of(data, name="default")
    people = graphs.model_of(DATA, name="people", subjects=(Subject.HUMAN,))
    manifest = Manifest((default, people), "default")
    return Sessions(manifest, folder, max_sessions=2, threads=1, strict=strict)


def put(folder: Path, *names: str) -> None:
    for name in names:
        graphs.put(folder, DATA, name=name)


def test_nothing_is_ready_before_it_has_been_looked_at(tmp_path: Path) -> None:
    readiness = WarmUp(sessions_of(tmp_path)).readiness
    assert not readiness.ready
    assert readiness.waiting_for == ("weights to be verified", "default session to be warm")


def test_with_all_weights_every_subject_has_its_own_model_and_the_default_is_warm(
    tmp_path: Path,
) -> None:
    put(tmp_path, "default", "people")
    sessions = sessions_of(tmp_path)
    warm_up = WarmUp(sessions)
    warm_up.run()
    assert warm_up.readiness.ready
    assert warm_up.readiness.models == {"default": "verified", "people": "verified"}
    assert warm_up.readiness.subjects["human"] == "people"
    assert sessions.loaded() == ("default",)


def test_a_subject_without_its_model_is_listed_and_served(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    put(tmp_path, "default")
    warm_up = WarmUp(sessions_of(tmp_path))
    warm_up.run()
    assert warm_up.readiness.ready
    assert warm_up.readiness.models == {"default": "verified", "people": "absent"}
    assert warm_up.readiness.subjects == {
        "universal": "default",
        "human": "default (model-fallback)",
        "product": "default (model-fallback)",
    }
    logged = vars(caplog.records[-1])
    assert (logged["message"], logged["levelno"]) == ("ready", logging.INFO)
    assert logged["subjects"] == warm_up.readiness.subjects


def test_strict_models_leave_a_subject_unavailable(tmp_path: Path) -> None:
    put(tmp_path, "default")
    warm_up = WarmUp(sessions_of(tmp_path, strict=True))
    warm_up.run()
    assert warm_up.readiness.ready
    assert warm_up.readiness.subjects == {
        "universal": "default",
        "human": "unavailable",
        "product": "unavailable",
    }


def test_without_the_default_nothing_is_ready(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    put(tmp_path, "people")
    warm_up = WarmUp(sessions_of(tmp_path))
    warm_up.run()
    assert warm_up.readiness.waiting_for == ("default: absent",)
    assert warm_up.readiness.subjects == {
        "universal": "unavailable",
        "human": "people",
        "product": "unavailable",
    }
    logged = vars(caplog.records[-1])
    assert (logged["message"], logged["levelno"]) == ("not ready", logging.ERROR)


@pytest.mark.parametrize("name", ["default", "people"])
def test_a_damaged_file_is_named_and_nothing_is_loaded(tmp_path: Path, name: str) -> None:
    put(tmp_path, "default", "people")
    (tmp_path / f"{name}.onnx").write_bytes(bytes(len(DATA)))
    sessions = sessions_of(tmp_path)
    warm_up = WarmUp(sessions)
    warm_up.run()
    (fault,) = warm_up.readiness.waiting_for
    assert fault.startswith(f"{name}: {name}.onnx has SHA-256 ")
    assert sessions.loaded() == ()


def test_a_default_that_answers_the_known_picture_with_nan_is_not_ready(tmp_path: Path) -> None:
    data = graphs.not_a_number()
    graphs.put(tmp_path, data, name="default")
    warm_up = WarmUp(sessions_of(tmp_path, data=data))
    warm_up.run()
    assert warm_up.readiness.models["default"] == "verified"
    assert warm_up.readiness.waiting_for == ("default.onnx fails on the known picture",)


def test_it_runs_once_in_a_thread_of_its_own(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    put(tmp_path, "default")
    warm_up = WarmUp(sessions_of(tmp_path))
    for _ in range(3):
        warm_up.start()
    for thread in threading.enumerate():
        if thread.name == "warm-up":
            thread.join(60)
    assert warm_up.readiness.ready
    warm_up.start()
    assert caplog.messages == ["model loaded", "ready"]


def test_weights_that_arrive_later_make_it_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bgremove.inference.readiness.RETRY_S", 0.0)
    model = graphs.put(tmp_path, graphs.brightness())
    data = (tmp_path / model.file).read_bytes()
    (tmp_path / model.file).unlink()
    manifest = Manifest((model,), model.name)
    warm_up = WarmUp(Sessions(manifest, tmp_path, max_sessions=1, threads=1))
    warm_up.run()
    assert warm_up.readiness.waiting_for == ("tiny: absent",)
    (tmp_path / model.file).write_bytes(data)
    for _ in range(1200):
        warm_up.start()
        if warm_up.readiness.ready:
            break
        time.sleep(0.05)
    assert warm_up.readiness.ready


def test_a_default_that_does_not_run_is_not_measured_but_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bgremove.inference.sessions.has_int8_instructions", lambda: False)
    model = graphs.put(tmp_path, graphs.brightness())
    quick = graphs.put(tmp_path, graphs.brightness(), name="quick")
    int8 = Int8(quick.file, quick.sha256, quick.bytes, "none.tsv", 1.0, (), (), ())
    (tmp_path / model.file).write_bytes(bytes(model.bytes))
    manifest = Manifest((replace(model, int8=int8),), model.name)
    warm_up = WarmUp(Sessions(manifest, tmp_path, max_sessions=1, threads=1))
    warm_up.run()
    assert "tiny.onnx has SHA-256" in warm_up.readiness.waiting_for[0]


def with_int8(folder: Path, *, strict: bool = False) -> tuple[Sessions, str]:
    """Make a cache over one model with both files; return the name of its int8 form too."""
    model = graphs.put(folder, DATA)
    quick = graphs.put(folder, graphs.brightness(), name="quick")
    int8 = Int8(quick.file, quick.sha256, quick.bytes, "none.tsv", 1.0, (), (), ())
    manifest = Manifest((replace(model, int8=int8),), model.name)
    sessions = Sessions(
        manifest, folder, max_sessions=2, threads=1, strict=strict, precision="int8"
    )
    return sessions, f"{model.name}-int8"


@pytest.mark.parametrize("fault", [b"", b"garbage", None], ids=["empty", "garbage", "unreadable"])
def test_float32_runs_where_the_int8_file_is_unusable_and_it_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, fault: bytes | None
) -> None:
    sessions, name = with_int8(tmp_path)
    path = tmp_path / "quick.onnx"
    sound = path.read_bytes()
    if fault is None:
        path.unlink()
        path.symlink_to("/proc/self/mem")  # a file whose reading fails, for root too
    else:
        path.write_bytes(fault)
    warm_up = WarmUp(sessions)
    warm_up.run()
    assert warm_up.readiness.ready
    assert sessions.loaded() == ("tiny",)
    assert warm_up.readiness.models["tiny"] == "verified"
    assert "float32 runs instead" in warm_up.readiness.models[name]
    assert "run `bgremove weights`" in warm_up.readiness.models[name]
    assert caplog.records[-1].levelno == logging.WARNING
    path.unlink()
    path.write_bytes(sound)
    warm_up.run()
    assert warm_up.readiness.models[name] == "verified"
    assert sessions.loaded()[-1] == name


def test_an_int8_file_that_breaks_later_fails_once_and_float32_runs_from_then_on(
    tmp_path: Path,
) -> None:
    sessions, name = with_int8(tmp_path)
    (tmp_path / "quick.onnx").write_bytes(b"garbage")
    with pytest.raises(ModelUnavailableError):
        sessions.get(sessions.default, Deadline.after(60))
    assert sessions.unusable == {name}
    assert sessions.get(sessions.default, Deadline.after(60)).model.name == "tiny"


def test_strict_models_wait_for_the_int8_file(tmp_path: Path) -> None:
    sessions, name = with_int8(tmp_path, strict=True)
    (tmp_path / "quick.onnx").write_bytes(b"garbage")
    warm_up = WarmUp(sessions)
    warm_up.run()
    (fault,) = warm_up.readiness.waiting_for
    assert fault.startswith(name)


def test_a_worker_that_can_decode_no_picture_is_not_ready(tmp_path: Path) -> None:
    put(tmp_path, "default", "people")
    fails = [UpstreamError("No decoder could be started")]

    def check(_: Deadline) -> None:
        if fails:
            raise fails.pop()

    warm_up = WarmUp(sessions_of(tmp_path), check=check)
    warm_up.run()
    assert warm_up.readiness.waiting_for == (
        "a picture to be decoded: No decoder could be started",
    )
    warm_up.run()
    assert warm_up.readiness.ready
