"""Counts whose file system has no room: they are lost, and their process is not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client import values
from prometheus_client.mmap_dict import MmapedDict

from bgremove.api.metrics.folder import VARIABLE, CountsFolder
from bgremove.api.metrics.reserved import START_BYTES, LossyDict, ReservedDict
from tests.support.disks import fill, small_disk

COUNT = """
from bgremove.api.metrics.reserved import reserve_room
reserve_room()
from bgremove.api.metrics.recording import Instruments
instruments = Instruments(None)
for number in range(2000):
    instruments.requests.labels(str(number), "human", "mask").inc()
print(instruments.requests.labels("1999", "human", "mask")._value.get())
"""


def keys(count: int) -> list[str]:
    return [f"a key of some length {number:08}" for number in range(count)]


def written(path: Path) -> dict[str, float]:
    return {key: value for key, value, *_ in MmapedDict.read_all_values_from_file(str(path))}


def test_counts_outgrow_their_room_and_stay_readable(tmp_path: Path) -> None:
    counts = ReservedDict(str(tmp_path / "counts"))
    for number, key in enumerate(keys(3000)):
        counts.write_value(key, number, 0)
    counts.close()
    assert (tmp_path / "counts").stat().st_size == 4 * START_BYTES
    expected = {key: float(number) for number, key in enumerate(keys(3000))}
    assert written(tmp_path / "counts") == expected
    again = LossyDict(str(tmp_path / "counts"))
    assert again.read_value(keys(3000)[7]) == (7, 0)
    again.close()


def test_room_is_reserved_before_it_is_mapped(tmp_path: Path) -> None:
    counts = ReservedDict(str(tmp_path / "counts"))
    assert (tmp_path / "counts").stat().st_blocks * 512 >= START_BYTES
    counts.close()


def test_without_any_room_counts_are_kept_in_memory(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with small_disk(tmp_path, 64):
        fill(tmp_path)
        with pytest.raises(OSError, match="No space"):
            ReservedDict(str(tmp_path / "strict"))
        counts = LossyDict(str(tmp_path / "counts"))
        for number, key in enumerate(keys(3000)):
            counts.write_value(key, number, 0)
        assert counts.read_value(keys(3000)[2999]) == (2999, 0)
        counts.close()
    assert "no room" in caplog.text


def test_counts_that_no_longer_fit_are_kept_in_memory(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with small_disk(tmp_path, 256):
        counts = LossyDict(str(tmp_path / "counts"))
        counts.write_value("before", 1, 0)
        fill(tmp_path)
        for number, key in enumerate(keys(3000)):
            counts.write_value(key, number, 0)
        counts.write_value("before", 2, 0)
        assert counts.read_value("before") == (2, 0)
        assert counts.read_value(keys(3000)[2999]) == (2999, 0)
        assert written(tmp_path / "counts")["before"] == 1
        counts.close()
    assert "lost" in caplog.text


def test_a_process_outlives_a_full_file_system(tmp_path: Path) -> None:
    with small_disk(tmp_path, 128):
        fill(tmp_path)
        run = subprocess.run(
            [sys.executable, "-c", COUNT],
            env={VARIABLE: str(tmp_path)},
            capture_output=True,
            check=False,
            text=True,
        )
    assert (run.returncode, run.stdout) == (0, "1.0\n")


def test_the_master_outlives_a_full_file_system(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with small_disk(tmp_path, 256):
        counts = ReservedDict(str(tmp_path / "counter_1.db"))
        counts.write_value('["a", "a", {}, "b"]', 1, 0)
        counts.close()
        folder = CountsFolder.__new__(CountsFolder)
        folder.path, folder._ended = tmp_path, set()
        fill(tmp_path)
        folder.retire(1)
    assert "not added up" in caplog.text


def test_the_library_still_looks_its_dict_up_where_ours_is_put() -> None:
    assert vars(values)["MmapedDict"] in (MmapedDict, LossyDict)
    names = values.MultiProcessValue.__code__.co_consts
    assert any("MmapedDict" in code.co_names for code in _codes(names))


def _codes(constants: tuple) -> list:
    found = [one for one in constants if hasattr(one, "co_names")]
    return found + [inner for one in found for inner in _codes(one.co_consts)]
