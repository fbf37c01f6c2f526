"""What every process shows of itself: metrics for Prometheus, and traces where they are asked for."""

from axis.observe.process import process_registry
from axis.observe.readings import Reading, Readings
from axis.observe.traces import NO_TRACES, Traces, carrying, following, open_traces

__all__ = ["NO_TRACES", "Reading", "Readings", "Traces", "carrying", "following", "open_traces", "process_registry"]
