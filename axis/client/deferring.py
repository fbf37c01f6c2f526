"""Documents that cannot be opened for now, set aside: out of the broker's hands and in nobody's way.

What is left untaken counts against what the broker hands over, so a few dozen documents without their key would keep
all others from coming. What happens to one that is set aside, and what a crash leaves:

    1 set aside     in one write: the id as taken, without a status, and the delivery with its   crash: it comes again,
                    reason                                                                       and is only acked
    2 acked         the broker forgets it
    3 handed out    by `Agency.deferred`, as often as the application asks                       crash: again
    4 taken         its statuses are in the ledger, then it is no longer set aside               crash: again, with the
                                                                                                 same statuses

A recall of what is set aside withdraws it, as one of what was never handed out (axis.client.recalls).
"""

from collections.abc import Sequence

from axis.client.building import Author
from axis.client.delivery import Delivery, Desk, Reported, Said
from axis.client.ledger import Deferred, Ledger
from axis.client.recalls import declined, withdrawing
from axis.core.messages import Signer
from axis.core.reading import parse_envelope
from axis.errors import AxisError


def deferred(delivery: Delivery, error: AxisError, author: Author) -> Deferred:
    """Keep a proved delivery, and why it is set aside."""
    signer = delivery.signer
    return Deferred(
        envelope_id=delivery.envelope.id,
        body=delivery.body,
        signature=delivery.signature,
        recipients=delivery.recipients,
        organisation=signer.organisation,
        thumbprint=signer.thumbprint,
        role=signer.role,
        code=error.code,
        detail=error.detail,
        at=author.now(),
    )


async def handed_out_again(kept: Deferred, desk: Desk, ledger: Ledger, author: Author) -> Delivery | None:
    """Make of what is set aside what the application gets; None when it was recalled from all of its recipients."""
    envelope = parse_envelope(kept.body)
    recalls = [
        (each, await declined(each, ledger)) for each in await ledger.recalls(kept.envelope_id) if each.withdrawn
    ]
    gone = withdrawing(envelope, kept.recipients, recalls, author).recipients
    recipients = tuple(each for each in kept.recipients if each not in gone)
    if not recipients:
        await ledger.finish_deferred(kept.envelope_id)
        return None

    async def take(delivery: Delivery, said: Sequence[Said]) -> list[Reported]:
        reported: list[Reported] = []
        for each in said:
            reported = [await each.report(desk, delivery.envelope.id, recipient) for recipient in recipients]
        await ledger.finish_deferred(kept.envelope_id)
        return reported

    return Delivery(
        body=kept.body,
        signature=kept.signature,
        envelope=envelope,
        recipients=recipients,
        signer=Signer(kept.organisation, kept.thumbprint, kept.role),
        desk=desk,
        take=take,
    )
