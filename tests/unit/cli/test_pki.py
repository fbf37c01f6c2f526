"""`axis pki`."""

import ssl
from pathlib import Path

import pytest

from tests.handshakes import client_side, server_side, shake
from tests.unit.cli.conftest import Run


def test_an_authority_from_nothing_to_a_revocation(run: Run, tmp_path: Path) -> None:
    at = ("--folder", str(tmp_path / "pki"), "--json")
    assert run("pki", "issue", "client", "H37", *at).json["error"]["code"] == "pki/none"
    made = run("pki", "init", "--title", "Trục thử nghiệm", *at).json
    assert run("pki", "init", *at).code == 78
    server = run("pki", "issue", "server", "broker", "--host", "localhost", *at).json
    client = run("pki", "issue", "client", "H37.05", "--days", "30", *at).json
    assert (server["hosts"], client["name"]) == (["localhost"], "H37.05")
    side = server_side(Path(server["certificate"]), Path(server["key"]), client_ca=Path(made["ca"]))
    asking = client_side(Path(client["ca"]), Path(client["certificate"]), Path(client["key"]))
    shake(side, asking, "localhost")
    assert run("pki", "revoke", client["serial"], *at).json["revoked"] == [client["serial"]]
    listed = run("pki", "list", *at).json["certificates"]
    assert [(each["name"], each["state"]) for each in listed] == [("broker", "valid"), ("H37.05", "revoked")]
    assert "H37.05" in run("pki", "list", "--folder", str(tmp_path / "pki")).out
    side.load_verify_locations(run("pki", "crl", "--days", "3", *at).json["crl"])
    side.verify_flags |= ssl.VerifyFlags.VERIFY_CRL_CHECK_CHAIN
    with pytest.raises(ssl.SSLCertVerificationError, match="revoked"):
        shake(side, asking, "localhost")


def test_what_cannot_be_issued_is_said_so(run: Run, tmp_path: Path) -> None:
    at = ("--folder", str(tmp_path), "--json")
    run("pki", "init", *at)
    assert run("pki", "issue", "client", "../H37", *at).json["error"]["code"] == "pki/name"
    assert run("pki", "issue", "server", "broker", *at).code == 65
    assert run("pki", "revoke", "nobody", *at).code == 66
    assert "PRIVATE" not in run("pki", "issue", "client", "H37", *at).out
