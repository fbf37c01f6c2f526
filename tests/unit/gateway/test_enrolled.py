"""The certificates in memory."""

import datetime as dt
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from axis.core.enrolment import Enrolment
from axis.errors import Refused
from axis.gateway import Enrolled
from axis.trust import verify_token
from schemas import Certificate, Mailbox, Organisation
from tests.unit.gateway.harness import Agency

NOW = dt.datetime(2026, 11, 24, 9, tzinfo=dt.UTC)
Changed = Callable[[set[str] | None], Awaitable[None]]


class Directory:
    """A store whose changes are told by hand."""

    def __init__(self, *certificates: Certificate) -> None:
        self.certificates = list(certificates)
        self.news: list[set[str] | None] = []

    async def load(self) -> tuple[list[Organisation], list[Mailbox], list[Certificate]]:
        return [], [], self.certificates

    async def load_changed(self, codes: set[str]) -> tuple[list[Organisation], list[Mailbox], list[Certificate]]:
        return [], [], [each for each in self.certificates if each.organisation in codes]

    async def listen(self, changed: Changed) -> None:
        for codes in self.news:
            await changed(codes)


@pytest.fixture
def agencies(tmp_path: Path) -> list[Agency]:
    return [Agency(code, tmp_path, NOW) for code in ("G22", "H37")]


def may_ask(enrolled: Enrolled, agency: Agency) -> bool:
    token = agency.bearer("GET", "/x", NOW)["authorization"].removeprefix("Bearer ")
    try:
        return verify_token(token, enrolled.keyring, method="GET", path="/x", now=NOW) == agency.code
    except Refused:
        return False


async def test_changes_are_followed(agencies: list[Agency]) -> None:
    first, second = agencies
    directory = Directory(first.certificate)
    enrolled = Enrolled()
    await enrolled.load(directory)
    assert may_ask(enrolled, first)
    assert not may_ask(enrolled, second)
    directory.certificates.append(second.certificate)
    directory.news = [{"H37"}]
    await enrolled.follow(directory)
    assert may_ask(enrolled, first)
    assert may_ask(enrolled, second)
    revoked = Enrolment.of(first.certificate).model_copy(update={"revoked_at": NOW})
    directory.certificates = [revoked, second.certificate]
    directory.news = [{"G22"}]
    await enrolled.follow(directory)
    assert not may_ask(enrolled, first)
    assert enrolled.find(first.certificate.thumbprint) == revoked.certificate


async def test_a_gap_reads_everything(agencies: list[Agency]) -> None:
    first, second = agencies
    directory = Directory(second.certificate)
    enrolled = Enrolled([first.certificate])
    directory.news = [None]
    await enrolled.follow(directory)
    assert enrolled.find(first.certificate.thumbprint) is None
    assert not may_ask(enrolled, first)
    assert may_ask(enrolled, second)
