"""Cores, memory limits and instructions are read as the kernel writes them."""

import os
from pathlib import Path

import pytest

from bgremove.machine import (
    available_cpus,
    has_int8_instructions,
    memory_limit_bytes,
    processor_name,
)

MIB = 1024 * 1024
OWN = len(os.sched_getaffinity(0))


@pytest.fixture
def _many_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)))


def tree(folder: Path, files: dict[str, str], of_self: str | bytes = "0::/\n") -> int:
    """Write a cgroup tree and return the cores that it leaves."""
    root = folder / "cgroup"
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="ascii")
    own = folder / "self"
    own.write_bytes(of_self if isinstance(of_self, bytes) else of_self.encode())
    return available_cpus(root, own)


def test_without_cgroups_the_affinity_counts(tmp_path: Path) -> None:
    assert available_cpus(tmp_path / "none", tmp_path / "none") == OWN


def test_this_machine_has_at_least_one_and_at_most_its_affinity() -> None:
    assert 1 <= available_cpus() <= OWN


def test_a_quota_above_the_affinity_changes_nothing(tmp_path: Path) -> None:
    assert tree(tmp_path, {"cpu.max": "100000000 100000\n"}) == OWN


@pytest.mark.usefixtures("_many_cores")
@pytest.mark.parametrize(
    ("text", "cores"),
    [
        ("300000 100000\n", 3),
        ("250000 100000\n", 3),
        ("50000 100000\n", 1),
        ("1000 100000\n", 1),
        ("max 100000\n", 64),
        ("max\n", 64),
        ("200000\n", 64),
        ("", 64),
    ],
)
def test_a_quota_of_version_2_is_rounded_up(tmp_path: Path, text: str, cores: int) -> None:
    assert tree(tmp_path, {"cpu.max": text}) == cores


@pytest.mark.usefixtures("_many_cores")
@pytest.mark.parametrize(("pod", "container"), [("400000", "max"), ("400000", "600000")])
def test_the_tightest_quota_from_the_own_group_up_to_the_root_counts(
    tmp_path: Path, pod: str, container: str
) -> None:
    files = {
        "cpu.max": "max 100000\n",
        "pods/pod/cpu.max": f"{pod} 100000\n",
        "pods/pod/container/cpu.max": f"{container} 100000\n",
        "pods/other/cpu.max": "100000 100000\n",
    }
    assert tree(tmp_path, files, "0::/pods/pod/container\n") == 4


@pytest.mark.usefixtures("_many_cores")
@pytest.mark.parametrize(
    ("quota", "period", "cores"),
    [("150000", "100000", 2), ("-1", "100000", 64), ("150000", "", 64)],
)
def test_a_quota_of_version_1_counts(tmp_path: Path, quota: str, period: str, cores: int) -> None:
    files = {"cpu/cpu.cfs_quota_us": f"{quota}\n", "cpu/cpu.cfs_period_us": f"{period}\n"}
    of_self = "4:cpu,cpuacct:/docker/abc\n1:name=systemd:/docker/abc\n"
    assert tree(tmp_path, files, of_self) == cores


@pytest.mark.usefixtures("_many_cores")
@pytest.mark.parametrize(
    "of_self", ["0::/../../elsewhere\n", "0::/caf\u00e9\n", b"0::/caf\xe9\n", ""]
)
def test_an_odd_name_of_the_own_group_still_leaves_the_roots_quota(
    tmp_path: Path, of_self: str | bytes
) -> None:
    assert tree(tmp_path, {"cpu.max": "200000 100000\n"}, of_self) == 2


def cgroups(folder: Path, of_self: str, **files: str) -> tuple[Path, Path]:
    root, self_file = folder / "cgroup", folder / "self"
    self_file.write_text(of_self)
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_DOT_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root, self_file


def test_the_lowest_limit_of_the_groups_above_counts(tmp_path: Path) -> None:
    where = cgroups(
        tmp_path,
        "0::/pod/container\n",
        pod__container__memory_DOT_max="max\n",
        pod__memory_DOT_max=f"{700 * MIB}\n",
        memory_DOT_max=f"{900 * MIB}\n",
    )
    assert memory_limit_bytes(*where) == 700 * MIB


def test_version_1_has_a_hierarchy_of_its_own_for_memory(tmp_path: Path) -> None:
    where = cgroups(
        tmp_path,
        "4:memory:/box\n2:cpu,cpuacct:/other\n",
        memory__box__memory_DOT_limit_in_bytes=str(512 * MIB),
        memory__memory_DOT_limit_in_bytes=str(2**63 - 4096),
    )
    assert memory_limit_bytes(*where) == 512 * MIB


@pytest.mark.parametrize("text", ["max", str(2**63 - 4096), ""])
def test_no_limit_is_none(tmp_path: Path, text: str) -> None:
    assert memory_limit_bytes(*cgroups(tmp_path, "0::/\n", memory_DOT_max=text)) is None
    assert memory_limit_bytes(tmp_path / "none", tmp_path / "nothing") is None


def cpuinfo(folder: Path, *cores: str) -> Path:
    path = folder / "cpuinfo"
    path.write_text("\n".join(f"processor : {i}\n{c}" for i, c in enumerate(cores)), "utf-8")
    return path


@pytest.mark.parametrize(
    ("cores", "has"),
    [
        (["flags : fpu avx2 avx512_vnni"], True),
        (["flags : fpu avx_vnni", "flags : fpu avx_vnni"], True),
        (["Features : fp asimd asimddp"], True),
        (["flags : fpu avx2 avx512f"], False),
        (["flags : fpu avx512_vnni", "flags : fpu avx2"], False),
        ([], False),
    ],
)
def test_int8_instructions_are_read_off_every_core(
    tmp_path: Path, cores: list[str], has: bool
) -> None:
    assert has_int8_instructions(cpuinfo(tmp_path, *cores)) is has


def test_a_machine_that_says_nothing_has_no_int8_instructions(tmp_path: Path) -> None:
    assert not has_int8_instructions(tmp_path / "absent")


def test_the_processor_is_named_by_its_model(tmp_path: Path) -> None:
    assert processor_name(cpuinfo(tmp_path, "model name : Fast 9000\n")) == "Fast 9000"


def test_a_processor_without_a_model_is_named_by_its_architecture(tmp_path: Path) -> None:
    assert processor_name(tmp_path / "absent")
