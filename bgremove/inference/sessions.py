"""Per-worker cache of sessions: lazy, bounded, created after fork, one load at a time."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bgremove.datatypes import Effort
from bgremove.deadline import Deadline
from bgremove.errors import ModelUnavailableError
from bgremove.inference.models import Manifest, Model, Precision, Weights
from bgremove.inference.people import PeopleFinder
from bgremove.inference.runtime import Provider
from bgremove.inference.session import Session
from bgremove.inference.verify import as_built
from bgremove.machine import has_int8_instructions
from bgremove.options import Subject

CHECK_TIMEOUT_S = 60.0  # for a model's run on the known picture on the slowest machine
STAND_IN = "float32 runs instead, slower and with more memory; run `bgremove weights`"
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Choice:
    """The model that serves a subject, and a flag for a fallback."""

    model: Model
    is_fallback: bool


class Sessions:
    """Up to ``max_sessions`` loaded models; the least recently used is evicted first.

    ``on_change`` is called with the names of the loaded models when they change.
    """

    def __init__(
        self,
        manifest: Manifest,
        weights_dir: Path,
        *,
        max_sessions: int,
        threads: int,
        strict: bool = False,
        effort: Effort = Effort.BALANCED,
        precision: Precision = "auto",
        provider: Provider = "cpu",
        on_change: Callable[[tuple[str, ...]], None] = lambda _: None,
    ) -> None:
        self.manifest = manifest
        self.weights_dir = weights_dir
        self._max_sessions = max_sessions
        self.strict = strict
        self.effort = effort
        self.threads = threads
        self.provider = provider
        # int8 is for CPUs. If neither the setting nor the CPU's instructions decide, a measurement
        # does.
        is_open = precision == "auto" and provider != "cuda"
        self.is_precision_open = is_open and not has_int8_instructions()
        self.int8 = precision == "int8" or (is_open and not self.is_precision_open)
        # Names of int8 files that are present and unusable; their float32 files run instead.
        self.unusable: frozenset[str] = frozenset()
        self.people = PeopleFinder(manifest.priors, weights_dir)
        self._on_change = on_change
        self._loaded: OrderedDict[str, Session] = OrderedDict()
        self._lock = threading.Lock()  # guards `_loaded`, held only briefly
        self._load_lock = threading.Lock()  # one load at a time: memory and cores are shared

    def choose(self, subject: Subject) -> Choice:
        """Choose the model for ``subject``: its best present model, else the fallback.

        Models for people also need the priors. Without the priors they find any salient object.

        Raises ModelUnavailableError if only the fallback is present and models are strict.
        """
        is_complete = subject is not Subject.HUMAN or not self.manifest.priors or self.has_people
        for model in self.manifest.candidates(subject):
            if is_complete and self.is_present(model):
                return Choice(self.to_run(model), is_fallback=False)
        if self.strict:
            raise ModelUnavailableError(
                f"The model for subject {subject} is not installed on this server",
                reason=f"weights for {subject} are absent, and models are strict",
            )
        return Choice(self.default, is_fallback=True)

    def second_opinion(self, model: Model) -> Model | None:
        """Return the second opinion for ``model``; None if it has none or the file is absent."""
        if not model.second_opinion:
            return None
        second = self.manifest.model(model.second_opinion)
        return self.to_run(second) if self.is_present(second) else None

    @property
    def default(self) -> Model:
        """Return the fallback model in the precision that it runs in."""
        return self.to_run(self.manifest.model(self.manifest.fallback))

    def to_run(self, model: Model) -> Model:
        """Return the form of ``model`` to run: int8 if wanted, built and usable."""
        int8 = model.quantised
        if self.int8 and int8 and int8.name not in self.unusable and self.is_present(int8):
            return as_built(int8, self.weights_dir)
        return model

    def has_stand_in(self, name: str) -> bool:
        """Return whether a model is an int8 form whose float32 may run; none may if strict."""
        return not self.strict and any(
            model.quantised is not None and model.quantised.name == name and self.is_present(model)
            for model in self.manifest.models
        )

    @property
    def has_people(self) -> bool:
        """Return whether the manifest has priors of people and all their files are present."""
        priors = self.manifest.priors
        return bool(priors) and all(self.is_present(prior) for prior in priors)

    def joining(self, subject: Subject) -> tuple[Model, ...]:
        """Return the models whose maps join the vote on ``subject`` without being chosen for it."""
        models = (model for model in self.manifest.models if subject in model.joins)
        return tuple(self.to_run(model) for model in models if self.is_present(model))

    def is_present(self, model: Weights) -> bool:
        """Return whether the weights of ``model`` are in the folder; loading checks their hash."""
        return (self.weights_dir / model.file).is_file()

    def get(self, model: Model, deadline: Deadline) -> Session:
        """Return the session of ``model``, loading and checking it first if needed.

        A started load finishes even after the deadline. If it were discarded, every later request
        would start it again, and none would be served.

        Raises ModelUnavailableError if the weights differ from the manifest, and
        DeadlineExceededError if the deadline passes while another thread loads.
        """
        session = self._lookup(model)
        if session is not None:
            return session
        if not self._load_lock.acquire(timeout=deadline.remaining_s):
            raise deadline.exceeded("waiting for a model to load")
        try:
            session = self._lookup(model)
            if session is None:
                deadline.check("waiting for a model to load")
                session = self._load(model)
        finally:
            self._load_lock.release()
        return session

    def loaded(self) -> tuple[str, ...]:
        """Return the names of the loaded models, least recently used first."""
        with self._lock:
            return tuple(self._loaded)

    @property
    def is_loading(self) -> bool:
        """Return whether a load is in progress."""
        return self._load_lock.locked()

    def _lookup(self, model: Model) -> Session | None:
        with self._lock:
            if model.name in self._loaded:
                self._loaded.move_to_end(model.name)
            return self._loaded.get(model.name)

    def _load(self, model: Model) -> Session:
        with self._lock:
            while len(self._loaded) >= self._max_sessions:
                name, _ = self._loaded.popitem(last=False)
                self._on_change(tuple(self._loaded))
                logger.info("model unloaded", extra={"model": name})
        try:
            session = Session(model, self.weights_dir / model.file, self.threads, self.provider)
            session.check_known_picture(Deadline.after(CHECK_TIMEOUT_S))
        except ModelUnavailableError as error:
            if self.has_stand_in(model.name):  # from the next request on
                self.unusable |= {model.name}
                logger.error(STAND_IN, extra={"model": model.name, "cause": error.private})
            raise
        with self._lock:
            self._loaded[model.name] = session
        self._on_change(self.loaded())
        logger.info("model loaded", extra={"model": model.name})
        return session
