import dataclasses
import json
import math
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
import pytest

from bench import answers as bench_answers
from bench import load as bench_load
from bench import machine as bench_machine
from bench import pictures as bench_pictures
from bench import process as bench_process
from bench import recorder as bench_recorder
from bench import report as bench_report
from bench import result as bench_result
from bench import servers as bench_servers
from bench import stats as bench_stats
from bench.answers import Agreement
from bench.load import Endpoint, Feed, Upload
from bench.stats import Footprint, Round, Start
from harness import processes, programs
from harness.forms import BOUNDARY
from harness.http import status_of
from harness.programs import free_port


def a_round(target="bgremove int8", phase="load", clients=1, seconds=2.0, **values) -> Round:
    defaults = {"workload": "mix", "latencies_ms": {"coffee-0.8": [100.0, 300.0]}}
    return Round(target=target, phase=phase, clients=clients, seconds=seconds, **defaults | values)


# --- statistics


@pytest.mark.parametrize(
    ("percent", "expected"), [(0, 10), (50, 25), (95, 38.5), (99, 39.7), (100, 40)]
)
def test_percentiles_are_those_of_numpy(percent, expected):
    values = [40.0, 10.0, 30.0, 20.0]
    assert bench_stats.percentile(values, percent) == pytest.approx(expected)
    assert bench_stats.percentile(values, percent) == pytest.approx(np.percentile(values, percent))


def test_percentile_of_one_value_is_that_value_and_of_none_is_nan():
    assert bench_stats.percentile([7.0], 99) == 7
    assert math.isnan(bench_stats.percentile([], 50))


def test_merging_pools_latencies_and_takes_the_median_of_throughputs():
    rounds = [
        a_round(seconds=1.0, cpu_s=0.5, rss_peak=5),
        a_round(seconds=2.0, cpu_s=0.5, rss_peak=9, failures={"503": 2}),
        a_round(
            seconds=4.0,
            cpu_s=0.5,
            rss_peak=7,
            foreign_cpu_s=6.0,
            failures={"503": 1, "ConnectionError": 1},
        ),
    ]
    row = bench_stats.merge(rounds)
    assert row is not None
    assert (row.rounds, row.ok) == (3, 6)
    assert (row.throughput, row.best_throughput) == (1.0, 2.0)
    assert (row.p50_ms, row.rss_peak, row.foreign_cores) == (200, 9, 1.5)
    assert row.cpu_ms == pytest.approx(250)
    assert row.failures == {"503": 3, "ConnectionError": 1}


def test_merging_survives_no_rounds_and_rounds_without_an_answer():
    assert bench_stats.merge([]) is None
    row = bench_stats.merge([a_round(latencies_ms={}, failures={"502": 4})])
    assert row is not None
    assert row.throughput == 0
    assert math.isnan(row.p50_ms)


def test_selecting_matches_everything_that_is_given():
    rounds = [a_round(), a_round(clients=4), a_round("rembg"), a_round(phase="growth")]
    assert bench_stats.select(rounds, phase="load", target="bgremove int8", clients=1) == rounds[:1]
    assert bench_stats.select(rounds, phase="load", workload="mix") == rounds[:3]


def test_shares_are_of_what_the_client_waited_and_name_the_rest():
    rounds = [a_round(stages_ms={"decode": 40.0, "inference": 300.0})] * 2
    found = bench_stats.shares(rounds)
    assert found == pytest.approx({"decode": 0.1, "inference": 0.75, "rest": 0.15})
    assert bench_stats.mean_stage_ms(rounds, "inference") == 150
    assert bench_stats.shares([a_round()]) == {}


def test_flatness_looks_from_four_clients_on():
    assert bench_stats.flatness({1: 2.0, 4: 5.0, 8: 4.0, 16: 4.5}) == 0.8
    assert math.isnan(bench_stats.flatness({1: 2.0, 4: 5.0}))


def test_server_timing_is_parsed():
    header = 'decode;dur=12.5, inference;desc="u2net";dur=200, cached, decode;dur=0.5'
    assert bench_stats.server_timing(header) == {"decode": 13.0, "inference": 200.0}
    assert bench_stats.server_timing("") == {}


