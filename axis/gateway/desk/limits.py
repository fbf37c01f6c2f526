"""What a partner may ask of the desk."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DeskLimits:
    """Bounds; sizes in bytes, times in seconds. The largest package seen in the wild is 50 MB."""

    package_bytes: int = 2 * 1024**3
    json_bytes: int = 64 * 1024  # the body of registerAgency, updateStatus
    requests_per_second: float = 10.0
    burst: int = 60
    page: int = 200  # packages in a list when no size is asked for
    largest_page: int = 1000
    uploads: int = 8
    downloads: int = 16
    per_partner: int = 4
    wait_seconds: float = 15.0  # for a free place
