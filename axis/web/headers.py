"""What the headers of a request must be before anybody looks at what it wants."""

from starlette.datastructures import Headers

from axis.web.problems import HttpRefused

_FIELD_OVERHEAD = 4  # colon, space, line end


def wrong(headers: Headers, header_bytes: int) -> HttpRefused | None:
    """Say what is wrong with a request's headers."""
    # A proxy that believes the one and we the other see different requests (RFC 9112 section 6.1): smuggling.
    if "content-length" in headers and "transfer-encoding" in headers:
        return HttpRefused("http/length")
    # The server below bounds only headers that come in pieces.
    size = sum(len(name) + len(value) + _FIELD_OVERHEAD for name, value in headers.raw)
    if size > header_bytes:
        return HttpRefused("http/headers", f"The limit is {header_bytes} bytes.")
    return None
