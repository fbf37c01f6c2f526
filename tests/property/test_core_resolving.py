"""Directories of every sort, mistaken ones most of all: gaps, overlaps, circles, units without parents."""

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from axis.core.codes import lineage
from axis.core.directory import Directory
from axis.core.resolving import Resolution, Rule, resolve
from schemas import REASONS, Mailbox, Organisation, RecipientOutcome, RecipientReceipt, UnknownBelow
from tests.unit.core.records import BEGINNING

# Few codes and few moments, so that records meet.
CODES = st.builds(
    lambda top, below: ".".join([top, *below]),
    st.sampled_from(["H01", "H02", "H03", "G01"]),
    st.lists(st.sampled_from(["01", "02"]), max_size=2),
)
MOMENTS = st.integers(0, 6).map(lambda day: BEGINNING + dt.timedelta(days=day))
PERIODS = st.tuples(MOMENTS, st.none() | st.integers(1, 4).map(lambda days: dt.timedelta(days=days)))
FORMS_102 = st.sampled_from(["000.00.01.H01", "000.01.01.H01", "000.00.02.H02", "28.22.H17"])


@st.composite
def organisations(draw: st.DrawFn, codes: st.SearchStrategy[str] = CODES) -> Organisation:
    code = draw(codes)
    begin, length = draw(PERIODS)
    return Organisation(
        code=code,
        name=f"Organisation {code}",
        valid_from=begin,
        valid_to=None if length is None else begin + length,
        successor=draw(st.none() | CODES.filter(lambda other: other != code)),
        forwarding=draw(st.sampled_from([True, True, False])),
        unknown_below=draw(st.sampled_from(UnknownBelow)),
        code102=draw(st.none() | FORMS_102),
    )


@st.composite
def mailboxes(draw: st.DrawFn) -> Mailbox:
    begin, length = draw(PERIODS)
    end = None if length is None else begin + length
    return Mailbox(code=draw(CODES), valid_from=begin, valid_to=end, password_hash="x")


RECORDS = st.tuples(st.lists(organisations(), max_size=12), st.lists(mailboxes(), max_size=6))
Records = tuple[list[Organisation], list[Mailbox]]


@given(RECORDS, CODES, MOMENTS)
def test_a_resolution_is_a_mailbox_or_a_reason(records: Records, recipient: str, at: dt.datetime) -> None:
    resolution = resolve(Directory.build(*records), recipient, at)
    assert resolution.recipient == recipient
    assert resolution.ok == (resolution.mailbox is not None) == (resolution.reason is None)
    if resolution.ok:
        assert resolution.detail is None
        assert resolution.steps[-1].rule in {Rule.MAILBOX, Rule.MAILBOX_ABOVE}
    else:
        assert resolution.reason in REASONS
        assert resolution.detail
    assert bool(resolution.via) <= (resolution.mailbox != recipient or not resolution.ok)


@given(RECORDS, CODES, MOMENTS)
def test_a_mailbox_and_its_organisation_are_in_force(records: Records, recipient: str, at: dt.datetime) -> None:
    directory = Directory.build(*records)
    resolution = resolve(directory, recipient, at)
    if resolution.mailbox is not None and resolution.resolved is not None:
        assert directory.has_mailbox(resolution.mailbox, at)
        assert directory.organisation(resolution.mailbox, at) is not None
        assert directory.organisation(resolution.resolved, at) is not None
        assert resolution.mailbox in lineage(resolution.resolved)


@given(RECORDS, MOMENTS)
def test_whoever_is_in_force_with_a_mailbox_gets_its_own(records: Records, at: dt.datetime) -> None:
    directory = Directory.build(*records)
    for mailbox in directory.mailboxes(at):
        if directory.organisation(mailbox.code, at) is not None:
            resolution = resolve(directory, mailbox.code, at)
            assert (resolution.mailbox, resolution.via) == (mailbox.code, ())


@given(
    RECORDS, CODES, MOMENTS, st.lists(organisations(st.from_regex(r"K0[0-9](\.0[12])?", fullmatch=True)), max_size=5)
)
def test_organisations_that_have_nothing_to_do_with_it_change_nothing(
    records: Records, recipient: str, at: dt.datetime, others: list[Organisation]
) -> None:
    before = resolve(Directory.build(*records), recipient, at)
    assert resolve(Directory.build([*records[0], *others], records[1]), recipient, at) == before


@given(RECORDS, CODES, MOMENTS)
def test_every_word_fits_into_a_receipt(records: Records, recipient: str, at: dt.datetime) -> None:
    resolution = resolve(Directory.build(*records), recipient, at)
    assert receipt_of(resolution).via == list(resolution.via)


@given(RECORDS, RECORDS, MOMENTS)
def test_an_updated_directory_is_the_one_built_anew(old: Records, new: Records, at: dt.datetime) -> None:
    replaced = ({each.code for each in new[0]}, {each.code for each in new[1]})
    anew = Directory.build(
        [*(each for each in old[0] if each.code not in replaced[0]), *new[0]],
        [*(each for each in old[1] if each.code not in replaced[1]), *new[1]],
    )
    updated = Directory.build(*old).updated(*new)
    assert list(updated.organisations()) == list(anew.organisations())
    assert list(updated.mailboxes(at)) == list(anew.mailboxes(at))
    for form in ("000.00.01.H01", "000.01.01.H01", "000.00.02.H02", "28.22.H17"):
        assert updated.code_of_102(form) == anew.code_of_102(form)


@given(RECORDS, CODES, CODES, MOMENTS)
def test_holding_needs_a_mailbox_and_a_place_above(records: Records, account: str, claim: str, at: dt.datetime) -> None:
    directory = Directory.build(*records)
    assert directory.holds(account, claim, at) == (account in lineage(claim) and directory.has_mailbox(account, at))


def receipt_of(resolution: Resolution) -> RecipientReceipt:
    return RecipientReceipt(
        recipient=resolution.recipient,
        outcome=RecipientOutcome.ROUTED if resolution.ok else RecipientOutcome.REFUSED,
        resolved=resolution.resolved,
        mailbox=resolution.mailbox,
        via=list(resolution.via),
        code=resolution.reason,
        detail=resolution.detail,
    )
