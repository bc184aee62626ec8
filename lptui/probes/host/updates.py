"""How many updates wait on a host: what its package manager counts by the lists that it has.

Nothing here renews a list, and nothing waits for another's lock.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from lptui.errors import LptuiError
from lptui.fleet.facts.safety import PendingUpdates
from lptui.probes.numbers import decimal
from lptui.probes.outcome import NOT_FOUND
from lptui.probes.probe import Asking
from lptui.text import clean
from lptui.transport.protocols import Command, ExecResult

Counted = tuple[PendingUpdates | None, str]
"""What was counted, and why nothing was, or not what is for security."""

_MOST_S: Final = 7.0
_LIMIT: Final = 4 * 1024 * 1024

APT: Final = Command(
    (
        *("env", "LC_ALL=C", "nice", "-n", "19", "apt-get", "-s", "-o", "Debug::NoLocking=1"),
        # Root would write what it has computed; others may not, and only warn of it.
        *("-o", "Dir::Cache::pkgcache=", "-o", "Dir::Cache::srcpkgcache="),
        *("--with-new-pkgs", "upgrade"),
    ),
    timeout_s=_MOST_S,
    limit=_LIMIT,
)
"""What an upgrade would do, by the lists that are there; new packages have no version in brackets.

    Inst libssl3 [3.0.11-1] (3.0.15-1 Debian-Security:12/stable-security [amd64])
    Conf libssl3 (3.0.15-1 Debian-Security:12/stable-security [amd64])
