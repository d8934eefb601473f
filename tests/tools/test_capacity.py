from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

import capacity
import capacity_report
from capacity import Goal, make_plan
from capacity_measured import Loop, Measured, Picture
from capacity_model import Machine, closed_loop, highest_rate, open_loop

MEASURED = capacity.ROOT / "docs" / "capacity.json"
PAGE = capacity.ROOT / "docs" / "capacity.md"


def second(_random) -> float:
    return 1.0


def exponential(random) -> float:
    return random.expovariate(1.0)


def measured(**values) -> Measured:
    """A server that takes a second a picture, and for two at once 1.6 s each."""
    pictures = (Picture("a", 1.0, 1_000_000, 2_000_000, (1000.0,)),)
    loops = (
        Loop(1, 100, 1.0, 1000, 1000),
        Loop(2, 100, 1.25, 1600, 1600),
        Loop(4, 100, 1.25, 3200, 3200),
    )
    server = Measured(
        date="2026-01-01",
        processor="a processor",
        cores=2,
        target="bgremove int8",
        places=2,
        queue=4,
        deadline_s=20.0,
        memory_bytes=10**9,
        memory_largest_bytes=2 * 10**9,
        pictures=pictures,
        loops=loops,
    )
    return dataclasses.replace(server, **values)


def test_one_client_sees_what_a_picture_takes_alone():
    outcome = closed_loop(Machine((1.0, 1.6), 4), [second], clients=1, count=100)
    assert outcome.throughput == pytest.approx(1.0)
    assert outcome.percentile_s(95) == pytest.approx(1.0)


def test_as_many_clients_as_places_slow_each_other_down_by_the_measured_factor():
    outcome = closed_loop(Machine((1.0, 1.6), 4), [second], clients=2, count=1000)
    assert outcome.throughput == pytest.approx(2 / 1.6, rel=0.01)
    assert outcome.percentile_s(50) == pytest.approx(1.6)


def test_more_clients_wait_and_more_than_the_queue_takes_are_refused():
    machine = Machine((1.0, 1.6), 4)
    waiting = closed_loop(machine, [second], clients=6, count=2000)
    assert waiting.refused == 0
    assert waiting.percentile_s(50) == pytest.approx(6 / 1.25, rel=0.02)
    refused = closed_loop(machine, [second], clients=8, count=2000)
    assert refused.refused > 0
    assert refused.percentile_s(95) <= 6 / 1.25 * 1.02


@pytest.mark.parametrize("load", [0.5, 1.0, 1.5])
def test_refusals_and_waits_are_those_of_queueing_theory(load):
    """M/M/2 with room for 4 more: pictures that do not hinder each other."""
    places, room, rate = 2, 6, 2 * load
    weights = [1.0]
    for n in range(1, room + 1):
        weights.append(weights[-1] * rate / min(n, places))
    shares = [weight / sum(weights) for weight in weights]
    within = sum(n * share for n, share in enumerate(shares)) / (rate * (1 - shares[-1]))
    outcome = open_loop(Machine((1.0, 1.0), 4), [exponential], rate, count=60_000)
    assert outcome.refusals == pytest.approx(shares[-1], rel=0.1)
    mean = sum(outcome.latencies_s) / len(outcome.latencies_s)
    assert mean == pytest.approx(within, rel=0.03)


def test_a_balancer_that_knows_the_least_busy_serves_better_than_chance():
    machine = Machine((1.0, 1.0), 4)
    alone = open_loop(machine, [exponential], 1.8, count=20_000)
    pooled = open_loop(machine, [exponential], 1.8 * 8, count=20_000, machines=8)
    assert pooled.percentile_s(95) < alone.percentile_s(95)
    assert pooled.refusals < alone.refusals / 10


def test_the_highest_rate_is_found():
    assert highest_rate(lambda rate: rate <= 1.7, 4.0, steps=12) == pytest.approx(1.7, abs=0.01)
    assert highest_rate(lambda _: False, 4.0) == 0.0


