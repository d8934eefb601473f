from dataclasses import replace
from typing import Any

import pytest

from bgremove.doctor.advice import advise, differing
from bgremove.doctor.machine import EXTRAS, NEEDED, Machine
from bgremove.doctor.service import Service
from bgremove.settings import Settings

MACHINE = Machine(
    processor="a processor",
    cores=4,
    cores_allowed=2,
    int8_instructions=True,
    memory_mib=8000,
    memory_available_mib=4000,
    memory_limit_mib=None,
    python="3.11",
    libraries=dict.fromkeys((*NEEDED, *EXTRAS), "1.0"),
    nginx="1.22",
)
SERVICE = Service(
    provider="cpu",
    precision="int8",
    models={"u2net": "verified", "u2net-int8": "verified"},
    subjects={"universal": "u2net-int8"},
)


def said(
    machine: Machine = MACHINE,
    settings: Settings | None = None,
    service: Service = SERVICE,
    unknown: tuple[str, ...] = (),
) -> list[tuple[bool, str]]:
    found = advise(machine, settings or Settings(), service, list(unknown))
    return [(one.is_wrong, one.text) for one in found]


def test_a_wall_that_is_lacking_is_said() -> None:
    ((is_wrong, text),) = said(replace(MACHINE, sandbox_lacks=("the kernel offers no Landlock",)))
    assert not is_wrong
    assert "sandbox of the decoders is incomplete" in text
    assert "no Landlock" in text


def test_where_all_is_well_nothing_is_said() -> None:
    assert said() == []


def test_what_is_wrong_comes_first_and_says_what_to_do() -> None:
    faults = replace(SERVICE, models={"u2net": "absent"}, faults=("u2net: absent",))
    lacks = replace(MACHINE, nginx=None, libraries=MACHINE.libraries | {"isal": None})
    assert said(lacks, service=faults) == [
        (True, "isal is not installed: pip install -e . in the checkout"),
        (True, "u2net: absent; run `bgremove weights`"),
    ]


def test_what_nothing_needs_is_no_advice() -> None:
    lacks = MACHINE.libraries | dict.fromkeys(EXTRAS)
    assert said(replace(MACHINE, nginx=None, libraries=lacks)) == []


@pytest.mark.parametrize(
    ("state", "is_mended"),
    [
        ("absent", True),
        ("u2net.onnx has 7 bytes, not the 8 of the manifest", True),
        ("u2net.onnx has SHA-256 aa, not the bb of the manifest", True),
        ("u2net.onnx cannot be read: Permission denied", False),
    ],
)
def test_weights_are_advised_where_they_mend_a_file(state: str, is_mended: bool) -> None:
    fault = f"u2net: {state}"
    service = replace(SERVICE, models={"u2net": state}, faults=(fault,))
    assert said(service=service) == [
        (True, fault + ("; run `bgremove weights`" if is_mended else ""))
    ]


@pytest.mark.parametrize(
    "fault",
    [
        "weights/manifest.toml is no manifest: it has no table called models",
        "weights/manifest.toml cannot be read: Permission denied",
        "BGREMOVE_API_KEYS_FILE=absent: No such file or directory",
    ],
)
def test_weights_are_not_advised_where_they_would_fail_the_same_way(fault: str) -> None:
    assert said(service=Service(faults=(fault,))) == [(True, fault)]


@pytest.mark.parametrize(
    ("machine", "settings", "service", "words"),
    [
        ({"memory_limit_mib": 512}, {}, {}, "512 MiB of memory are available"),
        ({"memory_mib": 900}, {}, {}, "900 MiB of memory are available"),
        ({}, {"threads": 3}, {}, "BGREMOVE_THREADS=3, but only 2 cores are available"),
        (
            {},
            {},
            {"subjects": {"human": "u2net (model-fallback)"}},
            "subject human uses u2net, because",
        ),
        ({}, {}, {"subjects": {"human": "unavailable"}}, "subject human is not available"),
        (
            {},
            {},
            {"joining": ("u2net_human_seg",)},
            "u2net_human_seg is also asked for",
        ),
        ({}, {}, {"models": {"n": "verified", "n-int8": "absent"}}, "n-int8 is not built"),
        ({}, {}, {"precision": "float32"}, "fast with int8 models, but float32 is used"),
    ],
)
def test_what_could_be_better_is_a_note(
    machine: dict[str, Any],
    settings: dict[str, Any],
    service: dict[str, Any],
    words: str,
) -> None:
    ((is_wrong, text),) = said(
        replace(MACHINE, **machine), Settings(**settings), replace(SERVICE, **service)
    )
    assert not is_wrong
    assert words in text


def test_float32_by_choice_is_no_matter() -> None:
    assert (
        said(settings=Settings(precision="float32"), service=replace(SERVICE, precision="float32"))
        == []
    )


def test_an_unknown_name_is_a_note() -> None:
    assert said(unknown=("BGREMOVE_X: no such setting",)) == [
        (False, "BGREMOVE_X: no such setting")
    ]


def test_settings_that_differ_are_named_as_their_variables() -> None:
    assert differing(Settings()) == {}
    assert differing(Settings(places=3)) == {"BGREMOVE_PLACES": "3"}
