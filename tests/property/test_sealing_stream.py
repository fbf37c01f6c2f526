"""A sealed file opens to what was sealed however it is cut, and to nothing when anything about it is changed."""

from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from axis.errors import Refused
from axis.trust.stream import HEADER_BYTES, TAG_BYTES, Opening, seal

SEGMENT = 96  # small ones, so that a few hundred bytes have many
KEY, OTHER_KEY = bytes(range(32)), bytes(range(1, 33))
ASSOCIATED = b"axis.seal/1/0"

contents = st.binary(max_size=6 * SEGMENT)


def cut(data: bytes, places: Iterable[int]) -> Iterator[bytes]:
    start = 0
    for place in sorted(min(place, len(data)) for place in places):
        yield data[start:place]
        start = place
    yield data[start:]


def sealed(data: bytes, *, key: bytes = KEY, associated: bytes = ASSOCIATED) -> bytes:
    return b"".join(seal([data], key, associated, segment_bytes=SEGMENT))


def opened(pieces: Iterable[bytes], *, key: bytes = KEY, associated: bytes = ASSOCIATED) -> bytes:
    opening = Opening(key, associated, segment_bytes=SEGMENT)
    return b"".join(part for piece in pieces for part in opening.feed(piece)) + opening.finish()


def refused(data: bytes, *, key: bytes = KEY, associated: bytes = ASSOCIATED) -> bool:
    with pytest.raises(Refused) as caught:
        opened([data], key=key, associated=associated)
    return caught.value.code == "seal/broken"


def segments(data: bytes) -> list[bytes]:
    return [data[at : at + SEGMENT] for at in range(0, len(data), SEGMENT)]


places = st.lists(st.integers(min_value=0, max_value=9 * SEGMENT), max_size=12)


@given(contents, places, places)
def test_any_cutting_gives_the_same_file(data: bytes, one: list[int], other: list[int]) -> None:
    made = b"".join(seal(cut(data, one), KEY, ASSOCIATED, segment_bytes=SEGMENT))
    assert opened(cut(made, other)) == data
    whole = len(data) + HEADER_BYTES + TAG_BYTES
    assert len(made) >= whole
    assert (len(made) - whole) % TAG_BYTES == 0


@given(contents, st.data())
def test_any_altered_bit_is_refused(data: bytes, draw: st.DataObject) -> None:
    made = bytearray(sealed(data))
    made[draw.draw(st.integers(min_value=0, max_value=len(made) - 1))] ^= 1 << draw.draw(st.integers(0, 7))
    assert refused(bytes(made))


@given(contents, st.data())
def test_whatever_is_cut_off_or_added_is_refused(data: bytes, draw: st.DataObject) -> None:
    made = sealed(data)
    assert refused(made[: draw.draw(st.integers(min_value=0, max_value=len(made) - 1))])
    assert refused(made + draw.draw(st.binary(min_size=1, max_size=2 * SEGMENT)))


@given(st.binary(min_size=3 * SEGMENT, max_size=6 * SEGMENT), st.data())
def test_segments_cannot_be_moved_left_out_or_doubled(data: bytes, draw: st.DataObject) -> None:
    parts = segments(sealed(data))
    one = draw.draw(st.integers(min_value=0, max_value=len(parts) - 2))
    other = draw.draw(st.integers(min_value=one + 1, max_value=len(parts) - 1))
    swapped = [*parts]
    swapped[one], swapped[other] = parts[other], parts[one]
    assert refused(b"".join(swapped))
    assert refused(b"".join(parts[:one] + parts[one + 1 :]))
    assert refused(b"".join([*parts[: one + 1], *parts[one:]]))
    assert refused(b"".join(parts[: one + 1]))


@given(st.binary(min_size=3 * SEGMENT, max_size=5 * SEGMENT), st.data())
def test_a_segment_of_another_file_under_the_same_key_is_refused(data: bytes, draw: st.DataObject) -> None:
    first, second = segments(sealed(data)), segments(sealed(data))
    place = draw.draw(st.integers(min_value=0, max_value=len(first) - 1))
    first[place] = second[place]
    assert refused(b"".join(first))


@given(contents)
def test_another_key_or_another_place_in_the_document_is_refused(data: bytes) -> None:
    made = sealed(data)
    assert refused(made, key=OTHER_KEY)
    assert refused(made, associated=b"axis.seal/1/1")
