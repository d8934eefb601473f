"""`bgremove doctor`: report the machine, the service that it would run, and problems."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict

import click

from bgremove import __version__
from bgremove.commands.common import environment, manual
from bgremove.doctor.advice import Advice, advise, differing
from bgremove.doctor.machine import EXTRAS, Machine, look_at_machine
from bgremove.doctor.service import TRIAL_SIZE, Service, try_service
from bgremove.errors import SettingsError
from bgremove.installation import pip_install
from bgremove.settings import Settings, unknown_names

EPILOG = manual(
    examples={
        "bgremove doctor": "check this machine",
        "bgremove doctor --json | jq .advice": "advice for a script",
        "docker run --rm IMAGE bgremove doctor": "check a container with its limits",
    },
    exit_codes={0: "no problems", 1: "problems were found", 2: "wrong usage"},
    environment={"BGREMOVE_*": "settings to check"},
)
WIDTH = 18  # of the first column, in characters


@click.command("doctor", epilog=EPILOG, short_help="Check this machine and report problems.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(as_json: bool) -> None:
    """Check this machine, its settings and its models, and report problems with advice.

    Checks the available cores and memory, the libraries, the settings, the API keys and the hash
    of each model file. Then processes one picture and reports the time of each stage. Nothing is
    changed.
    """
    logging.getLogger("bgremove").addHandler(logging.NullHandler())  # the advice reports it
    machine = look_at_machine()
    settings: Settings | None = None
    try:
        settings = Settings.from_env(environment())
        service = try_service(settings)
    except SettingsError as error:
        service = Service(faults=error.faults)
    advice = advise(machine, settings, service, unknown_names(environment()))
    ok = not any(one.is_wrong for one in advice)
    if as_json:
        click.echo(json.dumps(_document(ok, machine, settings, service, advice), indent=2))
    else:
        for line in _lines(machine, settings, service, advice):
            click.echo(line)
    sys.exit(0 if ok else 1)


def _document(
    ok: bool,
    machine: Machine,
    settings: Settings | None,
    service: Service,
    advice: list[Advice],
) -> dict[str, object]:
    return {
        "ok": ok,
        "version": __version__,
        "machine": asdict(machine),
        "settings": {} if settings is None else differing(settings),
        "service": asdict(service),
        "advice": [asdict(one) for one in advice],
    }


def _lines(
    machine: Machine, settings: Settings | None, service: Service, advice: list[Advice]
) -> Iterator[str]:
    yield from _section("This machine", _machine_rows(machine))
    installed = {name: found or _absent(name) for name, found in machine.libraries.items()}
    yield from _section("Libraries", {"python": machine.python} | installed)
    if settings is not None:
        changed = differing(settings) or {"all": "at their defaults"}
        yield from _section("Settings", changed)
    yield from _section("Models", service.models)
    yield from _section("Subjects", service.subjects)
    if service.trial is not None:
        width, height = TRIAL_SIZE
        stages = {name: f"{ms:7.1f} ms" for name, ms in service.trial.stages_ms.items()}
        total = {"total": f"{service.trial.total_ms:7.1f} ms, {service.trial.model}"}
        network = {"network": f"{service.provider}, {service.precision}, effort {service.effort}"}
        yield from _section(f"A picture of {width} x {height}", network | stages | total)
    if advice:
        yield "Advice:"
    for one in advice:
        yield f"  {'problem' if one.is_wrong else 'note'}: {one.text}"
    yield ""
    yield "Problems found." if any(one.is_wrong for one in advice) else "No problems found."


def _absent(library: str) -> str:
    extra = EXTRAS.get(library)
    use = f"; only clusters and object stores need it: {pip_install(extra)}" if extra else ""
    return f"not installed{use}"


def _machine_rows(machine: Machine) -> dict[str, str]:
    limit = machine.memory_limit_mib
    return {
        "processor": machine.processor,
        "cores": f"{machine.cores_allowed} of {machine.cores} available",
        "int8 instructions": "yes" if machine.int8_instructions else "no",
        "memory": f"{machine.memory_mib} MiB, {machine.memory_available_mib} free",
        "memory limit": "none" if limit is None else f"{limit} MiB",
        "nginx": machine.nginx or "not installed; only a service for other machines needs it",
        "decoders' sandbox": "; ".join(machine.sandbox_lacks) or "seccomp and Landlock",
    }


def _section(title: str, rows: Mapping[str, str]) -> Iterator[str]:
    if not rows:
        return
    yield f"{title}:"
    width = max([WIDTH, *map(len, rows)])
    yield from (f"  {name:<{width}}  {value}" for name, value in rows.items())
