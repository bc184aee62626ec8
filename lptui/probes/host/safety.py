"""How safe a host is, once an hour: logins by SSH, updates that wait, encryption, its name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar, Final

from lptui.errors import LptuiError
from lptui.fleet.facts.safety import HostSafety, SshLogins
from lptui.fleet.topology import Host, Intervals
from lptui.probes.host import safety_commands as commands
from lptui.probes.host.base import HostProbe
from lptui.probes.host.safety_parse import parse_core, parse_fqdn, parse_look, parse_sshd
from lptui.probes.host.updates import waiting_updates
from lptui.probes.outcome import NOT_FOUND, failure
from lptui.probes.probe import Answer, Asking
from lptui.probes.timing import time_left
from lptui.transport.protocols import Output

HOURLY_S: Final = 3600.0
_BECOME: Final = {"sudo": "sudo", "doas": "doas"}
_UNASKED: Final = 126


class HostSafetyProbe(HostProbe):
    """Root is asked, of sshd alone, only where the configuration states what it must say."""

    name: ClassVar[str] = "host-safety"
    topic: ClassVar[type] = HostSafety
    asks: ClassVar[str] = "/sys, sshd, apt or dnf, rpm"

    def pace(self, intervals: Intervals) -> float:
        return max(HOURLY_S, intervals.slow)

    async def ask(self, asking: Asking, target: str) -> Sequence[Answer]:
        host = asking.fleet.hosts[target]
        left = time_left(asking)
        sshd = commands.sshd(become_for(host))
        asked = [commands.SAFETY, commands.FQDN, commands.CORE, sshd]
        look, name, core, settings = await asking.reach.shell(target).run(asked, left())
        if not look.stdout.strip():
            raise failure(f"mounts and devices of {target}", look)
        found = parse_look(look.text, host.mounts or ("/",))
        logins, logins_problem = _logins(settings, host)
        updates, updates_problem = found.notified, ""
        if host.safety.security_updates is not None:
            updates, updates_problem = await waiting_updates(asking, target, found.lists_at, left)
        value = HostSafety(
            parse_fqdn(name.text) if name.status == 0 else "",
            logins,
            logins_problem,
            updates,
            updates_problem,
            found.volumes,
            parse_core(core.text),
        )
        return [Answer(self.key(target), value)]


def become_for(host: Host) -> str:
    """Who is asked to become root for sshd's settings; "" for nobody."""
    return _BECOME.get(host.privilege, "") if host.safety.keys_only else ""


def _logins(output: Output, host: Host) -> tuple[SshLogins | None, str]:
    """The settings, or why they are not known."""
    if output.status == NOT_FOUND:
        return None, "no OpenSSH server is installed there"
    if output.status == _UNASKED:
        return None, "only root may ask sshd there: state `safety.logins`, and see `lptui sudoers`"
    try:
        if output.status != 0:
            remedy = f"see `lptui sudoers {host.name}` for the rule"
            said = output.stdout.removeprefix(commands.AS_ROOT)
            raise failure("sshd -T", replace(output, stdout=said), remedy)
        return parse_sshd(output.text), ""
    except LptuiError as error:
        return None, f"{error}; {error.remedy}" if error.remedy else str(error)
