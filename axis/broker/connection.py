"""A connection to RabbitMQ: handshake, heartbeats, channels, and an end that is told to everyone who waits.

Why not aiormq: it takes each message through a dozen awaits and two tasks, 95 µs to take and 140 µs to publish one,
and its publish cannot be told apart from another with the same message id when one is returned. Here a message is a
few slices and no task. docs/decisions/0007 has the figures.
"""

import asyncio
import contextlib
import logging
import platform
from typing import Self, TypeVar, cast

from pamqp import commands
from pamqp.base import Frame as Method
from pamqp.common import FieldTable

from axis.broker import frames
from axis.broker.address import Address, Place
from axis.broker.channel import Channel, ClosedByBroker
from axis.errors import Misconfigured, Unavailable
from axis.tls import TlsRefused, told

log = logging.getLogger("axis.broker")

HEARTBEAT_SECONDS = 10
_FRAME_BYTES = 131_072
_WRITE_BUFFER_BYTES = 512 * 1024
_CLOSE_SECONDS = 2.0
_ACCESS_REFUSED = 403
_CAPABILITIES: FieldTable = {
    "authentication_failure_close": True,
    "basic.nack": True,
    "connection.blocked": True,
    "consumer_cancel_notify": True,
    "publisher_confirms": True,
}

C = TypeVar("C", bound=Channel)
M = TypeVar("M", bound=Method)


