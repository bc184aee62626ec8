"""The `livepeer` processes of a host with their settings, without secrets.

go-livepeer takes its settings from the command line, else from `LP_` variables, else from the file
that `-config` names (peterbourgon/ff: one `name value` a line).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Final
from urllib.parse import urlsplit

from lptui.errors import BadAnswerError
from lptui.fleet.facts.host import HostProcesses, LivepeerProcess, Origin
from lptui.probes.host import listing
from lptui.probes.host.base import HostProbe
from lptui.probes.numbers import count
from lptui.probes.outcome import failure
from lptui.probes.probe import Answer, Asking
from lptui.text import clean

LITERAL: Final = "<literal>"
_MARKS: Final = frozenset({LITERAL, "<file>", "<path>", "<empty>"})
_SECRET: Final = re.compile(r"password|secret|creds|key$|token|headers|uri$", re.IGNORECASE)
_SECRET_INSIDE: Final = re.compile(r"password|secret|token|api.?key|bearer", re.IGNORECASE)
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,60}", re.ASCII)
_OTHER_PROGRAMS: Final = re.compile(r"cli|bench|router|export", re.IGNORECASE)
_UNIT: Final = re.compile(r"([^/]+\.(?:service|scope))(?:/|$)")
_MOST_FLAGS: Final = 200
_VALUE_LIMIT: Final = 400

SWITCHES: Final = frozenset(
    {
        "orchestrator",
        "transcoder",
        "gateway",
        "broadcaster",
        "redeemer",
        "aiworker",
        "remotesigner",
        "reward",
        "initializeround",
        "monitor",
        "metricsperstream",
        "metricsclientip",
        "enableclitxroutes",
        "testtranscoder",
        "startupavailabilitycheck",
        "autoadjustprice",
        "localverify",
        "httpingest",
        "hevcdecoding",
        "currentmanifest",
        "aiserviceregistry",
        "aiverboselogs",
        "ignoremaxpriceifneeded",
        "ignoresenderreserve",
        "version",
    }
)
"""Flags, in lower case, that never take the next word as their value (go-livepeer's flags.go)."""

Flags = list[tuple[str, str]]


@dataclass(slots=True)
class _Raw:
    """A process as its host told it; None for a source that was not to be read."""

    pid: int
    user: str
    cgroup: str
    words: list[str] = field(default_factory=list)
    environment: list[str] | None = None
    file: list[str] | None = None

    def source(self, mark: str) -> list[str]:
        """Where a line with that mark belongs."""
        if mark == " ":
            return self.words
        name = "environment" if mark == "+" else "file"
        if getattr(self, name) is None:
            setattr(self, name, [])
        found: list[str] = getattr(self, name)
        return found


def parse(text: str) -> HostProcesses:
    """The processes; raises BadAnswerError when a line belongs to none.

    Go's flags: one or two dashes, `-flag value` or `-flag=value`, a bare flag where the next word
    is another flag. Values of secret flags are dropped whatever the host sent.
    """
    found: list[_Raw] = []
    hidden = False
    for line in text.split("\n"):
        if line == "hidden" and not found:
            hidden = True
        elif line.startswith("process "):
            found.append(_process(line))
        elif line[:1] in (" ", "+", "=") and found:
            kept = found[-1].source(line[0])
            if (line[1:] or line == " ") and len(kept) < 2 * _MOST_FLAGS:
                kept.append(line[1:])
        elif line:
            raise BadAnswerError("processes", f"unexpected {clean(line, 60)!r}")
    known = [(_livepeer(raw), _is_node(raw)) for raw in found if raw.words]
    return HostProcesses(
        tuple(process for process, is_node in known if is_node),
        hidden,
        tuple(process for process, is_node in known if not is_node),
    )


class HostProcessesProbe(HostProbe):
    name: ClassVar[str] = "host-processes"
    topic: ClassVar[type] = HostProcesses
    asks: ClassVar[str] = "/proc/*/cmdline"

    async def ask(self, asking: Asking, target: str) -> Sequence[Answer]:
        [output] = await asking.reach.shell(target).run([listing.PROCESSES], asking.deadline_s)
        if output.status >= 126:
            raise failure(f"processes of {target}", output)
        return [Answer(self.key(target), parse(output.text))]


def _process(line: str) -> _Raw:
    words = line.split(" ", 3)
    pid = count(words[1]) if len(words) == 4 else None
    if pid is None:
        raise BadAnswerError("processes", f"unexpected {clean(line, 60)!r}")
    return _Raw(pid, clean(words[2], 40), clean(words[3], 300))


def _program(raw: _Raw) -> str:
    return raw.words[0].rpartition("/")[2]


def _is_node(raw: _Raw) -> bool:
    return not _OTHER_PROGRAMS.search(_program(raw))


def _livepeer(raw: _Raw) -> LivepeerProcess:
    given = arguments(raw.words[1:])
    environment = _environment(raw.environment or ())
    named = {name.lower(): value for name, value in [*environment, *given]}
    config = named.get("config", "")
    sources = {
        Origin.FILE: _file(raw.file or ()) if config else [],
        Origin.ENVIRONMENT: environment,
        Origin.ARGUMENT: given,
    }
    flags = [flag for flags_of in sources.values() for flag in flags_of]
    literal = any(name.lower() == "ethpassword" and value == LITERAL for name, value in given)
    units = _UNIT.findall(raw.cgroup)
    unread = []
    if config and raw.file is None:
        unread.append(Origin.FILE)
    if raw.environment is None:
        unread.append(Origin.ENVIRONMENT)
    return LivepeerProcess(
        pid=raw.pid,
        user=raw.user,
        flags=tuple((name, "" if value == LITERAL else value) for name, value in flags),
        literal_password=literal,
        unit=units[-1] if units else "",
        origins=tuple(origin for origin, flags_of in sources.items() for _ in flags_of),
        config_file=config,
        unread=tuple(unread),
        program="livepeer" if _is_node(raw) else clean(_program(raw), 40),
    )


def arguments(words: Sequence[str]) -> Flags:
    """As Go's `flag` reads them: the first word that is neither flag nor value ends it all.

    Words before the first flag are a wrapper's.
    """
    flags: Flags = []
    rest = list(words[: 2 * _MOST_FLAGS])
    while rest and not is_flag(rest[0]):
        rest.pop(0)
    while rest:
        word = rest.pop(0)
        if not is_flag(word):
            break
        name, is_joined, value = word.lstrip("-").partition("=")
        if not _NAME.fullmatch(name):
            continue
        takes_next = not is_joined and name.lower() not in SWITCHES
        if takes_next and rest and not is_flag(rest[0]):
            value = rest.pop(0)
        flags.append((name, _value(name, value)))
    return flags[:_MOST_FLAGS]


def is_flag(word: str) -> bool:
    """`-monitor`, but not `-1`."""
    return word.startswith("-") and word.lstrip("-")[:1].isalpha()


def _environment(lines: Sequence[str]) -> Flags:
    """`LP_ETHURL=…` as the flag `ethurl`; flag names ignore case."""
    flags: Flags = []
    for line in lines[:_MOST_FLAGS]:
        variable, _, value = line.partition("=")
        name = variable.removeprefix("LP_").lower()
        if variable.startswith("LP_") and _NAME.fullmatch(name):
            flags.append((name, _value(name, value)))
    return flags


def _file(lines: Sequence[str]) -> Flags:
    """`name value`, or a name alone for a switch that is on; a remark begins with ` #`."""
    flags: Flags = []
    for line in lines[:_MOST_FLAGS]:
        name, _, value = line.strip().partition(" ")
        value = f" {value}".partition(" #")[0].strip()
        if _NAME.fullmatch(name):
            flags.append((name, _value(name, value)))
    return flags


def _value(name: str, value: str) -> str:
    """What may be kept of a value: nothing of secrets, no more than scheme and host of a URL.

    Addresses of RPC providers and webhooks carry their keys in path, query or user name.
    """
    if _SECRET.search(name):
        if not value or value in _MARKS:
            return value
        # The host's side should have replaced it; treat it the same way here.
        return "<path>" if value.startswith(("/", "./", "../", "~")) else LITERAL
    if "{" in value and _SECRET_INSIDE.search(value):
        return "<hidden>"
    if "://" in value:
        return ",".join(_bare_url(part) for part in value.split(",")[:16])
    return clean(value, _VALUE_LIMIT)


def _bare_url(url: str) -> str:
    try:
        parts = urlsplit(url.strip())
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return ""
    if not parts.scheme or not host:
        return ""
    return clean(f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{port}", _VALUE_LIMIT)
