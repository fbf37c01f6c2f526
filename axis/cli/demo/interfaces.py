"""Clients of the two HTTP interfaces, written after their wire: headers, HMAC and multipart by hand."""

import base64
import datetime as dt
import hashlib
import hmac
import json
from typing import Any

import httpx

from axis.edxml import VIETNAM_TIME
from axis.errors import Unavailable

_BOUNDARY = "----AxisDemo7MA4YWxkTrZu0gW"
_FORM = f"multipart/form-data; boundary={_BOUNDARY}"


class VxpClient:
    """A system behind the VXP adapter's interface; its clock is read once, when it starts."""

    def __init__(self, http: httpx.AsyncClient, system_id: str, secret: str) -> None:
        self._http = http
        self._system_id = system_id
        self._secret = secret.encode()
        self._timestamp = f"{dt.datetime.now(VIETNAM_TIME):%d%m%YT%H%M%S}+0000"

    async def waiting(self) -> list[str]:
        """See `Interface`."""
        answer = await self._call("getReceivedEdocList", {"messagetype": "edoc"})
        return [str(each.get("docId") or each["id"]) for each in answer["data"] or ()]

    async def fetch(self, doc_id: str) -> bytes:
        """See `Interface`."""
        return base64.b64decode((await self._call("getEdoc", {"docId": doc_id}))["data"])

    async def done(self, doc_id: str) -> None:
        """See `Interface`."""
        await self._call("updateStatus", {"docId": doc_id, "status": "done"})

    async def send_status(self, package: bytes, speaker: str) -> None:
        """See `Interface`."""
        digest = hashlib.sha256(package).hexdigest()
        parameters = {"from": speaker, "servicetype": "eDoc", "messagetype": "status", "hash-file": digest}
        await self._call("sendEdoc", parameters, form("file_doc", package), {"Content-Type": _FORM})

    async def _call(
        self, operation: str, parameters: dict[str, str], content: bytes = b"{}", more: dict[str, str] | None = None
    ) -> Any:
        named = {"systemid": self._system_id, "timestamp": self._timestamp, **parameters}
        prefixed = {f"XroadVnpt-{name}": value for name, value in named.items()}
        signed = json.dumps(prefixed, ensure_ascii=False)
        headers = {
            **prefixed,
            "XroadVnpt-sign-header": signed,
            "XroadVnpt-sign-header-key": ";".join(named),
            "XroadVnpt-hash-header": hmac.new(self._secret, signed.encode(), hashlib.sha256).hexdigest(),
            **(more or {}),
        }
        return _answer(await self._http.post(f"/vxp/{operation}", headers=headers, content=content))


class LgspClient:
    """A system behind a provincial platform's interface."""

    def __init__(self, http: httpx.AsyncClient, system_id: str, secret: str) -> None:
        self._http = http
        self._headers = {"X-SystemId": system_id, "X-SecretKey": secret}

    async def waiting(self) -> list[str]:
        """See `Interface`."""
        days = [dt.datetime.now(VIETNAM_TIME) + dt.timedelta(days=each) for each in (-1, 1)]
        asked = {"messageType": "edoc", "fromDate": f"{days[0]:%Y/%m/%d}", "toDate": f"{days[1]:%Y/%m/%d}"}
        answer = await self._http.get("/lgsp/v1/syncReceivedEdocList", headers=self._headers, params=asked)
        return [str(each["docId"]) for each in _answer(answer)["data"]]

    async def fetch(self, doc_id: str) -> bytes:
        """See `Interface`."""
        answer = await self._http.get("/lgsp/v1/getEdoc", headers=self._headers, params={"docId": doc_id})
        return base64.b64decode(_answer(answer)["data"]["edxml"])

    async def done(self, doc_id: str) -> None:
        """See `Interface`."""
        said = {"docId": doc_id, "status": "done"}
        _answer(await self._http.post("/lgsp/v1/updateStatus", headers=self._headers, json=said))

    async def send_status(self, package: bytes, speaker: str) -> None:
        """See `Interface`."""
        content = form("edocFile", package, {"messageType": "status", "from": speaker})
        headers = {**self._headers, "Content-Type": _FORM}
        _answer(await self._http.post("/lgsp/v1/sendEdoc", headers=headers, content=content))


def form(name: str, package: bytes, fields: dict[str, str] | None = None) -> bytes:
    """Write a form with one file, and text fields before it."""
    parts = [
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
        for key, value in (fields or {}).items()
    ]
    head = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"; filename="edoc.edxml"\r\n'
    parts += [head.encode(), b"Content-Type: application/octet-stream\r\n\r\n", package, b"\r\n"]
    return b"".join([*parts, f"--{_BOUNDARY}--\r\n".encode()])


def _answer(response: httpx.Response) -> Any:
    """Return what was answered; raise Unavailable for anything but OK: a system asks again then."""
    try:
        said = response.json()
    except ValueError as error:
        raise Unavailable(f"HTTP {response.status_code}") from error
    if not isinstance(said, dict) or said.get("status") != "OK":
        raise Unavailable(f"HTTP {response.status_code}: {str(said)[:200]}")
    return said
