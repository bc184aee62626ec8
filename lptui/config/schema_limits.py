"""Sections of limits: when a check speaks up, how often is asked, what changes may do."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from lptui.config.kinds import Amount, Celsius, Duration, Name, PercentValue, Text
from lptui.config.parts import MANY, Count, Number, Part, words
from lptui.config.schema_upkeep import Size
from lptui.config.windows import LocalWindowText, WindowText, ZoneName

SeverityWord = Annotated[
    str,
    *words(
        "severity",
        ("warning", "critical", "unknown"),
        {"warn": "warning", "crit": "critical", "error": "critical"},
    ),
]


class ThresholdSpec(Part):
    """Limits for the checks; what is left out keeps its default."""

    reward_grace: Duration | None = Field(
        None, description="time after a round's start before a missing reward is looked at; 30m"
    )
    reward_warn_left: PercentValue | None = Field(
        None, description="part of the round that is left when a missing reward is a warning; 50%"
    )
    reward_critical_blocks: Count | None = Field(
        None, description="L1 blocks left when a missing reward is critical; 600"
    )
    round_init_grace: Duration | None = Field(
        None, description="time a round may stay uninitialised; 15m"
    )
    balance_warn: Amount | None = Field(
        None, description="a signer's balance: warning below; 0.05 ETH"
    )
    balance_critical: Amount | None = Field(
        None, description="a signer's balance: critical below; 0.01 ETH"
    )
    deposit_warn: Amount | None = Field(
        None, description="a gateway's deposit: warning below; 0.05 ETH"
    )
    deposit_critical: Amount | None = Field(
        None, description="a gateway's deposit: critical below; 0.01 ETH"
    )
    reserve_warn: Amount | None = Field(
        None, description="a gateway's reserve: warning below; 0.05 ETH"
    )
    reserve_critical: Amount | None = Field(
        None, description="a gateway's reserve: critical below; 0.01 ETH"
    )
    runway_warn_rounds: Count | None = Field(
        None, description="rounds that a balance lasts: warning below; 30"
    )
    runway_critical_rounds: Count | None = Field(
        None, description="rounds that a balance lasts: critical below; 7"
    )
    reward_gas: Count | None = Field(None, description="gas of one reward call; 500000")
    tickets_warn_left: PercentValue | None = Field(
        None, description="part of the round that is left when tickets that expire warn; 50%"
    )
    tickets_critical_blocks: Count | None = Field(
        None, description="L1 blocks left when tickets that expire are critical; 600"
    )
    pending_nonce: Duration | None = Field(
        None, description="how long a transaction may stay pending; 5m"
    )
    head_age_warn: Duration | None = Field(
        None, description="age of an endpoint's newest block: warning; 30s"
    )
    head_age_critical: Duration | None = Field(
        None, description="age of an endpoint's newest block: critical; 2m"
    )
    head_lag_warn_blocks: Count | None = Field(
        None, description="blocks behind the best endpoint: warning; 40"
    )
    head_lag_critical_blocks: Count | None = Field(
        None, description="blocks behind the best endpoint: critical; 400"
    )
    l1_lag_warn_blocks: Count | None = Field(
        None, description="L1 blocks that an endpoint's view of L1 is old: warning; 25"
    )
    l1_lag_critical_blocks: Count | None = Field(
        None, description="L1 blocks that an endpoint's view of L1 is old: critical; 150"
    )
    rpc_slow: Duration | None = Field(
        None, description="usual time of an endpoint's answers: warning; 2s"
    )
    rpc_failed_warn: PercentValue | None = Field(
        None, description="requests of a quarter of an hour that failed: warning; 10%"
    )
    watcher_lag_blocks: Count | None = Field(
        None, description="blocks a node's own watcher may be behind its endpoint; 600"
    )
    sessions_warn: PercentValue | None = Field(
        None, description="sessions of a node's capacity: warning; 90%"
    )
    gpu_temperature_warn: Celsius | None = Field(None, description="a GPU: warning; 83 C")
    gpu_temperature_critical: Celsius | None = Field(None, description="a GPU: critical; 90 C")
    encoder_warn: PercentValue | None = Field(
        None, description="a GPU's encoder in use: warning; 95%"
    )
    decoder_warn: PercentValue | None = Field(
        None, description="a GPU's decoder in use: warning; 95%"
    )
    stake_margin_warn: PercentValue | None = Field(
        None,
        description="what an orchestrator may lose of its stake before it is the last of a full "
        "pool: warning below this share; 5%",
    )
    stake_drop_warn: PercentValue | None = Field(
        None, description="stake lost since the last round: warning; 10%"
    )
    disk_warn: PercentValue | None = Field(None, description="disk in use: warning; 85%")
    disk_critical: PercentValue | None = Field(None, description="disk in use: critical; 95%")
    disk_days_warn: Number | None = Field(
        None, description="days until a disk is full, as it grows: warning below; 7"
    )
    disk_days_critical: Number | None = Field(
        None, description="days until a disk is full, as it grows: critical below; 2"
    )
    memory_warn: PercentValue | None = Field(None, description="memory in use: warning; 92%")
    memory_critical: PercentValue | None = Field(None, description="memory in use: critical; 97%")
    load_warn_per_cpu: Number | None = Field(
        None, description="load average a processor: warning; 2"
    )
    fd_warn: PercentValue | None = Field(
        None, description="open files of a process's limit: warning; 70%"
    )
    fd_critical: PercentValue | None = Field(
        None, description="open files of a process's limit: critical; 90%"
    )
    clock_warn: Duration | None = Field(None, description="clock offset: warning; 500ms")
    clock_critical: Duration | None = Field(None, description="clock offset: critical; 2s")
    restarts_warn: Count | None = Field(
        None, description="restarts of a unit since it was watched: warning; 3"
    )
    log_errors_warn: Count | None = Field(
        None, description="errors in a node's log in an hour: warning; 300"
    )
    log_size_warn: Size | None = Field(
        None, description="files of a declared log together: warning; 10 GB"
    )
    log_rotation: Duration | None = Field(
        None, description="since logrotate last ran, where a log is in files: warning; 8d"
    )
    transcoder_grace: Duration | None = Field(
        None, description="how long a transcoder may take to come back; 90s"
    )
    min_peers: Count | None = Field(None, description="peers of an RPC node: warning below; 3")
    min_orchestrators: Count | None = Field(
        None, description="orchestrators that take work: critical below; 1"
    )
    stale_intervals: Number | None = Field(
        None, description="missed intervals after which a reading is stale; 3"
    )


class RewardRetrySpec(Part):
    """When lptui calls reward by itself; what is left out keeps its default."""

    tries: Annotated[int, Field(ge=1, le=20)] | None = Field(
        None, description="most calls in a round, whoever makes them; 3"
    )
    spacing: Duration | None = Field(
        None, description="least time between two; 20m, twice what a node may take for one"
    )
    after: Duration | None = Field(
        None, description="none so soon after a round's start; 30m. The node's own try comes first"
    )
    last_blocks: Count | None = Field(
        None, description="none when no more L1 blocks of the round are left; 20"
    )
    max_gas_price: Amount | None = Field(
        None, description="none while gas costs more; else the node's own cap holds alone"
    )


class IntervalSpec(Part):
    """How often each kind of source is asked; what is left out keeps its default."""

    fast: Duration | None = Field(None, description="load, memory, traffic of hosts; 2s")
    units: Duration | None = Field(None, description="systemd units and containers; 10s")
    gpu: Duration | None = Field(None, description="GPUs; 5s")
    slow: Duration | None = Field(None, description="disks, listeners, processes; 1m")
    node: Duration | None = Field(None, description="a node's own status; 5s")
    metrics: Duration | None = Field(None, description="a node's metrics; 15s")
    identity: Duration | None = Field(None, description="a node's accounts and settings; 5m")
    chain: Duration | None = Field(None, description="round, stake, balances; 6s")
    events: Duration | None = Field(None, description="Reward and round events; 1m")
    explorer: Duration | None = Field(None, description="a block explorer; 10m")
    rpc: Duration | None = Field(None, description="heads of the RPC endpoints; 4s")
    balancer: Duration | None = Field(None, description="load balancers; 3s")
    timeout: Duration | None = Field(None, description="longest wait for one answer; 8s")


class PagingSpec(Part):
    """Who may be woken by what; without it nothing is said of pages."""

    quiet_hours: Annotated[list[LocalWindowText], MANY] = Field(
        min_length=1, description="when only what cannot wait is worth a page, by the local clock"
    )
    timezone: ZoneName | None = Field(None, description="of the quiet hours; UTC")
    severities: Annotated[list[SeverityWord], MANY] | None = Field(
        None, min_length=1, description="what pages outside of them; warning, critical, unknown"
    )
    quiet_severities: Annotated[list[SeverityWord], MANY] | None = Field(
        None, min_length=1, description="what pages inside of them; critical, unknown"
    )
    always: Annotated[list[Name], MANY] | None = Field(
        None, min_length=1, description="checks that page at any hour when they are not well"
    )
    can_wait: Annotated[list[Name], MANY] | None = Field(
        None,
        min_length=1,
        description="checks that wait for the end of the quiet hours, unless money is lost by then",
    )


class GuardSpec(Part):
    """What every change must keep to; what is left out keeps its default."""

    min_backends: Annotated[int, Field(ge=1, le=10_000)] | None = Field(
        None, description="servers that each pool must keep in service; 1"
    )
    max_unavailable: Annotated[int, Field(ge=1, le=10_000)] | None = Field(
        None, description="nodes that a coordinated restart takes away at once; 1"
    )
    cool_down: Duration | None = Field(
        None, description="pause between two changes of the same target; 0s"
    )
    windows: Annotated[list[WindowText], MANY] | None = Field(
        None, min_length=1, description="when changes may be made, in UTC; else always"
    )
    safe_blocks: Count | None = Field(
        None,
        description="L1 blocks of a round that must be left for a restart --when-safe; 300",
    )
    lock_hosts: Annotated[list[Text], MANY] | None = Field(
        None,
        min_length=1,
        description="hosts for the lock that keeps two operators apart, the first three "
        "that answer have it; else all",
    )
