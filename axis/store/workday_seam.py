"""What the store promises about working days; `seam.py` says what holds for every call."""

import datetime as dt
from abc import ABC, abstractmethod

from axis.core.workdays import Override


class WorkdayStore(ABC):
    """What operators have said about single days."""

    @abstractmethod
    async def overrides(self) -> tuple[Override, ...]:
        """Return all of them, by day."""

    @abstractmethod
    async def put(self, override: Override) -> None:
        """Say it of a day, in place of what was said of it before."""

    @abstractmethod
    async def remove(self, day: dt.date) -> bool:
        """Say nothing of a day any more; False: nothing was said."""
