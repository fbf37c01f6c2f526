"""The stable reason codes of the axis: what happened, whose fault it is, what to do; in English and Vietnamese.

A code never changes its meaning; a new case gets a new code, in the module of its group. Receipts, quarantine, HTTP
errors, logs and the command line all use these. `…/…`: the first part says which part of the message was at fault.
docs/reasons.md lists them all (generated).
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from schemas.reasons import (
    abuse,
    api,
    axis,
    blob,
    concerns,
    console,
    directory,
    edxml,
    envelope,
    http,
    limit,
    log,
    message,
    partner,
    pki,
    recipient,
    report,
    seal,
    secrecy,
    status,
    tls,
    tools,
    trust,
)
from schemas.reasons.model import Fault, Reason

__all__ = ["GROUPS", "HTTP", "REASONS", "WIRE", "Fault", "Reason"]

# Title of a group -> its reasons: the order of the page.
GROUPS: Mapping[str, tuple[Reason, ...]] = MappingProxyType(
    {
        "The message as such": message.REASONS,
        "The envelope": envelope.REASONS,
        "Documents acted on": concerns.REASONS,
        "State secrets": secrecy.REASONS,
        "Who says it": trust.REASONS,
        "Facts that do not agree": abuse.REASONS,
        "Where it goes": recipient.REASONS,
        "What goes along": blob.REASONS,
        "Sealed documents": seal.REASONS,
        "More than its share": limit.REASONS,
        "Statuses": status.REASONS,
        "The log of receipts": log.REASONS,
        "The axis itself": axis.REASONS,
        "Encrypted connections": tls.REASONS,
        "HTTP": http.REASONS,
        "The agency API and webhooks": api.REASONS,
        "The console": console.REASONS,
        "Reports": report.REASONS,
        "Existing document systems": partner.REASONS,
        "edXML packages": edxml.REASONS,
        "Codes and lists of organisations": directory.REASONS,
        "The authority for TLS": pki.REASONS,
        "In logs and commands only": (*axis.LOCAL, *tools.REASONS),
    }
)


def _by_code(reasons: Iterable[Reason]) -> Mapping[str, Reason]:
    found: dict[str, Reason] = {}
    for reason in reasons:
        if reason.code in found:
            raise ValueError(f"the reason {reason.code} stands twice in the catalogue")
        found[reason.code] = reason
    return MappingProxyType(found)


# What receipts and the gateway's answers may say.
WIRE = _by_code(
    (
        *message.REASONS,
        *envelope.REASONS,
        *concerns.REASONS,
        *secrecy.REASONS,
        *trust.REASONS,
        *abuse.REASONS,
        *recipient.REASONS,
        *blob.REASONS,
        *seal.REASONS,
        *limit.REASONS,
        *status.REASONS,
        *log.REASONS,
        *tls.WIRE,
        *api.REASONS,
        *axis.REASONS,
    )
)
HTTP = _by_code(http.REASONS)
REASONS = _by_code(reason for group in GROUPS.values() for reason in group)
