"""A decoder that a picture has taken over, in its walls; where the kernel has them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from bgremove import sandbox
from bgremove.deadline import Deadline
from bgremove.errors import ImageError
from bgremove.imaging.decoder import process as decoder_process
from bgremove.imaging.decoder.pool import DecoderPool
from bgremove.imaging.probe import probe
from bgremove.sandbox import landlock, seccomp
from tests.support import pictures as made
from tests.support.taken_over_decoder import ATTEMPTS

ROOT = Path(__file__).resolve().parents[2]
LIMITS = made.limits()
PICTURE = made.saved(Image.fromarray(made.scene(40, 30)), "PNG")
PR_GET_DUMPABLE = 3
HELD = "hold the worker"  # a descriptor of a process, which alone gives no right to it
has_seccomp = pytest.mark.skipif(seccomp.lacking() is not None, reason="no seccomp")
has_landlock = pytest.mark.skipif(landlock.version() < 6, reason="Landlock is absent or old")


def succeeded(monkeypatch: pytest.MonkeyPatch, without: str) -> set[str]:
    """Return what a decoder can do that was taken over, without some of its walls."""
    environment = decoder_process.environment
    monkeypatch.setattr(decoder_process, "CHILD", "tests.support.taken_over_decoder")
    monkeypatch.setattr(
        decoder_process, "environment", lambda limits: environment(limits) | {"WITHOUT": without}
    )
    with DecoderPool(LIMITS, size=1) as pool, pytest.raises(ImageError) as answer:
        pool.decode(PICTURE, probe(PICTURE, LIMITS), Deadline.after(30))
    return set(json.loads(answer.value.private))


@has_seccomp
@pytest.mark.parametrize("without", ["", "landlock"])
def test_behind_the_filter_nothing_can_be_done(
    monkeypatch: pytest.MonkeyPatch, without: str
) -> None:
    assert succeeded(monkeypatch, without) == set()


def test_without_walls_an_attack_succeeds(monkeypatch: pytest.MonkeyPatch) -> None:
    """So what fails behind them fails because of them."""
    can = succeeded(monkeypatch, "seccomp landlock")
    assert can >= {
        "read a file",
        "list a folder",
        "make a file in memory",
        "start a thread",
        "map code",
        "signal the worker",
        "bind a port",
        "duplicate a descriptor",
    }


def test_the_page_on_security_counts_the_attempts() -> None:
    page = (ROOT / "docs" / "security.md").read_text("utf-8")
    assert f"none of {len(ATTEMPTS)} attempts succeeds" in page


@has_landlock
def test_landlock_alone_keeps_files_the_worker_and_the_network(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    can = succeeded(monkeypatch, "seccomp")
    for attempt in ATTEMPTS:
        if any(word in attempt for word in ("file", "worker", "environment", "connect", "shell")):
            assert attempt not in can - {"make a file in memory", "limit the worker", HELD}


PICTURES = {
    "cmyk jpeg": lambda: made.saved(
        Image.fromarray(made.scene(40, 30)).convert("CMYK"),
        "JPEG",
        icc_profile=made.cmyk_profile(),
    ),
    "gray png": lambda: made.saved(
        Image.fromarray(made.scene(40, 30)).convert("L"), "PNG", icc_profile=made.gray_profile(1.8)
    ),
    "deep png": lambda: made.png(40, 30, 16, made.RGBA),
    "progressive jpeg": lambda: made.saved(
        Image.fromarray(made.scene(400, 300)), "JPEG", progressive=True
    ),
    "animated gif": lambda: made.saved(
        Image.new("P", (9, 9), 3), "GIF", save_all=True, append_images=[Image.new("P", (9, 9), 5)]
    ),
    "webp": lambda: made.saved(Image.fromarray(made.scene(40, 30, 4)), "WEBP"),
    "bmp": lambda: made.saved(Image.fromarray(made.scene(40, 30)), "BMP"),
    "damaged jpeg": lambda: made.saved(Image.fromarray(made.scene(400, 300)), "JPEG")[:900],
    "damaged gif": lambda: made.gif((9, 9), (9, 9), b"\xff\xff\xff"),
}


@has_seccomp
@pytest.mark.parametrize("kind", PICTURES)
def test_decoding_makes_no_call_that_the_filter_denies(
    monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """A call too many ends this decoder, and would be a 502 or another answer than here."""
    monkeypatch.setattr(decoder_process, "CHILD", "tests.support.strict_decoder")
    data = PICTURES[kind]()
    header = probe(data, LIMITS)
    endings: list[str] = []
    with DecoderPool(LIMITS, size=1, on_end=endings.append) as pool:
        for _ in range(2):
            if "damaged" in kind:
                with pytest.raises(ImageError):
                    pool.decode(data, header, Deadline.after(30))
            else:
                assert pool.decode(data, header, Deadline.after(30)).size == header.size
    assert not endings


@pytest.mark.skipif(sys.platform != "linux", reason="read from /proc")
def test_a_decoder_that_outlives_its_worker_ends_by_its_own_limit() -> None:
    with DecoderPool(LIMITS, size=1) as pool:
        pool.decode(PICTURE, probe(PICTURE, LIMITS), Deadline.after(30))
        (decoder,) = pool._idle
        limits = Path(f"/proc/{decoder.pid}/limits").read_text()
    (line,) = [line for line in limits.splitlines() if line.startswith("Max cpu time")]
    assert line.split()[-2] == "3600"


def test_memory_is_hidden_from_other_processes() -> None:
    program = (
        "import os; from bgremove.sandbox import hide_memory, linux\n"
        "hide_memory()\n"
        "child = os.fork()\n"
        f"os.write(1, b'%d\\n' % linux.prctl({PR_GET_DUMPABLE}, 0))\n"
        "child and os.wait()\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, check=True, text=True
    )
    assert run.stdout.split() == ["0", "0"]


def test_other_systems_run_without_walls_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    (sentence,) = sandbox.lacking()
    assert "darwin" in sentence
    sandbox.confine()
    sandbox.hide_memory()


def test_a_kernel_without_walls_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object) -> int:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(landlock, "syscall", unknown)
    monkeypatch.setattr(seccomp, "prctl", unknown)
    filters, files = sandbox.lacking()
    assert "seccomp" in filters
    assert "Landlock" in files
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    assert "riscv64" in sandbox.lacking()[0]