"""

_ASKS_DNF: Final = (
    "for x in dnf yum none; do command -v $x >/dev/null && break; done; "
    '[ $x != none ] || exit 127; echo "tool $x"; '
    "stat -c 'lists %Y' /var/cache/dnf/*/repodata/*primary* "
    "/var/cache/libdnf5/*/repodata/*primary* /var/cache/yum/*/*/*/*primary* 2>/dev/null; "
    "for f in /var/cache/dnf/*/repodata/*updateinfo* /var/cache/libdnf5/*/repodata/*updateinfo* "
    "/var/cache/yum/*/*/*/*updateinfo*; do if [ -e $f ]; then echo advised; break; fi; done; "
    'x="nice -n 19 $x -C --setopt=exit_on_lock=1"; LC_ALL=C; export LC_ALL; '
    '$x check-update; echo "ended updates $?"; $x updateinfo list; echo "ended advisories $?"'
)

DNF: Final = Command(("sh", "-c", _ASKS_DNF), timeout_s=_MOST_S, limit=_LIMIT, merge_stderr=True)
"""dnf 4, or yum 3 where there is none, from the system's cache alone (`-C`: dnf(8), yum(8)), which
every login may read; dnf 5 words its advisories otherwise. Status 100: there are updates.

    tool dnf
    lists 1763668000                          (of each repository's packages)
    advised                                   (one of them has advisories)
    Last metadata expiration check: 0:00:01 ago on Fri Nov 27 22:24:44 2026.
    alpha.noarch                              1.1-2                              lab
    ended updates 100
    LAB-2026:0001 Important/Sec. alpha-1.1-2.noarch
    LAB-2026:0002 bugfix         gamma-1.1-2.noarch
    ended advisories 0

dnf 5:

    Name                   Type        Severity                  Package              Issued
    FEDORA-2025-0738949695 unspecified None     incremental-24.7.2-1.fc41.noarch 2025-03-18 02:17:53

Without a cache dnf 4 ends with 0 all the same:

    Error: Cache-only enabled but no cache for 'lab'
    Ignoring repositories: lab
"""

_INST: Final = re.compile(r"Inst (\S+)(?: \[[^\]]*\])? \(([^)]*)\)")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,200}\.[a-z0-9_]{2,16}", re.ASCII)
_FULL: Final = re.compile(
    r"([A-Za-z0-9][A-Za-z0-9_.+-]{0,200})-[^-\s]{1,80}-[^-\s]{1,80}(\.[a-z0-9_]{2,16})", re.ASCII
)
_LOCKED: Final = "200"
_IGNORED: Final = "Ignoring repositories: "
_OWN: Final = "_dnf_local"
"""The repository of dnf's plugin `local`: what was installed before, and never a list to renew."""


async def waiting_updates(
    asking: Asking, target: str, lists_at: float | None, left: Callable[[], float]
) -> Counted:
    """Asks apt where it has lists, else dnf or yum, in a channel of its own: it takes a second or
    two of a processor. `left` gives the seconds that there are."""

    async def run(command: Command) -> ExecResult:
        patience = min(command.timeout_s, left())
        return await asking.reach.execute(target, replace(command, timeout_s=patience))

    try:
        done = await run(APT) if lists_at is not None else None
        if done is not None and done.status != NOT_FOUND:
            return _by_apt(done, lists_at)
        done = await run(DNF)
        if done.status != NOT_FOUND:
            return parse_dnf(done.stdout.decode("utf-8", "replace"))
    except LptuiError as error:
        return None, str(error)
    return None, "neither lists of apt nor dnf or yum there: updates are not counted"


def _by_apt(done: ExecResult, lists_at: float | None) -> Counted:
    if done.status != 0:
        said = done.stderr.decode("utf-8", "replace").partition("\n")[0]
        return None, clean(f"apt-get ended with {done.status}: {said}", 160)
    return parse_apt(done.stdout.decode("utf-8", "replace"), lists_at), ""


def parse_apt(text: str, lists_at: float | None) -> PendingUpdates:
    """What `apt-get -s upgrade` would install, and what of it is from a security archive."""
    origins: dict[str, str] = {}
    for line in text.split("\n"):
        found = _INST.match(line)
        if found is not None:
            origins[found[1]] = found[2]
    security = sum(1 for origin in origins.values() if "security" in origin.lower())
    return PendingUpdates(len(origins), security, "apt-get", lists_at)


@dataclass(slots=True)
class _Told:
    """What dnf or yum has said; packages by name and architecture."""

    tool: str = ""
    lists: list[float] = field(default_factory=list)
    advised: bool = False
    packages: set[str] = field(default_factory=set)
    security: set[str] = field(default_factory=set)
    ended: dict[str, str] = field(default_factory=dict)
    ignored: dict[str, None] = field(default_factory=dict)
    said: str = ""
    obsoletes: bool = False

    def take(self, line: str) -> None:
        words = line.split()
        if line.startswith(_IGNORED):
            names = (name.strip() for name in line.removeprefix(_IGNORED).split(","))
            self.ignored |= dict.fromkeys(name for name in names if name != _OWN)
        elif line.lower().startswith("obsoleting"):
            self.obsoletes = True  # what follows is told again, with what it replaces
        elif words[:1] == ["ended"] and len(words) == 3:
            self.ended.setdefault(words[1], words[2])
        elif "updates" in self.ended:
            self._advisory(words)
        elif words[:1] == ["tool"] and len(words) == 2:
            self.tool = clean(words[1], 20)
        elif words[:1] == ["lists"] and len(words) == 2 and (at := decimal(words[1])) is not None:
            self.lists.append(at)
        elif words == ["advised"]:
            self.advised = True
        else:
            self._update(line, words)
        if line.startswith("Error:") and not self.said:
            self.said = clean(line, 120)

    def _update(self, line: str, words: list[str]) -> None:
        # A long name stands alone, its version on the next line.
        if self.obsoletes or line[:1].isspace() or len(words) not in (1, 3):
            return
        if _NAME.fullmatch(words[0]):
            self.packages.add(words[0])

    def _advisory(self, words: list[str]) -> None:
        """`ADVISORY TYPE [SEVERITY] PACKAGE…`"""
        found = next((match for word in words[2:4] if (match := _FULL.fullmatch(word))), None)
        if found is None:
            return
        self.advised = True
        if words[1].endswith("/Sec.") or words[1] == "security":
            self.security.add(found[1] + found[2])


def parse_dnf(text: str) -> Counted:
    """What `DNF` printed. Nothing is counted where a repository has no list; what is for security
    is not known where no repository has advisories."""
    told = _Told()
    for line in text.split("\n"):
        told.take(line.rstrip("\r"))
    tool = told.tool or "dnf"
    if told.ignored:
        missing = clean(", ".join(list(told.ignored)[:4]), 120)
        return None, f"{tool} has no lists of {missing}: let root run `{tool} makecache` there"
    if _LOCKED in told.ended.values():
        return None, f"another {tool} is at work there: it is asked again later"
    if told.ended.get("updates") not in ("0", "100") or told.ended.get("advisories") != "0":
        return None, f"{tool} did not count them{f': {told.said}' if told.said else ''}"
    if not told.lists:
        return None, f"{tool} has no lists there: let root run `{tool} makecache`"
    # A security update is one of all, though it be of another repository than the newest.
    counted = PendingUpdates(
        len(told.packages | told.security),
        len(told.security) if told.advised else None,
        tool,
        max(told.lists),
    )
    return counted, "" if told.advised else "no repository there tells what is for security"
