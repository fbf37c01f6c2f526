"""Where to go next: only ever a page of this console."""

from urllib.parse import quote, urlsplit

from starlette.requests import Request

_MOST = 2_000


def here(request: Request) -> str:
    """Return path and query of a request, as a value in a query."""
    asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return quote(asked, safe="") if len(asked) <= _MOST else quote("/", safe="")


def ours(path: str | None) -> str:
    r"""Return a path if it is one of this console, else the first page's.

    Browsers read `//host`, `/\host` and what has control characters in it as addresses elsewhere.
    """
    if path is None or len(path) > _MOST or not path.startswith("/") or path.startswith(("//", "/\\")):
        return "/"
    if "\\" in path or not path.isprintable():
        return "/"
    try:
        parts = urlsplit(path)
    except ValueError:
        return "/"
    return path if not parts.scheme and not parts.netloc else "/"