class Connection(asyncio.Protocol):
    """One TCP connection. `closed` is None while it works, then the reason; `blocked` likewise while an alarm lasts."""

    def __init__(self) -> None:
        self.closed: Unavailable | None = None
        self.blocked: str | None = None
        self.frame_bytes = _FRAME_BYTES
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._splitter = frames.Splitter()
        # Methods of channel 0 while connecting and closing; None: the connection is gone.
        self._control: asyncio.Queue[Method | None] = asyncio.Queue()
        self._channels: dict[int, Channel] = {}
        self._most_channels = 65_535
        self._writable = asyncio.Event()
        self._writable.set()
        self._gone = asyncio.Event()
        self._greeted = False
        self._heard = self._loop.time()
        self._beat: asyncio.TimerHandle | None = None

    @classmethod
    async def open(cls, address: Address, place: Place, name: str) -> Self:
        """Connect to a node and log in under a name for people; raise Unavailable, or TlsRefused with its code.

        The caller keeps the deadline.
        """
        loop, where = asyncio.get_running_loop(), f"{place.host}:{place.port}"
        try:
            _, connection = await loop.create_connection(cls, place.host, place.port, ssl=address.context())
        except OSError as error:
            raise told(error, where) or Unavailable(f"cannot connect to {where}: {error}") from error
        except Misconfigured as error:
            # The files were good when we started: somebody is renewing them.
            raise TlsRefused(error.detail, code=error.code) from error
        try:
            await connection._handshake(address, name)  # noqa: SLF001 - a constructor that has to wait
        except BaseException as error:
            connection.abort(Unavailable("the connection was given up while it was made"))
            refused = connection._unproven(error, where, address)  # noqa: SLF001 - the same
            if refused is not None:
                raise refused from error
            raise
        return connection

    def _unproven(self, error: BaseException, where: str, address: Address) -> TlsRefused | None:
        """Tell what ended the handshake over TLS, if it was about who we are."""
        if address.credentials is None:
            return None
        if isinstance(error, ClosedByBroker) and error.reply_code == _ACCESS_REFUSED and address.by_certificate:
            return TlsRefused(f"{where}: no account for this certificate: {error.detail}", code="tls/account")
        # What a server says over our certificate is lost when it hangs up before it has read what we sent already.
        if type(error) is Unavailable and not self._greeted:
            return TlsRefused(f"{where} hung up without a word after the TLS handshake: {error.detail}")
        return None

    async def channel(self, kind: type[C]) -> C:
        """Open a channel; raise Unavailable."""
        if self.closed is not None:
            raise self.closed
        number = next(n for n in range(1, self._most_channels + 2) if n not in self._channels)
        if number > self._most_channels:
            raise Unavailable(f"the connection has {self._most_channels} channels, more the broker does not allow")
        channel = self._channels[number] = kind(self, number)
        await channel.ask(commands.Channel.Open())
        return channel

    def forget(self, channel: Channel) -> None:
        """Free the number of a channel that is closed on both sides."""
        self._channels.pop(channel.number, None)

    def write(self, data: bytes) -> None:
        """Send bytes; nothing happens when the connection is gone, its channels know."""
        # A transport whose socket has failed says so to `connection_lost` in the next turn of the loop.
        if self._transport is not None and self.closed is None and not self._transport.is_closing():
            self._transport.write(data)

    async def writable(self) -> None:
        """Wait until the other side has taken most of what was written; at once when the connection is gone."""
        await self._writable.wait()

    def abort(self, reason: Unavailable) -> None:
        """End it now, whatever is still to be sent; everyone who waits is told the reason."""
        self._end(reason)
        if self._transport is not None:
            self._transport.abort()

    async def close(self) -> None:
        """Say goodbye and wait for the answer, for a short time only; then end it in any case."""
        if self.closed is None and self._transport is not None:
            self._transport.write(frames.method(0, commands.Connection.Close(200, "done", 0, 0)))
            with contextlib.suppress(TimeoutError, Unavailable):
                async with asyncio.timeout(_CLOSE_SECONDS):
                    await self._receive(commands.Connection.CloseOk)
        self.abort(Unavailable("the connection was closed by us"))
        await self._gone.wait()

    # Connecting

    async def _handshake(self, address: Address, name: str) -> None:
        self.write(frames.PROTOCOL_HEADER)
        await self._receive(commands.Connection.Start)
        self._greeted = True
        properties: FieldTable = {
            "product": "document-axis",
            "platform": f"Python {platform.python_version()}",
            "connection_name": name,
            "capabilities": _CAPABILITIES,
        }
        response = f"\0{address.user}\0{address.password}" if address.mechanism == "PLAIN" else ""
        self._send(commands.Connection.StartOk(properties, address.mechanism, response, "en_US"))
        tune = await self._receive(commands.Connection.Tune)
        self.frame_bytes = min(tune.frame_max or _FRAME_BYTES, _FRAME_BYTES)
        self._most_channels = tune.channel_max or 65_535
        heartbeat = min(tune.heartbeat or HEARTBEAT_SECONDS, HEARTBEAT_SECONDS)
        self._send(commands.Connection.TuneOk(self._most_channels, self.frame_bytes, heartbeat))
        self._send(commands.Connection.Open(address.vhost))
        await self._receive(commands.Connection.OpenOk)
        self._next_beat(heartbeat)

    def _send(self, request: Method) -> None:
        self.write(frames.method(0, request))

    async def _receive(self, kind: type[M]) -> M:
        """Take the next method of channel 0, which has to be of this kind."""
        found = await self._control.get()
        if found is None:
            raise self.closed or Unavailable("the connection is gone")
        if not isinstance(found, kind):
            raise Unavailable(f"the broker answered {found.name} where {kind.name} was due")
        return found

    # What the broker sends

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)  # create_connection gives no other
        self._transport.set_write_buffer_limits(high=_WRITE_BUFFER_BYTES)

    def data_received(self, data: bytes) -> None:
        """Hand each frame to its channel."""
        self._heard = self._loop.time()
        try:
            for kind, number, payload in self._splitter.feed(data):
                if number:
                    channel = self._channels.get(number)
                    if channel is not None:
                        channel.frame(kind, payload)
                elif kind == frames.METHOD:
                    self._method(frames.read_method(payload))
        except Exception as error:
            log.exception("what the broker sent cannot be read")
            self.abort(Unavailable(f"what the broker sent cannot be read: {type(error).__name__}: {error}"))

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell everyone who waits."""
        # With TLS 1.3 a server looks at our certificate when we are done already: its verdict comes as an ending.
        reason = told(exc, "the broker")
        self._end(reason or Unavailable(f"the connection to the broker is lost{f': {exc}' if exc else ''}"))
        self._control.put_nowait(None)
        self._gone.set()

    def pause_writing(self) -> None:
        """Let those wait who have much to send."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """Let them go on."""
        self._writable.set()

    def _method(self, found: Method) -> None:
        match found:
            case commands.Connection.Close():
                self._send(commands.Connection.CloseOk())
                self._end(ClosedByBroker(found.reply_code or 0, found.reply_text or ""))
                if self._transport is not None:
                    self._transport.close()
            case commands.Connection.Blocked():
                self.blocked = found.reason or "alarm"
                log.warning("the broker takes no publishes: %s", self.blocked)
                for channel in list(self._channels.values()):
                    channel.blocked(self.blocked)
            case commands.Connection.Unblocked():
                self.blocked = None
                log.warning("the broker takes publishes again")
            case _:
                self._control.put_nowait(found)

    def _end(self, reason: Unavailable) -> None:
        if self.closed is not None:
            return
        self.closed = reason
        self._writable.set()
        if self._beat is not None:
            self._beat.cancel()
        channels, self._channels = list(self._channels.values()), {}
        for channel in channels:
            channel.fail(reason)

    def _next_beat(self, heartbeat: int) -> None:
        """Send a heartbeat twice an interval, and end the connection when nothing came for two of them."""
        due = self._loop.time() + heartbeat / 2

        def beat() -> None:
            now = self._loop.time()
            # Late by itself, the program was standing still: what came meanwhile has not been read yet.
            if now - due < heartbeat / 2 and now - self._heard > 2 * heartbeat:
                self.abort(Unavailable(f"no sign of life from the broker for {now - self._heard:.0f} s"))
                return
            self.write(frames.HEARTBEAT_FRAME)
            self._next_beat(heartbeat)

        if self.closed is None:
            self._beat = self._loop.call_at(due, beat)
