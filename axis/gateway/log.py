"""The log over HTTP: its files for everybody (c2sp.org/tlog-tiles), and proofs of receipts for agencies."""

import base64
import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

import orjson
from starlette.requests import Request
from starlette.responses import Response

from axis.errors import NotFound
from axis.gateway.access import account_of
from axis.gateway.enrolled import Enrolled
from axis.gateway.observing import entry_of
from axis.gateway.slots import Slots
from axis.proving import LogReader, Source
from axis.proving.tiles import CHECKPOINT, is_name
from axis.store import LogStore
from axis.web.proofs import prove

_FOR_EVER = "public, max-age=31536000, immutable"
_FOR_SECONDS = "public, max-age=5"


@dataclass(frozen=True, slots=True)
class Log:
    """Where the log's files and places are."""

    files: Source
    store: LogStore


class Proving:
    """Answer about the log. Files are small; how many are read at once is bounded, as memory is."""

    def __init__(self, log: Log, *, enrolled: Enrolled, now: Callable[[], dt.datetime], slots: Slots) -> None:
        self._files = log.files
        self._store = log.store
        self._reader = LogReader(log.files)
        self._enrolled = enrolled
        self._now = now
        self._slots = slots

    async def file(self, request: Request) -> Response:
        """Answer with a file of the log. No token: it says nothing but digests, and everybody is to see the same."""
        entry = entry_of(request)
        entry.route = "log"
        path = request.path_params["path"]
        if not is_name(path):
            raise NotFound("The log has no file of such a name.", code="log/not-found")
        entry.subject = path
        async with self._slots.take(""):
            content = await self._files.get(path)
        if content is None:
            raise NotFound(f"The log has no file {path}.", code="log/not-found")
        if path == CHECKPOINT:
            return Response(content, 200, {"cache-control": _FOR_SECONDS}, "text/plain; charset=utf-8")
        return Response(content, 200, {"cache-control": _FOR_EVER}, "application/octet-stream")

    async def proof(self, request: Request) -> Response:
        """Answer with the proof for a receipt."""
        entry = entry_of(request)
        entry.route = "proof"
        entry.account = account_of(request, self._enrolled.keyring, self._now())
        entry.subject = request.path_params["receipt"]
        async with self._slots.take(entry.account):
            proof, timestamp = await prove(self._store, self._reader, entry.subject)
        stamp = None if timestamp is None else base64.b64encode(timestamp).decode()
        return Response(
            orjson.dumps({"log": proof.text, "timestamp": stamp}),
            200,
            {"cache-control": "no-store"},
            "application/json",
        )