def test_what_was_measured_gives_the_factors():
    assert measured().machine == Machine((1.0, pytest.approx(1.6)), 4)
    with pytest.raises(SystemExit, match="3 clients were not measured"):
        _ = measured(places=3).machine


def test_machines_are_counted_up_with_spare_ones():
    plan = make_plan(measured(), Goal(4.0, 0.01, 0.9), (1.0,), spare=0.05, count=2000, pool=2)
    assert plan.machines(1, 3.0) == (1, 2)
    assert plan.machines(100, 3.0) == (34, 36)
    assert 0 < plan.alone_rate <= plan.pooled_rate <= 0.9 * 1.25
    page = capacity_report.markdown(plan)
    assert "| 4 | 100 | 1.25 | 1.25 | +0% | 3,200 | 3,200 | +0% |" in page.replace("-0%", "+0%")


def test_a_promise_that_no_machine_can_keep_is_said():
    with pytest.raises(SystemExit, match=r"no load .* p95 of 0\.5 s"):
        make_plan(measured(), Goal(0.5, 0.01, 0.9), (1.0,), spare=0.05, count=500, pool=2)


def test_figures_survive_their_file(tmp_path):
    path = tmp_path / "measured.json"
    measured().save(path)
    assert Measured.load(path) == measured()


def test_a_result_of_the_benchmark_is_read(tmp_path):
    rounds = [
        {"target": "bgremove int8", "phase": phase, "workload": "mix", "clients": clients,
         "seconds": 2.0, "latencies_ms": {"a": [400.0, 600.0]}, "rss_peak": rss}
        for phase, clients, rss in (("load", 1, 5), ("load", 2, 6), ("growth", 1, 90))
    ]  # fmt: skip
    result = {
        "machine": {"date": "today", "processor": "p", "cores": "2 of 4"},
        "quick": True,
        "seconds": 9,
        "pictures": [{"name": "a", "file": "a.jpg", "width": 2000, "height": 500, "bytes": 7}],
        "starts": [
            {"target": "bgremove int8", "phase": "load", "startup_s": 1, "first_ms": 1, "rss": 1,
             "pss": 1}
        ],
        "footprints": [
            {"target": "bgremove int8", "steady_rss": 1, "steady_pss": 1, "peak_rss": 80,
             "peak_pss": 1, "processes": 4}
        ],
        "rounds": rounds,
        "answers": [],
        "notes": [],
    }  # fmt: skip
    answers = tmp_path / "answers" / "bgremove int8"
    answers.mkdir(parents=True)
    (answers / "a.png").write_bytes(bytes(11))
    path = tmp_path / "result.json"
    path.write_text(json.dumps(result), encoding="utf-8")
    found = Measured.of_result(path)
    assert found.pictures == (Picture("a", 1.0, 7, 11, (400.0, 600.0)),)
    assert [(loop.clients, loop.throughput) for loop in found.loops] == [(1, 1.0), (2, 1.0)]
    assert (found.cores, found.places, found.queue) == (2, 2, 16)
    assert (found.memory_bytes, found.memory_largest_bytes) == (80, 90)


def test_the_page_is_of_the_figures_beside_it():
    figures, page = Measured.load(MEASURED), PAGE.read_text("utf-8")
    assert figures.date in page
    for loop in figures.loops:
        assert f"| {loop.answers} | {loop.throughput:.2f} |" in page
    assert page.endswith(capacity_report.AGAIN + "\n")


def test_the_command_writes_the_page(tmp_path, monkeypatch):
    source, page = tmp_path / "measured.json", tmp_path / "page.md"
    measured().save(source)
    monkeypatch.setattr(capacity, "OPEN_COUNT", 500)
    words = [
        "capacity",
        "--measured",
        str(source),
        "--output",
        str(page),
        "--p95",
        "5",
        "--rate",
        "3",
    ]
    monkeypatch.setattr(sys, "argv", words)
    capacity.main()
    assert "| 3 |" in page.read_text("utf-8")
