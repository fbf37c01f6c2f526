"""The real pip-audit against a database of our own; it is there where `make check` or `make sbom` has been run."""

import http.server
import json
import threading
from collections.abc import Iterator

import pytest

from release import audit

TOOLS = audit.ROOT / ".axis" / "tools"
pytestmark = pytest.mark.skipif(not (TOOLS / ".ready").exists(), reason="make check installs pip-audit")


class Database(http.server.BaseHTTPRequestHandler):
    """Know one vulnerability, of httpx."""

    def do_POST(self) -> None:
        question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name = question["package"]["name"]
        events = [{"introduced": "0"}, {"fixed": "99.0"}]
        affected = {
            "package": {"ecosystem": "PyPI", "name": name},
            "ranges": [{"type": "ECOSYSTEM", "events": events}],
        }
        known = {"id": "PYSEC-2099-1", "summary": "…", "details": "…", "affected": [affected]}
        body = json.dumps({"vulns": [known]} if name == "httpx" else {}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Say nothing."""


@pytest.fixture
def database() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Database) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1/query"
        server.shutdown()
        thread.join()


def test_a_vulnerability_in_the_database_fails_the_check(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert audit.main(["--database", database]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition(" (")[0] for line in lines if "httpx" in line] == [
        "audit: httpx 0.28.1: PYSEC-2099-1: raise it to 99.0"
    ]
    assert len(lines) == 1


def test_a_database_that_is_away_does_not(capsys: pytest.CaptureFixture[str]) -> None:
    assert audit.main(["--database", "http://127.0.0.1:9/v1/query"]) == 0
    assert "audit: not done: " in capsys.readouterr().err
