import io
import sys
import time

import pytest

from bgremove.provisioning.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_a_bar_with_name_and_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with Progress("tiny.onnx", 2_000_000, start=500_000) as bar:
        bar.advance(1_500_000)
    assert "tiny.onnx: 100%" in terminal.getvalue()
    assert "2.00M/2.00M" in terminal.getvalue()


def test_a_log_gets_whole_lines_and_no_bar(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    with Progress("tiny.onnx", 9_000_000, start=1_000_000) as bar:
        for _ in range(4):
            now[0] += 3
            bar.advance(2_000_000)
    assert caplog.messages == ["tiny.onnx: 5 of 9 MB", "tiny.onnx: 9 of 9 MB"]
    assert capsys.readouterr().err == ""
