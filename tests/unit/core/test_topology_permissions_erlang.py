"""The permission expressions, matched by the engine RabbitMQ uses: Erlang's `re:run`."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from axis.core.topology import POLICY, WorkerUser, desired
from tests.unit.core.records import NOW, mailbox

ERL = shutil.which("erl")
SECONDS = 60
PROGRAM = """
{ok, Cases} = file:consult("cases"),
[io:format("~s", [case re:run(Name, Pattern, [{capture, none}]) of match -> "1"; nomatch -> "0" end])
 || {Pattern, Name} <- Cases], halt().
"""
WANTED = desired(
    [mailbox(code) for code in ("H37", "H37.05", "G22")], worker_user=WorkerUser("axis-worker", "x"), at=NOW
)
EXPRESSIONS = {
    POLICY.pattern,
    *(e for p in WANTED.permissions for e in (p.configure, p.write, p.read)),
    *(e for t in WANTED.topic_permissions for e in (t.write, t.read)),
}
NAMES = {
    *(queue.name for queue in WANTED.queues),
    *(exchange.name for exchange in WANTED.exchanges),
    *("urgent.H37", "normal.H37.05.02", "urgent.H37X05", "normal.H370", "H37", "H37.05", "H37X05", "G22.01"),
    *("mailbox.urgent.H37X05", "mailboxXurgent.H37", "x.notices.H37", "amq.default", ""),
}


@pytest.mark.skipif(ERL is None, reason="there is no Erlang on this machine")
def test_erlang_and_python_agree_on_every_expression(tmp_path: Path) -> None:
    cases = [(expression, name) for expression in sorted(EXPRESSIONS) for name in sorted(NAMES)]
    terms = (f'{{"{expression}", "{name}"}}.\n'.replace("\\", "\\\\") for expression, name in cases)
    (tmp_path / "cases").write_text("".join(terms), encoding="ascii")
    told = subprocess.run(
        [str(ERL), "-noshell", "-eval", PROGRAM],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        timeout=SECONDS,
    )
    assert told.stdout == "".join("01"[re.search(expression, name) is not None] for expression, name in cases)
