import configparser
import os
import re
from importlib.metadata import version
from pathlib import Path

import pytest

from bgremove.doctor.machine import EXTRAS, look_at_machine, memory_limit_mib

MIB = 1024 * 1024
SETUP = Path(__file__).resolve().parents[2] / "setup.cfg"


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
    assert memory_limit_mib(*where) == 700


def test_version_1_has_a_hierarchy_of_its_own_for_memory(tmp_path: Path) -> None:
    where = cgroups(
        tmp_path,
        "4:memory:/box\n2:cpu,cpuacct:/other\n",
        memory__box__memory_DOT_limit_in_bytes=str(512 * MIB),
        memory__memory_DOT_limit_in_bytes=str(2**63 - 4096),
    )
    assert memory_limit_mib(*where) == 512


@pytest.mark.parametrize("text", ["max", str(2**63 - 4096), ""])
def test_no_limit_is_none(tmp_path: Path, text: str) -> None:
    assert memory_limit_mib(*cgroups(tmp_path, "0::/\n", memory_DOT_max=text)) is None
    assert memory_limit_mib(tmp_path / "none", tmp_path / "nothing") is None


def test_the_libraries_of_every_extra_of_the_commands_are_looked_for() -> None:
    setup = configparser.ConfigParser(interpolation=None)
    setup.read(SETUP)
    extras = {
        extra: set(re.findall(r"^[a-z0-9-]+", setup["options.extras_require"][extra], re.MULTILINE))
        for extra in ("cli", "dask", "weights")
    }
    assert set().union(*extras.values()) == set(EXTRAS)
    assert all(name in extras[extra] for name, extra in EXTRAS.items())


def test_this_machine_is_told_as_it_is() -> None:
    machine = look_at_machine()
    assert 1 <= machine.cores_allowed <= machine.cores == os.cpu_count()
    assert 0 < machine.memory_available_mib <= machine.memory_mib
    assert machine.libraries["onnxruntime"] == version("onnxruntime")
    assert machine.processor
