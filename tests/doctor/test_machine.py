import configparser
import os
import re
from importlib.metadata import version
from pathlib import Path

from bgremove.doctor.machine import EXTRAS, look_at_machine

SETUP = Path(__file__).resolve().parents[2] / "setup.cfg"


def test_the_libraries_of_every_extra_of_the_commands_are_looked_for() -> None:
    setup = configparser.ConfigParser(interpolation=None)
    setup.read(SETUP)
    extras = {
        extra: set(re.findall(r"^[a-z0-9-]+", setup["options.extras_require"][extra], re.MULTILINE))
        for extra in ("dask",)
    }
    assert set().union(*extras.values()) == set(EXTRAS)
    assert all(name in extras[extra] for name, extra in EXTRAS.items())


def test_this_machine_is_told_as_it_is() -> None:
    machine = look_at_machine()
    assert 1 <= machine.cores_allowed <= machine.cores == os.cpu_count()
    assert 0 < machine.memory_available_mib <= machine.memory_mib
    assert machine.libraries["onnxruntime"] == version("onnxruntime")
    assert machine.processor
