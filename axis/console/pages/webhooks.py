"""Where agencies' own systems are called, what they are still to be told, and calls that were set aside."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from axis.console.asking import choice_asked, number_asked, words_asked
from axis.console.desk import desk_of
from axis.console.page import EVERYBODY, OPERATORS, Page
from axis.console.pages.documents import ENVELOPE
from axis.console.reader import Reader
from axis.console.rendering import query
from axis.core.codes import canonical
from axis.core.operators import Role
from axis.core.webhooks import CallState
from axis.errors import Malformed, NotFound, Refused
from axis.store import Calls

_CALLS = 20  # of each webhook
_ALL_CALLS = 1_000  # of one
_NONE = Calls(0, 0, ())


async def webhooks(request: Request, reader: Reader) -> Response:
    """List webhooks with the latest calls that are not done: an agency user's own, to others all or one agency's.

    Of one webhook (`?webhook=`) all of them, or those in a state (`&state=`), as far as anybody reads on.
    """
    desk = desk_of(request)
    asked = _agency_asked(request)
    account = reader.code if reader.role is Role.AGENCY else asked
    one, state = words_asked(request, "webhook"), choice_asked(request, "state", CallState)
    found = [each for each in await desk.store.webhooks.webhooks(account) if one in {None, each.id}]
    calls = await desk.store.webhooks.calls([each.id for each in found], _CALLS if one is None else _ALL_CALLS)
    _, last = await desk.store.register.feed_span()
    return desk.rendering.page(
        request,
        "webhooks.html",
        reader=reader,
        found=[
            (each, known, [call for call in known.latest if state in {None, call.state}])
            for each in found
            for known in (calls.get(each.id, _NONE),)
        ],
        one=one,
        account=account,
        last=last,
        dead=CallState.DEAD,
        may=reader.role in OPERATORS,
        done=number_asked(request, "done"),
    )


async def retry(request: Request, reader: Reader) -> Response:
    """Have the calls of a webhook made again that were set aside, and those that wait made now."""
    desk, identifier = desk_of(request), request.path_params["id"]
    known = {each.id: each for each in await desk.store.webhooks.webhooks()} if ENVELOPE.fullmatch(identifier) else {}
    if identifier not in known:
        raise NotFound(f"There is no webhook {identifier[:60]}.", code="webhook/unknown")
    count = await desk.store.webhooks.requeue(identifier, desk.now())
    await desk.store.audit(reader.login, "webhook.retry", identifier, {"calls": count})
    return RedirectResponse("/webhooks" + query({}, agency=known[identifier].account, done=count), 303)


def _agency_asked(request: Request) -> str | None:
    asked = words_asked(request, "agency")
    try:
        return None if asked is None else canonical(asked[:64], tolerant=True)
    except Malformed as error:
        raise Refused("console/form", "agency: a code.") from error


PAGES = (
    Page("/webhooks", webhooks, roles=EVERYBODY, menu="menu.webhooks"),
    Page("/webhooks/{id}/retry", retry, methods=("POST",), roles=OPERATORS),
)
