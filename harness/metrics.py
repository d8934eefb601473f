"""Samples of /metrics, parsed by the parser of prometheus_client."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from harness.http import Door


class Samples(dict[tuple[str, frozenset[tuple[str, str]]], float]):
    """Values by name and labels."""

    def of(self, name: str, **labels: str) -> float:
        """Return one value; 0.0 if there is no such series."""
        return self.get((f"bgremove_{name}", frozenset(labels.items())), 0.0)

    def total(self, name: str, **labels: str) -> float:
        """Return the sum of a metric over all labels not given."""
        wanted = set(labels.items())
        return sum(
            value
            for (found, has), value in self.items()
            if found == f"bgremove_{name}" and wanted <= has
        )

    @property
    def names(self) -> set[str]:
        """The names of all series."""
        return {name for name, _ in self}


def scraped(door: Door) -> Samples:
    """Request and parse the metrics."""
    answer = door.send("GET", "/metrics")
    assert answer.status == 200, answer
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return Samples(
        ((sample.name, frozenset(sample.labels.items())), sample.value)
        for family in text_string_to_metric_families(answer.body.decode())
        for sample in family.samples
    )
