"""The per-worker session cache: lazy, load-locked, bounded, made after fork."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bgremove.datatypes import Effort, Subject
from bgremove.deadline import Deadline
from bgremove.errors import ModelUnavailableError
from bgremove.inference.manifest import Manifest, Model, Weights
from bgremove.inference.people import PeopleFinder
from bgremove.inference.precision import Precision
from bgremove.inference.providers import Provider
from bgremove.inference.session import Session
from bgremove.inference.verify import as_built
from bgremove.machine import has_int8_instructions

CHECK_TIMEOUT_S = 60.0  # for a model's run on the known picture, on the slowest of machines
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Choice:
    """The model that serves a subject, and whether it stands in for the subject's own."""

    model: Model
    is_fallback: bool


class Sessions:
    """At most ``max_sessions`` loaded models; the one longest unused makes room for the next.

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
        # int8 is for CPUs; where neither its setting nor their instructions decide, the clock will.
        is_open = precision == "auto" and provider != "cuda"
        self.is_precision_open = is_open and not has_int8_instructions()
        self.int8 = precision == "int8" or (is_open and not self.is_precision_open)
        self.people = PeopleFinder(manifest.priors, weights_dir)
        self._on_change = on_change
        self._loaded: OrderedDict[str, Session] = OrderedDict()
        self._lock = threading.Lock()  # guards `_loaded`, held for an instant only
        self._load_lock = threading.Lock()  # one load at a time: memory and cores are shared

    def choose(self, subject: Subject) -> Choice:
        """Pick the model for ``subject``: its best one present, else the fallback.

        For people the priors belong to the model: without them it finds whatever stands out.

        Raises ModelUnavailableError when only the fallback is there and models are strict.
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
        """Return the model that may be asked beside ``model``, None where it is absent."""
        if not model.second_opinion:
            return None
        second = self.manifest.model(model.second_opinion)
        return self.to_run(second) if self.is_present(second) else None

    @property
    def default(self) -> Model:
        """The model that serves where a subject's own is absent, in the precision it runs in."""
        return self.to_run(self.manifest.model(self.manifest.fallback))

    def to_run(self, model: Model) -> Model:
        """Return the form of ``model`` that runs: its int8 one where wanted and built."""
        if self.int8 and model.quantised is not None and self.is_present(model.quantised):
            return as_built(model.quantised, self.weights_dir)
        return model

    @property
    def has_people(self) -> bool:
        """Whether the manifest has priors of people, and all of their files are there."""
        priors = self.manifest.priors
        return bool(priors) and all(self.is_present(prior) for prior in priors)

    def joining(self, subject: Subject) -> tuple[Model, ...]:
        """Return the models whose maps join the vote on ``subject`` without being chosen for it."""
        models = (model for model in self.manifest.models if subject in model.joins)
        return tuple(self.to_run(model) for model in models if self.is_present(model))

    def is_present(self, model: Weights) -> bool:
        """Tell whether the weights of ``model`` are in the folder (hashed when they load)."""
        return (self.weights_dir / model.file).is_file()

    def get(self, model: Model, deadline: Deadline) -> Session:
        """Return the session of ``model``, loading and checking it first where needed.

        A load that has begun is finished even past the deadline: thrown away, it would be begun
        again by every request after this one, and none would ever be served.

        Raises ModelUnavailableError when the weights are not what the manifest says, and
        DeadlineExceededError when the deadline passes while another thread loads.
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
        """Return the names of the loaded models, longest unused first."""
        with self._lock:
            return tuple(self._loaded)

    @property
    def is_loading(self) -> bool:
        """Whether a model is being loaded."""
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
        session = Session(model, self.weights_dir / model.file, self.threads, self.provider)
        session.check_known_picture(Deadline.after(CHECK_TIMEOUT_S))
        with self._lock:
            self._loaded[model.name] = session
        self._on_change(self.loaded())
        logger.info("model loaded", extra={"model": model.name})
        return session
