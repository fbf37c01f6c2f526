"""One channel of a connection: calls and their answers, and messages put together from their frames."""

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from pamqp import commands
from pamqp.base import Frame as Method

from axis.broker import frames
from axis.broker.properties import body_size, short_text
from axis.errors import Unavailable

if TYPE_CHECKING:
    from axis.broker.connection import Connection

_DELIVER = commands.Basic.Deliver.index.to_bytes(4, "big")
_RETURN = commands.Basic.Return.index.to_bytes(4, "big")
_CONFIRMS = frozenset({commands.Basic.Ack.index.to_bytes(4, "big"), commands.Basic.Nack.index.to_bytes(4, "big")})
_WITH_CONTENT = frozenset({_DELIVER, _RETURN})
_NOT_FOUND = 404


class ClosedByBroker(Unavailable):
    """Report that the broker closed a channel or the connection, with its reply code (AMQP 0-9-1 section 1.1)."""

    def __init__(self, reply_code: int, reply_text: str) -> None:
        super().__init__(f"the broker refused: {reply_code} {reply_text}")
        self.reply_code = reply_code

    @property
    def not_found(self) -> bool:
        """Whether what was named is not there."""
        return self.reply_code == _NOT_FOUND


class Channel:
    """Ask the broker things; subclasses publish or consume.

    `closed` is None while the channel works, then the reason; everything asked on a closed channel raises it.
    """

    def __init__(self, connection: "Connection", number: int) -> None:
        self.connection = connection
        self.number = number
        self.closed: Unavailable | None = None
        self._answers: deque[asyncio.Future[Method]] = deque()
        self._content: bytes = b""  # the method the message under way belongs to
        self._header: bytes = b""
        self._body: list[bytes] = []
        self._lacking = 0

    def ask(self, request: Method) -> asyncio.Future[Method]:
        """Send a request now; the future is its answer. Answers come in the order of the requests."""
        answer: asyncio.Future[Method] = asyncio.get_running_loop().create_future()
        answer.add_done_callback(_seen)
        if self.closed is not None:
            answer.set_exception(self.closed)
            return answer
        self._answers.append(answer)
        self.connection.write(frames.method(self.number, request))
        return answer

    def end(self) -> asyncio.Future[Method]:
        """Close the channel; what was consumed and is not settled goes back to its queue. Awaiting it is optional."""
        return self.ask(commands.Channel.Close(200, "done", 0, 0))

    def fail(self, reason: Unavailable) -> None:
        """Mark the channel closed; everything that waits for it ends with the reason."""
        if self.closed is not None:
            return
        self.closed = reason
        while self._answers:
            answer = self._answers.popleft()
            if not answer.done():
                answer.set_exception(reason)

    def frame(self, kind: int, payload: bytes) -> None:
        """Take a frame of this channel."""
        if kind == frames.METHOD:
            index = payload[:4]
            if index in _WITH_CONTENT:
                self._content = payload
            elif index in _CONFIRMS:
                self.confirmed(
                    int.from_bytes(payload[4:12], "big"),
                    multiple=bool(payload[12] & 1),
                    taken=index[3] == 80,  # noqa: PLR2004 - basic.ack
                )
            else:
                self._method(frames.read_method(payload))
        elif kind == frames.HEADER:
            self._header = payload
            self._lacking = body_size(payload)
            self._body.clear()
            if not self._lacking:
                self._complete()
        elif kind == frames.BODY:
            self._body.append(payload)
            self._lacking -= len(payload)
            if self._lacking <= 0:
                self._complete()

    def _complete(self) -> None:
        call, header = self._content, self._header
        body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        self._body.clear()
        if call[:4] == _DELIVER:
            at = 5 + call[4]  # over the consumer's tag
            exchange, end = short_text(call, at + 9)
            routing_key, _ = short_text(call, end)
            tag, redelivered = int.from_bytes(call[at : at + 8], "big"), bool(call[at + 8] & 1)
            self.delivered(tag, exchange, routing_key, header, body, redelivered=redelivered)
        else:
            _, end = short_text(call, 6)  # over the reply code and its text
            exchange, end = short_text(call, end)
            routing_key, _ = short_text(call, end)
            self.returned(exchange, routing_key, header)

    def _method(self, found: Method) -> None:
        match found:
            case commands.Channel.Close():
                self.connection.forget(self)
                self.connection.write(frames.method(self.number, commands.Channel.CloseOk()))
                self.fail(ClosedByBroker(found.reply_code or 0, found.reply_text or ""))
            case commands.Channel.CloseOk():
                self.connection.forget(self)
                if self._answers and not (answer := self._answers.pop()).done():
                    answer.set_result(found)
                self.fail(Unavailable("the channel was closed by us"))
            case commands.Basic.Cancel():
                self.cancelled()
            case _:
                if self._answers and not (answer := self._answers.popleft()).done():
                    answer.set_result(found)

    # What a subclass does with what it is sent.

    def delivered(
        self, tag: int, exchange: str, routing_key: str, header: bytes, body: bytes, *, redelivered: bool
    ) -> None:
        """Take a message."""

    def returned(self, exchange: str, routing_key: str, header: bytes) -> None:
        """Take back a message that had no queue; its confirm follows."""

    def confirmed(self, tag: int, *, multiple: bool, taken: bool) -> None:
        """Take the confirm of a publish, or (`taken` false) that the broker could not keep it."""

    def cancelled(self) -> None:
        """Learn that the broker ended the consumer."""

    def blocked(self, reason: str) -> None:
        """Learn that the broker takes no publishes for now."""


def _seen(answer: asyncio.Future[Method]) -> None:
    """Look at the outcome once: an answer nobody awaits any more is no error of the program."""
    if not answer.cancelled():
        answer.exception()
