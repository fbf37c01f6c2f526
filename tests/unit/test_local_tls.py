"""Private nodes with TLS: when they are started, and how their addresses read."""

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from axis import local
from axis.errors import Misconfigured, Unavailable
from axis.local import docker, nodes, private
from tests.unit.test_local_sources import RECORD, silent
from tests.unit.test_local_sources import bare as bare  # noqa: PLC0414 - a machine with nothing on it


@pytest.mark.parametrize("tls", [True, False])
def test_what_runs_is_not_taken_for_the_other_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tls: bool) -> None:
    runs = replace(RECORD, pki="" if tls else "/somewhere/pki")
    monkeypatch.setattr(nodes, "_running", lambda _: private.services(runs))
    with pytest.raises(Misconfigured) as caught:
        local.up(tmp_path, progress=silent, assume_yes=True, tls=tls)
    assert caught.value.code == "local/tls"
    assert local.up(tmp_path, progress=silent, assume_yes=True, tls=not tls).tls is not tls


def test_nodes_with_tls_are_not_looked_for_in_containers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docker, "engine", lambda: True)
    with pytest.raises(Unavailable) as caught:
        local.up(tmp_path, progress=silent, assume_yes=True, tls=True)
    assert caught.value.code == "local/nothing"


def test_addresses_with_tls_name_the_administrators_files_and_a_shell_reads_them_whole(tmp_path: Path) -> None:
    services = private.services(replace(RECORD, kind="private", pki="/somewhere/pki"))
    own = "/somewhere/pki/issued/client/axis"
    files = f"cafile={own}/ca.pem&certfile={own}/certificate.pem&keyfile={own}/key.pem"
    port = RECORD.ports
    assert services.amqp_url == f"amqps://axis:bp@127.0.0.1:{port['amqp']}/axis?auth=external&{files}"
    assert services.api_url == f"https://axis:bp@127.0.0.1:{port['management']}?{files}"
    assert services.database_url.startswith(
        f"postgresql://axis:dp@127.0.0.1:{port['postgres']}/axis?sslmode=verify-full&"
    )
    written = services.write(tmp_path)
    read = subprocess.run(
        ["sh", "-c", f'. {written}; printf %s "$AXIS_AMQP_URL"'], capture_output=True, text=True, check=True
    )
    assert read.stdout == services.amqp_url
