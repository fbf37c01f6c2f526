"""The VXP profile: what clients of the national axis's adapter call, `POST {endpoint}/{operation}`.

    sendEdoc               getReceivedEdocList   getEdoc            updateStatus     getSentEdocList
    getAgenciesList        getAgenciesListQD20   getSynchronizeUnit registerAgency   deleteAgency
    countReceiveEdoc       countReceiveStatus    downloadEdoc

Parameters are signed headers (axis.gateway.desk.signing). Replay: the client library stamps requests once, when it is
made, so equal requests are its ordinary way, and nothing could tell a recorded one from them. Every operation can be
repeated without a second effect; a wish that an operator has decided is not made again by the same request.
"""

import hashlib
import hmac
from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response

from axis.core.partners import Incoming, Kind, Outcome, Outgoing, Partner, Plane
from axis.errors import AxisError, Refused
from axis.gateway.desk.answering import Transfers, answer, in_own_form, told
from axis.gateway.desk.asking import addressed, kind_of, page_of, refuse_unwritable, size_of, wanted_of, written
from axis.gateway.desk.desk import Desk
from axis.gateway.desk.directory import Listing
from axis.gateway.desk.sending import Package
from axis.gateway.desk.signing import read_signed
from axis.gateway.observing import Entry, entry_of

Asked = Mapping[str, str]
_FILE = "file_doc"
_SERVICE = "eDoc"
_LISTING_COST = 10  # in requests: the whole directory is read for each
OPERATIONS = (
    "sendEdoc",
    "getReceivedEdocList",
    "getEdoc",
    "downloadEdoc",
    "updateStatus",
    "getSentEdocList",
    "countReceiveEdoc",
    "countReceiveStatus",
    "getAgenciesList",
    "getAgenciesListQD20",
    "getSynchronizeUnit",
    "registerAgency",
    "deleteAgency",
)


