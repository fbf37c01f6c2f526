"""Named queries out of `.sql` files: what runs in the database can be read, and tried, as SQL."""

import re
from collections.abc import Mapping
from importlib import resources

_NAME = re.compile(r"^-- name: ([a-z][a-z0-9_]*)[ \t]*$", re.MULTILINE)


def load(group: str) -> Mapping[str, str]:
    """Read the queries of `sql/<group>.sql` by name."""
    return parse(resources.files(__package__).joinpath("sql", f"{group}.sql").read_text(encoding="utf-8"), group)


def parse(text: str, origin: str) -> Mapping[str, str]:
    """Split a file into its queries: each begins with a line `-- name: <name>` and ends before the next.

    Only comments may stand before the first. Raises ValueError for SQL there, a name used twice or a query without
    text: mistakes of ours, found when the program starts.
    """
    before, *parts = _NAME.split(text)
    if not all(line.startswith("--") for line in before.split("\n") if line):
        raise ValueError(f"{origin}.sql: SQL before the first `-- name:`")
    queries: dict[str, str] = {}
    for name, body in zip(parts[::2], parts[1::2], strict=True):
        query = body.strip().removesuffix(";")
        if name in queries or not query:
            raise ValueError(f"{origin}.sql: {name} is there twice, or empty")
        queries[name] = query
    return queries
