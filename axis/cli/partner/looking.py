"""`axis partner list` and `show`."""

import asyncio
from dataclasses import dataclass

from axis.cli.console import JsonOption, print_json, print_table, say
from axis.cli.partner.system import SystemArgument
from axis.core.partners import Application, Incoming, Kind, Partner, Plane, Wanted
from axis.errors import NotFound
from axis.gateway.desk import check_system_id
from axis.settings import Settings
from axis.store import Store

_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Standing:
    """How things stand with a partner; counts are never over a thousand."""

    partner: Partner
    documents: int
    statuses: int
    failed: list[Incoming]
    wishes: list[Application]


def list_command(*, as_json: JsonOption = False) -> None:
    """List the document systems that are, or were, served.

    For example:

      axis partner list

      axis partner list --json

    Exit code 0, also when there is none.
    """
    found = asyncio.run(_list())
    if as_json:
        print_json({"partners": [_plain(each) for each in found]})
        return
    rows = [
        (each.system_id, each.profile, ", ".join(each.codes), each.added_at, each.ended_at, _terms(each))
        for each in found
    ]
    if rows:
        print_table(("system", "profile", "serves", "added", "ended", "terms"), rows)
    say(f"{len(rows) or 'no'} partner{'' if len(rows) == 1 else 's'}")


def show_command(system: SystemArgument, *, as_json: JsonOption = False) -> None:
    """Show how things stand with one system: what waits for it, what failed there, what it wishes.

    For example:

      axis partner show 00.37.W00

    Exit code 0; 66: there is no such partner.
    """
    found = asyncio.run(_show(check_system_id(system)))
    if as_json:
        print_json(
            {
                **_plain(found.partner),
                "waiting": {"edoc": found.documents, "status": found.statuses},
                "failed": [_failed(each) for each in found.failed],
                "wishes": [
                    {"id": each.id, "wish": each.wish, "code": each.code, "detail": dict(each.detail), "at": each.at}
                    for each in found.wishes
                ],
            }
        )
        return
    partner = found.partner
    served = ", ".join(partner.codes) or "nobody"
    say(f"{partner.system_id} ({partner.profile.value}): serves {served}; {_terms(partner)}")
    say(f"waiting: {found.documents} documents, {found.statuses} statuses (a thousand at most are counted)")
    if found.failed:
        rows = [tuple(_failed(each).values()) for each in found.failed]
        print_table(("failed", "kind", "envelope or status", "from", "document", "when", "why"), rows)
    if found.wishes:
        rows = [(each.id, each.wish, each.code, each.at, str(dict(each.detail))) for each in found.wishes]
        print_table(("wish", "to", "code", "since", "said"), rows)


async def one_of(store: Store, system_id: str) -> Partner:
    """Return a partner; raise NotFound partner/unknown."""
    for each in await store.partners.partners():
        if each.system_id == system_id:
            return each
    raise NotFound(f"there is no partner {system_id}", code="partner/unknown")


async def _list() -> list[Partner]:
    async with Store.connect(Settings.load().operator_database, name="axis cli") as store:
        return await store.partners.partners()


async def _show(system_id: str) -> Standing:
    async with Store.connect(Settings.load().operator_database, name="axis cli") as store:
        partner = await one_of(store, system_id)
        failed: list[Incoming] = []
        for kind in Kind:
            failed += await store.partners.listed(system_id, Wanted(kind, states=frozenset({Plane.FAIL}), size=_SHOWN))
        return Standing(
            partner,
            await store.partners.counted(system_id, Kind.EDOC),
            await store.partners.counted(system_id, Kind.STATUS),
            failed,
            await store.partners.applications(system_id),
        )


def _terms(partner: Partner) -> str:
    clock = "any clock" if partner.clock_minutes is None else f"{partner.clock_minutes} minutes"
    return f"{'strict' if partner.strict else 'lenient'}, {partner.code_form.value}, {clock}"


def _failed(package: Incoming) -> dict[str, object]:
    return {
        "doc_id": package.doc_id,
        "kind": package.kind,
        "message_id": package.message_id,
        "from": package.sender,
        "document_id": package.document_id,
        "at": package.updated_at,
        "why": package.description,
    }


def _plain(partner: Partner) -> dict[str, object]:
    return {
        "system": partner.system_id,
        "profile": partner.profile,
        "codes": dict(partner.codes),
        "strict": partner.strict,
        "code_form": partner.code_form,
        "clock_minutes": partner.clock_minutes,
        "added_at": partner.added_at,
        "ended_at": partner.ended_at,
    }
