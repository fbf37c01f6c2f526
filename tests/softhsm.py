"""Real PKCS#11 tokens for tests: SoftHSM 2, a folder of one's own for each test."""

import functools
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest

from axis.errors import Unavailable
from axis.local.packages import can_install, install

PIN = "pin-của-tôi"
_PLACES = ("softhsm/libsofthsm2.so", "*/softhsm/libsofthsm2.so", "pkcs11/libsofthsm2.so")
_SECONDS = 30


@functools.cache
def module() -> Path:
    """Find SoftHSM's module, installed from Debian's packages where tests may do so; skip the test without."""
    found = _found()
    if found is None and can_install():
        try:
            install(["softhsm2"], progress=lambda _: None)
        except Unavailable as error:
            pytest.skip(f"softhsm2 cannot be installed: {error.detail}")
        found = _found()
    if found is None:
        pytest.skip("no SoftHSM on this machine: install softhsm2 (Debian, Ubuntu) or softhsm (Fedora, Homebrew)")
    return found


def _found() -> Path | None:
    roots = (Path("/usr/lib"), Path("/usr/lib64"), Path("/usr/local/lib"), Path("/opt/homebrew/lib"))
    return next((path for root in roots for place in _PLACES for path in sorted(root.glob(place))), None)


@dataclass(frozen=True, slots=True)
class Hsm:
    """A SoftHSM of one's own: `configuration` is what the variable SOFTHSM2_CONF has to name."""

    folder: Path
    configuration: Path

    @property
    def pin_file(self) -> Path:
        return self.folder / "mã pin.txt"

    def initialise(self, token: str) -> None:
        """Make an empty token."""
        self._run("--init-token", "--free", "--label", token, "--pin", PIN, "--so-pin", "so-pin")

    def put(self, token: str, pem: bytes, *, label: str, number: str = "01") -> None:
        """Put a private key (PKCS #8, PEM) into a token; `number` is its id in hexadecimal."""
        path = self.folder / "import.pem"
        path.write_bytes(pem)
        arguments = ("--import", str(path), "--token", token, "--label", label, "--id", number, "--pin", PIN)
        self._run(*arguments)
        path.unlink()

    def remove(self, *, elsewhere: Path) -> None:
        """Take all tokens out; `put_back` from there."""
        (self.folder / "tokens").rename(elsewhere)
        (self.folder / "tokens").mkdir()

    def put_back(self, elsewhere: Path) -> None:
        """Put the tokens in again."""
        (self.folder / "tokens").rmdir()
        elsewhere.rename(self.folder / "tokens")

    def uri(self, token: str, label: str | None = None, *, number: str | None = None, pin: Path | None = None) -> str:
        """Name a key as settings do."""
        key = f"object={quote(label, safe='')}" if label is not None else f"id=%{number}"
        return (
            f"pkcs11:token={quote(token, safe='')};{key};type=private"
            f"?module-path={module()}&pin-source=file:{quote(str(pin or self.pin_file))}"
        )

    def _run(self, *arguments: str) -> None:
        ended = subprocess.run(
            ["softhsm2-util", *arguments],
            env={"SOFTHSM2_CONF": str(self.configuration), "PATH": "/usr/bin:/usr/local/bin:/opt/homebrew/bin"},
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr


@contextmanager
def softhsm(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hsm]:
    """Make a SoftHSM without tokens; this process and the processes it starts see it and no other."""
    pkcs11 = pytest.importorskip("pkcs11", reason="python-pkcs11 is not installed (extra: pkcs11)")
    so = str(module())
    home = folder / "softhsm"
    (home / "tokens").mkdir(parents=True)
    configuration = home / "softhsm2.conf"
    configuration.write_text(f"directories.tokendir = {home}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n")
    hsm = Hsm(home, configuration)
    hsm.pin_file.write_text(PIN + "\n", encoding="utf-8")
    monkeypatch.setenv("SOFTHSM2_CONF", str(configuration))
    library = pkcs11.lib(so)
    library.finalize()  # it reads its configuration and looks for tokens only when it starts: the first key starts it
    yield hsm
    if library.initialized:
        library.finalize()
