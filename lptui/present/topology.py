"""The fleet drawn: clients, balancers, orchestrators and their transcoders, keys, RPC endpoints.

Used by the screen and, without tones, by the text report: it imports nothing that draws.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from lptui.fleet.facts.host import Origin
from lptui.fleet.layout import Group, Layout, Member
from lptui.fleet.links import Link, LinkKind, LinkState
from lptui.fleet.roles import Setting
from lptui.fleet.topology import Fleet, Role
from lptui.present.model import Line, Span, State, Tone
from lptui.text import clean, plural

Verdict = Callable[[str, str], tuple[State, str]]
"""What the checks say of a thing by its kind and name: its state, and why it is not well."""

MANY: Final = 6
"""More transcoders than these under one orchestrator are counted, as far as they are well."""

_LINK_WORDS: Final = {
    LinkState.UP: ("up", Tone.OK),
    LinkState.DOWN: ("DOWN", Tone.CRITICAL),
    LinkState.OFF: ("off", Tone.MUTED),
    LinkState.UNKNOWN: ("?", Tone.UNKNOWN),
}

_WORK: Final = (
    (Role.REWARD, "calls reward"),
    (Role.REDEEMER, "redeems tickets"),
    (Role.ROUND_INITIALISER, "initialises rounds"),
)


LEGEND: Final[Line] = (
    Span(" up, DOWN, off, ? of a link; ok, WARN, CRIT, ? of what is at its end", Tone.MUTED),
)


class Pen(NamedTuple):
    """How branches are drawn: the last one of some, the others, and what runs past them."""

    last: str = "└─ "
    other: str = "├─ "
    past: str = "│  "
    none: str = "   "
    arrow: str = "→"


BOX: Final = Pen()
ASCII: Final = Pen("`- ", "|- ", "|  ", "   ", "->")


class Tree(NamedTuple):
    """A line and what hangs on it."""

    line: Line
    branches: Sequence[Tree] = ()


def draw(fleet: Fleet, layout: Layout, verdict: Verdict, pen: Pen = BOX) -> list[Line]:
    """The whole picture, line by line."""
    lines: list[Line] = []
    for group in layout.groups:
        lines += _head(group)
        lines.append(())
    for title, trees in (
        ("Clients", list(_clients(fleet, layout, verdict, pen))),
        ("On chain", list(_signers(layout, verdict, pen))),
        ("Transcoders of nobody known", list(_loose(layout, verdict))),
        ("Gateways", list(_gateways(layout, verdict, pen))),
        ("RPC endpoints", list(_rpcs(fleet, layout, verdict))),
        ("Nobody declared", [Tree((Span(f"{clean(s)}", Tone.WARN),)) for s in layout.strangers]),
    ):
        if trees:
            lines.append((Span(f" {title}", Tone.ACCENT),))
            lines += _drawn(trees, pen)
            lines.append(())
    if not layout.members:
        return [(Span(" no go-livepeer node is declared", Tone.MUTED),)]
    return [*lines, LEGEND]


def settings(layout: Layout) -> Iterator[Line]:
    """The settings in force at each node, written as where they are from."""
    for member in layout.members:
        if member.settings:
            words = [_setting(one) for one in member.settings]
            yield (Span(f" {clean(member.name)}  ", Tone.STRONG), Span("  ".join(words)))


def _setting(setting: Setting) -> str:
    name, value = clean(setting.name, 60), clean(setting.value, 120)
    if setting.origin == Origin.ARGUMENT:
        return f"-{name}" if value == "true" else f"-{name} {value}"
    if setting.origin == Origin.ENVIRONMENT:
        return f"LP_{name.upper()}={value}"
    return f"{name} {value} ({clean(setting.origin, 120)})"


def _head(group: Group) -> Iterator[Line]:
    """Which set-up it is, what is missing, what is doubled."""
    words = "; ".join((str(group.set_up), *group.variants))
    yield (Span(f" {clean(group.name) or 'fleet'}  ", Tone.STRONG), Span(clean(words, 400)))
    for told, parts in (("missing", group.missing), ("doubled", group.doubled)):
        for part in parts:
            yield (Span(f"   {told}  ", Tone.CRITICAL), Span(clean(part, 300)))
    if not group.missing and not group.doubled:
        yield (Span("   ok       ", Tone.OK), Span("no part is missing, none is doubled"))


def _drawn(trees: Sequence[Tree], pen: Pen, before: str = " ") -> Iterator[Line]:
    for at, tree in enumerate(trees):
        is_last = at == len(trees) - 1
        mark = pen.last if is_last else pen.other
        yield (Span(f"{before}{mark}", Tone.MUTED), *tree.line)
        yield from _drawn(tree.branches, pen, before + (pen.none if is_last else pen.past))


def _clients(fleet: Fleet, layout: Layout, verdict: Verdict, pen: Pen) -> Iterator[Tree]:
    """Balancers with their orchestrators, then the orchestrators that clients reach directly."""
    behind: set[str] = set()
    for name, balancer in fleet.balancers.items():
        links = [one for one in layout.links_from(name) if one.kind is LinkKind.CLIENTS]
        found = [(one, layout.member(one.target)) for one in links]
        servers = [
            _orchestrator(layout, member, verdict, pen, link)
            for link, member in found
            if member is not None
        ]
        behind |= {link.target for link in links}
        if servers:
            where = f" on {balancer.host}" if balancer.host else ""
            words = f"{balancer.kind}{where}  {balancer.public_uri or ''}"
            yield Tree(_part(verdict, "balancer", name, words), servers)
    for member in layout.members:
        if member.name not in behind and Role.ORCHESTRATOR in member.roles and not member.resting:
            yield _orchestrator(layout, member, verdict, pen)


def _orchestrator(
    layout: Layout, member: Member, verdict: Verdict, pen: Pen, way: Link | None = None
) -> Tree:
    line = list(_node(layout, member, verdict, pen))
    if way is not None:
        line[:0] = [_link_word(way.state, 4), Span(" ")]
    links = [one for one in layout.links_from(member.name) if one.kind is LinkKind.SEGMENTS]
    return Tree(tuple(line), list(_transcoders(layout, links, verdict)))


def _transcoders(layout: Layout, links: Sequence[Link], verdict: Verdict) -> Iterator[Tree]:
    """Each of them; of many, only those that are not well."""
    told = [(link, layout.member(link.target)) for link in links]
    known = [(link, member) for link, member in told if member is not None]
    bad = [one for one in known if one[0].state is not LinkState.UP or _is_bad(verdict, one[1])]
    shown = known if len(known) <= MANY else bad
    for link, member in shown:
        line = (
            _link_word(link.state, 4),
            Span(" "),
            *_named(verdict, "node", member.name),
            *_host(member),
            *_remark(link),
            *_why(verdict, "node", member.name),
        )
        yield Tree(line)
    left = len(known) - len(shown)
    if left:
        more = f"{left} more, " if shown else f"all {left} "
        yield Tree((Span(f"{more}connected and well", Tone.MUTED),))


def _is_bad(verdict: Verdict, member: Member) -> bool:
    return verdict("node", member.name)[0] is not State.OK


def _loose(layout: Layout, verdict: Verdict) -> Iterator[Tree]:
    """Transcoders whose orchestrator is not known."""
    links = [one for one in layout.links if one.kind is LinkKind.SEGMENTS and not one.source]
    yield from _transcoders(layout, links, verdict)


def _signers(layout: Layout, verdict: Verdict, pen: Pen) -> Iterator[Tree]:
    """What signs beside the orchestrators: redeemers, reward nodes, round initialisers."""
    for member in layout.members:
        work = [words for role, words in _WORK if role in member.roles]
        is_main = Role.ORCHESTRATOR in member.roles and not member.resting
        if work and not is_main:
            yield Tree(tuple(_node(layout, member, verdict, pen)))


def _gateways(layout: Layout, verdict: Verdict, pen: Pen) -> Iterator[Tree]:
    for name in layout.gateways:
        member = layout.member(name)
        if member is not None:
            yield Tree(tuple(_node(layout, member, verdict, pen)))


def _rpcs(fleet: Fleet, layout: Layout, verdict: Verdict) -> Iterator[Tree]:
    """Each endpoint with those that use it; endpoints of nobody's last."""
    users: dict[str, list[str]] = {name: [] for name in fleet.rpcs}
    for link in layout.links:
        if link.kind is LinkKind.CHAIN:
            users.setdefault(link.target, []).append(link.source)
    for name, who in sorted(users.items(), key=lambda item: not item[1]):
        rpc = fleet.rpcs.get(name)
        behind = [one.name for one in fleet.balancers.values() if name in one.servers.values()]
        said = [f"used by {_few(who)}"] if who else []
        said += [f"behind {clean(balancer)}" for balancer in behind]
        if rpc is not None and rpc.reference and not said:
            said = ["to compare with"]
        words = ", ".join(said) or "used by no node"
        if rpc is None:
            yield Tree((Span(f"{clean(name)}  {words}; not declared", Tone.MUTED),))
        else:
            yield Tree(_part(verdict, "rpc", name, words))


