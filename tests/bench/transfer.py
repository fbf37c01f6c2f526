"""An agency in a process of its own that sends or takes one document with a file: `transfer send|take FOLDER …`.

Says `ready` when it is connected, works when told to, says `done`, and lives on until its input ends, so that its
memory can be looked at.
"""

import asyncio
import sys
from pathlib import Path

from axis.client import Agency, AgencySettings
from schemas import Document
from tests.bench.baselines.waiting import go, say


async def main(what: str, folder: Path, arguments: list[str]) -> None:
    async with Agency.connect(AgencySettings.load(folder)) as agency:
        await go()
        if what == "send":
            path, *recipients = arguments
            document = Document(document_id=f"{agency.code},{Path(path).name}", subject="Bản đồ quy hoạch")
            await agency.send(document=document, recipients=recipients, attachments=[Path(path)])
        else:
            async for delivery in agency.inbox():
                await delivery.save_attachments(Path(arguments[0]))
                await delivery.take()
                break
        say("done")
        await asyncio.to_thread(sys.stdin.readline)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:]))