class Vxp:
    """Answer the operations."""

    def __init__(self, desk: Desk, transfers: Transfers) -> None:
        self._desk = desk
        self._transfers = transfers
        self._listing = Listing(desk.codes, desk.now)
        self._operations: dict[str, Callable[[Request, Partner, Asked], Awaitable[Response]]] = {
            "sendEdoc": self._send,
            "getReceivedEdocList": self._received,
            "getEdoc": self._get,
            "downloadEdoc": self._download,
            "updateStatus": self._update,
            "getSentEdocList": self._sent,
            "countReceiveEdoc": self._count,
            "countReceiveStatus": self._count,
            "getAgenciesList": self._agencies,
            "getAgenciesListQD20": self._agencies,
            "getSynchronizeUnit": self._agencies,
            "registerAgency": self._register,
            "deleteAgency": self._delete,
        }

    async def __call__(self, request: Request) -> Response:
        """Answer one request, errors too, in the profile's own form."""
        entry = entry_of(request)
        operation = request.path_params["operation"]
        entry.route = f"vxp {operation}" if operation in self._operations else "vxp"
        return await in_own_form(entry, self._answered(request, entry), failed)

    async def _answered(self, request: Request, entry: Entry) -> Response:
        operation = request.path_params["operation"]
        signed = read_signed(request.scope["headers"])
        entry.subject = signed.system_id[:64]
        partner = self._desk.signed(signed)
        entry.account = partner.system_id
        if operation not in self._operations:
            raise Refused("partner/operation", operation[:60])
        refuse_unwritable(signed.parameters)
        return await self._operations[operation](request, partner, signed.parameters)

    async def _send(self, request: Request, partner: Partner, asked: Asked) -> Response:
        kind = kind_of(asked.get("messagetype"))
        _check_service(asked)
        announced = asked.get("hash-file", "").lower()
        if not announced:
            raise Refused("partner/headers", "hash-file is not signed: the file is proved by nothing")
        async with self._transfers.form(request, partner, _FILE) as form:
            if not hmac.compare_digest(form.sha256.encode(), announced.encode()):
                raise Refused("partner/hash-file", f"the file has {form.sha256}")
            package = Package(form.path, form.sha256, kind)
            doc_id = await self._desk.send(partner, package, asked.get("from"))
        return done(doc_id=doc_id)

    async def _received(self, _: Request, partner: Partner, asked: Asked) -> Response:
        _check_service(asked)
        found = await self._desk.received(partner, wanted_of(asked, self._desk.limits))
        return done([self._incoming(each, partner) for each in found])

    def _incoming(self, package: Incoming, partner: Partner) -> dict[str, str]:
        form = partner.code_form
        return {
            "docId": package.doc_id,
            "serviceType": _SERVICE,
            "messageType": package.kind.value,
            "created_time": written(package.created_at),
            "updated_time": written(package.updated_at),
            "from": self._desk.codes.written(package.sender, form),
            "to": addressed(package, lambda code: self._desk.codes.written(code, form)),
            "status": package.state.value,
            "status_desc": package.description,
        }

    async def _get(self, request: Request, partner: Partner, asked: Asked) -> Response:
        package = await self._desk.package(partner, asked.get("docid", ""))
        before = f'{{"status":"OK","ErrorCode":"0","ErrorDesc":"","DocId":"{package.doc_id}","data":"'.encode()
        return await self._transfers.package(request, partner, package, before=before, after=b'"}')

    async def _download(self, request: Request, partner: Partner, asked: Asked) -> Response:
        package = await self._desk.package(partner, asked.get("docid", ""))
        return await self._transfers.package(request, partner, package, encoded=False, media_type="application/xml")

    async def _update(self, _: Request, partner: Partner, asked: Asked) -> Response:
        state = asked.get("status", "").lower()
        await self._desk.update(partner, asked.get("docid", ""), state, asked.get("description", ""))
        return done()

    async def _count(self, request: Request, partner: Partner, _: Asked) -> Response:
        status = request.path_params["operation"] == "countReceiveStatus"
        count = await self._desk.count(partner, Kind.STATUS if status else Kind.EDOC)
        return done(count)

    async def _sent(self, _: Request, partner: Partner, asked: Asked) -> Response:
        kind = kind_of(asked.get("messagetype") or "edoc")
        page = {"size": size_of(asked, self._desk.limits), "page": page_of(asked)}
        found = await self._desk.sent(partner, kind, asked.get("docid"), **page)
        return done([row for each in found for row in self._outgoing(each, partner)])

    def _outgoing(self, package: Outgoing, partner: Partner) -> list[dict[str, str]]:
        sent = package.submitted_at or package.created_at
        return [
            {
                "serviceType": _SERVICE,
                "messageType": package.kind.value,
                "senderDocId": package.doc_id,
                "receiverDocId": package.message_id,
                "fromCode": self._desk.codes.written(package.sender, partner.code_form),
                "toCode": self._desk.codes.written(recipient, partner.code_form),
                "title": package.subject,
                "notation": package.notation,
                "sentTime": written(sent),
                "sendStatus": package.state.value,
                "sendStatusDesc": package.description,
                **_told(package, package.outcomes.get(recipient)),
            }
            for recipient in package.recipients
        ]

    async def _agencies(self, request: Request, partner: Partner, asked: Asked) -> Response:
        self._desk.charge(partner, _LISTING_COST)
        return self._listing.answer(request.path_params["operation"], partner, asked.get("level"))

    async def _register(self, request: Request, partner: Partner, asked: Asked) -> Response:
        body = await self._transfers.json(request)
        code = next((value for name, value in body.items() if name.lower() == "code"), "")
        if not code:
            raise Refused("partner/parameter", "code is missing")
        detail = {name[:40]: value[:500] for name, value in list(body.items())[:16]}
        fingerprint = _fingerprint("register", asked, body)
        return await self._wished(partner, "register", code, detail, fingerprint)

    async def _delete(self, _: Request, partner: Partner, asked: Asked) -> Response:
        code = asked.get("agencycode", "")
        if not code:
            raise Refused("partner/parameter", "AgencyCode is missing")
        return await self._wished(partner, "delete", code, {}, _fingerprint("delete", asked, {}))

    async def _wished(
        self,
        partner: Partner,
        wish: str,
        code: str,
        detail: Mapping[str, str],
        fingerprint: bytes,
    ) -> Response:
        if await self._desk.wish(partner, wish, code, detail, fingerprint):
            return done(description="Đã ghi nhận, chờ người vận hành trục phê duyệt (pending)")
        return done(description="Không có gì thay đổi")


def done(data: object = None, *, doc_id: str | None = None, description: str = "") -> Response:
    """Answer that it is done."""
    content: dict[str, object] = {"status": "OK", "ErrorCode": "0", "ErrorDesc": description, "data": data}
    if doc_id is not None:
        content["DocId"] = doc_id
    return answer(content)


def failed(error: AxisError) -> Response:
    """Answer an error; our stable code goes beside the profile's number."""
    said = told(error)
    content = {"status": "FAIL", "ErrorCode": said.number, "ErrorDesc": said.text, "data": None, "code": error.code}
    return answer(content, said.status, {**said.headers, "connection": "close"})


def _told(package: Outgoing, outcome: Outcome | None) -> dict[str, str]:
    if outcome is None:
        return {"receivedTime": "", "receiveStatus": package.state.value, "receiveStatusDesc": package.description}
    arrived = outcome.state is Plane.DONE
    return {
        "receivedTime": written(outcome.at) if arrived else "",
        "receiveStatus": outcome.state.value,
        "receiveStatusDesc": f"{outcome.code} {outcome.text}".strip(),
    }


def _fingerprint(wish: str, asked: Asked, body: Mapping[str, str]) -> bytes:
    return hashlib.sha256(repr((wish, sorted(asked.items()), sorted(body.items()))).encode()).digest()


def _check_service(asked: Asked) -> None:
    service = asked.get("servicetype", _SERVICE)
    if service.lower() != _SERVICE.lower():
        raise Refused("partner/parameter", f"servicetype is {_SERVICE}, not {service[:40]!r}")
