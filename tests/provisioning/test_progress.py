import io
import sys
import time

import pytest

from bgremove.provisioning import progress
from bgremove.provisioning.progress import Progress, megabytes, step


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return a list of one item, the time that `time.monotonic` gives."""
    seconds = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: seconds[0])
    return seconds


def test_a_terminal_shows_a_bar_with_name_and_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with Progress("tiny.onnx", 2_000_000, start=500_000) as bar:
        bar.advance(1_500_000)
    assert "tiny.onnx: 100%" in terminal.getvalue()
    assert "2.00M/2.00M" in terminal.getvalue()


def test_a_log_gets_whole_lines_and_no_bar(
    now: list[float], caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    with Progress("tiny.onnx", 9_000_000, start=1_000_000) as bar:
        for _ in range(4):
            now[0] += 3
            bar.advance(2_000_000)
    assert caplog.messages == ["tiny.onnx: 5 of 9 MB", "tiny.onnx: 9 of 9 MB"]
    assert capsys.readouterr().err == ""


def test_a_step_counts_its_seconds_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(progress, "TICK_S", 0.01)
    with step("net: building"):
        pass
    assert "net: building: 0 s" in terminal.getvalue()


def test_a_step_is_one_line_in_a_log(
    now: list[float], caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level("INFO")
    with step("net: building"):
        now[0] += 12
    with pytest.raises(OSError, match="broke"), step("other: building"):
        raise OSError("broke")
    assert caplog.messages == ["net: building: 12 s"]
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("count", "words"), [(249_024, "0.2 MB"), (9_987_728, "10.0 MB"), (175_997_641, "176 MB")]
)
def test_sizes_are_given_in_megabytes(count: int, words: str) -> None:
    assert megabytes(count) == words
