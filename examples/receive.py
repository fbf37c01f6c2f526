# ruff: noqa: D103, INP001, T201 - a script to read, that prints
"""Receive documents until Ctrl-C: python examples/receive.py --profile .axis/agencies/H37 --save received."""

import argparse
import asyncio
from pathlib import Path

from axis.client import Agency, AgencySettings


async def receive(profile: Path, folder: Path) -> None:
    async with Agency.connect(AgencySettings.load(profile)) as agency:
        async for delivery in agency.inbox():
            envelope = delivery.envelope
            await delivery.save_attachments(folder / envelope.id)
            (folder / envelope.id / "envelope.json").write_bytes(delivery.body)
            await delivery.accept()  # the document is safe: 01 and 03 go to the sender
            print(f"{envelope.sender}: {envelope.document.subject}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Receive documents from the axis.")
    parser.add_argument("--profile", type=Path, required=True)
    parser.add_argument("--save", type=Path, required=True, metavar="FOLDER")
    given = parser.parse_args()
    try:
        asyncio.run(receive(given.profile, given.save))
    except KeyboardInterrupt:
        print("stopped; what was not taken comes again")
