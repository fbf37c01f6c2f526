"""The embedded default: a private RabbitMQ and PostgreSQL for one clone, and a keeper of processes.

`up` gives any command a broker and a database without asking anybody; `start_set` keeps a set of processes (the nodes,
the axis's own workers) alive and leaves no orphans.
"""

from axis.local.nodes import LocalStatus, NodeStatus, down, status, up
from axis.local.private import TITLES
from axis.local.process import Probe, ProcessSpec, ProcessState, SetState
from axis.local.services import Services, from_environment
from axis.local.sets import set_state, start_set, stop_set

__all__ = [
    "TITLES",
    "LocalStatus",
    "NodeStatus",
    "Probe",
    "ProcessSpec",
    "ProcessState",
    "Services",
    "SetState",
    "down",
    "from_environment",
    "set_state",
    "start_set",
    "status",
    "stop_set",
    "up",
]
