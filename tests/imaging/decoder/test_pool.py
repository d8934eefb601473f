"""Decoders in processes of their own: a hang or a crash costs one request."""

from __future__ import annotations

import gc
import os
import resource
import signal
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bgremove.datatypes import ImageHeader, ImageType
from bgremove.deadline import Deadline
from bgremove.errors import DeadlineExceededError, ImageError, UpstreamError
from bgremove.imaging.decoder import child as decoder_child
from bgremove.imaging.decoder import pool as decoder_pool
from bgremove.imaging.decoder import process as decoder_process
from bgremove.imaging.decoder.pool import DecoderPool
from bgremove.imaging.intake import reduced
from bgremove.imaging.probe import probe
from tests.support import pictures as made
from tests.support.decoding import decode

LIMITS = made.limits()
ROOT = Path(__file__).resolve().parents[3]
PICTURE = made.saved(Image.fromarray(made.scene(40, 30)), "PNG")
HEADER = probe(PICTURE, LIMITS)


@pytest.fixture
def endings() -> list[str]:
    return []


@pytest.fixture
def pool(endings: list[str]) -> Iterator[DecoderPool]:
    with DecoderPool(LIMITS, size=1, on_end=endings.append) as pool:
        yield pool


strangers: set[int] = set()


@pytest.fixture(autouse=True)
def _know_strangers() -> None:
    """Leave out of `children` the decoders that other tests' applications still hold."""
    strangers.clear()
    strangers.update(children())


