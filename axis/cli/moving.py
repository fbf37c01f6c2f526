"""Files on their way, shown to whoever waits at a terminal."""

import contextlib
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TransferSpeedColumn

from axis.cli.console import err, printable

_SHORTEST = 1024 * 1024  # bytes; what is smaller has arrived before anybody could read it
_LONGEST_NAME = 40


@contextlib.contextmanager
def transfers_shown(console: Console = err) -> Iterator[Callable[[str, int, int], None] | None]:
    """Show a bar for each file that moves (`moved` of `Agency.connect`); None where nobody watches."""
    if not console.is_terminal:
        yield None
        return
    bars: dict[str, TaskID] = {}
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    # Standard output is the answer, and may go elsewhere: it is not to be led to where the bars are.
    with Progress(*columns, console=console, transient=True, redirect_stdout=False, redirect_stderr=False) as progress:

        def moved(what: str, done: int, size: int) -> None:
            if size < _SHORTEST:
                return
            if what not in bars:
                bars[what] = progress.add_task(escape(printable(what)[:_LONGEST_NAME]), total=size)
            progress.update(bars[what], completed=done)

        yield moved
