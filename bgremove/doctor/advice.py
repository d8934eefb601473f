"""Advice about the findings: problems, and possible improvements."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields

from bgremove.doctor.machine import NEEDED, Machine
from bgremove.doctor.service import Service
from bgremove.inference.readiness import ABSENT, UNAVAILABLE
from bgremove.installation import pip_install
from bgremove.serving.capacity import memory_bytes
from bgremove.settings import PREFIX, Settings

FALLBACK = "(model-fallback)"
NOT_THE_FILE = "of the manifest"  # ends the message about a file with an unexpected hash
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Advice:
    """A sentence; ``is_wrong`` marks a problem, otherwise it is a possible improvement."""

    is_wrong: bool
    text: str


def advise(
    machine: Machine, settings: Settings | None, service: Service, unknown: list[str]
) -> list[Advice]:
    """Return the advice, problems first. ``unknown``: names that no setting has."""
    wrong = [Advice(True, text) for text in _wrong(machine, service)]
    better = [Advice(False, text) for text in (*unknown, *_better(machine, settings, service))]
    return wrong + better


def differing(settings: Settings) -> dict[str, str]:
    """Return the settings that differ from their defaults, by the names of their variables."""
    return {
        PREFIX + row.name.upper(): str(getattr(settings, row.name))
        for row in fields(settings)
        if getattr(settings, row.name) != row.default
    }


def _wrong(machine: Machine, service: Service) -> Iterator[str]:
    for name in NEEDED:
        if machine.libraries[name] is None:
            yield f"{name} is not installed: {pip_install()}"
    fixable = _fixed_by_weights(service.models)
    for fault in service.faults:
        yield fault + ("; run `bgremove weights`" if fault in fixable else "")


def _fixed_by_weights(models: Mapping[str, str]) -> set[str]:
    """Return the faults that `bgremove weights` fixes: missing files and wrong hashes."""
    return {
        f"{name}: {state}"
        for name, state in models.items()
        if state == ABSENT or state.endswith(NOT_THE_FILE)
    }


def _better(machine: Machine, settings: Settings | None, service: Service) -> Iterator[str]:
    yield from _of_models(machine, settings, service.models, service.subjects, service.precision)
    for name in service.joining:
        yield (
            f"{name} is also asked for subject human and takes the time of another network; its"
            " benefit has not been measured. Remove its file to stop using it"
        )
    limit = machine.memory_limit_mib or machine.memory_mib
    needed = memory_bytes(settings or Settings()) // MIB
    if limit < needed:
        yield (
            f"{limit} MiB of memory are available; large pictures and full uploads can take"
            f" {needed} MiB at once. Provide them, or lower BGREMOVE_MAX_PIXELS and BGREMOVE_QUEUE"
        )
    if settings is not None and settings.threads > machine.cores_allowed:
        yield (
            f"BGREMOVE_THREADS={settings.threads}, but only {machine.cores_allowed} cores are"
            " available; more threads than cores are slower"
        )
    for sentence in machine.sandbox_lacks:
        yield f"the sandbox of the decoders is incomplete: {sentence}"


def _of_models(
    machine: Machine,
    settings: Settings | None,
    models: Mapping[str, str],
    subjects: Mapping[str, str],
    precision: str | None,
) -> Iterator[str]:
    for subject, serving in subjects.items():
        if serving.endswith(FALLBACK):
            yield (
                f"subject {subject} uses {serving.removesuffix(FALLBACK).strip()}, because its own"
                " model is missing; run `bgremove weights`"
            )
        elif serving == UNAVAILABLE:
            yield f"subject {subject} is not available; run `bgremove weights`"
    is_open = settings is not None and settings.precision != "float32"
    for name, state in models.items():
        source = models.get(name.removesuffix("-int8"))
        if name.endswith("-int8") and state == ABSENT and source not in (None, ABSENT) and is_open:
            yield f"{name} is not built; run `bgremove weights`. It is three times as fast"
    if precision == "float32" and machine.int8_instructions and is_open:
        yield "this processor is fast with int8 models, but float32 is used; see BGREMOVE_PRECISION"