def children() -> list[int]:
    """Return the process ids of the children that this process has had since the test began."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == os.getpid() and fields[0] != "Z":
            found.append(int(status.parent.name))
    return [child for child in found if child not in strangers]


def crash_stopped(child: int, kind: signal.Signals) -> None:
    """End a stopped process by a signal; it gets one that is no SIGKILL only when it goes on."""
    os.kill(child, kind)
    os.kill(child, signal.SIGCONT)


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("channels", [3, 4])
def test_pixels_are_those_of_decoding_here(pool, orientation, channels):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = made.saved(
        Image.fromarray(made.scene(40, 30, channels)),
        "PNG",
        exif=exif,
        icc_profile=made.matrix_profile([[0.5, 0.2, 0], [0.3, 0.7, 0], [0.1, 0.1, 0.8]], 2.2),
    )
    header = probe(data, LIMITS)
    theirs, ours = pool.decode(data, header, Deadline.after(20)), decode(data, header)
    assert np.array_equal(theirs.bgr, ours.bgr)
    assert (theirs.alpha is None) == (channels == 3)
    if channels == 4:
        assert np.array_equal(theirs.alpha, ours.alpha)
    assert theirs.icc_profile == header.icc_profile is not None
    theirs.bgr[0, 0] = 1  # the arrays are the caller's to write to


def test_a_jpeg_is_decoded_as_small_as_here(pool):
    exif = Image.Exif()
    exif[0x0112] = 6
    data = made.saved(Image.fromarray(made.scene(203, 121)), "JPEG", exif=exif)
    header = reduced(probe(data, LIMITS), 30)
    theirs, ours = pool.decode(data, header, Deadline.after(20)), decode(data, header)
    assert theirs.size == (31, 51)
    assert np.array_equal(theirs.bgr, ours.bgr)


def test_warnings_come_along(pool):
    frames = [Image.new("RGB", (9, 9), colour) for colour in ("red", "lime")]
    data = made.saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    image = pool.decode(data, probe(data, LIMITS), Deadline.after(20))
    assert image.warnings == ("animation-first-frame",)


def test_a_damaged_picture_is_refused_and_costs_no_process(pool):
    pool.start()
    before = children()
    with pytest.raises(ImageError, match="damaged"):
        pool.decode(PICTURE[:-30], HEADER, Deadline.after(20))
    pool.decode(PICTURE, HEADER, Deadline.after(20))
    assert children() == before


def test_a_decoder_that_hangs_is_killed_at_the_deadline_and_replaced(pool, endings):
    pool.start()
    (hung,) = children()
    os.kill(hung, signal.SIGSTOP)
    start = time.monotonic()
    with pytest.raises(DeadlineExceededError, match=r"limit of 0\.3 seconds"):
        pool.decode(PICTURE, HEADER, Deadline.after(0.3))
    assert time.monotonic() - start > 0.25
    assert hung not in children()
    assert endings == ["timeout"]
    assert pool.decode(PICTURE, HEADER, Deadline.after(20)).size == (40, 30)


@pytest.mark.parametrize(
    ("kind", "error", "sentence"),
    [
        (signal.SIGSEGV, ImageError, "damaged"),
        (signal.SIGABRT, ImageError, "damaged"),
        (signal.SIGKILL, UpstreamError, "stopped unexpectedly"),
    ],
)
def test_a_decoder_that_crashes_costs_its_own_request_only(pool, endings, kind, error, sentence):
    pool.start()
    (child,) = children()
    os.kill(child, signal.SIGSTOP)
    crash = threading.Timer(0.2, crash_stopped, (child, kind))
    crash.start()
    with pytest.raises(error, match=sentence) as crashed:
        pool.decode(PICTURE, HEADER, Deadline.after(20))
    crash.join()
    assert str(-kind) in crashed.value.private
    assert endings == ["crash"]
    assert not isinstance(crashed.value, DeadlineExceededError)
    assert pool.decode(PICTURE, HEADER, Deadline.after(20)).size == (40, 30)


def test_a_crash_of_one_decoder_leaves_another_s_picture_alone():
    with DecoderPool(LIMITS, size=2) as pool:
        pool.start(2)
        sizes: list[tuple[int, int]] = []
        slow = made.png(7000, 7000, 8, made.RGB)  # takes about half a second
        header = probe(slow, LIMITS)
        other = threading.Thread(
            target=lambda: sizes.append(pool.decode(slow, header, Deadline.after(60)).size)
        )
        other.start()
        while len(pool._idle) == 2 and other.is_alive():
            time.sleep(0.01)
        victim = pool._idle[0].pid
        os.kill(victim, signal.SIGSTOP)
        crash = threading.Timer(0.1, crash_stopped, (victim, signal.SIGKILL))
        crash.start()
        with pytest.raises(UpstreamError):
            pool.decode(PICTURE, HEADER, Deadline.after(20))
        other.join()
        assert sizes == [(7000, 7000)]


def kill_and_wait(child: int) -> None:
    """Kill a child and wait until it is dead, though not yet buried by its parent."""
    os.kill(child, signal.SIGKILL)
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)


def test_a_decoder_that_died_while_idle_costs_no_request(pool):
    pool.decode(PICTURE, HEADER, Deadline.after(20))
    (child,) = children()
    kill_and_wait(child)
    assert pool.decode(PICTURE, HEADER, Deadline.after(20)).size == (40, 30)


def test_a_decoder_that_closed_its_side_just_before_costs_no_request(pool, monkeypatch):
    pool.decode(PICTURE, HEADER, Deadline.after(20))
    (child,) = children()
    kill_and_wait(child)
    alive = decoder_process.DecoderProcess.is_alive
    monkeypatch.setattr(decoder_process.DecoderProcess, "is_alive", True)
    image = pool.decode(PICTURE, HEADER, Deadline.after(20))
    monkeypatch.setattr(decoder_process.DecoderProcess, "is_alive", alive)
    assert image.size == (40, 30)


def test_waiting_for_a_free_decoder_ends_at_the_deadline(pool):
    pool.start()
    (child,) = children()
    os.kill(child, signal.SIGSTOP)
    results: list[Exception] = []

    def ask() -> None:
        try:
            pool.decode(PICTURE, HEADER, Deadline.after(1.5))
        except UpstreamError as error:
            results.append(error)

    holder = threading.Thread(target=ask)
    holder.start()
    while pool._idle:
        time.sleep(0.01)
    with pytest.raises(DeadlineExceededError) as waited:
        pool.decode(PICTURE, HEADER, Deadline.after(0.2))
    assert "waiting" in waited.value.private
    holder.join()
    assert len(results) == 1


def test_requests_of_many_threads_share_few_processes():
    with DecoderPool(LIMITS, size=2) as pool:
        results: list[tuple[int, int]] = []

        def ask() -> None:
            for _ in range(5):
                image = pool.decode(PICTURE, HEADER, Deadline.after(60))
                results.append(image.size)

        threads = [threading.Thread(target=ask) for _ in range(6)]
        for thread in threads:
            thread.start()
        most = 0
        while any(thread.is_alive() for thread in threads):
            most = max(most, len(children()))
            time.sleep(0.01)
        assert results == [(40, 30)] * 30
        assert most <= 2


def test_pictures_that_decode_fast_wait_for_one_process(monkeypatch):
    monkeypatch.setattr(decoder_pool, "PATIENCE_S", 60.0)
    with DecoderPool(LIMITS, size=2) as pool, ThreadPoolExecutor(6) as clients:
        pool.start()
        asked = [
            clients.submit(pool.decode, PICTURE, HEADER, Deadline.after(60)) for _ in range(20)
        ]
        assert [answer.result().size for answer in asked] == [(40, 30)] * 20
        assert len(children()) == 1


def test_a_picture_does_not_wait_for_a_decoder_that_hangs():
    with DecoderPool(LIMITS, size=2) as pool, ThreadPoolExecutor(1) as client:
        pool.start()
        (hung,) = children()
        os.kill(hung, signal.SIGSTOP)
        held = client.submit(pool.decode, PICTURE, HEADER, Deadline.after(60))
        while pool._idle:
            time.sleep(0.01)
        assert pool.decode(PICTURE, HEADER, Deadline.after(30)).size == (40, 30)
        assert not held.done()
        os.kill(hung, signal.SIGCONT)
        assert held.result().size == (40, 30)


def test_opencv_s_own_limits_stop_what_gets_past_probe():
    """A second wall: the size a decoder sees is not the one a header told."""
    large = made.png(300, 300)
    told = ImageHeader(ImageType.PNG, 300, 300)
    small = made.limits(max_pixels=89_999)
    with DecoderPool(small, size=1) as pool, pytest.raises(ImageError) as refusal:
        pool.decode(large, told, Deadline.after(20))
    assert "PIXELS" in refusal.value.private.upper()
    with DecoderPool(made.limits(max_side=299), size=1) as pool, pytest.raises(ImageError):
        pool.decode(large, told, Deadline.after(20))
    with DecoderPool(made.limits(max_pixels=90_000), size=1) as pool:
        assert pool.decode(large, told, Deadline.after(20)).size == (300, 300)


def test_a_decoder_that_runs_out_of_memory_is_an_upstream_error(monkeypatch):
    monkeypatch.setattr(decoder_process, "MEMORY_PER_PIXEL", 1)
    big = made.png(6000, 6000, 8, made.RGB)
    with DecoderPool(LIMITS, size=1) as pool:
        with pytest.raises(UpstreamError, match="memory"):
            pool.decode(big, probe(big, LIMITS), Deadline.after(20))
        assert pool.decode(PICTURE, HEADER, Deadline.after(20)).size == (40, 30)


def test_a_damaged_animation_that_crashes_opencv_is_refused(pool):
    """OpenCV 5.0.0 jumps out of a function that has returned where an APNG's pixels are damaged."""
    frames = [Image.fromarray(made.scene(64, 48, 4)).rotate(turn) for turn in (0, 90, 180)]
    whole = made.saved(frames[0], "PNG", save_all=True, append_images=frames[1:])
    packed = zlib.compress(b"\x09" * (48 * (1 + 4 * 64)))  # there is no filter 9
    at = whole.index(b"IDAT")
    end = at + 8 + int.from_bytes(whole[at - 4 : at], "big")
    still_damaged = whole[: at - 4] + made.chunk(b"IDAT", packed) + whole[end:]
    apart = whole.index(b"fcTL")
    length = 12 + 26
    damaged = made.chunk(b"fdAT", bytes([0, 0, 0, 1]) + packed)
    frame_damaged = whole[: apart - 4] + whole[apart - 4 + length : end] + made.fctl(0, 64, 48)
    frame_damaged += damaged + made.fctl(2, 64, 48) + damaged + made.chunk(b"IEND")
    with pytest.raises(ImageError, match="damaged"):
        pool.decode(still_damaged, probe(still_damaged, LIMITS), Deadline.after(20))
    image = pool.decode(frame_damaged, probe(frame_damaged, LIMITS), Deadline.after(20))
    assert image.size == (64, 48)  # the still picture is whole
    assert pool.decode(whole, probe(whole, LIMITS), Deadline.after(20)).size == (64, 48)


