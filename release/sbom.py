"""The signed list of what a release is made of: make sbom [KEY=key.pem CERTIFICATE=certificate.pem].

CycloneDX 1.6 as JSON, made from the lock file, the same on every run of the same source. Components that the axis runs
with have the scope `required`, those that only build and test it `excluded`. It is signed as documents are: a detached
JWS over the exact bytes of the file (RFC 7515 appendix F, RFC 7797), with the certificate beside it. So an agency
checks a release with what it has already, and no service has to be asked:

    python -m release.sbom --verify dist/axis.cdx.json --certificate release.pem

Without KEY it is signed by a key made for the occasion, which proves that the files belong together, and nobody's word.
"""

import argparse
import datetime as dt
import importlib.metadata
import json
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from axis.client.certificates import pinned
from axis.errors import AxisError, Malformed, Misconfigured, Refused
from axis.trust import Keyring, SigningKey
from axis.trust.jws import take_apart
from schemas import Certificate

ROOT = Path(__file__).parents[1]
LIST, SIGNATURE, SIGNER = "axis.cdx.json", "axis.cdx.json.jws", "axis.cdx.json.pem"
_SECONDS = 120
_DAY = dt.timedelta(days=1)


def make(tools: Path) -> bytes:
    """List the components; raise Misconfigured when the tool is not there or fails."""
    command = [str(tools / "bin" / "python"), "-W", "ignore", "-m", "cyclonedx_py", "requirements", "--sv", "1.6"]
    command += ["--pyproject", "pyproject.toml", "--of", "JSON", "--output-reproducible", "requirements.lock"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=_SECONDS, check=True)
    except OSError as error:
        raise Misconfigured(f"{command[0]}: {error.strerror}; make sbom installs it") from error
    except subprocess.TimeoutExpired as error:
        raise Misconfigured(f"cyclonedx-py did not end within {_SECONDS} s") from error
    except subprocess.CalledProcessError as error:
        raise Misconfigured(f"cyclonedx-py: {error.stderr.decode(errors='replace')[-500:]}") from error
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    made = completed(json.loads(done.stdout), project["dependencies"])
    return json.dumps(made, ensure_ascii=False, sort_keys=True, indent=1).encode() + b"\n"


def completed(made: dict[str, Any], direct: Sequence[str]) -> dict[str, Any]:
    """Say of each component whether the axis runs with it, and what the axis itself asks for."""
    runs = _closure(direct)
    names = {canonicalize_name(component["name"]): component for component in made["components"]}
    for name, component in names.items():
        component["scope"] = "required" if name in runs else "excluded"
        # The line of the lock file that it repeats is all hashes, which stand in the component already.
        component.pop("description", None)
    root = made["metadata"]["component"]["bom-ref"]
    asked = {canonicalize_name(Requirement(each).name) for each in direct}
    others = [each for each in made["dependencies"] if each["ref"] != root]
    refs = sorted(names[name]["bom-ref"] for name in asked)
    return {**made, "dependencies": [{"ref": root, "dependsOn": refs}, *others]}


def _closure(direct: Iterable[str]) -> set[str]:
    """Follow what is asked for to all that it needs, as installed here."""
    found: set[str] = set()
    waiting = [(Requirement(each), frozenset[str]()) for each in direct]
    while waiting:
        asked, extras = waiting.pop()
        if asked.marker is not None and not any(asked.marker.evaluate({"extra": extra}) for extra in extras | {""}):
            continue
        name = canonicalize_name(asked.name)
        if name in found and not asked.extras:
            continue
        found.add(name)
        waiting += [(Requirement(each), frozenset(asked.extras)) for each in importlib.metadata.requires(name) or ()]
    return found


def sign(data: bytes, key: SigningKey, certificate: bytes, folder: Path) -> Path:
    """Write list, signature and certificate; return the list's path. It is verified as others would before."""
    signature = key.sign(data)
    verify(data, signature, certificate)
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in ((LIST, data), (SIGNATURE, signature.encode() + b"\n"), (SIGNER, certificate)):
        (folder / name).write_bytes(content)
    return folder / LIST


def verify(data: bytes, signature: str, certificate: bytes) -> Certificate:
    """Check the signature under a certificate that is known from elsewhere; raise Refused signature/* or certificate/*.

    The moment is the certificate's first: a release stays what it was when its signer's certificate ends.
    """
    named = take_apart(signature).header.thumbprint
    signer = next((each for each in pinned(certificate) if each.thumbprint == named), None)
    if signer is None:
        raise Refused("certificate/unknown", f"it is signed under {named}, which is not in the file of certificates")
    Keyring([signer]).verify(data, signature, signer.not_before)
    return signer


def occasional() -> tuple[SigningKey, bytes]:
    """Make a key and its certificate for one signature, and keep neither."""
    key, now = Ed25519PrivateKey.generate(), dt.datetime.now(dt.UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "made for one list of components")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now).not_valid_after(now + _DAY)
    certificate = builder.sign(key, None).public_bytes(Encoding.PEM)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return SigningKey.from_pem(pem, certificate), certificate


def main(arguments: list[str] | None = None) -> int:
    """Make and sign, or verify; return 0, or the error's exit code."""
    parser = argparse.ArgumentParser(prog="python -m release.sbom", description=__doc__.partition("\n")[0])
    parser.add_argument("--tools", type=Path, default=ROOT / ".axis" / "tools", help="the environment of cyclonedx-py")
    parser.add_argument("--folder", type=Path, default=ROOT / "dist", help="where the three files go")
    parser.add_argument("--key", type=Path, help="the release's private key: PEM, unencrypted")
    parser.add_argument("--certificate", type=Path, help="its certificate, PEM")
    parser.add_argument("--verify", type=Path, metavar="LIST", help="check a list against its signature, and stop")
    chosen = parser.parse_args(arguments)
    if (chosen.key or chosen.verify) and not chosen.certificate:
        parser.error("say which certificate: --certificate")
    try:
        print(_verified(chosen) if chosen.verify else _made(chosen))
    except AxisError as error:
        print(f"sbom: {error}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        print(f"sbom: {error.filename}: {error.strerror}", file=sys.stderr)
        return Misconfigured.exit_code
    return 0


def _made(chosen: argparse.Namespace) -> str:
    if chosen.key:
        certificate = chosen.certificate.read_bytes()
        key, by = SigningKey.from_pem(chosen.key.read_bytes(), certificate), ""
    else:
        (key, certificate), by = (
            occasional(),
            "; by a key made for the occasion: pass KEY and CERTIFICATE for a release",
        )
    path = sign(make(chosen.tools), key, certificate, chosen.folder)
    listed = json.loads(path.read_bytes())["components"]
    required = sum(component["scope"] == "required" for component in listed)
    return f"sbom: {path}: {required} components to run with, {len(listed) - required} to build with; signed{by}"


def _verified(chosen: argparse.Namespace) -> str:
    text = chosen.verify.with_name(chosen.verify.name + ".jws").read_bytes()
    try:
        signature = text.decode("ascii").strip()
    except UnicodeDecodeError as error:
        raise Malformed("the signature is not text", code="signature/malformed") from error
    signer = verify(chosen.verify.read_bytes(), signature, chosen.certificate.read_bytes())
    return f"sbom: {chosen.verify} is as {signer.subject} signed it"


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
