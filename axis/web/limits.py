"""What one client may ask of a server."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on size, patience and concurrency. Sizes in bytes, times in seconds.

    Memory is bounded by `uploads` and `downloads` times what one transfer holds, whatever agencies do: with a local
    folder about 4 MiB up and 1 MiB down, with an object store 16 MiB and 6 MiB (axis.blobs.opening).
    """

    blob_bytes: int = 2 * 1024**3
    redirect_seconds: int = 0  # how long the address of an object store counts that a download is sent to; 0: it is not
    handshake_seconds: float = 10.0  # for TLS, before which a connection counts nowhere
    header_seconds: float = 15.0  # for a request's headers to arrive
    chunk_seconds: float = 30.0  # between two pieces of a body
    stall_seconds: float = 30.0  # for a client to take anything of what we send
    linger_seconds: float = 2.0  # for a client still sending to notice our answer before the connection ends
    # An upload may never be later than `grace_seconds` plus what it has sent at this speed: a client that sends one
    # byte every 29 seconds is a hand on a slot, not a slow line.
    grace_seconds: float = 60.0
    slowest_bytes_per_second: int = 16 * 1024
    uploads: int = 16
    downloads: int = 64
    per_account: int = 8
    wait_seconds: float = 30.0  # for a free slot
    connections: int = 1024
    header_bytes: int = 16 * 1024
    shutdown_seconds: int = 30  # for running transfers after SIGTERM
