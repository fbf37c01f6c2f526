"""The first page."""

from starlette.requests import Request
from starlette.responses import Response

from axis.console.desk import desk_of
from axis.console.page import EVERYBODY, Page
from axis.console.reader import Reader


async def overview(request: Request, reader: Reader) -> Response:
    """Show what there is to be seen."""
    return desk_of(request).rendering.page(request, "overview.html", reader=reader)


PAGES = (Page("/", overview, roles=EVERYBODY, menu="menu.overview"),)
