"""A blob store from its URL."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit, urlunsplit
from urllib.request import url2pathname

from obstore.exceptions import BaseError
from obstore.store import LocalStore, MemoryStore, ObjectStore, from_url

from axis.blobs.folder import Folder
from axis.errors import Misconfigured

KIBIBYTE = 1024
MEBIBYTE = 1024 * KIBIBYTE


@dataclass(frozen=True, slots=True)
class Opened:
    """An object store with what suits it. Sizes in bytes; they bound the memory of one transfer.

    An upload holds up to three parts; object stores take parts of 5 MiB or more, at most 10,000 (48 GiB). A download
    holds one read, and a remote read has to be worth its round trip.
    """

    store: ObjectStore
    part: int
    read: int
    folder: Folder | None = None


def open_store(url: str) -> Opened:
    """Open file:///folder, memory://, s3://bucket/prefix, gs://… or az://…; raise Misconfigured.

    Options of a remote store go into the query, as obstore names them: `s3://blobs?endpoint=http://minio:9000&region=vn`.
    Credentials are not part of the URL: they come from where the store's own tools look for them (AWS_ACCESS_KEY_ID,
    an instance role, …).
    """
    parts = urlsplit(url)
    try:
        if parts.scheme == "file":
            folder = Folder(Path(url2pathname(parts.path)))
            folder.prepare()
            return Opened(LocalStore(folder.root), part=MEBIBYTE, read=128 * KIBIBYTE, folder=folder)
        if parts.scheme == "memory":
            return Opened(MemoryStore(), part=MEBIBYTE, read=128 * KIBIBYTE)
        return Opened(_remote(url), part=5 * MEBIBYTE, read=MEBIBYTE)
    except (BaseError, OSError, ValueError, TypeError) as error:
        raise Misconfigured(f"The blob store {_without_secrets(url)} cannot be opened: {_why(error, url)}") from None


def _without_secrets(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(query="", netloc=parts.netloc.rpartition("@")[2]))


def _why(error: Exception, url: str) -> str:
    # The first line says it; below it obstore dumps its own structures. It may repeat the URL, secrets and all.
    line = str(error).partition("\n")[0]
    query = urlsplit(url).query
    return type(error).__name__ if query and query in line else line.replace(url, _without_secrets(url))


def _remote(url: str) -> ObjectStore:
    parts = urlsplit(url)
    options: dict[str, Any] = dict(parse_qsl(parts.query, strict_parsing=True)) if parts.query else {}
    options["client_options"] = {
        "connect_timeout": timedelta(seconds=5),
        "timeout": timedelta(seconds=30),
        "allow_http": options.get("endpoint", "").startswith("http://"),
    }
    # Retries happen below us, request by request: only there can one part of an upload be sent again.
    options["retry_config"] = {"max_retries": 4, "retry_timeout": timedelta(seconds=20)}
    return from_url(urlunsplit(parts._replace(query="")), **options)