def test_a_fault_in_the_decoder_s_code_reaches_the_log_and_no_client(pool):
    nonsense = ImageHeader("TIFF", 40, 30)  # type: ignore[arg-type]
    with pytest.raises(UpstreamError) as fault:
        pool.decode(PICTURE, nonsense, Deadline.after(20))
    assert "Traceback" in fault.value.private
    assert "Traceback" not in fault.value.message
    assert pool.decode(PICTURE, HEADER, Deadline.after(20)).size == (40, 30)


def test_no_decoder_that_starts_is_an_upstream_error(pool, monkeypatch):
    def fail(*_, **__):
        raise BlockingIOError("no more processes")

    monkeypatch.setattr(subprocess, "Popen", fail)
    with pytest.raises(UpstreamError, match="started"):
        pool.decode(PICTURE, HEADER, Deadline.after(20))


def test_close_ends_the_processes():
    with DecoderPool(LIMITS, size=2) as pool:
        pool.start(2)
        assert len(children()) == 2
    assert children() == []


def test_no_decoder_outlives_a_worker_that_is_killed():
    program = (
        "import sys, time\n"
        "from bgremove.imaging.decoder.pool import DecoderPool\n"
        "from tests.support import pictures as made\n"
        "pool = DecoderPool(made.limits(), size=1)\n"
        "pool.start()\n"
        "print(pool._idle[0].pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    worker = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE)
    with worker:
        child = int(worker.stdout.readline())
        worker.kill()
    deadline = time.monotonic() + 60
    while Path(f"/proc/{child}").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not Path(f"/proc/{child}").exists()


def test_a_decoder_sees_no_secret_of_the_worker_s_environment(monkeypatch):
    monkeypatch.setenv("BGREMOVE_API_KEYS", "secret")
    told = decoder_process.environment(LIMITS)
    assert "secret" not in told.values()
    assert told["OPENCV_IO_MAX_IMAGE_PIXELS"] == str(LIMITS.max_pixels)


def test_a_decoder_loads_neither_web_nor_inference():
    program = (
        "import sys, bgremove.imaging.decoder.child\n"
        "print(sorted({'flask', 'onnxruntime', 'werkzeug', 'marshmallow'} & set(sys.modules)))"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, check=True, text=True
    )
    assert run.stdout.strip() == "[]"


@pytest.fixture
def hostile(monkeypatch) -> Callable[[str], None]:
    """Give what has decoders taken over: they answer as `hostile_decoder` does."""
    environment = decoder_process.environment

    def take_over(how: str) -> None:
        monkeypatch.setattr(decoder_process, "CHILD", "tests.support.hostile_decoder")
        monkeypatch.setattr(
            decoder_process, "environment", lambda limits: environment(limits) | {"HOSTILE": how}
        )

    return take_over


@pytest.mark.parametrize(
    "how",
    [
        "no-json",
        "deep",
        "list",
        "other-number",
        "text-number",
        "number-flag",
        "missing",
        "surplus",
        "warning",
        "refusal",
        "long",
        "mapped",
    ],
)
def test_a_decoder_that_answers_nonsense_is_ended(pool, endings, hostile, how):
    hostile(how)
    pool.start()
    (liar,) = children()
    with pytest.raises(UpstreamError) as fault:
        pool.decode(PICTURE, HEADER, Deadline.after(20))
    assert "decoder" in fault.value.private
    assert fault.value.message == decoder_process.FAILED
    assert liar not in children()
    assert endings == ["crash"]


def test_an_answer_too_many_is_not_the_next_picture_s(pool, hostile):
    hostile("twice")
    assert pool.decode(PICTURE, HEADER, Deadline.after(20)).size == (40, 30)
    with pytest.raises(UpstreamError, match="failed"):
        pool.decode(PICTURE, HEADER, Deadline.after(20))


def test_pixels_do_not_change_once_they_are_answered(pool, hostile):
    hostile("late")
    image = pool.decode(PICTURE, HEADER, Deadline.after(20))
    with pytest.raises(UpstreamError):  # it tried, could not, and ended
        pool.decode(PICTURE, HEADER, Deadline.after(20))
    assert not image.bgr.any()


def test_a_fault_of_the_worker_leaves_no_answer_to_another_picture(pool, monkeypatch):
    other = made.saved(Image.fromarray(made.scene(40, 30)[::-1].copy()), "PNG")
    pool.start()
    (asked,) = children()

    def fail(*_):
        raise MemoryError

    with monkeypatch.context() as broken:
        broken.setattr(decoder_process.DecoderProcess, "_receive", fail)
        with pytest.raises(MemoryError):
            pool.decode(PICTURE, HEADER, Deadline.after(20))
    assert asked not in children()
    for data in (other, PICTURE, other):
        image = pool.decode(data, HEADER, Deadline.after(20))
        assert np.array_equal(image.bgr, decode(data, HEADER).bgr)


def test_a_decoder_is_replaced_after_so_many_pictures(pool, endings, monkeypatch):
    monkeypatch.setattr(decoder_pool, "MOST_PICTURES", 2)
    decoders = []
    for _ in range(6):
        decoders += children() or [0]
        pool.decode(PICTURE, HEADER, Deadline.after(20))
    assert decoders[0::2] == [0] * 3
    assert len(set(decoders[1::2])) == 3
    assert not endings


def test_a_pool_that_is_dropped_ends_its_decoders() -> None:
    pool = DecoderPool(LIMITS)
    pool.start()
    assert len(children()) == 1
    del pool
    gc.collect()
    assert children() == []


def test_a_sound_pool_decodes_the_known_picture_and_a_broken_one_says_so(monkeypatch) -> None:
    with DecoderPool(LIMITS) as pool:
        pool.check(Deadline.after(60))
    monkeypatch.setattr("bgremove.imaging.decoder.pool.KNOWN_PICTURE", b"no picture")
    with DecoderPool(LIMITS) as pool, pytest.raises(UpstreamError):
        pool.check(Deadline.after(60))


def test_limits_that_the_server_was_given_stay(monkeypatch) -> None:
    """As under ``ulimit -v``: a process may not raise them, and need not."""
    lowered = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (100, 1000))
    monkeypatch.setattr(resource, "setrlimit", lambda *both: lowered.append(both))
    decoder_child.lower(resource.RLIMIT_AS, 5000)
    decoder_child.lower(resource.RLIMIT_AS, 500)
    assert lowered == [(resource.RLIMIT_AS, (1000, 1000)), (resource.RLIMIT_AS, (500, 500))]
