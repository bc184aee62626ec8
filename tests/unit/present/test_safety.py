"""A host's safety and a unit's supervision in the detail: facts, and unknown where not told."""

from __future__ import annotations

import pytest

from lptui.checks import run_checks
from lptui.fleet.facts.host import HostListeners, Listener
from lptui.fleet.facts.safety import HostSafety, PendingUpdates, SshLogins, Volume
from lptui.history.series import History
from lptui.present.catalog import PRESENTERS
from lptui.present.detail import detail
from lptui.present.model import text_of
from lptui.present.safety import login_words, update_words, volume_words
from lptui.present.view import Findings, Memo, View
from tests.snapshots import NOW, FleetBuilder


def lines_of(builder: FleetBuilder, key: str) -> dict[str, str]:
    """The detail of a row, by the first 20 characters of each line."""
    snapshot = builder.snapshot()
    view = View(snapshot, NOW, Findings(run_checks(snapshot)), History(), Memo())
    model = PRESENTERS["hosts"](view)
    [(section, row)] = [(s, r) for s in model.sections for r in s.rows if r.key == key]
    told = [text_of(line) for line in detail(view, section, row, [])]
    return {line[3:23].strip(): line[23:].strip() for line in told}


def test_what_is_known_of_a_host() -> None:
    builder = FleetBuilder()
    sockets = (Listener("*", 8935, "livepeer.service"), Listener("127.0.0.1", 7935))
    builder.change(HostListeners, "edge-1", listeners=sockets)
    told = lines_of(builder, "host:edge-1")
    assert told["calls itself"] == "edge-1, edge-1.example.org"
    assert told["listens beyond lo"] == "*:8935 livepeer.service"
    assert told["SSH logins"] == "by key alone; PermitRootLogin prohibit-password"
    assert told["updates"] == "3 wait, 0 of them for security (apt-get, lists 1d old)"
    assert told["encrypted"] == "/data yes"


def test_what_is_not_known_of_a_host() -> None:
    builder = FleetBuilder().drop(HostSafety, "edge-1").drop(HostListeners, "edge-1")
    told = lines_of(builder, "host:edge-1")
    names = ("listens beyond lo", "SSH logins", "updates", "encrypted")
    assert [told[name] for name in names] == ["?"] * 4
    assert told["calls itself"] == "edge-1"


def test_a_units_watchdog_and_limits() -> None:
    builder = FleetBuilder().change_unit(
        "core-1", "livepeer-reward.service", watchdog_s=30.0, fd_limit=20_000, fd_promised=50_000
    )
    told = lines_of(builder, "unit:reward")
    assert told["watchdog"] == "30s"
    assert told["file limit"] == "20000 of the process, 50000 of its unit"
    assert lines_of(FleetBuilder(), "unit:reward")["watchdog"] == "none"
    builder.change_unit("core-1", "livepeer-reward.service", watchdog_s=None)
    assert lines_of(builder, "unit:reward")["watchdog"] == "?"


@pytest.mark.parametrize(
    ("safety", "logins", "updates", "volumes"),
    [
        (HostSafety(), "? ", "? not counted: state safety.security_updates", "?"),
        (
            HostSafety(
                logins=SshLogins("yes", True, empty=True),
                updates=PendingUpdates(2, None, "update-notifier"),
                volumes=(Volume("/", False), Volume("/nfs", None)),
            ),
            "by password, even an empty one; PermitRootLogin yes",
            "2 wait, ? of them for security (update-notifier)",
            "/ no, /nfs ?",
        ),
    ],
)
def test_words(safety: HostSafety, logins: str, updates: str, volumes: str) -> None:
    assert login_words(safety) == logins
    assert update_words(safety, NOW) == updates
    assert volume_words(safety) == volumes
