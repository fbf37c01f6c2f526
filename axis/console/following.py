"""Live parts of a page: a topic, shown to one reader for as long as that reader may see it.

In a page: `<div hx-sse:connect="/live/lanes" hx-swap="innerHTML">…what there is now…</div>`; its path is a Page whose
answer is `follow(request, reader, topic, render)`, and what `render` makes of each look is put into the element.
"""

from collections.abc import Callable
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import Response

from axis.console.access.sessions import reader_of
from axis.console.desk import desk_of
from axis.console.live import Topic
from axis.console.reader import Reader

T = TypeVar("T")


def follow(request: Request, reader: Reader, topic: Topic[T], render: Callable[[T], str]) -> Response:
    """Answer with events until the browser goes away, or the reader's session, role or agency is another.

    Watching is not using: a page that is left open does not keep its session. Raises HttpRefused http/busy.
    """
    desk, origins = desk_of(request), request.app.state.origins
    if request.method == "HEAD":
        return Response(media_type="text/event-stream")  # of what has no end there is a beginning

    async def counts() -> bool:
        now = await reader_of(request, desk, origins, used=False)
        return now is not None and (now.role, now.code) == (reader.role, reader.code)

    return desk.streams.answer(topic, render, session=reader.csrf, login=reader.login, counts=counts)
