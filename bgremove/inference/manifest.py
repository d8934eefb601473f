"""Read and validate the manifest of the networks, ``weights/manifest.toml``."""

from __future__ import annotations

import logging
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, get_args

from bgremove.errors import WeightsError
from bgremove.inference.models import (
    GRID,
    Int8,
    Kind,
    Manifest,
    Model,
    Prior,
    Role,
    Scaling,
    Source,
    Weights,
)
from bgremove.options import Subject

logger = logging.getLogger(__name__)
# The package's copy; in a checkout it is a link to the weights folder.
SHIPPED = Path(__file__).resolve().parents[1] / "weights" / "manifest.toml"
_last_good: dict[Path, Manifest] = {}  # by weights folder


def manifest_path(weights_dir: Path) -> Path:
    """Return the manifest's path in ``weights_dir``, or the shipped one if the folder has none."""
    own = weights_dir / "manifest.toml"
    return own if own.is_file() else SHIPPED


def load_manifest(weights_dir: Path) -> Manifest:
    """Read the manifest of ``weights_dir``, or the shipped one if that folder has none.

    If the file is broken, the manifest kept by `keep_manifest` stays in use, in this process and
    in those forked from it, and each read logs an error.

    Raises:
        WeightsError: The file cannot be read, or a row lacks or misspells a key.

    """
    try:
        return _read(manifest_path(weights_dir))
    except WeightsError as error:
        if weights_dir not in _last_good:
            raise
        logger.error("the last good manifest stays in force", extra={"cause": error.message})
        return _last_good[weights_dir]


def keep_manifest(weights_dir: Path) -> None:
    """Read the manifest and keep it as the fallback for later reads.

    A server calls this before it forks its workers.

    Raises:
        WeightsError: The file is broken, and no earlier manifest was kept.

    """
    _last_good[weights_dir] = load_manifest(weights_dir)


def _read(path: Path) -> Manifest:
    try:
        return _manifest(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, TypeError, RecursionError) as error:
        # Broken TOML and UTF-8 are ValueErrors, a list in place of a name is a TypeError, and
        # tomllib calls itself for each list in a list.
        raise WeightsError(f"{path} is no manifest: {error}") from error


def _manifest(document: dict[str, Any]) -> Manifest:
    rows = document.get("models")
    if not isinstance(rows, dict):
        raise ValueError("it has no table called models")
    models = tuple(_model(name, row) for name, row in rows.items())
    fallback = str(document.get("fallback", ""))
    named = {"fallback": fallback}
    for model in models:
        named[f"{model.name}.stands_in_for"] = model.stands_in_for or model.name
        named[f"{model.name}.second_opinion"] = model.second_opinion or model.name
    for key, name in named.items():
        if name not in rows:
            raise ValueError(f"{key} is {name!r}, which is no model of it")
    return Manifest(models, fallback, _priors(document.get("priors", {})))


def _priors(rows: dict[str, Any]) -> tuple[Prior, ...]:
    """Validate the rows of the priors; raise ValueError that names the fault."""
    try:
        priors = tuple(
            Prior(name=name, **(row | {"sources": tuple(Source(**s) for s in row["sources"])}))
            for name, row in rows.items()
        )
    except KeyError as error:
        raise ValueError(f"a prior lacks {error}") from error
    except (TypeError, AttributeError) as error:
        raise ValueError(f"a prior: {error}") from error
    for prior in priors:
        faults = [key for key, is_right in _file_checks(prior).items() if not is_right]
        if faults:
            raise ValueError(f"{prior.name} has a wrong value for {', '.join(faults)}")
    roles = sorted(prior.role for prior in priors)
    if priors and roles != sorted(get_args(Role)):
        raise ValueError(f"its priors have the roles {', '.join(roles)}")
    return priors


def _model(name: str, row: dict[str, Any]) -> Model:
    """Validate a row; raise ValueError that names the row and the fault."""
    try:
        lists: dict[str, Any] = {
            "mean": tuple(row["mean"]),
            "std": tuple(row["std"]),
            "subjects": tuple(Subject(subject) for subject in row["subjects"]),
            "joins": _joins(row.get("joins", ())),
            "sources": tuple(Source(**source) for source in row["sources"]),
            "known_answer": tuple(row["known_answer"]),
            "int8": _int8(row["int8"]) if "int8" in row else None,
        }
        model = Model(name=name, **(row | lists))
        faults = [key for key, is_right in _checks(model).items() if not is_right]
        if model.quantised is not None:
            checks = _checks(model.quantised)
            faults += [f"int8.{key}" for key, is_right in checks.items() if not is_right]
    except KeyError as error:
        raise ValueError(f"{name} lacks {error}") from error
    except (TypeError, ValueError) as error:  # TypeError: a missing or unknown key
        raise ValueError(f"{name}: {error}") from error
    if faults:
        raise ValueError(f"{name} has a wrong value for {', '.join(faults)}")
    return model


def _joins(names: Iterable[str]) -> tuple[Subject, ...]:
    """Return the subjects whose vote a model joins; raise ValueError for one without a vote."""
    joins = tuple(Subject(name) for name in names)
    for subject in joins:
        if subject is not Subject.HUMAN:
            raise ValueError(
                f"joins has the subject {subject.value!r}, which has no vote; only"
                f" {Subject.HUMAN.value!r} has one, so name that or leave joins out"
            )
    return joins


def _int8(row: dict[str, Any]) -> Int8:
    names = ("float_nodes", "stepped_nodes", "known_answer")
    return Int8(**(row | {name: tuple(row[name]) for name in names}))


def _checks(model: Model) -> dict[str, bool]:
    """Return the validity of each key; keys not listed raise errors by themselves."""
    return _file_checks(model) | {
        "size": model.size > 0,
        "fine_size": model.fine_size == 0 or model.fine_size > model.size,
        "mean": len(model.mean) == 3,
        "std": len(model.std) == 3 and min(model.std) > 0,
        "scaling": model.scaling in get_args(Scaling),
        "min_strength": 0 <= model.min_strength <= 1,
        "known_answer": len(model.known_answer) in (0, GRID * GRID),
    }


def _file_checks(weights: Weights) -> dict[str, bool]:
    return {
        "file": Path(weights.file).name == weights.file,
        "sha256": re.fullmatch("[0-9a-f]{64}", weights.sha256) is not None,
        "bytes": weights.bytes > 0,
        "sources": all(source.kind in get_args(Kind) for source in weights.sources),
    }
