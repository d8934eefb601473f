from __future__ import annotations

import os
import subprocess
import sys
import threading

import psutil

from bgremove.api.metrics.scraping import Processes

WAITING = "import sys; sys.stdin.read()"
PARENT = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {WAITING!r}])"


def values(processes: Processes) -> dict[tuple[str, str], float]:
    return {
        (metric.name, sample.labels["process"]): sample.value
        for metric in processes.collect()
        for sample in metric.samples
    }


def test_each_generation_is_summed_under_its_name() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parent:
        while not (grandchildren := psutil.Process(parent.pid).children()):
            assert parent.poll() is None
        found = values(Processes(parent.pid, ("worker", "decoder")))
        assert len(grandchildren) == 1
    assert found["bgremove_processes", "worker"] == 1
    assert found["bgremove_processes", "decoder"] == 1
    assert 1e6 < found["bgremove_resident_memory_bytes", "worker"] < 1e9


def test_children_of_every_thread_are_found() -> None:
    started, done, pids = threading.Event(), threading.Event(), []

    def start_one() -> None:
        with subprocess.Popen([sys.executable, "-c", WAITING], stdin=subprocess.PIPE) as child:
            pids.append(child.pid)
            started.set()
            done.wait(60)

    thread = threading.Thread(target=start_one)
    thread.start()
    assert started.wait(60)
    found = values(Processes(os.getpid(), ("worker", "decoder")))
    assert found["bgremove_processes", "decoder"] >= 1
    done.set()
    thread.join(60)


def test_what_is_counted_is_what_the_kernel_says() -> None:
    with open(f"/proc/{os.getpid()}/status", encoding="ascii") as status:
        (line,) = [line for line in status if line.startswith("VmRSS:")]
    found = values(Processes(os.getpid(), ("worker",)))
    counted = found["bgremove_resident_memory_bytes", "worker"]
    assert abs(counted - int(line.split()[1]) * 1024) < 20e6


def test_a_process_that_has_ended_counts_as_none() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        pass
    found = values(Processes(child.pid, ("worker", "decoder")))
    assert set(found.values()) == {0}
