"""Fuzz one target in this process: python -m tests.fuzz.running TARGET <arguments of libFuzzer>."""

import sys

import atheris

# Imported first and not watched: what is known about these is of no use to the search.
import jsonschema  # noqa: F401
import lxml.etree  # noqa: F401

with atheris.instrument_imports(include=["axis", "schemas"]):
    from tests.fuzz import mutating
    from tests.fuzz.oracle import bounded
    from tests.fuzz.targets import TARGETS


def main() -> None:
    """Run until libFuzzer's arguments say stop or a promise is broken."""
    target = TARGETS[sys.argv[1]]

    def change(data: bytes, max_size: int, seed: int) -> bytes:
        changed = mutating.mutate(data, seed) if seed % 4 else None
        return (atheris.Mutate(data, max_size) if changed is None else changed)[:max_size]

    arguments = [sys.argv[0], *sys.argv[2:]]
    options = {"custom_mutator": change} if target.json else {}
    atheris.Setup(arguments, lambda data: bounded(target.check, data), **options)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
