"""SECURITY's table against the code: who writes, starts programs, listens, or posts.

A module that begins to do one of these is added here and, in words for operators, to SECURITY.md.
"""

from __future__ import annotations

import re
from collections.abc import Set
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "lptui"
SIMULATED = "sim/"
"""The demo is its own fleet; SECURITY names it apart."""

WRITES = (
    r"write_text|write_bytes|\.open\(\"[wax]|O_CREAT|NamedTemporary|TemporaryDirectory|mk[sd]temp"
)
STARTS = r"subprocess_exec|subprocess_shell|subprocess\.run|Popen\("
LISTENS = r"start_server|start_unix_server|create_server|create_unix_server|\.listen\("
POSTS = r"\"POST\""


def modules(pattern: str) -> Set[str]:
    found = (
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if re.search(pattern, path.read_text())
    )
    return {name for name in found if not name.startswith(SIMULATED)}


@pytest.mark.parametrize(
    ("pattern", "known"),
    [
        (
            WRITES,
            {
                "actions/audit_chain.py",  # the audit record, and where it ends
                "actions/exclusive.py",  # lock files
                "actions/journal.py",  # what each run meant to do, and how far it came
                "history/files.py",  # since when transactions wait, what is known of past rounds
                "tui/crash.py",  # a report when lptui itself fails
                "tui/theming.py",  # the chosen theme
                "tui/copying.py",  # screenshots
                "transport/openssh.py",  # for moments: what `ssh -G` said
                "probes/nginx/dump.py",  # for moments: a configuration to be parsed
                "headless/output.py",  # a report, where `--output` names a file
                "headless/validate.py",  # for moments: the demo's files
                "cli.py",  # the null device
                "report/schema.py",  # a developer's tool
            },
        ),
        (
            STARTS,
            {
                "transport/openssh.py",  # ssh -G
                "transport/proxy.py",  # ProxyCommand
                "transport/secret.py",  # a secret's command
                "transport/local.py",  # a host that is this machine
                "tui/shell.py",  # the operator's own ssh, by `o`
            },
        ),
        (LISTENS, set()),
        (
            POSTS,
            {
                "actions/transaction.py",
                "actions/moves/session_cap.py",
                "actions/moves/node_setting.py",
                "transport/jsonrpc.py",
            },
        ),
    ],
    ids=["writes", "starts programs", "listens", "posts"],
)
def test_only_these_touch_anything(pattern: str, known: Set[str]) -> None:
    assert modules(pattern) == known
