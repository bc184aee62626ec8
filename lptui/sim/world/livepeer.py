"""A simulated go-livepeer process: what its CLI API and metrics have to tell."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from lptui.fleet.topology import Role
from lptui.fleet.units import Address
from lptui.sim.world.tickets import TicketTable

VERSION: Final = "0.9.2-4f21c0ae"
RPC_POOL_URL: Final = "http://10.20.2.10:8545"
TRANSCODE_BUCKETS: Final = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)
SCORE_BUCKETS: Final = (0.5, 0.75, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 10.0, 20.0)

_SETTING: Final = re.compile(r"""[ \t]*(?:export[ \t]+)?(LP_[A-Z]+)=["']?([^"'\s#]*)""")


@dataclass(slots=True)
class TranscoderLink:
    """A transcoder as its orchestrator sees it, connected since `since`."""

    node: str
    address: str
    port: int
    capacity: int
    sessions: int = 0
    since: float = 0.0


@dataclass(slots=True)
class Work:
    """Counters of the work that a process has done since it started."""

    received: int = 0
    transcoded: int = 0
    failed: int = 0
    uploaded: int = 0
    tickets: int = 0
    winning: int = 0
    ticket_value_gwei: float = 0.0
    redeemed_gwei: float = 0.0
    redemption_errors: int = 0
    reward_errors: int = 0
    payment_errors: int = 0
    transcode_seconds: float = 0.0
    transcode_buckets: list[int] = field(default_factory=lambda: [0] * len(TRANSCODE_BUCKETS))
    score_sum: float = 0.0
    score_buckets: list[int] = field(default_factory=lambda: [0] * len(SCORE_BUCKETS))

    def grow(self, times: int) -> None:
        """Multiplies what has been counted so far, for a process that has run for days."""
        self.received *= times
        self.transcoded *= times
        self.failed *= times
        self.uploaded *= times
        self.tickets *= times
        self.ticket_value_gwei *= times
        self.transcode_seconds *= times
        self.transcode_buckets = [count * times for count in self.transcode_buckets]
        self.score_sum *= times
        self.score_buckets = [count * times for count in self.score_buckets]

    def transcode(self, seconds: float) -> None:
        """Counts one transcoded segment of two seconds of video."""
        self.transcoded += 1
        self.transcode_seconds += seconds
        score = 2.0 / seconds
        self.score_sum += score
        for index, bound in enumerate(TRANSCODE_BUCKETS):
            self.transcode_buckets[index] += seconds <= bound
        for index, bound in enumerate(SCORE_BUCKETS):
            self.score_buckets[index] += score <= bound


@dataclass(slots=True)
class LivepeerProcess:
    """One go-livepeer process.

    Attributes:
        recipient: the registered orchestrator that it works for (`-ethOrchAddr`).
        rpc_url, orchestrator: `-ethUrl` and `-orchAddr`, in the environment file if it has one.
        home: the orchestrator node that a transcoder registers with; `rejected`: in vain, while
            the process lives on (livepeer.md §3.4).
        standby_for: the node whose key it is to take over.
        capacity: `-maxSessions`; `cap` is what `/setMaxSessions` made of it.
        block: newest L2 block that its watcher has seen.
        round_seen: newest round whose beginning it has reacted to.
        monitor: started with `-monitor`; tx_routes: with `-enableCliTxRoutes`.
        stalled_at: L2 block at which its block watcher stopped, None while it follows.
        reward_service: calls reward after each NewRound; `reward_fault` makes that one try fail.
        failed_tries: its own calls of reward that failed, by time (UTC s), round and reason.
        claims_reward: says that it called reward in every round, whatever the chain has.
        call_fault: what a manual `/reward` fails with, "" for nothing.
        reward_seconds: how long a `/reward` takes to be mined.
    """

    name: str
    host: str
    roles: frozenset[Role]
    unit: str
    cli_port: int
    cli_address: str = "127.0.0.1"
    public_port: int | None = None
    service_uri: str = ""
    account: Address | None = None
    recipient: Address | None = None
    rpc: str = ""
    rpc_url: str = RPC_POOL_URL
    orchestrator: str = ""
    home: str = ""
    environment_file: str = ""
    standby_for: str = ""
    rejected: bool = False
    version: str = VERSION
    running: bool = True
    started: float = 0.0
    monitor: bool = True
    tx_routes: bool = True
    capacity: int = 0
    cap: int | None = None
    sessions: int = 0
    links: list[TranscoderLink] = field(default_factory=list)
    work: Work = field(default_factory=Work)
    queue: TicketTable = field(default_factory=TicketTable)
    max_gas_price: int | None = None
    min_gas_price: int = 0
    block: int = 0
    stalled_at: int | None = None
    round_seen: int = 0
    reward_service: bool = False
    initialises: bool = True
    reward_fault: str = ""
    call_fault: str = ""
    claims_reward: bool = False
    failed_tries: list[tuple[float, int, str]] = field(default_factory=list)
    reward_seconds: float = 4.0
    reward_tried: int = 0
    log_level: int = 3
    price: str = "620"
    cli: str = "up"

    @property
    def node_type(self) -> str:
        """The `node_type` label of its metrics."""
        for role, label in (
            (Role.ORCHESTRATOR, "orch"),
            (Role.TRANSCODER, "trcr"),
            (Role.REDEEMER, "rdmr"),
            (Role.GATEWAY, "bctr"),
        ):
            if role in self.roles:
                return label
        return "dflt"

    @property
    def has_chain(self) -> bool:
        return self.account is not None

    @property
    def data_dir(self) -> str:
        """Its data directory; "" for the one in its user's home."""
        return f"/var/lib/livepeer/{self.name}" if Role.REDEEMER in self.roles else ""

    @property
    def database(self) -> str:
        """Its database, where that is told."""
        return f"{self.data_dir}/lpdb.sqlite3" if self.data_dir else ""

    @property
    def max_sessions(self) -> int:
        """Sessions that it takes at most."""
        return self.capacity if self.cap is None else self.cap

    @property
    def listens(self) -> tuple[tuple[str, int], ...]:
        """The sockets of its process."""
        public = (("*", self.public_port),) if self.public_port is not None else ()
        return ((self.cli_address, self.cli_port), *public)

    def settings(self) -> str:
        """Its environment file as it was written when the node was set up."""
        lines = [f"# {self.name}: read by {self.unit} as it starts"]
        if self.has_chain:
            lines.append(f"LP_ETHURL={self.rpc_url}")
        if self.orchestrator:
            lines.append(f"LP_ORCHADDR={self.orchestrator}")
        return "\n".join(lines) + "\n"

    def configure(self, text: str) -> None:
        """Takes the settings of an environment file; the last line of a variable counts."""
        lines = (_SETTING.match(line) for line in text.splitlines())
        found = {match[1]: match[2] for match in lines if match is not None}
        self.rpc_url = found.get("LP_ETHURL") or self.rpc_url
        self.orchestrator = found.get("LP_ORCHADDR") or self.orchestrator

    def argv(self) -> tuple[str, ...]:
        """Its command line."""
        words = ["/usr/local/bin/livepeer"]
        for role, flag in (
            (Role.ORCHESTRATOR, "-orchestrator"),
            (Role.TRANSCODER, "-transcoder"),
            (Role.REDEEMER, "-redeemer"),
            (Role.GATEWAY, "-gateway"),
            (Role.REWARD, "-reward"),
            (Role.ROUND_INITIALISER, "-initializeRound"),
        ):
            if role in self.roles:
                words.append(flag)
        address = self.cli_address.replace("*", "0.0.0.0")  # noqa: S104
        words += ["-cliAddr", f"{address}:{self.cli_port}", "-v", str(self.log_level)]
        if self.has_chain:
            words += ["-network", "arbitrum-one-mainnet", "-ethUrl", self.rpc_url]
            words += ["-ethAcctAddr", str(self.account)]
            words += ["-ethPassword", "/etc/livepeer/password"]
        if self.data_dir:
            words += ["-dataDir", self.data_dir]
        if self.recipient and self.recipient != self.account:
            words += ["-ethOrchAddr", str(self.recipient)]
        if Role.ORCHESTRATOR in self.roles:
            words += ["-serviceAddr", self.service_uri.removeprefix("https://")]
            words += ["-orchSecret", "/etc/livepeer/orch-secret", "-redeemerAddr", "10.20.1.5:8945"]
            words += ["-pricePerUnit", self.price, "-maxSessions", str(self.capacity)]
        if Role.TRANSCODER in self.roles:
            words += ["-orchAddr", self.orchestrator, "-orchSecret", "/etc/livepeer/orch-secret"]
            words += ["-nvidia", "all", "-maxSessions", str(self.capacity)]
        if self.tx_routes:
            words.append("-enableCliTxRoutes")
        if self.monitor:
            words.append("-monitor")
        return tuple(words)
