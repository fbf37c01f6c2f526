"""What every process shows of itself: metrics for Prometheus, and traces where they are asked for."""

from axis.observe.process import process_registry
from axis.observe.readings import Reading, Readings

__all__ = ["Reading", "Readings", "process_registry"]
