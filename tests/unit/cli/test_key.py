"""`axis key` on a fake store."""

import datetime as dt
import stat
from pathlib import Path

from axis.store import FakeStore
from axis.trust import DemonstrationCA, new_key
from tests.unit.cli.conftest import Run


def certificate(tmp_path: Path, code: str = "H37") -> Path:
    now = dt.datetime.now(dt.UTC)
    authority = DemonstrationCA.open_or_create(tmp_path / "ca", now)
    path = tmp_path / f"{code}.pem"
    path.write_bytes(authority.issue(code, new_key("p256"), name="UBND tỉnh Lạng Sơn", now=now))
    return path


def test_a_new_key_is_its_owners_alone_and_never_overwrites(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "h37.key.pem"
    ran = run("key", "new", "--kind", "ed25519", "--out", str(path))
    assert (ran.code, stat.S_IMODE(path.stat().st_mode)) == (0, 0o600)
    assert "PRIVATE" not in ran.out + ran.err
    before = path.read_bytes()
    again = run("key", "new", "--out", str(path))
    assert again.code == 73
    assert path.read_bytes() == before


def test_a_certificate_is_enrolled_listed_and_revoked(run: Run, store: FakeStore, tmp_path: Path) -> None:
    path = certificate(tmp_path)
    enrolled = run("key", "enrol", str(path), "--for", "000.00.00.H37", "--demonstration", "--json")
    assert enrolled.code == 0
    assert (enrolled.json["organisation"], enrolled.json["role"]) == ("H37", "agency")
    listed = run("key", "list", "--for", "H37", "--json").json["certificates"]
    assert [each["thumbprint"] for each in listed] == [enrolled.json["thumbprint"]]
    assert "valid" in run("key", "list").out
    assert run("key", "revoke", enrolled.json["thumbprint"]).code == 0
    assert "revoked" in run("key", "list").out
    assert run("key", "revoke", "A" * 43).code == 66


def test_a_demonstration_certificate_is_refused_on_a_real_axis(run: Run, store: FakeStore, tmp_path: Path) -> None:
    ran = run("key", "enrol", str(certificate(tmp_path)), "--for", "H37", "--json")
    assert (ran.code, ran.json["error"]["code"]) == (65, "certificate/malformed")
    assert run("key", "list", "--json").json == {"certificates": []}


def test_an_absent_file_and_a_bad_code_are_said_so(run: Run, store: FakeStore, tmp_path: Path) -> None:
    assert run("key", "enrol", str(tmp_path / "none.pem"), "--for", "H37").code == 66
    assert run("key", "enrol", str(certificate(tmp_path)), "--for", "nobody").code == 65
