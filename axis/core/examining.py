"""What has to be true of a document before anything becomes of it: asked by routers, and by who wants to know before.

One function, so that what an operator is told would happen is what happens.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from axis.core.admission import IdWindow, admit_envelope, admit_source, refuse_over_limit
from axis.core.decisions import Candidate, digest
from axis.core.directory import Directory
from axis.core.hybrid import check_second
from axis.core.messages import Signer, Submission
from axis.core.reading import read_envelope, signature_of

Verify = Callable[[bytes, str, dt.datetime], Signer]


@dataclass(frozen=True, slots=True)
class Rules:
    """What a document is held against. `verify` raises Refused for a signature that does not hold."""

    directory: Directory
    verify: Verify
    window: IdWindow
    hybrid_required: frozenset[str]


def examine(submission: Submission, source: str, at: dt.datetime, rules: Rules) -> Candidate:
    """Read, verify and admit a document that came to a queue; raise Refused."""
    refuse_over_limit(submission)
    envelope = read_envelope(submission)
    signature = signature_of(submission)
    signer = rules.verify(submission.body, signature, at)
    admit_envelope(envelope, submission, signer, rules.directory, at)
    check_second(envelope.sender, signer, rules.hybrid_required)
    admit_source(envelope, source)
    rules.window.check(envelope.id, at, "envelope/id-time")
    return Candidate(submission, envelope, signer, signature, digest(submission.body))
