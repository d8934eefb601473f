"""Every scenario of `make fault-test`, in the order of the table."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from faults import (
    crowds,
    damaged,
    gone,
    guarded,
    hung,
    memory,
    refusals,
    room,
    senders,
    workers,
)
from faults.finding import Finding
from faults.stand import Ground

Scenario = Callable[[Ground], Iterator[Finding]]
SCENARIOS: tuple[Scenario, ...] = (
    workers.kill_one_of_two,
    workers.stop_in_turn,
    workers.freeze_for_a_moment,
    workers.freeze_for_good,
    workers.freeze_longer_than_anybody_waits,
    workers.kill_the_only_one,
    workers.reload,
    workers.recycle,
    hung.endless_inference,
    hung.hung_native_call,
    room.full_disk_for_uploads,
    room.full_disk_for_answers,
    room.no_memory_files,
    room.no_descriptors,
    memory.limited_data,
    memory.limited_container,
    memory.shipped_container,
    damaged.damaged_weights,
    senders.slow_senders,
    crowds.tiny_chunks,
    crowds.unread_answers,
    crowds.surplus_uploads,
    gone.gone_at_upload,
    gone.gone_at_inference,
    gone.gone_at_download,
    guarded.broken_key_file,
    guarded.moved_clock,
    refusals.early_answers,
)
