"""Named queries out of `.sql` files: what runs in the database can be read, and tried, as SQL."""

import re
from collections.abc import Mapping
from importlib import resources

_BEGINNING = re.compile(r"^-- (name|part): ([a-z][a-z0-9_]*)[ \t]*$", re.MULTILINE)
_NAMED = re.compile(r"\{([a-z][a-z0-9_]*)\}")


def load(group: str, **parts: str) -> Mapping[str, str]:
    """Read the queries of `sql/<group>.sql` by name; see `parse`."""
    text = resources.files(__package__).joinpath("sql", f"{group}.sql").read_text(encoding="utf-8")
    return parse(text, group, **parts)


def parse(text: str, origin: str, **parts: str) -> Mapping[str, str]:
    """Split a file into its queries: each begins with a line `-- name: <name>` and ends before the next.

    What queries share stands once, behind a line `-- part: <name>`, and takes the place of `{<name>}` in what comes
    after it; `parts` take the place of the file's own. Never put a value into one: values are parameters.

    Only comments may stand before the first. Raises ValueError for SQL there, a name used twice, a query without text
    or a part that is not there: mistakes of ours, found when the program starts.
    """
    before, *found = _BEGINNING.split(text)
    if not all(line.startswith("--") for line in before.split("\n") if line):
        raise ValueError(f"{origin}.sql: SQL before the first `-- name:`")
    queries: dict[str, str] = {}
    shared: dict[str, str] = {}
    for what, name, body in zip(found[::3], found[1::3], found[2::3], strict=True):
        told = _NAMED.sub(lambda match: shared.get(match[1], match[0]), body.strip().removesuffix(";"))
        kept = queries if what == "name" else shared
        if name in kept or not told:
            raise ValueError(f"{origin}.sql: {name} is there twice, or empty")
        kept[name] = parts.get(name, told) if what == "part" else told
    if missing := parts.keys() - shared.keys():
        raise ValueError(f"{origin}.sql: no part {', '.join(sorted(missing))}")
    return queries
