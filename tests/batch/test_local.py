from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from bgremove.batch.local import LocalRemover
from bgremove.datatypes import Box
from bgremove.errors import WeightsError
from bgremove.options import Options, OutputFormat, Subject
from bgremove.remover import engines
from bgremove.settings import Settings
from tests.support.tiny import ball, encoded


@pytest.fixture
def remover(settings: Settings) -> Iterator[LocalRemover]:
    remover = LocalRemover(settings, Options())
    yield remover
    remover.close()


def test_bytes_go_in_and_a_picture_and_its_record_come_out(remover: LocalRemover) -> None:
    result = remover(encoded(ball()))
    assert result.data.startswith(b"\x89PNG")
    record = result.record
    assert (record.code, record.model, record.warnings) == (None, "tiny", ())
    assert record.box == Box(top=16, left=32, width=33, height=33)
    assert record.confidence is not None


def test_what_is_wrong_with_a_picture_is_told(remover: LocalRemover) -> None:
    assert remover(b"no picture").record.code == "VALIDATION_ERROR"
    empty = remover(encoded(ball() // 255)).record
    assert (empty.code, empty.model) == ("NO_SUBJECT_DETECTED", "tiny")


def test_a_fallback_is_told(settings: Settings) -> None:
    remover = LocalRemover(settings, Options(Subject.HUMAN, OutputFormat.WHITE_BG))
    result = remover(encoded(ball()))
    assert result.data.startswith(b"\xff\xd8")
    assert result.record.warnings == ("model-fallback",)
    remover.close()


def test_removers_with_the_same_settings_share_an_engine(settings: Settings) -> None:
    with ThreadPoolExecutor(4) as pool:
        removers = list(pool.map(lambda _: LocalRemover(settings, Options()), range(8)))
    assert len({id(remover._engine) for remover in removers}) == 1
    for remover in removers:
        remover.close()
    assert settings not in engines._engines


def test_without_weights_it_says_what_is_missing(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"u2net\.onnx is not in"):
        LocalRemover(replace(settings, weights_dir=tmp_path), Options())


def test_a_picture_that_takes_too_long_is_told(settings: Settings) -> None:
    remover = LocalRemover(replace(settings, timeout_s=0.05, places=1), Options())
    record = remover(encoded(ball(5000, 4000))).record  # longer on any machine
    remover.close()
    assert record.code == "UPSTREAM_ERROR"
    assert record.message == "Processing took longer than the limit of 0.05 seconds"
