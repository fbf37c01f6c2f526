"""The signed list of components: complete, true, and nobody's who did not sign it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from axis.errors import Misconfigured, Refused
from axis.trust import SigningKey, new_key
from release import sbom
from tests.builders import NOW
from tests.unit.trust.certified import authority

DATA = b'{"bomFormat":"CycloneDX"}\n'
DIRECT = ["httpx>=0.28,<0.29", "pydantic>=2"]


def listed() -> dict[str, Any]:
    """Build what cyclonedx-py makes, in short."""
    names = ("httpx", "httpcore", "pydantic", "pytest")
    components = [{"name": name, "bom-ref": f"L-{name}", "description": "line 1: --hash=…"} for name in names]
    return {
        "metadata": {"component": {"bom-ref": "root", "name": "document-axis"}},
        "components": components,
        "dependencies": [{"ref": "root"}, *({"ref": f"L-{name}"} for name in names)],
    }


def test_what_the_axis_runs_with_is_told_from_what_tests_it() -> None:
    made = sbom.completed(listed(), DIRECT)
    scopes = {component["name"]: component["scope"] for component in made["components"]}
    # httpcore is asked for by httpx, not by us.
    assert scopes == {"httpx": "required", "httpcore": "required", "pydantic": "required", "pytest": "excluded"}
    assert made["dependencies"][0] == {"ref": "root", "dependsOn": ["L-httpx", "L-pydantic"]}
    assert "description" not in made["components"][0]


def test_a_list_is_verified_by_whoever_has_the_certificate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key, certificate = sbom.occasional()
    path = sbom.sign(DATA, key, certificate, tmp_path)
    assert path.read_bytes() == DATA
    assert sbom.main(["--verify", str(path), "--certificate", str(tmp_path / sbom.SIGNER)]) == 0
    assert "is as CN=" in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["ed25519", "p256", "rsa"])
def test_a_release_is_signed_by_a_key_of_any_kind(kind: str, tmp_path: Path) -> None:
    pem = new_key(kind)
    certificate = authority().issue("H37", pem, name="release", now=NOW, days=30)
    sbom.sign(DATA, SigningKey.from_pem(pem, certificate), certificate, tmp_path)
    assert sbom.verify(DATA, (tmp_path / sbom.SIGNATURE).read_text().strip(), certificate).subject


def test_a_list_that_was_altered_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key, certificate = sbom.occasional()
    path = sbom.sign(DATA, key, certificate, tmp_path)
    path.write_bytes(DATA.replace(b"Cyclone", b"cyclone"))
    assert sbom.main(["--verify", str(path), "--certificate", str(tmp_path / sbom.SIGNER)]) == 65
    assert "signature/invalid" in capsys.readouterr().err


def test_a_list_signed_by_another_is_refused(tmp_path: Path) -> None:
    key, _ = sbom.occasional()
    _, other = sbom.occasional()
    with pytest.raises(Refused) as caught:
        sbom.verify(DATA, key.sign(DATA), other)
    assert caught.value.code == "certificate/unknown"
    with pytest.raises(Refused):
        sbom.sign(DATA, key, other, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_without_the_tool_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="make sbom installs it"):
        sbom.make(tmp_path)


@pytest.mark.skipif(not (sbom.ROOT / ".axis" / "tools" / ".ready").exists(), reason="make sbom installs cyclonedx-py")
def test_the_list_has_every_pin_and_no_other() -> None:
    made = sbom.make(sbom.ROOT / ".axis" / "tools")
    assert made == sbom.make(sbom.ROOT / ".axis" / "tools")
    components = json.loads(made)["components"]
    pins = re.findall(r"^([A-Za-z0-9_.-]+)==([^ ]+)", (sbom.ROOT / "requirements.lock").read_text(), re.MULTILINE)
    assert sorted((each["name"], each["version"]) for each in components) == sorted(pins)
    scopes = {each["name"]: each["scope"] for each in components}
    assert (scopes["cryptography"], scopes["pytest"]) == ("required", "excluded")
