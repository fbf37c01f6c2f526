"""Where the inputs are: seeds made by the targets, and what fuzzing found; both in git, played again by tests."""

from collections.abc import Iterator
from pathlib import Path

from tests.fuzz.targets import TARGETS

CORPUS = Path(__file__).parent / "corpus"
FOUND = "found-"


def kept(name: str) -> list[Path]:
    """List a target's inputs."""
    return sorted(path for path in (CORPUS / name).iterdir() if path.is_file())


def seeds() -> Iterator[tuple[Path, bytes]]:
    """Make every seed of every target anew."""
    for name, target in TARGETS.items():
        for seed, data in target.seeds().items():
            yield CORPUS / name / seed, data


def write_seeds() -> int:
    """Write the seeds that are not there as they should be, take away those that are no more; count the changes."""
    wanted = dict(seeds())
    changed = 0
    for path, data in wanted.items():
        if not path.exists() or path.read_bytes() != data:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            changed += 1
    for name in TARGETS:
        for path in kept(name):
            if path not in wanted and not path.name.startswith(FOUND):
                path.unlink()
                changed += 1
    return changed


def dictionary(name: str) -> str:
    """Write a target's words as libFuzzer reads them: one quoted string a line, in hexadecimal."""
    words = dict.fromkeys(TARGETS[name].dictionary)
    return "".join('"' + "".join(f"\\x{byte:02x}" for byte in word) + '"\n' for word in words if word)
