import logging
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bgremove.deadline import Deadline
from bgremove.errors import DeadlineExceededError, ModelUnavailableError
from bgremove.inference.models import Manifest, Model
from bgremove.inference.session import Session
from bgremove.inference.sessions import Choice, Sessions
from bgremove.options import Subject
from tests.support import graphs

SOON = Deadline.after(86_400)  # made when tests are collected: longer than any suite
ROLES: dict[str, dict[str, Any]] = {
    "default": {"subjects": (Subject.UNIVERSAL,)},
    "people": {"subjects": (Subject.HUMAN,)},
    "things": {"subjects": (Subject.PRODUCT,)},
    "half": {"subjects": (Subject.PRODUCT,), "stands_in_for": "things"},
}


def models_of(data: bytes) -> dict[str, Model]:
    return {name: graphs.model_of(data, name=name, **role) for name, role in ROLES.items()}


def sessions_of(
    folder: Path, *present: str, max_sessions: int = 2, strict: bool = False, **hooks: Any
) -> Sessions:
    """Make a cache over four models, of which those named have files."""
    models = models_of(graphs.brightness())
    for name in present:
        graphs.put(folder, graphs.brightness(), name=name)
    manifest = Manifest(tuple(models.values()), "default")
    return Sessions(manifest, folder, max_sessions=max_sessions, threads=1, strict=strict, **hooks)


