"""The table of docs/observing.md: every metric of our processes, out of their registries.

`python -m tests.metrics_page` writes it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import CollectorRegistry
from prometheus_client.metrics import MetricWrapperBase

from axis.console.metrics import Metrics as ConsoleMetrics
from axis.gateway.metrics import Metrics as GatewayMetrics
from axis.observe import Readings
from workers.metrics import Metrics

PAGE = Path(__file__).parents[1] / "docs" / "observing.md"
_BEGIN = "<!-- written by python -m tests.metrics_page from here -->\n"
_SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}


@dataclass(frozen=True, slots=True)
class Described:
    """A metric as it is shown; `samples` are the names of its series."""

    name: str
    kind: str
    labels: tuple[str, ...]
    meaning: str

    @property
    def samples(self) -> tuple[str, ...]:
        return tuple(self.name + suffix for suffix in _SUFFIXES.get(self.kind, ("",)))


def registries() -> tuple[CollectorRegistry, ...]:
    return Metrics("worker").registry, GatewayMetrics().registry, ConsoleMetrics().registry


def described() -> dict[str, Described]:
    """Return what our processes can show, by name."""
    found = (each for registry in registries() for each in _of(registry))
    return {each.name: each for each in sorted(found, key=lambda each: each.name)}


def _of(registry: CollectorRegistry) -> Iterator[Described]:
    for collector in list(registry._collector_to_names):
        if isinstance(collector, Readings):
            yield from (Described(each.name, "gauge", each.labels, each.meaning) for each in collector._readings)
        elif isinstance(collector, MetricWrapperBase):
            (family,) = collector.describe()
            yield Described(family.name, family.type, tuple(collector._labelnames), family.documentation)
        else:
            for family in collector.collect():
                yield Described(family.name, family.type, (), family.documentation)


def page(old: str) -> str:
    """Write the page anew: what people wrote stays, the table behind it is made."""
    head, _, _ = old.partition(_BEGIN)
    rows = [
        f"| `{'`, `'.join(each.samples[:1])}` | {each.kind} | {', '.join(each.labels)} | {each.meaning} |"
        for each in described().values()
    ]
    return "\n".join([head + _BEGIN + "| metric | kind | labels | meaning |", "|---|---|---|---|", *rows, ""])


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")
