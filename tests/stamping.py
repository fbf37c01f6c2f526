"""A timestamp authority (RFC 3161) for tests: OpenSSL's, which shares nothing with what verifies here."""

import shutil
import subprocess
from pathlib import Path

import pytest

_CONFIG = """\
[tsa]
default_tsa = test
[test]
serial = {folder}/serial
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ess_cert_id_alg = sha256
[req]
distinguished_name = name
[name]
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
[signer]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
"""
_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
SECONDS = 30


class TimestampAuthority:
    """Answers queries; `root` is what verifiers trust."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self._folder = folder
        (folder / "tsa.cnf").write_text(_CONFIG.format(folder=folder))
        (folder / "serial").write_text("01\n")
        name, days = "/CN=EXAMPLE ONLY", ("-days", "3650")
        self._openssl("req", "-x509", *_KEY, "-keyout", "ca.key", "-out", "root.pem", *days, "-subj", f"{name} root",
                      "-config", "tsa.cnf", "-extensions", "root")  # fmt: skip
        self._openssl("req", *_KEY, "-keyout", "tsa.key", "-out", "tsa.csr", "-subj", f"{name} authority",
                      "-config", "tsa.cnf")  # fmt: skip
        self._openssl("x509", "-req", "-in", "tsa.csr", "-CA", "root.pem", "-CAkey", "ca.key", "-CAcreateserial", *days,
                      "-extfile", "tsa.cnf", "-extensions", "signer", "-out", "tsa.pem")  # fmt: skip
        self.root = folder / "root.pem"

    def answer(self, query: bytes) -> bytes:
        """Give a timestamp."""
        (self._folder / "query").write_bytes(query)
        self._openssl("ts", "-reply", "-config", "tsa.cnf", "-queryfile", "query", "-signer", "tsa.pem",
                      "-inkey", "tsa.key", "-out", "reply")  # fmt: skip
        return (self._folder / "reply").read_bytes()

    def _openssl(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=self._folder, check=True, capture_output=True, timeout=SECONDS)


def timestamp_authority(folder: Path) -> TimestampAuthority:
    """Make one; skip where there is no OpenSSL program."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl program to make timestamps with")
    return TimestampAuthority(folder)
