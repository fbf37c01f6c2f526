"""Where a blob lives: two levels of folders keep any one folder small on a local file system."""

import re

from axis.errors import Refused

_SHA256 = re.compile(r"[0-9a-f]{64}")


def key_of(sha256: str) -> str:
    """Name the object of a digest, `ab/cd/abcd…`; refuse everything but 64 lower-case hexadecimal digits.

    The one spelling is also what keeps `..`, slashes and percent signs out of every path.
    """
    if _SHA256.fullmatch(sha256) is None:
        raise Refused("blob/digest", "A blob is named by its SHA-256 as 64 lower-case hexadecimal digits.")
    return f"{sha256[:2]}/{sha256[2:4]}/{sha256}"
