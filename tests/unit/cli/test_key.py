"""`axis key`."""

import stat
from pathlib import Path

from tests.unit.cli.conftest import Run


def test_a_new_key_is_its_owners_alone_and_never_overwrites(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "h37.key.pem"
    ran = run("key", "new", "--kind", "ed25519", "--out", str(path))
    assert (ran.code, stat.S_IMODE(path.stat().st_mode)) == (0, 0o600)
    assert "PRIVATE" not in ran.out + ran.err
    before = path.read_bytes()
    again = run("key", "new", "--out", str(path))
    assert again.code == 73
    assert path.read_bytes() == before