@pytest.mark.parametrize(("a", "b"), [(1.0, 0.0), (1.0, math.nan), (math.nan, 1.0)])
def test_a_ratio_that_means_nothing_is_nan(a, b):
    assert math.isnan(bench_stats.ratio(a, b))


# --- pictures


@pytest.mark.parametrize("megapixels", bench_pictures.SIZES)
def test_sizes_keep_the_aspect_and_reach_the_megapixels(megapixels):
    width, height = bench_pictures.size_for(600, 400, megapixels)
    assert width * height == pytest.approx(megapixels * 1e6, rel=0.005)
    assert width / height == pytest.approx(1.5, rel=0.005)


def test_pictures_are_the_same_bytes_every_time():
    first, width, height = bench_pictures.render("coffee", 0.2)
    again, *_ = bench_pictures.render("coffee", 0.2)
    assert first == again
    assert cv2.imdecode(np.frombuffer(first, np.uint8), cv2.IMREAD_COLOR).shape[:2] == (
        height,
        width,
    )


def test_grain_is_fine_and_does_not_depend_on_the_tile():
    gray = np.full((1100, 30, 3), 128, np.uint8)
    grainy = bench_pictures.grainy(gray)
    assert 1.5 < grainy.std() < 2.5
    assert np.array_equal(grainy[: bench_pictures.TILE], bench_pictures.grainy(gray[:1021]))


def test_a_jpeg_is_brought_under_the_limit_or_refused():
    noise = np.random.RandomState(0).randint(0, 256, (64, 64, 3), np.uint8)
    large = bench_pictures.jpeg(noise)
    assert len(bench_pictures.jpeg(noise, len(large) - 1)) < len(large)
    with pytest.raises(ValueError, match="no quality"):
        bench_pictures.jpeg(noise, 100)


# --- clients


class Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    status, body, port = 200, bench_load.SIGNATURE + b"rest", 0
    bodies: ClassVar[list[bytes]] = []

    def do_GET(self):
        self.send_response(204)
        self.end_headers()

    def do_POST(self):
        self.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(self.body)))
        self.send_header("Server-Timing", "decode;dur=2")
        self.send_header("X-Model", "u2net")
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_):
        pass


@pytest.fixture
def answering() -> Iterator[type[Answering]]:
    class Handler(Answering):
        bodies: ClassVar[list[bytes]] = []  # each test has its own

    handler = Handler
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        handler.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield handler
        server.shutdown()
        thread.join()


def uploads(*names: str) -> list[Upload]:
    return [Upload(name, name.encode()) for name in names]


def test_a_feed_ends_with_whole_cycles_between_its_bounds():
    assert len(list(Feed(uploads("a", "b", "c"), least=4, most=100, seconds=0))) == 6
    assert len(list(Feed(uploads("a", "b", "c"), least=4, most=4, seconds=60))) == 6
    assert len(list(Feed(uploads("a"), least=0, most=0, seconds=60))) == 0


def test_a_form_names_its_fields_and_carries_the_picture_untouched():
    picture = bytes(range(256)) * 3
    endpoint = Endpoint(1, "/", "image", (("subject", "human"),))
    body = bench_load.form(endpoint, "a", picture).body
    assert picture in body
    assert body.count(b"--" + BOUNDARY.encode()) == 3
    assert b'name="subject"\r\n\r\nhuman\r\n' in body
    assert b'name="image"; filename=' in body


def test_clients_send_the_mix_in_cycles_and_count_what_came_back(answering):
    endpoint = Endpoint(answering.port, "/", "image")
    tally = bench_load.run_load(endpoint, uploads("a", "b"), 3, least=5, most=9, seconds=0)
    assert {name: len(values) for name, values in tally.latencies_ms.items()} == {"a": 3, "b": 3}
    assert sorted(answering.bodies) == [b"a"] * 3 + [b"b"] * 3
    assert tally.stages_ms == {"decode": 12.0}
    assert tally.models == {"u2net": 6}
    assert not tally.failures


