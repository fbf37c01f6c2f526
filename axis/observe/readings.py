"""Gauges that are read all at once: what a look at the store or the broker found.

A gauge of the library keeps a label that is not set any more, and one that is cleared and set again is missing to
whoever asks in between. Here a look replaces all of what the one before found. Moments are shown as such (Unix time in
seconds), so an age grows by itself where the one who looks has stopped looking.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

Values = Mapping[tuple[str, ...], float]  # label values, in the order of the labels


@dataclass(frozen=True, slots=True)
class Reading:
    """One gauge; its `labels` take few values, none of them an agency, an id or anything a message said."""

    name: str
    meaning: str
    labels: tuple[str, ...] = ()


class Readings(Collector):
    """The gauges of one process; what was never read is not shown."""

    def __init__(self, registry: CollectorRegistry, readings: Sequence[Reading]) -> None:
        self._readings = readings
        self._values: dict[str, Values] = {}
        registry.register(self)

    def read(self, values: Mapping[str, Values | float | None]) -> None:
        """Replace what some gauges show, by name; None: there is nothing to show."""
        fresh: dict[str, Values] = {
            name: {} if value is None else {(): value} if isinstance(value, float | int) else dict(value)
            for name, value in values.items()
        }
        if unknown := fresh.keys() - {reading.name for reading in self._readings}:
            raise ValueError(f"no such gauge: {', '.join(sorted(unknown))}")
        self._values = {**self._values, **fresh}  # one assignment: the page is made in another thread

    def collect(self) -> Iterator[Metric]:
        """Show them."""
        values = self._values
        for reading in self._readings:
            family = GaugeMetricFamily(reading.name, reading.meaning, labels=reading.labels)
            for labels, value in values.get(reading.name, {}).items():
                family.add_metric(labels, value)
            yield family
