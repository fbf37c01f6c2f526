# ruff: noqa: D103, INP001, T201 - a script to read, that prints
"""Send a file: python examples/send.py --profile .axis/agencies/G22 FILE.pdf --to H37."""

import argparse
import asyncio
from pathlib import Path

from axis.client import Agency, AgencySettings
from schemas import Document


async def send(profile: Path, file: Path, recipients: list[str]) -> None:
    async with Agency.connect(AgencySettings.load(profile)) as agency:
        document = Document(document_id=f"{agency.code},{file.name}", subject=file.stem)
        sent = await agency.send(document=document, recipients=recipients, attachments=[file])
        receipt = await agency.receipt(sent.envelope_id)
        print(f"{sent.envelope_id}: {receipt.outcome.value}")
        for each in receipt.recipients:
            print(f"  {each.recipient}: {each.outcome.value} {each.detail or ', '.join(each.via)}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Send a file to agencies on the axis.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--profile", type=Path, required=True)
    parser.add_argument("--to", nargs="+", required=True, metavar="CODE")
    given = parser.parse_args()
    asyncio.run(send(given.profile, given.file, given.to))
