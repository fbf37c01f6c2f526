"""What `axis doctor` looks at about keys and certificates."""

import datetime as dt
from collections.abc import Mapping, Sequence

from axis.cli.console import local_time
from axis.cli.findings import Check, Level, few
from axis.core.ending import WARN_DAYS, ending
from axis.core.enrolment import Enrolment, State
from axis.core.evidence import Proof, Standing
from axis.errors import AxisError
from axis.settings import Settings
from axis.store import Store
from axis.trust import SigningKey, is_second
from schemas import Certificate

_OWN_ENDS_SOON = dt.timedelta(days=30)


async def certificates(settings: Settings) -> list[Check]:
    """Look at the axis's own key, at certificates that end soon, and at what shows that they are not revoked."""
    async with Store.connect(settings.operator_database, name="axis doctor", connections=1) as store:
        _, mailboxes, enrolled = await store.directory.load()
        proofs = await store.proofs.proofs([each.evidence for each in enrolled if each.evidence is not None])
    now = dt.datetime.now(dt.UTC)
    valid = [each for each in enrolled if each.state(now) is State.VALID]
    own = _axis_key(settings, [each for each in valid if each.role == "axis"], now)
    open_now = {each.code for each in mailboxes if each.valid_to is None or each.valid_to > now}
    return [own, _lasting(enrolled, valid, open_now, now), _revocation(enrolled, proofs, now)]


def _lasting(enrolled: Sequence[Enrolment], valid: Sequence[Enrolment], open_now: set[str], now: dt.datetime) -> Check:
    """Look whether everybody can sign, and will be able to."""
    if soon := [each for each in ending(enrolled, now, is_second=is_second) if each.certificate.role != "axis"]:
        told = [
            f"{each.certificate.organisation} ({_what(each.certificate)}{local_time(each.certificate.until)})"
            for each in soon
        ]
        remedy = "have successors issued and enrol them: `axis certificate succeed`"
        return Check("certificates", Level.WARN, f"the last ones end soon: {few(told)}", remedy)
    if without := sorted(
        open_now - {each.organisation for each in valid if each.role != "sealing" and not is_second(each)}
    ):
        found = f"no valid one for {few(without)}: these can receive but not send"
        return Check("certificates", Level.WARN, found, "`axis certificate enrol`")
    found = f"{len(valid)} are valid, every mailbox has one for {WARN_DAYS[0]} days or more"
    return Check("certificates", Level.OK, found)


def _revocation(enrolled: Sequence[Enrolment], proofs: Mapping[int, Proof], now: dt.datetime) -> Check:
    """Look whether it is known of everybody that his certificate is not revoked."""
    remedy = "`axis certificate refresh` says what the authorities answer; it heals by itself when they do"
    if refused := [each.organisation for each in enrolled if each.state(now) is State.UNPROVEN]:
        found = f"{few(refused)} cannot send: for too long nobody has shown that their certificates are not revoked"
        return Check("revocation", Level.FAIL, found, remedy)
    counted = [each for each in enrolled if each.state(now) is State.VALID]
    stale = [
        f"{each.organisation} (taken until {local_time(each.trusted_until)})"
        for each in counted
        if each.trusted_until is not None and not _fresh(each, proofs, now)
    ]
    if stale:
        found = f"nobody says now that these are not revoked, the policy's grace runs: {few(stale)}"
        return Check("revocation", Level.WARN, found, remedy)
    asked = sum(each.trusted_until is not None for each in counted)
    found = f"{asked} certificates are shown not to be revoked, nobody is asked about {len(counted) - asked}"
    return Check("revocation", Level.OK, found)


def _fresh(certificate: Enrolment, proofs: Mapping[int, Proof], now: dt.datetime) -> bool:
    proof = None if certificate.evidence is None else proofs.get(certificate.evidence)
    return proof is not None and proof.standing(now) is Standing.FRESH


def _what(certificate: Certificate) -> str:
    return "sealing, " if certificate.role == "sealing" else ""


def _axis_key(settings: Settings, valid: Sequence[Certificate], now: dt.datetime) -> Check:
    try:
        thumbprint = SigningKey.load(settings.axis_key, settings.key).thumbprint
    except AxisError as error:
        return Check(
            "axis key",
            Level.FAIL,
            error.detail,
            "receipts cannot be signed without: docs/runbooks/keys.md (on one machine `axis up` makes one)",
        )
    record = next((each for each in valid if each.thumbprint == thumbprint), None)
    if record is None:
        return Check(
            "axis key",
            Level.FAIL,
            f"{thumbprint} is not enrolled, or not valid now",
            "`axis certificate enrol certificate.pem --for W00 --axis`",
        )
    level = Level.OK if record.not_after - now > _OWN_ENDS_SOON else Level.WARN
    remedy = "" if level is Level.OK else "make a new key, and give its certificate to every agency before it is used"
    return Check(
        "axis key", level, f"signs as {record.organisation}, valid until {local_time(record.not_after)}", remedy
    )
