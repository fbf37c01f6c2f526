"""Certificates for agencies: one to verify a signature with, and those to seal a document for."""

import base64
import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from axis.core.enrolment import State
from axis.core.resolving import Resolution, resolve
from axis.gateway.access import account_of
from axis.gateway.enrolled import Enrolled
from axis.gateway.observing import entry_of
from axis.web.problems import HttpRefused
from schemas import Certificate
from schemas.base import CODE_PATTERN

MOST_RECIPIENTS = 200
_LONGEST_CODE = 35
_CODE = re.compile(CODE_PATTERN.removesuffix("$"))


class Certificates:
    """Answers of the directory to whoever has a token: which certificate is whose is no secret among agencies."""

    def __init__(self, enrolled: Enrolled, now: Callable[[], dt.datetime]) -> None:
        self._enrolled = enrolled
        self._now = now

    async def one(self, request: Request) -> Response:
        """Answer with the certificate of a thumbprint."""
        entry = entry_of(request)
        entry.route = "certificate"
        entry.account = account_of(request, self._enrolled.keyring, self._now())
        entry.subject = request.path_params["thumbprint"]
        found = self._enrolled.find(entry.subject)
        if found is None:
            raise HttpRefused("certificate/unknown", "No such certificate is enrolled.", status=404)
        return _json(_plain(found))

    async def for_sealing(self, request: Request) -> Response:
        """Answer where the recipients in `to` lead now, with the certificates that can be sealed for there."""
        entry = entry_of(request)
        entry.route = "sealing"
        at = self._now()
        entry.account = account_of(request, self._enrolled.keyring, at)
        codes = list(dict.fromkeys(request.query_params.getlist("to")))
        if not 0 < len(codes) <= MOST_RECIPIENTS or request.query_params.keys() != {"to"}:
            raise HttpRefused("http/query", f"Name 1 to {MOST_RECIPIENTS} recipients, each as to=CODE.")
        if any(len(code) > _LONGEST_CODE or not _CODE.fullmatch(code) for code in codes):
            raise HttpRefused("http/query", "A recipient is not a code in its canonical form.")
        resolutions = [resolve(self._enrolled.directory, code, at) for code in codes]
        mailboxes = dict.fromkeys(each.mailbox for each in resolutions if each.mailbox is not None)
        certificates = [
            each for code in mailboxes for each in self._enrolled.for_sealing(code) if each.state(at) is State.VALID
        ]
        return _json(
            {
                "recipients": [_told(each) for each in resolutions],
                "certificates": [_plain(each.certificate) for each in certificates],
            }
        )


def _told(resolution: Resolution) -> dict[str, Any]:
    members = {
        "recipient": resolution.recipient,
        "mailbox": resolution.mailbox,
        "via": resolution.via,
        "code": resolution.reason,
        "detail": resolution.detail,
    }
    return {name: value for name, value in members.items() if value is not None}


def _plain(certificate: Certificate) -> dict[str, Any]:
    return certificate.model_dump(mode="json", exclude={"der"}) | {"der": base64.b64encode(certificate.der).decode()}


def _json(content: object) -> Response:
    return Response(orjson.dumps(content), media_type="application/json")
