"""One network looks; a second is asked where the first is unsure or sees nothing."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from bgremove.datatypes import DecodedImage, Subject
from bgremove.deadline import Deadline
from bgremove.inference.manifest import Manifest, Model
from bgremove.inference.sessions import Sessions
from bgremove.sight import FINE_SIDE, Sight, look
from bgremove.stages import Stages
from tests.support import graphs


@pytest.fixture
def sessions(tmp_path: Path) -> Sessions:
    """Two networks whose map is the brightness of the picture; the first asks the second."""
    first = graphs.put(tmp_path, graphs.mean(), name="first", second_opinion="second")
    second = graphs.put(tmp_path, graphs.mean(), name="second")
    manifest = Manifest((first, second), "first")
    return Sessions(manifest, tmp_path, max_sessions=2, threads=1)


def seen(sessions: Sessions, bgr: np.ndarray, **changes: float) -> Sight:
    model: Model = replace(sessions.manifest.model("first"), **changes)
    stages = Stages(Deadline.after(20))
    return look(DecodedImage(bgr), Subject.UNIVERSAL, model, sessions, stages)


def disc(level: int, side: int = 64) -> np.ndarray:
    """Draw a disc of some brightness on black."""
    bgr = np.zeros((side, side, 3), np.uint8)
    cv2.circle(bgr, (side // 2, side // 2), side // 4, (level, level, level), thickness=-1)
    return bgr


def test_a_network_that_is_sure_is_not_doubted(sessions: Sessions) -> None:
    sight = seen(sessions, disc(255))
    assert sight.models == ("first",)
    assert sight.has_subject
    assert sight.confidence > 0.5


def test_one_that_is_unsure_is_joined_by_the_second(sessions: Sessions) -> None:
    sight = seen(sessions, disc(140))
    assert sight.models == ("first", "second")
    assert sight.has_subject
    assert sight.saliency.shape == (graphs.SIZE, graphs.SIZE)


def test_nothing_is_seen_only_where_both_see_nothing(sessions: Sessions) -> None:
    sight = seen(sessions, disc(20))
    assert sight.models == ("first", "second")
    assert not sight.has_subject


def test_how_sure_it_must_be_is_the_models_own(sessions: Sessions) -> None:
    assert seen(sessions, disc(255), sure_from=1.0).models == ("first", "second")


def test_on_a_large_picture_only_a_lost_network_asks(sessions: Sessions) -> None:
    assert seen(sessions, disc(255, FINE_SIDE + 4), sure_from=1.0).models == ("first",)


def test_without_the_second_the_first_decides_alone(sessions: Sessions) -> None:
    (sessions.weights_dir / "second.onnx").unlink()
    assert seen(sessions, disc(140)).models == ("first",)
    assert not seen(sessions, disc(20)).has_subject


def test_a_second_that_does_not_load_is_done_without(sessions: Sessions) -> None:
    path = sessions.weights_dir / "second.onnx"
    path.write_bytes(bytes(path.stat().st_size))
    sight = seen(sessions, disc(140))
    assert sight.models == ("first",)
    assert sight.warnings == ("second-opinion-failed",)