def loads(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the names of the models that were loaded, in order."""
    return [vars(line)["model"] for line in caplog.records if line.message == "model loaded"]


def test_nothing_is_loaded_before_it_is_asked_for(tmp_path: Path) -> None:
    assert sessions_of(tmp_path, "default", "people").loaded() == ()


def test_a_model_is_loaded_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    sessions = sessions_of(tmp_path, "default")
    model = sessions.manifest.model("default")
    assert sessions.get(model, SOON) is sessions.get(model, SOON)
    assert loads(caplog) == ["default"]


def test_threads_that_ask_at_once_get_one_session(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sessions = sessions_of(tmp_path, "default")
    model = sessions.manifest.model("default")
    with ThreadPoolExecutor(16) as pool:
        got = list(pool.map(lambda _: sessions.get(model, SOON), range(64)))
    assert len({id(session) for session in got}) == 1
    assert loads(caplog) == ["default"]


def test_the_model_longest_unused_makes_room(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sessions = sessions_of(tmp_path, "default", "people", "things")
    for name in ("default", "people", "default", "things"):
        sessions.get(sessions.manifest.model(name), SOON)
    assert sessions.loaded() == ("default", "things")
    unloaded = [vars(r)["model"] for r in caplog.records if r.message == "model unloaded"]
    assert unloaded == ["people"]


def test_one_session_is_enough_to_serve_all_models_in_turn(tmp_path: Path) -> None:
    sessions = sessions_of(tmp_path, "default", "people", max_sessions=1)
    for name in ("default", "people", "default"):
        assert sessions.get(sessions.manifest.model(name), SOON).model.name == name
        assert sessions.loaded() == (name,)


def test_a_session_in_use_outlives_its_place_in_the_cache(tmp_path: Path) -> None:
    sessions = sessions_of(tmp_path, "default", "people", max_sessions=1)
    held = sessions.get(sessions.manifest.model("default"), SOON)
    sessions.get(sessions.manifest.model("people"), SOON)
    held.check_known_picture(SOON)


def test_a_damaged_model_is_refused_each_time_and_never_kept(tmp_path: Path) -> None:
    sessions = sessions_of(tmp_path, "default")
    (tmp_path / "default.onnx").write_bytes(bytes(len(graphs.brightness())))
    for _ in range(2):
        with pytest.raises(ModelUnavailableError):
            sessions.get(sessions.manifest.model("default"), SOON)
    assert sessions.loaded() == ()


def test_weights_that_load_but_answer_nan_are_never_kept(tmp_path: Path) -> None:
    """As real weights do when 4 kB in their middle are overwritten."""
    model = graphs.put(tmp_path, graphs.not_a_number())
    sessions = Sessions(Manifest((model,), "tiny"), tmp_path, max_sessions=1, threads=1)
    with pytest.raises(ModelUnavailableError):
        sessions.get(model, SOON)
    assert sessions.loaded() == ()


def test_a_subject_has_its_own_model(tmp_path: Path) -> None:
    sessions = sessions_of(tmp_path, *ROLES)
    chosen = {subject: sessions.choose(subject) for subject in Subject}
    model = sessions.manifest.model
    assert chosen[Subject.UNIVERSAL] == Choice(model("default"), is_fallback=False)
    assert chosen[Subject.HUMAN] == Choice(model("people"), is_fallback=False)
    assert chosen[Subject.PRODUCT] == Choice(model("things"), is_fallback=False)


def test_a_stand_in_is_no_fallback(tmp_path: Path) -> None:
    sessions = sessions_of(tmp_path, "default", "half")
    choice = sessions.choose(Subject.PRODUCT)
    assert choice == Choice(sessions.manifest.model("half"), is_fallback=False)


def test_a_subject_without_its_model_falls_back_and_says_so(tmp_path: Path) -> None:
    sessions = sessions_of(tmp_path, "default")
    choice = sessions.choose(Subject.HUMAN)
    assert choice == Choice(sessions.manifest.model("default"), is_fallback=True)


def test_a_model_that_arrives_later_is_taken_up(tmp_path: Path) -> None:
    sessions = sessions_of(tmp_path, "default")
    assert sessions.choose(Subject.HUMAN).is_fallback
    graphs.put(tmp_path, graphs.brightness(), name="people")
    assert sessions.choose(Subject.HUMAN).model.name == "people"


def test_strict_models_do_not_fall_back(tmp_path: Path) -> None:
    sessions = sessions_of(tmp_path, "default", strict=True)
    assert sessions.choose(Subject.UNIVERSAL).model.name == "default"
    with pytest.raises(ModelUnavailableError, match="subject human is not installed"):
        sessions.choose(Subject.HUMAN)


def slow_sessions(folder: Path, max_sessions: int = 1) -> Sessions:
    """Make a cache over a model whose known picture takes about a second."""
    slow = graphs.put(folder, graphs.slow(), size=graphs.SLOW_SIZE)
    quick = graphs.put(folder, graphs.brightness(), name="quick")
    return Sessions(Manifest((slow, quick), "tiny"), folder, max_sessions=max_sessions, threads=2)


def until_loading(sessions: Sessions, loading: Future[Session]) -> None:
    while not sessions.is_loading and not loading.done():
        time.sleep(0.001)


def test_a_deadline_holds_while_another_thread_loads(tmp_path: Path) -> None:
    sessions = slow_sessions(tmp_path)
    model = sessions.manifest.model("tiny")
    with ThreadPoolExecutor(1) as pool:
        loading = pool.submit(sessions.get, model, SOON)
        until_loading(sessions, loading)
        with pytest.raises(DeadlineExceededError) as caught:
            sessions.get(model, Deadline.after(0.05))
        assert caught.value.private == "deadline passed in waiting for a model to load"
        assert not loading.done()
        assert loading.result().model == model


def test_a_loaded_model_is_served_while_another_loads(tmp_path: Path) -> None:
    sessions = slow_sessions(tmp_path, max_sessions=2)
    quick = sessions.manifest.model("quick")
    sessions.get(quick, SOON)
    with ThreadPoolExecutor(1) as pool:
        loading = pool.submit(sessions.get, sessions.manifest.model("tiny"), SOON)
        until_loading(sessions, loading)
        sessions.get(quick, Deadline.after(0.05))
        assert not loading.done()


def test_a_load_that_outlasts_its_deadline_serves_the_next_request(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sessions = slow_sessions(tmp_path)
    model = sessions.manifest.model("tiny")
    sessions.get(model, Deadline.after(0.1))
    sessions.get(model, Deadline.after(0.1))
    assert loads(caplog) == ["tiny"]


def test_a_deadline_that_has_passed_loads_nothing(tmp_path: Path) -> None:
    sessions = sessions_of(tmp_path, "default")
    with pytest.raises(DeadlineExceededError):
        sessions.get(sessions.manifest.model("default"), Deadline(time.monotonic() - 1, 1))
    assert sessions.loaded() == ()


def test_loading_is_logged_at_a_level_that_is_seen(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sessions = sessions_of(tmp_path, "default")
    sessions.get(replace(sessions.manifest.model("default")), SOON)
    assert [record.levelno for record in caplog.records] == [logging.INFO]


def test_whoever_asks_to_is_told_what_is_loaded(tmp_path: Path) -> None:
    told: list[tuple[str, ...]] = []
    sessions = sessions_of(tmp_path, "default", "people", max_sessions=1, on_change=told.append)
    sessions.get(sessions.manifest.model("default"), SOON)
    sessions.get(sessions.manifest.model("default"), SOON)
    sessions.get(sessions.manifest.model("people"), SOON)
    assert told == [("default",), (), ("people",)]
