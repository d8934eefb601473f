"""Engines shared by the removers of a process, so that each model is loaded once."""

from __future__ import annotations

import ctypes
import os
import threading
from collections import Counter

from bgremove.engine import Engine, build_engine
from bgremove.errors import WeightsError
from bgremove.inference.readiness import WarmUp
from bgremove.memory import return_freed_memory
from bgremove.provisioning.first_use import ensure_weights
from bgremove.settings import Settings

_lock = threading.Lock()
_engines: dict[Settings, Engine] = {}
_users: Counter[Settings] = Counter()


def acquire(settings: Settings, *, offline: bool) -> Engine:
    """Return the engine of ``settings``, with verified weights and a warm default model.

    Missing weights are downloaded first, unless ``offline``. Each call needs a `release`.

    Raises:
        WeightsError: The weights are missing or damaged.
        SettingsError: This machine cannot satisfy the settings.

    """
    with _lock:
        if settings not in _engines:
            ensure_weights(settings, offline=offline)
            _engines[settings] = _warm_engine(settings)
        _users[settings] += 1
        return _engines[settings]


def release(settings: Settings) -> None:
    """Release an engine; the last user ends its decoders and threads."""
    with _lock:
        _users[settings] -= 1
        engine = None if _users[settings] else _engines.pop(settings)
    if engine is not None:
        engine.close()


def _warm_engine(settings: Settings) -> Engine:
    return_freed_memory()
    engine = build_engine(settings)
    warm_up = WarmUp(engine.sessions)
    warm_up.run()
    if not warm_up.readiness.ready:
        engine.close()
        raise WeightsError("; ".join(warm_up.readiness.waiting_for))
    return engine


def _forget_all() -> None:
    """Forget the engines of the process that this one was forked from.

    Their threads do not exist here. ONNX Runtime ends its threads with the session and would wait
    for them forever, so the engines stay in memory, which the two processes share.
    """
    global _lock
    _lock = threading.Lock()
    for engine in _engines.values():
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(engine))
    _engines.clear()
    _users.clear()


os.register_at_fork(after_in_child=_forget_all)
