"""What is told to a document's sender as its fault, and what is not."""

import pytest

from axis.client.opening import is_its_senders
from axis.edxml import EdxmlError
from axis.errors import AxisError, Malformed, NotFound, Refused, Unavailable


@pytest.mark.parametrize(
    "error",
    [EdxmlError("no XML", code="edxml/conversion"), Refused("blob/digest"), Refused("seal/broken")],
)
def test_what_is_wrong_with_the_document_is_its_senders(error: AxisError) -> None:
    assert is_its_senders(error)


@pytest.mark.parametrize(
    "error",
    [
        NotFound("the axis has lost a file", code="blob/not-found"),
        Refused("certificate/expired"),
        Refused("limit/messages"),
        Refused("seal/no-key"),
        Malformed("a folder of ours", code="file/unreadable"),
        Unavailable("away"),
    ],
)
def test_what_is_ours_or_passes_is_not(error: AxisError) -> None:
    assert not is_its_senders(error)
