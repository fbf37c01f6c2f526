"""Which reason codes the product uses, read from its source."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
GROUP = re.compile(r"([a-z0-9]+)/[a-z0-9-]+")
# No refusals: media types, units of benches and paths have the same shape, and so has why a delivery waits.
_OTHERS = {"application", "bin", "image", "text", "waiting"}
PRODUCT = ("axis", "workers")


def codes_in_source() -> Iterator[tuple[str, str]]:
    """Yield every string constant that looks like a reason code, with where it stands; docstrings do not count."""
    for folder in PRODUCT:
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    found = GROUP.fullmatch(node.value)
                    if found is not None and found[1] not in _OTHERS:
                        yield node.value, f"{path.relative_to(ROOT)}:{node.lineno}"
