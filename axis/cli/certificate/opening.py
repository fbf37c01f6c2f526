"""What the commands share: the store, the authorities, the one certificate that is meant."""

from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Annotated

import typer

from axis.core.enrolment import Enrolment
from axis.errors import Malformed, NotFound
from axis.settings import Settings
from axis.store import Store
from schemas import CertificateRole

FileArgument = Annotated[Path, typer.Argument(metavar="CERTIFICATE", help="X.509, PEM.", show_default=False)]
ThumbprintArgument = Annotated[
    str, typer.Argument(metavar="THUMBPRINT", help="As `axis certificate list` shows it.", show_default=False)
]
Demonstration = Annotated[
    bool, typer.Option("--demonstration", help="Allow certificates of a demonstration CA: never on a real axis.")
]


def opened(settings: Settings) -> AbstractAsyncContextManager[Store]:
    """Open the store."""
    return Store.connect(settings.operator_database, name="axis certificate")


async def find(store: Store, thumbprint: str) -> Enrolment:
    """Find an enrolled certificate; raise NotFound certificate/unknown."""
    _, _, enrolled = await store.directory.load()
    for each in enrolled:
        if each.thumbprint == thumbprint:
            return each
    raise NotFound(f"no certificate {thumbprint} is enrolled", code="certificate/unknown")


def content(path: Path) -> bytes:
    """Read a file; raise NotFound, or Malformed file/unreadable."""
    if not path.is_file():
        raise NotFound(f"no such file: {path}")
    try:
        return path.read_bytes()
    except OSError as error:
        raise Malformed(f"cannot read {path}: {error.strerror}", code="file/unreadable") from error


def plain(record: Enrolment) -> dict[str, object]:
    """Show a certificate for machines, without its bytes."""
    return record.model_dump(mode="json", exclude={"der"}, exclude_none=True)


def role_of(*, gateway: bool, sealing: bool, axis: bool = False) -> CertificateRole:
    """Say what a certificate is for by the options given; without any it signs for an agency."""
    if gateway + sealing + axis > 1:
        raise typer.BadParameter("one of --gateway, --sealing and --axis at most")
    return "gateway" if gateway else "sealing" if sealing else "axis" if axis else "agency"
