"""What `axis doctor` looks at about keys and certificates."""

import datetime as dt
from collections.abc import Sequence

from axis.cli.console import local_time
from axis.cli.findings import Check, Level, few
from axis.errors import AxisError
from axis.settings import Settings
from axis.store import Store
from axis.trust import SigningKey
from schemas import Certificate

_EXPIRES_SOON = dt.timedelta(days=30)


async def certificates(settings: Settings) -> list[Check]:
    """Look at the axis's own key, and at certificates that end soon."""
    async with Store.connect(settings.operator_database, name="axis doctor", connections=1) as store:
        _, mailboxes, enrolled = await store.directory.load()
    now = dt.datetime.now(dt.UTC)
    valid = [each for each in enrolled if each.not_before <= now < each.not_after and each.revoked_at is None]
    own = _axis_key(settings, [each for each in valid if each.role == "axis"], now)
    # Signing and sealing do not stand in for each other.
    lasting = {(each.organisation, each.role == "sealing") for each in valid if each.not_after - now > _EXPIRES_SOON}
    ending = [
        each for each in valid if each.role != "axis" and (each.organisation, each.role == "sealing") not in lasting
    ]
    if ending:
        told = few([f"{each.organisation} ({_what(each)}{local_time(each.not_after)})" for each in ending])
        return [
            own,
            Check("certificates", Level.WARN, f"the last ones end soon: {told}", "enrol new ones: `axis key enrol`"),
        ]
    open_now = {each.code for each in mailboxes if each.valid_to is None or each.valid_to > now}
    without = sorted(open_now - {each.organisation for each in valid if each.role != "sealing"})
    if without:
        found = f"no valid one for {few(without)}: these can receive but not send"
        return [own, Check("certificates", Level.WARN, found, "`axis key enrol`")]
    return [own, Check("certificates", Level.OK, f"{len(valid)} are valid, every mailbox has one for 30 days or more")]


def _what(certificate: Certificate) -> str:
    return "sealing, " if certificate.role == "sealing" else ""


def _axis_key(settings: Settings, valid: Sequence[Certificate], now: dt.datetime) -> Check:
    try:
        thumbprint = SigningKey.load(settings.axis_key, settings.key).thumbprint
    except AxisError as error:
        return Check("axis key", Level.FAIL, error.detail, "`axis up` makes one; receipts cannot be signed without")
    record = next((each for each in valid if each.thumbprint == thumbprint), None)
    if record is None:
        return Check("axis key", Level.FAIL, f"{thumbprint} is not enrolled, or not valid now", "`axis up` enrols it")
    level = Level.OK if record.not_after - now > _EXPIRES_SOON else Level.WARN
    remedy = "" if level is Level.OK else "make a new key, and give its certificate to every agency before it is used"
    return Check(
        "axis key", level, f"signs as {record.organisation}, valid until {local_time(record.not_after)}", remedy
    )
