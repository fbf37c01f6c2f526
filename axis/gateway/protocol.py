"""Deadlines that only the connection itself can keep.

uvicorn waits for ever for the first request of a connection and for a client that stops taking what is sent to it;
either holds a connection for the price of a socket (slowloris and its mirror image).
"""

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

from axis.gateway.limits import Limits


class DeadlineProtocol(H11Protocol):
    """uvicorn's HTTP/1.1, with a deadline for a request's headers and for a client's taking of the answer."""

    limits = Limits()

    _headers_due: asyncio.TimerHandle | None = None
    _stalled: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Start waiting for the first request."""
        super().connection_made(transport)
        self._watch_headers()

    def data_received(self, data: bytes) -> None:
        """Take bytes; between two requests, they begin the headers of the next."""
        super().data_received(data)
        self._watch_headers()

    def on_response_complete(self) -> None:
        """Finish one exchange; from here the keep-alive timeout watches until new bytes come."""
        super().on_response_complete()
        self._watch_headers()

    def pause_writing(self) -> None:
        """Note that the client takes nothing at the moment."""
        super().pause_writing()
        self._stalled = self.loop.call_later(self.limits.stall_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """Note that the client takes what is sent."""
        super().resume_writing()
        _cancel(self._stalled)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the deadlines."""
        _cancel(self._stalled)
        _cancel(self._headers_due)
        super().connection_lost(exc)

    def _watch_headers(self) -> None:
        waiting = self.cycle is None or self.cycle.response_complete
        if not waiting:
            _cancel(self._headers_due)
            self._headers_due = None
        elif self._headers_due is None and self.timeout_keep_alive_task is None:
            self._headers_due = self.loop.call_later(self.limits.header_seconds, self.transport.abort)


def _cancel(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()
