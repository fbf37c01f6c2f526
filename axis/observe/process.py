"""The registry of one process: what it is, and what the machine gives it."""

from importlib.metadata import version

from prometheus_client import CollectorRegistry, Gauge, ProcessCollector


def process_registry(service: str) -> CollectorRegistry:
    """Make a registry that names the build and counts processor time, memory and open files of this process."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    built = Gauge("axis_build_info", "1; what runs here", ["service", "version"], registry=registry)
    built.labels(service, version("document-axis")).set(1)
    return registry
