"""Base64, a piece at a time: a package of 200 MB goes out in an answer of 270 MB, a few hundred KB of it here."""

import base64
from collections.abc import AsyncGenerator

_TRIPLE = 3


def base64_length(size: int) -> int:
    """Return how many characters so many bytes become."""
    return 4 * -(-size // _TRIPLE)


async def base64_pieces(pieces: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """Encode as the bytes come."""
    left = b""
    async for piece in pieces:
        data = left + piece
        whole = len(data) - len(data) % _TRIPLE
        left = data[whole:]
        if whole:
            yield base64.b64encode(data[:whole])
    if left:
        yield base64.b64encode(left)
