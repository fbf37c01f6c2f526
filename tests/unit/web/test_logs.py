"""A log line comes out whatever is in it."""

import json

import pytest
import structlog

from axis.web.logs import configure_logging


def test_half_a_surrogate_pair_does_not_stop_a_log_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(structlog, "configure", lambda **options: chosen.update(options))
    chosen: dict[str, list[structlog.typing.Processor]] = {}
    configure_logging("json", "info")
    line = chosen["processors"][-1](None, "info", {"event": "lỗi", "detail": "a\ud800b", "big": 1 << 70})
    assert isinstance(line, str)
    assert json.loads(line) == {"event": "lỗi", "detail": "a?b", "big": 1 << 70}
    line.encode()
    assert capsys.readouterr().err == ""