@pytest.mark.parametrize(
    ("status", "body", "why"), [(503, b"{}", "503"), (200, b"<html>", "not a PNG")]
)
def test_what_is_no_picture_is_a_failure_and_has_no_latency(answering, status, body, why):
    answering.status, answering.body = status, body
    endpoint = Endpoint(answering.port, "/", "image")
    tally = bench_load.run_load(endpoint, uploads("a"), 1, least=2, most=2, seconds=0)
    assert tally.failures == {why: 2}
    assert tally.latencies_ms == {}


def test_a_server_that_is_gone_is_counted_and_not_hammered(monkeypatch):
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    endpoint = Endpoint(free_port(), "/", "image")
    tally = bench_load.run_load(endpoint, uploads("a"), 1, least=2, most=2, seconds=0)
    assert tally.failures == {"ConnectionRefusedError": 2}
    assert waits == [bench_load.FAULT_PAUSE_S] * 2
    assert status_of(endpoint.port, "/") == 0


def test_a_body_is_fetched_and_is_empty_where_it_is_no_picture(answering):
    endpoint = Endpoint(answering.port, "/", "image")
    (upload,) = uploads("a")
    assert bench_load.fetch(endpoint, upload) == answering.body
    answering.status = 502
    assert bench_load.fetch(endpoint, upload) == b""


# --- answers


def png(alpha: np.ndarray) -> bytes:
    rgba = np.dstack([np.zeros((*alpha.shape, 3), np.uint8), alpha])
    return cv2.imencode(".png", rgba)[1].tobytes()


def test_answers_are_compared_by_their_alpha(tmp_path, monkeypatch, capsys):
    reference = np.zeros((4, 4), np.uint8)
    reference[:, :2] = 255
    other = reference.copy()
    other[:2, 2] = 255
    for name, alpha in ((bench_answers.REFERENCE, reference), ("rembg", other)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "coffee.png").write_bytes(png(alpha))
    (tmp_path / "rembg" / "alone.png").write_bytes(png(other))
    monkeypatch.setattr(sys, "argv", ["bench_answers.py", str(tmp_path)])
    bench_answers.main()
    (found,) = json.loads(capsys.readouterr().out)
    assert Agreement(**found) == Agreement("rembg", "coffee", 0.125, 0.8)


def test_answers_of_other_sizes_or_without_alpha_are_refused():
    with pytest.raises(ValueError, match="not a PNG with alpha"):
        bench_answers.alpha_of(cv2.imencode(".png", np.zeros((2, 2, 3), np.uint8))[1].tobytes())
    one, two = np.zeros((2, 2), np.float32), np.zeros((2, 3), np.float32)
    assert bench_answers.agreement("a", "b", one, one).iou == 1
    with pytest.raises(ValueError, match="rembg, coffee"):
        bench_answers.agreement("rembg", "coffee", one, two)


# --- processes and servers


def test_a_tree_holds_the_session_of_the_root_and_all_below_it():
    parents = {1: (0, 1), 10: (1, 10), 11: (10, 10), 12: (11, 12), 13: (1, 10), 20: (1, 20)}
    assert processes.descendants(10, parents) == {10, 11, 12, 13}
    del parents[10]
    assert processes.descendants(10, parents) == {11, 12, 13}
    assert processes.descendants(30, parents) == set()


def test_memory_and_cpu_time_of_this_process_are_seen():
    own = processes.tree(os.getpid())
    assert os.getpid() in own
    assert processes.resident_bytes(own) >= bench_process.pss({os.getpid()}) > 0
    assert processes.cpu_seconds({os.getpid()}) > 0
    assert processes.tree(2**30) == set()


def test_a_watch_sees_a_child_and_its_memory():
    code = "import sys; kept = bytearray(50_000_000); print(1, flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        with bench_process.Watch(child.pid, with_pss=True) as watch:
            pass
        with bench_process.Watch(child.pid, with_pss=False) as cheaper:
            pass
        child.communicate()
    assert watch.rss_peak > 50_000_000
    assert watch.pss_peak > 50_000_000
    assert (cheaper.rss_peak, cheaper.pss_peak) == (watch.rss_peak, 0)


