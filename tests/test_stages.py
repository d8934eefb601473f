import time

import pytest

from bgremove.deadline import Deadline
from bgremove.errors import DeadlineExceededError, ImageError
from bgremove.stages import Stages


def test_stages_are_timed_in_order_in_milliseconds() -> None:
    stages = Stages(Deadline.after(60))
    with stages.stage("first"):
        time.sleep(0.02)
    with stages.stage("second"):
        pass
    assert list(stages.ms) == ["first", "second"]
    assert 20 <= stages.ms["first"] < 2000
    assert 0 <= stages.ms["second"] < stages.ms["first"]


def test_a_stage_within_another_counts_once() -> None:
    stages = Stages(Deadline.after(60))
    started = time.perf_counter()
    with stages.stage("matte"):
        for _ in range(2):
            with stages.stage("inference"):
                time.sleep(0.02)
    assert list(stages.ms) == ["inference", "matte"]
    assert stages.ms["inference"] >= 40
    assert sum(stages.ms.values()) <= (time.perf_counter() - started) * 1000 + 1


def test_a_stage_that_passes_the_deadline_is_timed_and_named() -> None:
    stages = Stages(Deadline.after(0.01))
    with pytest.raises(DeadlineExceededError) as caught, stages.stage("decode"):
        time.sleep(0.02)
    assert caught.value.private == "deadline passed in decode"
    assert stages.ms["decode"] >= 20


def test_an_error_in_a_stage_is_not_covered_by_the_deadline() -> None:
    stages = Stages(Deadline.after(0))
    with pytest.raises(ImageError, match="damaged"), stages.stage("decode"):
        raise ImageError("damaged")


def test_finished_work_is_not_thrown_away() -> None:
    stages = Stages(Deadline.after(0))
    with stages.stage("encode", is_last=True):
        pass
    assert "encode" in stages.ms
