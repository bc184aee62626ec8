"""`lptui sudoers`: the rules that a fleet's logins need, and whether a host has them."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from lptui.actions.root_commands import Needed, needed
from lptui.actions.sudoers import FILE, HostFacts, document, rule
from lptui.actions.sudoers_asking import Missing, ask, missing, sources
from lptui.config.mistakes import nearest
from lptui.errors import LptuiError

if TYPE_CHECKING:
    from lptui.fleet.topology import Host
    from lptui.session import Session

LACKS: Final = 1


def sudoers(arguments: argparse.Namespace) -> int:
    """Prints the files of all hosts, or of those that are named; with --check, what lacks there.

    0; 1 when a rule is missing.
    """
    if arguments.format != "text":
        raise LptuiError("sudoers", f"has no format {arguments.format}", "it prints text")
    return asyncio.run(_sudoers(arguments, arguments.words[1:]))


async def _sudoers(arguments: argparse.Namespace, words: Sequence[str]) -> int:
    from lptui.headless.run import open_session

    session = await open_session(arguments)
    try:
        hosts = _named(session, words)
        wanted = await asyncio.gather(*(_wanted(session, host) for host in hosts))
        if arguments.check:
            pairs = zip(hosts, wanted, strict=True)
            found = await asyncio.gather(*(_missing(session, host, *of) for host, of in pairs))
            return _tell(hosts, wanted, found)
        texts = (
            document(host.name, session.fleet.name, facts, needs, host.privilege)
            for host, (facts, needs) in zip(hosts, wanted, strict=True)
        )
        sys.stdout.write("\n".join(texts))
        return 0
    finally:
        await session.close()


def _named(session: Session, words: Sequence[str]) -> list[Host]:
    """The hosts that are meant. Raises LptuiError."""
    fleet = session.fleet
    for word in words:
        if word not in fleet.hosts:
            near = nearest(word, fleet.hosts)
            hint = f"did you mean: {near}?" if near else f"there are: {', '.join(fleet.hosts)}"
            raise LptuiError(f"sudoers {word}", "no such host", hint)
    return [host for name, host in fleet.hosts.items() if not words or name in words]


async def _wanted(session: Session, host: Host) -> tuple[HostFacts, tuple[Needed, ...]]:
    """What a host says of itself, and all that is run as root there."""
    snapshot = await session.look_at(sources(session.fleet, host))
    facts = await ask(session.reach, snapshot, host)
    return facts, needed(snapshot, host, facts.files)


async def _missing(
    session: Session, host: Host, facts: HostFacts, wanted: Sequence[Needed]
) -> tuple[Missing, ...]:
    if facts.trouble:
        raise LptuiError(host.name, f"could not be asked: {facts.trouble}")
    return await missing(session.reach, host, facts, wanted)


def _tell(
    hosts: Iterable[Host],
    wanted: Iterable[tuple[HostFacts, tuple[Needed, ...]]],
    found: Iterable[tuple[Missing, ...]],
) -> int:
    code = 0
    for host, (facts, needs), lacks in zip(hosts, wanted, found, strict=True):
        total = sum(len(one.commands) for one in needs)
        if not lacks:
            sys.stdout.write(f"{host.name}: {facts.login} may run all {total} commands\n")
            continue
        code = LACKS
        sys.stdout.write(f"{host.name}: {len(lacks)} of {total} rules are missing in {FILE}:\n")
        for one in lacks:
            sys.stdout.write(f"  {rule(facts, one.argv)}\n    {one.why}\n")
    return code
