"""The LGSP profile: the REST interface of a provincial integration platform (connection guide v2.2, Lạng Sơn).

    POST /v1/sendEdoc                multipart: the file in `edocFile`, and `messageType`
    GET  /v1/syncReceivedEdocList    messageType, fromDate, toDate
    GET  /v1/getEdoc                 docId
    POST /v1/updateStatus            JSON {docId, status}

Headers `X-SystemId` and `X-SecretKey`. Answers carry both shapes that the guide shows: `success`, and `status` with
`errorCode`.
"""

import json
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from axis.core.partners import Incoming, Partner
from axis.errors import AxisError, Refused
from axis.gateway.desk.answering import Transfers, answer, in_own_form, told
from axis.gateway.desk.asking import addressed, kind_of, refuse_unwritable, wanted_of, written
from axis.gateway.desk.desk import Desk
from axis.gateway.desk.sending import Package
from axis.gateway.observing import Entry, entry_of

_FILE = "edocFile"
_SERVICE = "eDoc"


class Lgsp:
    """Answer the operations."""

    def __init__(self, desk: Desk, transfers: Transfers) -> None:
        self._desk = desk
        self._transfers = transfers
        self._operations: dict[tuple[str, str], Callable[[Request, Partner], Awaitable[Response]]] = {
            ("POST", "sendEdoc"): self._send,
            ("GET", "syncReceivedEdocList"): self._received,
            ("GET", "getEdoc"): self._get,
            ("POST", "updateStatus"): self._update,
        }

    async def __call__(self, request: Request) -> Response:
        """Answer one request, errors too, in the profile's own form."""
        entry = entry_of(request)
        wanted = (request.method, request.path_params["operation"])
        entry.route = f"lgsp {wanted[1]}" if wanted in self._operations else "lgsp"
        return await in_own_form(entry, self._answered(request, entry), failed)

    async def _answered(self, request: Request, entry: Entry) -> Response:
        wanted = (request.method, request.path_params["operation"])
        system_id = request.headers.get("x-systemid", "")
        entry.subject = system_id[:64]
        partner = self._desk.with_secret(system_id, request.headers.get("x-secretkey", ""))
        entry.account = partner.system_id
        if wanted not in self._operations:
            raise Refused("partner/operation", f"{wanted[0]} {wanted[1]}"[:60])
        refuse_unwritable(request.query_params)
        return await self._operations[wanted](request, partner)

    async def _send(self, request: Request, partner: Partner) -> Response:
        async with self._transfers.form(request, partner, _FILE) as form:
            said = {name.lower(): value for name, value in form.fields.items()}
            package = Package(form.path, form.sha256, kind_of(said.get("messagetype")))
            doc_id = await self._desk.send(partner, package, said.get("from"))
        return done({"docId": doc_id}, docId=doc_id)

    async def _received(self, request: Request, partner: Partner) -> Response:
        asked = {name.lower(): value for name, value in request.query_params.items()}
        found = await self._desk.received(partner, wanted_of(asked, self._desk.limits))
        return done([self._incoming(each, partner) for each in found], count=len(found))

    def _incoming(self, package: Incoming, partner: Partner) -> dict[str, str]:
        form = partner.code_form
        return {
            "serviceType": _SERVICE,
            "createdTime": written(package.created_at),
            "updatedTime": written(package.updated_at),
            "messageType": package.kind.value,
            "docId": package.doc_id,
            "from": self._desk.codes.written(package.sender, form),
            "to": addressed(package, lambda code: self._desk.codes.written(code, form)),
            "status": package.state.value,
            "statusDesc": package.description,
        }

    async def _get(self, request: Request, partner: Partner) -> Response:
        package = await self._desk.package(partner, request.query_params.get("docId", ""))
        said = {
            "docId": package.doc_id,
            "from": self._desk.codes.written(package.sender, partner.code_form),
            "fromName": self._desk.codes.name(package.sender),
            "edocCode": package.notation,
            "edocAbstract": package.subject,
        }
        head = json.dumps({"success": True, "status": "OK", "errorCode": 0, "errorDesc": ""}, ensure_ascii=False)
        data = json.dumps(said, ensure_ascii=False)
        before = f'{head[:-1]}, "data": {data[:-1]}, "edxml": "'.encode()
        return await self._transfers.package(request, partner, package, before=before, after=b'"}}')

    async def _update(self, request: Request, partner: Partner) -> Response:
        said = {name.lower(): value for name, value in (await self._transfers.json(request)).items()}
        state = said.get("status", "").lower()
        await self._desk.update(partner, said.get("docid", ""), state, said.get("description", ""))
        return done(None)


def done(data: object, **more: object) -> Response:
    """Answer that it is done."""
    return answer({"success": True, "status": "OK", "errorCode": 0, "errorDesc": "", **more, "data": data})


def failed(error: AxisError) -> Response:
    """Answer an error with the number of the guide and our stable code."""
    said = told(error)
    content = {
        "success": False,
        "status": "FAIL",
        "errorCode": int(said.number),
        "errorDesc": said.text,
        "message": said.text,
        "code": error.code,
    }
    return answer(content, said.status, {**said.headers, "connection": "close"})
