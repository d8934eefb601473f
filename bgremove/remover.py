"""The Python API: `remove` for one picture, `Remover` for many."""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from types import TracebackType
from typing import Literal, Self

from bgremove.datatypes import OutputFormat, Subject
from bgremove.deadline import Deadline
from bgremove.errors import BgremoveError
from bgremove.inputs import Picture, read_picture
from bgremove.inference.cpus import available_cpus
from bgremove.pipeline import Engine, cut_out
from bgremove.result import Result
from bgremove.settings import Settings
