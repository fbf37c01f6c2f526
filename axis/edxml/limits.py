"""How much of a package is read before it is refused."""

from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True, slots=True)
class Limits:
    """Bound every dimension in which a package can grow; sizes in bytes.

    The defaults let an attachment of 1 GiB pass (1.4 GiB as base64; 50 MB for a whole package is what is seen in the
    wild): attachments go to a file as they are read and cost no memory. `max_token` bounds a single tag, comment or
    attribute value: the parser must hold one whole.
    """

    max_bytes: int = 2560 * MIB
    max_depth: int = 32
    max_elements: int = 200_000
    max_text: int = 16 * MIB
    max_token: int = 1 * MIB
    max_attachments: int = 1_000
    # One attachment, decoded and unpacked; and all of them together.
    max_attachment: int = 1536 * MIB
    max_content: int = 3072 * MIB
    # An unpacked file larger than `zip_free` must not be more than `zip_ratio` times its packed size.
    zip_free: int = 16 * MIB
    zip_ratio: int = 200
    # What unpacking may add to all of them together: a small package must not fill a disk.
    max_growth: int = 1024 * MIB
    # What a package's attachments may hold in memory before they go to an anonymous temporary file.
    spool: int = 4 * MIB


DEFAULT_LIMITS = Limits()
