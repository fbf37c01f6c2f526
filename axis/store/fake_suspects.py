"""Suspects in memory."""

from collections import Counter
from collections.abc import Callable, Collection

from axis.store.seam import SuspectStore


class FakeSuspects(SuspectStore):
    """A counter for each message."""

    def __init__(self, check: Callable[[], None]) -> None:
        self._check = check
        self.noted: Counter[bytes] = Counter()

    async def times(self, keys: Collection[bytes]) -> dict[bytes, int]:
        """Return how often messages are noted."""
        self._check()
        return {key: self.noted[key] for key in keys if key in self.noted}

    async def note(self, keys: Collection[bytes]) -> None:
        """Count messages once more."""
        self._check()
        self.noted.update(set(keys))

    async def clear(self, keys: Collection[bytes]) -> None:
        """Forget messages."""
        self._check()
        for key in keys:
            self.noted.pop(key, None)
