"""Which signatures a ring takes, by the life of the certificate; and what it says of the evidence."""

import datetime as dt
from typing import Any

import pytest

from axis.errors import Refused
from axis.trust import Keyring
from tests.builders import NOW
from tests.unit.trust.certified import certified


def ring(**changes: Any) -> tuple[Keyring, str]:
    key, record, _ = certified("ed25519")
    return Keyring([record.model_copy(update=changes)]), key.sign(b"{}")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"retired_at": NOW}, "certificate/retired"),
        ({"trusted_until": NOW}, "certificate/unproven"),
        ({"revoked_at": NOW}, "certificate/revoked"),
        ({"not_after": NOW}, "certificate/expired"),
        ({"revoked_at": NOW, "retired_at": NOW, "trusted_until": NOW}, "certificate/revoked"),
    ],
)
def test_an_ended_certificate_is_refused_from_that_moment_on(changes: dict[str, Any], code: str) -> None:
    keyring, signature = ring(**changes)
    with pytest.raises(Refused) as caught:
        keyring.verify(b"{}", signature, NOW)
    assert caught.value.code == code
    assert keyring.verify(b"{}", signature, NOW - dt.timedelta(seconds=1)).organisation == "H37"


def test_the_signer_names_the_evidence() -> None:
    keyring, signature = ring(evidence=12)
    assert keyring.verify(b"{}", signature, NOW).evidence == 12
    keyring, signature = ring()
    assert keyring.verify(b"{}", signature, NOW).evidence is None


def test_a_ring_shows_agencies_only_the_certificate() -> None:
    keyring, _ = ring(evidence=12)
    _, record, _ = certified("ed25519")
    assert keyring.get(record.thumbprint) == record.certificate
