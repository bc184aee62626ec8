"""What a check of the configuration sees: its sections, the names in it, and every place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from lptui.config.load import Document, Loc
from lptui.config.mistakes import Mistake, nearest, one_of, shown
from lptui.config.schema import (
    BalancerSpec,
    Config,
    HostSpec,
    NodeSpec,
    OrchestratorSpec,
    RpcSpec,
    SignerSpec,
)


@dataclass(frozen=True, slots=True)
class View:
    """A configuration with the file that it came from.

    `wrong` are the places of values that were left out of `config`; what is not there because
    of that is no second mistake. `names` are those in the file, entries with mistakes included.
    """

    config: Config
    document: Document
    wrong: tuple[Loc, ...] = ()
    names: Mapping[str, frozenset[str]] = field(init=False)

    def __post_init__(self) -> None:
        places: dict[str, tuple[str, ...]] = {
            "host": ("hosts",),
            "node": ("nodes",),
            "rpc": ("rpcs",),
            "orchestrator": ("chain", "orchestrators"),
        }
        names = {}
        for what, loc in places.items():
            section = self.document.at(loc)
            names[what] = frozenset(section) if isinstance(section, dict) else frozenset()
        object.__setattr__(self, "names", names)

    @property
    def hosts(self) -> Mapping[str, HostSpec]:
        return self.config.hosts or {}

    @property
    def nodes(self) -> Mapping[str, NodeSpec]:
        return self.config.nodes or {}

    @property
    def rpcs(self) -> Mapping[str, RpcSpec]:
        return self.config.rpcs or {}

    @property
    def balancers(self) -> Mapping[str, BalancerSpec]:
        return self.config.balancers or {}

    @property
    def signers(self) -> Mapping[str, SignerSpec]:
        return self.config.signers or {}

    @property
    def orchestrators(self) -> Mapping[str, OrchestratorSpec]:
        chain = self.config.chain
        return (chain.orchestrators or {}) if chain else {}

    def is_wrong(self, loc: Loc, *keys: str) -> bool:
        """Whether a value was left out because of a mistake: one of `keys` at a place."""
        if not self.wrong:
            return False
        depth = len(loc)
        return any(
            tuple(place[:depth]) == tuple(loc) and (len(place) <= depth or place[depth] in keys)
            for place in self.wrong
        )

    def mistake(
        self,
        loc: Loc,
        message: str,
        value: object = None,
        suggestion: str = "",
        *,
        key: bool = False,
    ) -> Mistake:
        """A mistake at a place; at its key with `key`, as for what is missing in it."""
        spot = self.document.spot(loc, key=key)
        return Mistake(
            self.document.path, spot.line, spot.column, message, shown(value), suggestion
        )

    def unknown(
        self, loc: Loc, what: str, name: str, others: tuple[str, ...] = ()
    ) -> Iterator[Mistake]:
        """A mistake when there is no such host, node, rpc or orchestrator."""
        names = self.names[what]
        if name in names or name in others:
            return
        if "://" in name:
            yield self.mistake(
                loc, f"'{shown(name)}' is a URL: give it an entry of its own, and name that", name
            )
            return
        suggestion = nearest(name, (*sorted(names), *others))
        hint = "" if suggestion or not names else f"; known: {one_of(sorted(names))}"
        hint = hint or ("" if names else f"; there is no {what} in the file")
        yield self.mistake(loc, f"unknown {what} '{shown(name)}'{hint}", name, suggestion)
