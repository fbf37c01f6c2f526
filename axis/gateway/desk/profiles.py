"""Where the desk keeps its own profile of an agency: `<home>/desk/agencies/<CODE>/`, apart from the agency's."""

from pathlib import Path


def desk_folder(home: Path, code: str) -> Path:
    """Return the profile folder; a canonical code is safe as a file name."""
    return home / "desk" / "agencies" / code