def _few(names: Sequence[str]) -> str:
    if len(names) <= MANY:
        return ", ".join(names)
    return f"{', '.join(names[: MANY - 1])} and {plural(len(names) - MANY + 1, 'more', 'more')}"


def _node(layout: Layout, member: Member, verdict: Verdict, pen: Pen) -> Iterator[Span]:
    """A node: its state, what it does, where its tickets go and what it asks of the chain."""
    yield from _named(verdict, "node", member.name)
    if member.resting:
        yield from _host(member)
        yield Span(f"  at rest: {clean(member.resting)}", Tone.MUTED)
        return
    yield Span(f"  {_does(member)}")
    yield from _host(member)
    for link in layout.links_from(member.name):
        if link.kind in (LinkKind.TICKETS, LinkKind.CHAIN):
            yield Span(f"  {pen.arrow} {clean(link.target)} ", Tone.MUTED)
            yield _link_word(link.state)
    yield from _why(verdict, "node", member.name)


def _host(member: Member) -> Line:
    """Where it runs, unless its name says so."""
    return () if member.host == member.name else (Span(f"  on {clean(member.host)}", Tone.MUTED),)


def _does(member: Member) -> str:
    """What a node does in words."""
    work = [words for role, words in _WORK if role in member.roles]
    kinds = [
        str(role)
        for role in (Role.ORCHESTRATOR, Role.TRANSCODER, Role.GATEWAY)
        if role in member.roles
    ]
    if member.node_type and not kinds and not work:
        kinds = [member.node_type]
    return ", ".join((*kinds, *work)) or "of no known role"


def _part(verdict: Verdict, kind: str, name: str, words: str) -> Line:
    return (
        *_named(verdict, kind, name),
        Span(f"  {clean(words, 300)}", Tone.MUTED),
        *_why(verdict, kind, name),
    )


def _named(verdict: Verdict, kind: str, name: str) -> Line:
    state, _ = verdict(kind, name)
    return (Span(f"{state.word:<4} ", state.tone), Span(clean(name), Tone.STRONG))


def _why(verdict: Verdict, kind: str, name: str) -> Line:
    state, note = verdict(kind, name)
    return (Span(f"  {clean(note, 300)}", state.tone),) if note else ()


def _remark(link: Link) -> Line:
    usual = link.state is LinkState.UP and link.detail == "listed"
    return () if usual or not link.detail else (Span(f"  {clean(link.detail, 120)}", Tone.MUTED),)


def _link_word(state: LinkState, width: int = 0) -> Span:
    word, tone = _LINK_WORDS[state]
    return Span(f"{word:<{width}}", tone)
