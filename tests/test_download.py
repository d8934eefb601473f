"""Servers that never finish an answer: its headers, redirects, chunks or trailers."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from bgremove.errors import WeightsError
from bgremove.inference.models import Source
from bgremove.provisioning.fetch import obtain
from tests.support.endless_server import ENDLESS, SLOW, sending
from tests.support.graphs import model_of

DATA = bytes(range(256)) * 100


@pytest.mark.parametrize("what", SLOW)
def test_a_source_that_hardly_sends_is_abandoned(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = itertools.count(0, 7)
    with sending(*SLOW[what]) as url:
        monkeypatch.setattr("time.monotonic", lambda: next(clock))
        with pytest.raises(WeightsError, match=r"less than 10,000 bytes a second"):
            obtain(Source("url", url=url), model_of(DATA), tmp_path / "part")
    if what == "the body":
        assert (tmp_path / "part").stat().st_size > 0  # the next attempt goes on from there


@pytest.mark.parametrize("what", ENDLESS)
def test_a_source_that_sends_without_an_end_is_abandoned(what: str, tmp_path: Path) -> None:
    with sending(*ENDLESS[what]) as url, pytest.raises(WeightsError, match=r"more than 1,080,576"):
        obtain(Source("url", url=url), model_of(DATA), tmp_path / "part")


def test_only_files_and_http_are_opened(tmp_path: Path) -> None:
    source = Source("url", url="ftp://127.0.0.1/tiny.onnx")
    with pytest.raises(WeightsError, match="does not answer: unknown url type: ftp"):
        obtain(source, model_of(DATA), tmp_path / "part")
