"""Where a message stands in a trace (W3C Trace Context): read strictly, because anybody may have written it."""

import re
from dataclasses import dataclass
from typing import Self

_FORM = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})", re.ASCII)
_SAMPLED = 1


@dataclass(frozen=True, slots=True)
class TraceContext:
    """A trace, and the span in it that something is done for; both in lower-case hexadecimal digits."""

    trace_id: str
    span_id: str
    sampled: bool = True

    @classmethod
    def read(cls, header: object) -> Self:
        """Read a `traceparent` header of version 00; raise ValueError for anything else.

        Flags but “sampled” are dropped. `tracestate` is not read at all: it is free text of whoever wrote it, and would
        go on to others.
        """
        match = _FORM.fullmatch(header) if isinstance(header, str) else None
        if match is None:
            raise ValueError("not a traceparent of version 00")
        return cls(match[1], match[2], bool(int(match[3], 16) & _SAMPLED))

    @property
    def header(self) -> str:
        """Write the `traceparent` header."""
        return f"00-{self.trace_id}-{self.span_id}-{int(self.sampled):02x}"
