"""What only the connection itself can do: deadlines, and closing so that the last answer is read.

uvicorn waits for ever for the first request of a connection and for a client that stops taking what is sent to it;
either holds a connection for the price of a socket (slowloris and its mirror image). And it closes at once after
an answer to a request whose body it has not read: the kernel then resets the connection, and the client sees an
error instead of the answer that says what was wrong.
"""

import asyncio
from typing import Any, cast

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from axis.web.certificate import presented
from axis.web.limits import Limits

# In a request's state: whom the client's certificate names, where one is asked for.
CERTIFIED = "certified"
# In these states the client may still be sending.
_SENDING = (h11.SEND_BODY, h11.ERROR)


class WebProtocol(H11Protocol):
    """uvicorn's HTTP/1.1 with deadlines for a request's headers and for taking an answer, and a lingering close."""

    limits = Limits()

    _headers_due: asyncio.TimerHandle | None = None
    _stalled: asyncio.TimerHandle | None = None
    _lingering: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Start waiting for the first request."""
        super().connection_made(cast("asyncio.Transport", _ClosingThroughProtocol(transport, self)))
        if (peer := transport.get_extra_info("peercert")) is not None:
            self.app_state = {**self.app_state, CERTIFIED: presented(peer)}
        self._watch_headers()

    def data_received(self, data: bytes) -> None:
        """Take bytes; between two requests, they begin the headers of the next."""
        if self._lingering is None:
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
        for timer in (self._headers_due, self._stalled, self._lingering):
            _cancel(timer)
        super().connection_lost(exc)

    def close(self, transport: asyncio.Transport) -> None:
        """Close; while the client may still be sending, say that we are done and drop what comes for a moment."""
        if self.conn.their_state not in _SENDING or transport.is_closing():
            transport.close()
        elif self._lingering is None:
            self._lingering = self.loop.call_later(self.limits.linger_seconds, transport.abort)
            # TLS has no half that could be closed: the client goes by the answer's length and its `connection: close`.
            if transport.can_write_eof():
                transport.write_eof()
            transport.resume_reading()

    @property
    def lingers(self) -> bool:
        """Whether the last answer was given and only the client's end is awaited."""
        return self._lingering is not None

    def _watch_headers(self) -> None:
        between = self.cycle is None or self.cycle.response_complete
        if not between or self.lingers:
            _cancel(self._headers_due)
            self._headers_due = None
        elif self._headers_due is None and self.timeout_keep_alive_task is None:
            self._headers_due = self.loop.call_later(self.limits.header_seconds, self.transport.abort)


class _ClosingThroughProtocol:
    """A transport that leaves it to the protocol how to close."""

    def __init__(self, transport: asyncio.Transport, protocol: WebProtocol) -> None:
        self._transport = transport
        self._protocol = protocol

    def close(self) -> None:
        self._protocol.close(self._transport)

    def is_closing(self) -> bool:
        return self._protocol.lingers or self._transport.is_closing()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


def _cancel(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()