def target(code: str) -> bench_servers.Target:
    return bench_servers.Target(
        "a server", (sys.executable, "-c", code, "{port}"), {"PORT": "{port}"}, "/", "/", "image"
    )


SERVING = """
import http.server, os, subprocess, sys
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self): self.send_response(200); self.end_headers()
assert os.environ["PORT"] == sys.argv[1]
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def test_a_server_is_started_and_ended_with_its_children(tmp_path, monkeypatch):
    monkeypatch.setattr(programs, "ORPHAN_GRACE_S", 0.1)
    with bench_servers.started(target(SERVING), tmp_path) as server:
        pids = processes.tree(server.process.pid)
        assert len(pids) == 2
        assert server.is_alive
    assert not server.is_alive
    deadline = time.monotonic() + 60  # the kernel reaps an orphan soon, not at once
    while any(processes.resident_bytes({pid}) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not any(processes.resident_bytes({pid}) for pid in pids)


def test_a_server_that_ends_while_starting_says_its_last_words(tmp_path):
    with (
        pytest.raises(programs.ServerError, match=r"ended while starting.*no such weights"),
        bench_servers.started(target("raise SystemExit('no such weights')"), tmp_path),
    ):
        pass


def test_a_server_that_cannot_answer_is_ended_at_once_and_not_tried_again(tmp_path, monkeypatch):
    monkeypatch.setattr(programs, "ORPHAN_GRACE_S", 0.1)
    started = []

    @contextmanager
    def noted(target, logs):
        with bench_servers.started(target, logs) as server:
            started.append(server)
            yield server

    monkeypatch.setattr(bench_recorder, "started", noted)
    recorder = bench_recorder.Recorder({"a": b"picture"}, tmp_path, tmp_path)
    workload = bench_recorder.Workload("mix", ("a",))
    for _ in range(2):
        with recorder.running([target(SERVING)], "load", workload) as servers:
            assert servers == []
            assert not started[0].is_alive
    assert len(started) == 1
    (note,) = recorder.notes
    assert note.startswith("a server left out: its first picture failed: 501")


def test_rembg_is_given_the_same_weights_and_never_the_network(tmp_path):
    weights = tmp_path / "u2net.onnx"
    weights.write_bytes(b"weights")
    for _ in range(2):  # the second run finds the first one's link
        found = bench_servers.rembg(tmp_path / "venv", tmp_path / "home", weights)
    link = Path(found.environment["U2NET_HOME"]) / "models" / "u2net" / "u2net.onnx"
    assert link.samefile(weights)
    assert found.fields == (("model", "u2net"),)


@pytest.mark.parametrize(
    ("precision", "model", "fits"),
    [
        ("int8", "u2net-int8", True),
        ("int8", "u2net", False),
        ("float32", "u2net", True),
        ("float32", "u2net-int8", False),
        (None, "", True),
    ],
)
def test_a_precision_that_did_not_run_is_noticed(precision, model, fits):
    if fits:
        bench_recorder.check_precision(precision, {model})
    else:
        with pytest.raises(programs.ServerError, match=f"answered with {model}"):
            bench_recorder.check_precision(precision, {model})


def test_cpuinfo_of_both_families_is_understood():
    intel = "model name\t: A\nflags\t\t: fma avx2\n\nmodel name\t: B\nflags\t\t: sse\n"
    assert bench_machine.parse_cpuinfo(intel) == {"model name": "A", "flags": "fma avx2"}
    assert bench_machine.parse_cpuinfo("Features\t: asimd i8mm\n")["flags"] == "asimd i8mm"


# --- the report


@pytest.fixture
def result(tmp_path) -> bench_result.Result:
    rounds, starts, footprints = [], [], []
    for label, slowness in (("bgremove int8", 1), ("rembg", 8), ("bgremove float32", 3)):
        latencies = {"chelsea-0.2": [200.0 * slowness, 240.0 * slowness]}
        stages = {} if label == "rembg" else {"inference": 360.0 * slowness}
        values = {"latencies_ms": latencies, "stages_ms": stages, "rss_peak": slowness * 10**8}
        rounds += [
            a_round(label, clients=clients, seconds=slowness, **values) for clients in (1, 4, 8)
        ]
        rounds += [a_round(label, "growth", workload="astronaut-0.2", **values)]
        starts.append(Start(label, "load", 2.0 * slowness, 300.0, 10**8, 10**8))
        footprints.append(Footprint(label, 10**8 * slowness, 10**8, 2 * 10**8 * slowness, 1, 4))
    rounds.append(a_round("1 worker", "workers", clients=4))
    starts.append(Start("1 worker", "workers", 2.0, 300.0, 10**8, 10**8))
    path = tmp_path / "result.json"
    data = {
        "machine": {"date": "2026-01-01", "cores": "2 of 2", "processor": "a processor"},
        "quick": True,
        "seconds": 125,
        "pictures": [{"name": "a", "width": 3, "height": 2, "bytes": 1234, "sha256": "ab" * 32}],
        "starts": [asdict(one) for one in starts],
        "footprints": [asdict(one) for one in footprints],
        "rounds": [asdict(one) for one in rounds],
        "answers": [asdict(Agreement("rembg", "coffee-0.8", 0.0123, 0.9876))],
        "notes": ["something was left out"],
    }
    path.write_text(json.dumps(data))
    return bench_result.Result.load(path)


def test_targets_are_those_that_took_turns(result):
    assert result.targets == ["bgremove int8", "rembg", "bgremove float32"]
    assert result.ours == "bgremove int8"


def test_ratios_stand_beside_their_goals(result):
    by_name = {metric.name: metric for metric in bench_result.METRICS}
    throughput = by_name["Pictures a second, 4 clients: median round"]
    assert bench_result.rival_ratio(result, throughput) == pytest.approx(8)
    page = bench_report.markdown(result)
    assert "| 2.00 | 0.25 | 0.67 | 8.0 × | ≥ 3 ×, met | 3.0 × |" in page
    assert "| 180 | – | 540 | – |  | 0.33 × (≤ 0.33 ×, met) |" in page
    assert bench_result.fastest_ms(result, "rembg") == 1600


def test_a_missed_goal_is_said():
    assert bench_report._verdict(("≤", 0.2), 0.3) == "≤ 0.2 ×, **missed**"
    assert bench_report._verdict(("≤", 0.2), math.nan) == "≤ 0.2 ×"


def test_the_page_says_what_was_left_out_and_that_it_was_quick(result):
    page = bench_report.markdown(result)
    assert "A quick run" in page
    assert "2 min 5 s" in page
    assert "something was left out" in page
    assert "nan" not in page


@pytest.fixture
def bare(result) -> bench_result.Result:
    """A run that ended after its first start."""
    return dataclasses.replace(
        result, starts=result.starts[:1], footprints=[], rounds=[], answers=[], notes=[]
    )


def test_a_run_without_rembg_and_without_load_is_still_a_page(bare):
    page = bench_report.markdown(bare)
    assert "At a glance" in page
    assert "nan" not in page
    assert " : rembg" not in page


def test_every_row_of_a_table_has_as_many_cells_as_its_head(result):
    heads = 0
    width = 0
    for line in bench_report.markdown(result).splitlines():
        if not line.startswith("|"):
            width = 0
        elif not width:
            width, heads = line.count(" | "), heads + 1
        else:
            assert line.count("|") - 2 == width, line
    assert heads == 9


@pytest.mark.parametrize("which", ["result", "bare"])
def test_the_plot_is_a_png_of_whatever_was_measured(which, request, tmp_path):
    pytest.importorskip("matplotlib")
    from bench import plot

    plot.draw(request.getfixturevalue(which), tmp_path / "bench.png")
    assert (tmp_path / "bench.png").read_bytes().startswith(bench_load.SIGNATURE)
