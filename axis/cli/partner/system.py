"""The argument that names a document system."""

from typing import Annotated

import typer

SystemArgument = Annotated[str, typer.Argument(metavar="SYSTEM", help="Its id, such as 00.37.W00.", show_default=False)]
