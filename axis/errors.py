"""Every error of the axis, as one tree.

AxisError            base: a stable code, whose fault, whether the same thing may be tried again, what to do
  Refused            a message or request that the axis answers with a reason of schemas.reasons
  Unavailable        a broker, database, blob store or gateway that cannot be reached in time
    NotTaken         the broker answers, but one of its queues did not take a message
      NotRouted      the broker returned a mandatory publish: no queue was bound
  Misconfigured      settings or files on this machine that cannot work; all of them listed at once
  NotFound           what a command was asked about does not exist
  Malformed          a file given to a command cannot be understood (exit 65), with line and column where known
"""

from schemas.reasons import REASONS, Reason


class AxisError(Exception):
    """Carry a stable code, whose fault it is and what to do next.

    `exit_code` follows sysexits(3), so that scripts can tell bad input (65) from an absent service (69).
    """

    code = "axis/internal"
    exit_code = 70

    def __init__(self, detail: str, *, code: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        if code is not None:
            self.code = code

    @property
    def reason(self) -> Reason:
        """The catalogue's entry; a code that it does not have is a failure of ours."""
        return REASONS.get(self.code) or REASONS[AxisError.code]

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}"


class Refused(AxisError):
    """Refuse a message or request with a reason of the catalogue; `detail` says what exactly and where.

    `retry_after`: over a limit; after so many seconds the very same may come again.
    """

    exit_code = 65

    def __init__(self, code: str, detail: str = "", *, retry_after: int | None = None) -> None:
        super().__init__(detail or REASONS[code].title, code=code)
        self.retry_after = retry_after


class Unavailable(AxisError):
    """Report that something outside did not answer in time; trying again later is right."""

    code = "axis/unavailable"
    exit_code = 69


class NotTaken(Unavailable):
    """Report that a message was not taken where it was to go, by a broker that works otherwise."""

    code = "axis/not-taken"


class NotRouted(NotTaken):
    """Report that the broker returned a mandatory publish: no queue is bound for its key."""

    code = "axis/not-routed"


class Misconfigured(AxisError):
    """Report settings that cannot work."""

    code = "axis/misconfigured"
    exit_code = 78


class NotFound(AxisError):
    """Report that what was asked about does not exist."""

    code = "axis/not-found"
    exit_code = 66


class Malformed(AxisError):
    """Report a file that cannot be understood, and where (1-based line and column)."""

    exit_code = 65

    def __init__(self, detail: str, *, code: str, line: int | None = None, column: int | None = None) -> None:
        super().__init__(detail, code=code)
        self.line = line
        self.column = column


def only_error(group: BaseExceptionGroup[BaseException]) -> AxisError | None:
    """Return the first error that task groups wrapped, if all that went wrong is errors of ours; else None."""
    known, others = group.split(AxisError)
    if known is None or others is not None:
        return None
    first: BaseException = known
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return first if isinstance(first, AxisError) else None
