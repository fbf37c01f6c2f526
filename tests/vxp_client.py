"""A client of the VXP adapter, written after its wire and not after our server: headers, HMAC and multipart by hand."""

import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

VIETNAM = dt.timezone(dt.timedelta(hours=7))
BOUNDARY = "----AxisTestBoundary7MA4YWxkTrZu0gW"


@dataclass
class VxpClient:
    """One system. The timestamp is of the moment it is made, and never changes."""

    http: httpx.AsyncClient
    system_id: str
    secret: str
    made: dt.datetime
    endpoint: str = "/vxp"
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def timestamp(self) -> str:
        return self.made.astimezone(VIETNAM).strftime("%d%m%YT%H%M%S+") + f"{self.made.microsecond // 1000:04d}"

    def headers(
        self, parameters: Mapping[str, str], *, text: str | None = None, secret: str | None = None
    ) -> dict[bytes, bytes]:
        """The JSON argument becomes prefixed headers, which are signed; `text`: how a client joined them by hand."""
        named = {"systemid": self.system_id, "timestamp": self.timestamp, **parameters}
        prefixed = {f"XroadVnpt-{name}": value for name, value in named.items()}
        signed = json.dumps(prefixed, ensure_ascii=False) if text is None else text
        digest = hmac.new((secret or self.secret).encode(), signed.encode(), hashlib.sha256).hexdigest()
        headers = {
            **prefixed,
            "XroadVnpt-sign-header": signed,
            "XroadVnpt-sign-header-key": ";".join(named),
            "XroadVnpt-hash-header": digest,
            "XroadVnpt-version": "3.0.201608",
            "User-Agent": "JAVASDKAgent/1.0.0 XRoad/VPCP",
            **self.extra,
        }
        return {name.encode(): value.encode() for name, value in headers.items()}

    async def post(self, operation: str, headers: Mapping[bytes, bytes], content: bytes = b"{}") -> httpx.Response:
        return await self.http.post(f"{self.endpoint}/{operation}", headers=dict(headers), content=content)

    async def call(self, operation: str, content: bytes = b"{}", **parameters: Any) -> Any:
        """Call an operation and return its answer."""
        return (await self.post(operation, self.headers(parameters), content)).json()

    async def send(self, package: bytes, kind: str = "edoc", **parameters: str) -> Any:
        """sendEdoc: the file's digest is a header among the signed ones, the file the field `file_doc`."""
        named = {"from": "000.00.00.H37", "servicetype": "eDoc", "messagetype": kind, **parameters}
        named.setdefault("hash-file", hashlib.sha256(package).hexdigest())
        headers = self.headers(named) | {b"Content-Type": f"multipart/form-data; boundary={BOUNDARY}".encode()}
        return (await self.post("sendEdoc", headers, multipart("file_doc", package))).json()


def multipart(name: str, package: bytes, fields: Mapping[str, str] | None = None) -> bytes:
    """Write a form with one file, and text fields before it."""
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
        for key, value in (fields or {}).items()
    ]
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"; filename="edoc.edxml"\r\n'
    parts += [head.encode(), b"Content-Type: application/octet-stream\r\n\r\n", package, b"\r\n"]
    return b"".join([*parts, f"--{BOUNDARY}--\r\n".encode()])
