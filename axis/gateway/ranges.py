"""The Range header, as far as resuming a download needs it (RFC 9110 section 14)."""

import re

from axis.web.problems import HttpRefused

# Longer numbers are no position in any file.
_ONE = re.compile(r"bytes=(?:([0-9]{1,18})-([0-9]{0,18})|-([0-9]{1,18}))", re.ASCII)


def part_asked(header: str | None, size: int) -> tuple[int, int] | None:
    """Return start and stop (exclusive) of the one part asked for; None for the whole blob.

    Several parts at once and what cannot be read are answered with the whole blob, as the RFC allows.
    """
    match = _ONE.fullmatch((header or "").strip())
    if match is None:
        return None
    first, last, suffix = match.groups()
    if suffix is not None:
        start, stop = max(0, size - int(suffix)), size
    else:
        start, stop = int(first), min(size, int(last) + 1) if last else size
        if last and int(last) < int(first):
            return None
    if start >= stop:
        raise HttpRefused("http/range", f"The blob has {size} bytes.", headers={"content-range": f"bytes */{size}"})
    return start, stop
