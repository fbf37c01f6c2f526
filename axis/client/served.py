"""For which recipients of an envelope a copy of it came to a mailbox."""

from axis.core.codes import is_within
from axis.core.fanout import recipients_of
from axis.core.messages import Submission
from schemas import Envelope
from schemas.wire import ROUTES_HEADER


def served(code: str, envelope: Envelope, submission: Submission) -> tuple[str, ...]:
    """Say for which recipients it came here.

    Nobody signs the routes header, so when it cannot be used the directory's plain rule is: our code and below.
    """
    routes = submission.headers.get(ROUTES_HEADER)
    try:
        named = recipients_of(code, envelope.recipients, routes if isinstance(routes, str) else None)
    except (ValueError, AttributeError, TypeError):
        named = ()
    return named or tuple(recipient for recipient in envelope.recipients if is_within(recipient, code))
