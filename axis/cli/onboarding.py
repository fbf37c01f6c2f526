"""Connecting agencies: directory record, mailbox, certificate and profile folder, then the broker's objects at once.

Everything here may be repeated. What is there is kept: the name, the password, the key. What is missing is made. What
has changed (the broker's address, the name when another is given) is written anew.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from axis.cli import moments
from axis.cli.accounts import apply_topology, ensure_worker_account
from axis.cli.connecting import Connecting, KeyKind, Newcomer, Profile
from axis.core.directory import Directory
from axis.settings import Settings
from axis.store import Store
from schemas import UnknownBelow

__all__ = [
    "KeyKind",
    "Newcomer",
    "Profile",
    "apply_topology",
    "connect_all",
    "ensure_worker_account",
    "onboard",
    "onboard_many",
]

Progress = Callable[[str], None]


async def onboard(
    settings: Settings,
    store: Store,
    code: str,
    name: str | None = None,
    *,
    mailbox: bool = True,
    certificate: bytes | None = None,
    demonstration_key: KeyKind | None = None,
    new_password: bool = False,
    unknown_below: UnknownBelow | None = None,
    progress: Progress,
) -> Profile:
    """Connect one agency; when it returns its queues and its account exist."""
    newcomer = Newcomer(
        code,
        name,
        mailbox=mailbox,
        certificate=certificate,
        demonstration_key=demonstration_key,
        new_password=new_password,
        unknown_below=unknown_below,
    )
    return (await connect_all(settings, store, [newcomer], progress=progress))[code]


async def onboard_many(
    settings: Settings, store: Store, newcomers: Sequence[Newcomer], *, progress: Progress
) -> dict[str, Path]:
    """Connect several agencies; return the profile folders of those that have a mailbox. Raises as `connect_all`."""
    profiles = await connect_all(settings, store, newcomers, progress=progress)
    return {code: profile.folder for code, profile in profiles.items() if profile.folder is not None}


async def connect_all(
    settings: Settings, store: Store, newcomers: Sequence[Newcomer], *, progress: Progress
) -> dict[str, Profile]:
    """Connect several agencies and bring the broker up to date once, at the end; return what was done, by code.

    Raises:
        Malformed: `agency/name` when neither the directory nor the newcomer gives a name.
        Misconfigured: when the axis has no key or no gateway yet, or a password is not on this machine any more.
        Refused: `certificate/…` when a certificate cannot be enrolled.
    """
    now = moments.now()
    organisations, mailboxes, certificates = await store.directory.load()
    directory = Directory.build(organisations, mailboxes)
    open_now = {mailbox.code: mailbox for mailbox in directory.mailboxes(now)}
    profiles = {}
    for newcomer in newcomers:
        progress(f"connecting {newcomer.code} …")
        enrolled = [each for each in certificates if each.organisation == newcomer.code]
        connecting = Connecting(settings, store, now, newcomer)
        profiles[newcomer.code] = await connecting.run(directory, open_now.get(newcomer.code), enrolled)
    # Also when nothing was done: an earlier run may have ended between the store and the broker.
    opened = any(profile.mailbox for profile in profiles.values())
    if opened and (changes := await apply_topology(settings, store, progress=lambda _: None)):
        progress(f"broker: {changes} objects made or changed")
    return profiles
