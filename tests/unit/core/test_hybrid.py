"""Two signatures as two headers and as one text, and who has to make both."""

import pytest

from axis.core.hybrid import check_second, headers_of, joined
from axis.core.messages import Signer
from axis.errors import Refused


def test_headers_and_text_are_the_same_thing_in_two_forms() -> None:
    both = {"axis-signature": "a..b", "axis-signature-pq": "c..d"}
    assert joined(both) == "a..b c..d"
    assert headers_of("a..b c..d") == both
    assert joined({"axis-signature": "a..b"}) == "a..b"
    assert headers_of("a..b") == {"axis-signature": "a..b"}


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"axis-signature-pq": "c..d"}, "signature/missing"),
        ({"axis-signature": "a..b c..d"}, "signature/malformed"),
        ({"axis-signature": "a..b", "axis-signature-pq": ""}, "signature/malformed"),
        ({"axis-signature": "a..b", "axis-signature-pq": None}, "signature/malformed"),
        ({"axis-signature": "a..b", "axis-signature-pq": b"c..d"}, "signature/malformed"),
        ({"axis-signature": "a..b", "axis-signature-pq": "c..d e..f"}, "signature/malformed"),
    ],
)
def test_each_header_holds_one_signature(headers: dict[str, object], code: str) -> None:
    with pytest.raises(Refused) as caught:
        joined(headers)
    assert caught.value.code == code


def test_who_has_to_make_both() -> None:
    alone, both = Signer("H37", "t"), Signer("H37", "t", second="u")
    for required, author, refused in (
        (set(), "H37", False),
        ({"H37"}, "H37", True),
        ({"H37"}, "H37.05.02", True),
        ({"H37.05"}, "H37", False),
        ({"H3"}, "H37", False),
        ({"G22"}, "H37", False),
    ):
        check_second(author, both, frozenset(required))
        if not refused:
            check_second(author, alone, frozenset(required))
            continue
        with pytest.raises(Refused) as caught:
            check_second(author, alone, frozenset(required))
        assert caught.value.code == "signature/second-missing"
