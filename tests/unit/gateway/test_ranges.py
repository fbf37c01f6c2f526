"""The Range header."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from axis.gateway.ranges import part_asked
from axis.web.problems import HttpRefused

SIZES = st.integers(0, 10**12)


@given(st.text(max_size=40), SIZES)
def test_any_text_gives_a_part_inside_the_blob_or_nothing(text: str, size: int) -> None:
    for header in (text, "bytes=" + text):
        try:
            part = part_asked(header, size)
        except HttpRefused as error:
            assert error.code == "http/range"  # noqa: PT017 - either outcome is right
        else:
            assert part is None or 0 <= part[0] < part[1] <= size


@given(st.data(), st.integers(1, 10**12))
def test_every_part_inside_the_blob_can_be_asked_for(data: st.DataObject, size: int) -> None:
    start = data.draw(st.integers(0, size - 1))
    last = data.draw(st.integers(start, size - 1))
    assert part_asked(f"bytes={start}-{last}", size) == (start, last + 1)
    assert part_asked(f"bytes={start}-", size) == (start, size)
    assert part_asked(f"bytes=-{size - start}", size) == (start, size)


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=10-12", "bytes=-0"])
def test_outside(header: str) -> None:
    with pytest.raises(HttpRefused) as caught:
        part_asked(header, 10)
    assert caught.value.status == 416
    assert caught.value.headers == {"content-range": "bytes */10"}


@pytest.mark.parametrize(
    "header", [None, "", "bytes", "bytes=1-2,3-4", "bytes=3-1", "bytes=--1", "bytes=1-" + "9" * 19]
)
def test_not_honoured(header: str | None) -> None:
    assert part_asked(header, 10) is None
