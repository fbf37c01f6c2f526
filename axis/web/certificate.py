"""The certificate of a server, and who comes with which: taken up anew when files change, without a restart."""

import asyncio
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import structlog

from axis.errors import Misconfigured
from axis.tls import server_context

_LOOK_SECONDS = 10.0


class ServerCertificate:
    """The files and the TLS side made of them; new connections get what `renew` has loaded last, and nothing older.

    A server keeps the context it was started with. That one only hands each newcomer over to the present one, before
    any certificate is looked at: adding to it instead would keep authorities that were taken out, and lists that ended.
    """

    def __init__(self, certificate: Path, key: Path, client_ca: Path | None, client_crl: Path | None = None) -> None:
        self._files = (certificate, key, client_ca, client_crl)
        self._present = server_context(*self._files)
        self.context = server_context(*self._files)
        self.context.sni_callback = self._hand_over
        self._seen = self._stamp()
        self._log = structlog.get_logger(part="certificate")

    def renew(self) -> bool:
        """Load the files if they have changed; say whether they had. Files that do not fit change nothing."""
        stamp = self._stamp()
        if stamp == self._seen:
            return False
        try:
            self._present = server_context(*self._files)
        except Misconfigured as error:
            self._log.warning("the renewed files are not usable", detail=str(error))
            return False
        self._seen = stamp
        self._log.info("files renewed", files=[str(path) for path in self._files if path is not None])
        return True

    def _hand_over(self, connection: ssl.SSLObject, *_: object) -> None:
        # Called also for a client that names no server.
        connection.context = self._present

    async def follow(self) -> None:
        """Look for renewed files until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            self.renew()

    def _stamp(self) -> tuple[tuple[int, int, int], ...]:
        found = []
        for path in self._files:
            if path is None:
                continue
            try:
                status = path.stat()
            except OSError:
                found.append((0, 0, 0))
            else:
                found.append((status.st_mtime_ns, status.st_ino, status.st_size))
        return tuple(found)


def presented(peer: Mapping[str, Any] | None) -> str | None:
    """Return the common name of a client's certificate as `ssl` tells it; None when there was none."""
    names = [value for part in (peer or {}).get("subject", ()) for name, value in part if name == "commonName"]
    return str(names[0]) if len(names) == 1 else None
