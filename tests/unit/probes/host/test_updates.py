"""What apt, dnf and yum count, from their own output.

That of dnf is of dnf 4.14 on a repository with advisories, by a login without privileges; that of
dnf 5 is as it is documented.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lptui.errors import ProblemKind, TransportError
from lptui.fleet.facts.safety import PendingUpdates
from lptui.probes.host.updates import APT, DNF, parse_apt, parse_dnf, waiting_updates
from lptui.transport.protocols import ExecResult
from tests.unit.probes.host.given import HOST, asking
from tests.unit.probes.hostile import HOSTILE

APTS = """\
Reading package lists...
Inst libssl3 [3.0.11-1] (3.0.15-1 Debian:12.9/stable, Debian-Security:12/stable-security [amd64]) []
Inst tzdata [2025a] (2025b Debian:12.9/stable [all])
Inst linux-image-6.1.0-41-amd64 (6.1.158-1 Debian-Security:12/stable-security [amd64])
Conf tzdata (2025b Debian:12.9/stable [all])
"""
HEAD = "tool dnf\nlists 1795818000\nlists 1795818537\nadvised\n"
UPDATES = """\
Last metadata expiration check: 0:00:02 ago on Fri Nov 27 22:28:57 2026.

alpha.noarch                              1.1-2                              lab
beta.noarch                               1.1-2                              lab
gamma.noarch                              1.1-2                              lab
ended updates 100
"""
ADVISORIES = """\
Last metadata expiration check: 0:00:02 ago on Fri Nov 27 22:28:57 2026.
LAB-2026:0001 Important/Sec. alpha-1.1-2.noarch
LAB-2026:0003 Unknown/Sec.   beta-1.1-2.noarch
LAB-2026:0002 bugfix         gamma-1.1-2.noarch
ended advisories 0
"""
DNF5 = """\
Name                   Type        Severity                     Package              Issued
FEDORA-2025-0738949695 unspecified None     incremental-24.7.2-1.fc41.noarch 2025-03-18 02:17:53
FEDORA-2025-1a0c45a564 security    Moderate   libxml2-1:2.12.10-1.fc41.x86_64 2025-03-18 02:17:53
FEDORA-2025-2b0c45a564 security    Moderate   libxml2-1:2.12.11-1.fc41.x86_64 2025-03-19 02:17:53
ended advisories 0
"""
NONE = "ended updates 0\nended advisories 0\n"
NO_CACHE = """\
Error: Cache-only enabled but no cache for '{0}'
Ignoring repositories: {0}
ended updates 0
Error: Cache-only enabled but no cache for '{0}'
Ignoring repositories: {0}
ended advisories 0
"""


def test_apts_count() -> None:
    assert parse_apt(APTS, 7.0) == PendingUpdates(3, 2, "apt-get", 7.0)
    assert parse_apt("Reading package lists...\n", None).packages == 0


@pytest.mark.parametrize(
    ("text", "packages", "security"),
    [
        (UPDATES + ADVISORIES, 3, 2),
        (NONE, 0, 0),
        # Two advisories of one package are one update of it.
        (f"libxml2.x86_64 1:2.12.11-1.fc41 updates\nended updates 100\n{DNF5}", 1, 1),
        # A name that is too long for its column.
        (f"{'a' * 50}.noarch\n      1.1-2    lab\nended updates 100\nended advisories 0\n", 1, 0),
        (f"a.noarch 2 lab\nObsoleting Packages\nb.noarch 2 lab\n    c.noarch 1 @lab\n{NONE}", 1, 0),
    ],
    ids=["dnf 4", "up to date", "dnf 5", "wrapped", "obsoleting"],
)
def test_what_dnf_counts(text: str, packages: int, security: int) -> None:
    assert parse_dnf(HEAD + text) == (PendingUpdates(packages, security, "dnf", 1795818537.0), "")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (f"tool dnf\n{NO_CACHE.format('lab')}", "no lists of lab: let root run `dnf makecache`"),
        (f"tool dnf\n{NONE}", "no lists there"),
        (f"{HEAD}ended updates 200\nended advisories 200\n", "another dnf is at work"),
        (
            f"{HEAD}Error: Failed \x1b[31m\nended updates 1\nended advisories 1\n",
            "Error: Failed",
        ),
        (HEAD + UPDATES, "did not count"),
        ("", "did not count"),
    ],
    ids=["no cache", "no lists", "locked", "fails", "cut off", "empty"],
)
def test_dnf_that_did_not_count_is_no_zero(text: str, why: str) -> None:
    counted, problem = parse_dnf(text)
    assert counted is None
    assert why in problem
    assert problem.isprintable()


def test_without_advisories_nobody_knows_what_is_for_security() -> None:
    """As with CentOS's own repositories: `--security` finds nothing there, whatever waits."""
    counted, why = parse_dnf(f"tool dnf\nlists 1795818537\n{UPDATES}ended advisories 0\n")
    assert counted == PendingUpdates(3, None, "dnf", 1795818537.0)
    assert "no repository" in why


def test_the_repository_of_a_plugin_has_no_list_to_renew() -> None:
    text = NO_CACHE.format("_dnf_local").replace("updates 0\n", f"updates 0\n{HEAD}")
    assert parse_dnf(f"{HEAD}{text}")[0] == PendingUpdates(0, 0, "dnf", 1795818537.0)


def result(text: str, status: int = 0) -> ExecResult:
    return ExecResult(text.encode(), b"", status)


@pytest.mark.parametrize(
    ("lists_at", "by_apt", "by_dnf", "source"),
    [
        (7.0, result(APTS), result("", 127), "apt-get"),
        (7.0, result("", 127), result(HEAD + NONE), "dnf"),
        # apt is there beside rpm, and has never seen a package.
        (None, result("Reading package lists...\n"), result(HEAD + NONE), "dnf"),
        (None, result("", 127), result("", 127), None),
        (7.0, TransportError("apt-get", "not done in time", kind=ProblemKind.TIMEOUT), None, None),
    ],
)
async def test_who_is_asked(
    lists_at: float | None,
    by_apt: ExecResult | TransportError,
    by_dnf: ExecResult | None,
    source: str | None,
) -> None:
    given_, _ = asking({APT.argv: by_apt, DNF.argv: by_dnf or result("", 127)})
    counted, why = await waiting_updates(given_, HOST, lists_at, lambda: 5.0)
    assert (counted.source if counted is not None else None) == source
    assert bool(why) is (source is None)


@HOSTILE
@given(st.text(), st.lists(st.sampled_from((HEAD + UPDATES + ADVISORIES + DNF5).splitlines())))
def test_no_text_breaks_the_parsers(text: str, lines: list[str]) -> None:
    assert parse_apt(text, None).packages >= 0
    assert repr(parse_dnf("\n".join([*lines, text]))).isprintable()
