"""Hybrid signatures: a classical one always, ML-DSA-65 beside it; every way of mixing them has its verdict."""

import pytest

from axis.core.hybrid import SEPARATOR
from axis.errors import Misconfigured, Refused
from axis.trust import Keyring, SigningKey
from schemas import Certificate
from tests.builders import NOW
from tests.unit.trust.certified import AFTER, KINDS, certified

BODY = "Công văn hỏa tốc".encode()
OTHER = b"another body"
SECOND = "ml-dsa-65"


def of(kind: str, code: str = "H37") -> tuple[SigningKey, Certificate, bytes]:
    return certified(kind, code)


def hybrid(kind: str = "p256", code: str = "H37", second_code: str = "H37") -> SigningKey:
    return of(kind, code)[0].with_second(of(SECOND, second_code)[0])


def ring(*more: Certificate) -> Keyring:
    return Keyring([*(of(kind)[1] for kind in (*KINDS, SECOND)), *more])


def code_of(signature: str, keyring: Keyring, body: bytes = BODY, at: object = NOW) -> str:
    with pytest.raises(Refused) as caught:
        keyring.verify(body, signature, at)  # type: ignore[arg-type]
    assert caught.value.detail.isprintable()
    return caught.value.code


@pytest.mark.parametrize("kind", KINDS)
def test_both_verify_beside_every_classical_algorithm(kind: str) -> None:
    signer = ring().verify(BODY, hybrid(kind).sign(BODY), NOW)
    assert (signer.organisation, signer.thumbprint) == ("H37", of(kind)[1].thumbprint)
    assert signer.second == of(SECOND)[1].thumbprint
    assert ring().verify(BODY, of(kind)[0].sign(BODY), NOW).second is None


def test_each_of_the_two_must_fit_the_bytes() -> None:
    first, second = hybrid().sign(BODY).split(SEPARATOR)
    wrong_first, wrong_second = hybrid().sign(OTHER).split(SEPARATOR)
    assert code_of(f"{wrong_first} {second}", ring()) == "signature/invalid"
    assert code_of(f"{first} {wrong_second}", ring()) == "signature/invalid"
    assert code_of(f"{first} {second[:-4]}AAAA", ring()) == "signature/invalid"
    assert code_of(f"{first} {second[:-4]}", ring()) == "signature/invalid"
    assert code_of(f"{first} {second}AAAA", ring()) == "signature/malformed"


def test_neither_stands_in_the_place_of_the_other() -> None:
    first, second = hybrid().sign(BODY).split(SEPARATOR)
    assert code_of(second, ring()) == "signature/malformed"  # ML-DSA-65 alone: no classical one is so long
    assert code_of(f"{second} {first}", ring()) == "signature/malformed"
    assert code_of(f"{second.partition('..')[0]}..AAAA {second}", ring()) == "signature/algorithm"
    assert code_of(f"{first} {first}", ring()) == "signature/algorithm"
    assert code_of(f"{first} {second} {second}", ring()) == "signature/malformed"
    assert code_of(f"{first} ", ring()) == "signature/malformed"
    assert code_of(f" {second}", ring()) == "signature/malformed"


def test_the_name_of_an_algorithm_never_chooses_the_key() -> None:
    # The classical header under the name of the other, signed by the classical key: a key verifies only its own kind.
    from axis.trust import encoding
    from axis.trust.algorithms import signing
    from axis.trust.jws import detached_header
    from axis.trust.keys import load_key

    _, record, pem = of("p256")
    segment = detached_header("ML-DSA-65", record.thumbprint)
    raw = signing(load_key(pem), "ES256")(segment.encode() + b"." + BODY)
    forged = f"{segment}..{encoding.encode(raw)}"
    assert code_of(f"{of('p256')[0].sign(BODY)} {forged}", ring()) == "signature/algorithm"


def test_the_second_key_must_be_enrolled_valid_and_of_the_same_organisation() -> None:
    signature = hybrid().sign(BODY)
    assert code_of(signature, Keyring([of("p256")[1]])) == "certificate/unknown"
    revoked = of(SECOND)[1].model_copy(update={"revoked_at": NOW})
    assert code_of(signature, ring().updated([revoked])) == "certificate/revoked"
    assert code_of(signature, ring(), at=AFTER) == "certificate/expired"
    other = hybrid(second_code="G22").sign(BODY)
    assert code_of(other, ring(of(SECOND, "G22")[1])) == "signature/second-mismatch"
    gateway = of(SECOND)[1].model_copy(update={"role": "gateway"})
    assert code_of(signature, ring().updated([gateway])) == "signature/second-mismatch"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"retired_at": NOW}, "certificate/retired"),
        ({"trusted_until": NOW}, "certificate/unproven"),
        ({"role": "sealing"}, "abuse/signer"),
    ],
)
def test_the_life_of_the_second_certificate_counts_as_the_first_ones_does(
    changes: dict[str, object], code: str
) -> None:
    signature = hybrid().sign(BODY)
    assert code_of(signature, ring().updated([of(SECOND)[1].model_copy(update=changes)])) == code
    # Who does not use it signs on.
    ring().updated([of(SECOND)[1].model_copy(update=changes)]).verify(BODY, of("p256")[0].sign(BODY), NOW)


def test_the_evidence_kept_is_the_first_ones() -> None:
    proved = [of(kind)[1].model_copy(update={"evidence": number}) for kind, number in (("p256", 1), (SECOND, 2))]
    assert Keyring(proved).verify(BODY, hybrid().sign(BODY), NOW).evidence == 1


def test_the_earlier_end_is_the_hybrids() -> None:
    first, late, early = certified("p256")[0], certified(SECOND, days=90)[0], certified(SECOND, days=7)[0]
    assert first.with_second(late).not_after == first.not_after
    assert first.with_second(early).not_after == early.not_after


def test_only_an_ml_dsa_key_is_a_second_one_and_only_beside_a_classical_one() -> None:
    classical, second = of("p256")[0], of(SECOND)[0]
    for first, beside in ((classical, of("ed25519")[0]), (second, second), (second, classical)):
        with pytest.raises(Misconfigured, match="cannot stand beside"):
            first.with_second(beside)
    assert SEPARATOR not in classical.sign(BODY)  # making a hybrid of it changed nothing in it
