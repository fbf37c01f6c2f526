"""What the store knows of recalls of documents that come for existing document systems, on the fake and PostgreSQL."""

import datetime as dt

from axis.core.conversation import Conversation, Kind, Talk
from axis.core.ids import new_id
from axis.core.partners import Kind as Sort
from axis.core.partners import Recalled
from axis.store import Store
from tests.contract.test_store_partners import NOW, SYSTEM, incoming


async def test_a_document_is_known_as_recalled_unless_that_was_declined(store: Store) -> None:
    about, recall, other = (new_id(NOW + dt.timedelta(seconds=number)) for number in range(3))

    def talk(recipient: str, **changes: object) -> Conversation:
        said = {"request": recall, "about": about, "recipient": recipient, "original": recipient, "kind": Kind.RECALL}
        asked = {"state": Talk.REQUESTED, "requested_at": NOW, "requested_by": "G22"}
        return Conversation(**{**said, **asked, **changes})  # type: ignore[arg-type]  # by name

    talks = [
        talk("H37"),
        talk("H37.05", state=Talk.WITHDRAWN),
        talk("H37.06", state=Talk.DECLINED),
        talk("H37.07", original=None),
        talk("H37.08", request=other, kind=Kind.UPDATE),
        talk("H37.09", about=other),
        talk("H53"),
    ]
    async with store.transaction() as tx:
        await tx.begin(talks)
    asked = ["H37", *(f"H37.0{number}" for number in range(5, 10))]
    assert await store.partners.recalled(about, asked) == [
        Recalled(recall, "H37", "H37", answered=False),
        Recalled(recall, "H37.05", "H37.05", answered=True),
    ]
    assert await store.partners.recalled(new_id(NOW), asked) == []


async def test_a_package_can_be_withdrawn_when_it_comes(store: Store) -> None:
    package = incoming(withdrawn_at=NOW, updated_at=NOW)
    assert await store.partners.receive(package)
    assert await store.partners.incoming(SYSTEM, package.doc_id) == package
    assert await store.partners.withdraw("H37", package.message_id, ["H37"], NOW) is not None


async def test_what_is_kept_and_not_withdrawn_is_listed(store: Store) -> None:
    kept, gone, status = (
        incoming(**changes)
        for changes in ({}, {"withdrawn_at": NOW}, {"kind": Sort.STATUS, "content": b"x", "sha256": "ab" * 32})
    )
    for each in (kept, gone, status):
        assert await store.partners.receive(each)
    assert await store.partners.fetch(kept.doc_id, NOW)
    listed = [await store.partners.is_listed("H37", each.message_id) for each in (kept, gone, status)]
    assert listed == [True, False, False]
    assert not await store.partners.is_listed("H53", kept.message_id)
