"""Free ports on loopback."""

import random
import socket
from collections.abc import Iterable

LOOPBACK = "127.0.0.1"
# Below the range from which Linux takes ports for outgoing connections (32768 up): a port given to a node today is
# not in some client's use when the node starts again tomorrow.
_FIRST, _LAST = 20000, 32000


def is_free(port: int) -> bool:
    """Whether a server could listen on the port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def choose(names: Iterable[str]) -> dict[str, int]:
    """Choose a different free port for each name, at random so that clones starting together rarely meet."""
    chosen: dict[str, int] = {}
    candidates = random.SystemRandom().sample(range(_FIRST, _LAST), k=_LAST - _FIRST)
    for name in names:
        chosen[name] = next(port for port in iter(candidates.pop, None) if is_free(port))
    return chosen


def free_port() -> int:
    """Choose one free port."""
    return choose(["one"])["one"]
