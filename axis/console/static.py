"""The files that every page refers to: read once, known by name, so that no path is ever looked for on a disk."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from types import MappingProxyType

from starlette.requests import Request
from starlette.responses import Response

from axis.web.problems import HttpRefused

PATH = "/static"
_TYPES: Mapping[str, str] = MappingProxyType(
    {
        "css": "text/css; charset=utf-8",
        "js": "text/javascript; charset=utf-8",
        "svg": "image/svg+xml",
        "txt": "text/plain; charset=utf-8",
    }
)
_FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class _File:
    content: bytes
    kind: str
    version: str


class Static:
    """All files of axis/console/static whose kind browsers need."""

    def __init__(self, folder: Traversable) -> None:
        self._files = {name: _read(path) for name, path in _below(folder, "")}

    def address(self, name: str) -> str:
        """Return where a file is, with what changes when it does; raise KeyError for one that is not there."""
        return f"{PATH}/{name}?v={self._files[name].version}"

    async def answer(self, request: Request) -> Response:
        """Answer with a file. Nobody has to be logged in: the page for that needs them."""
        found = self._files.get(request.path_params["name"])
        if found is None:
            raise HttpRefused("http/address")
        # Under an old version's address this one must not be kept for ever.
        current = request.query_params.get("v") == found.version
        headers = {"cache-control": _FOR_EVER if current else "no-cache", "etag": f'"{found.version}"'}
        if request.headers.get("if-none-match") == headers["etag"]:
            return Response(status_code=304, headers=headers)
        return Response(found.content, headers=headers, media_type=found.kind)


def _below(folder: Traversable, before: str) -> Iterator[tuple[str, Traversable]]:
    for path in folder.iterdir():
        if path.is_dir():
            yield from _below(path, f"{before}{path.name}/")
        elif path.name.rpartition(".")[2] in _TYPES:
            yield f"{before}{path.name}", path


def _read(path: Traversable) -> _File:
    content = path.read_bytes()
    return _File(content, _TYPES[path.name.rpartition(".")[2]], hashlib.sha256(content).hexdigest()[:16])


STATIC = Static(resources.files("axis.console") / "static")
