"""The facts that reports know, in the order of the console's panes."""

from __future__ import annotations

from typing import Final

from lptui.fleet.facts.activity import HostActivity, HostPrograms
from lptui.fleet.facts.balancer import BalancerState, NginxConfig, NginxConnections
from lptui.fleet.facts.chain import (
    ChainRound,
    GasPrices,
    OrchestratorRecord,
    RewardHistory,
    SenderDeposit,
    SignerAccount,
)
from lptui.fleet.facts.connections import HostConnections
from lptui.fleet.facts.environment import NodeEnvironment
from lptui.fleet.facts.gas import FeeTrend, PaidCall
from lptui.fleet.facts.gpu import HostGpus
from lptui.fleet.facts.host import (
    HostClock,
    HostDisks,
    HostListeners,
    HostProcesses,
    HostSystem,
    HostUnits,
    HostVitals,
)
from lptui.fleet.facts.keystore import HostKeystores, KeyAtStart, NodeKeystore
from lptui.fleet.facts.links import ClosedPorts, PublicAddresses, RedeemerLink
from lptui.fleet.facts.livepeer import NodeBlock, NodeIdentity, NodeMetrics, NodeStatus
from lptui.fleet.facts.lock import FleetLocked
from lptui.fleet.facts.logs import HostLogs, LogErrors
from lptui.fleet.facts.money import AccountFlow, EarningsFlow
from lptui.fleet.facts.reward import (
    ExplorerRewards,
    L1Pace,
    NodeReward,
    NodeRewardLog,
    RewardWatch,
)
from lptui.fleet.facts.rpc import RpcHead, RpcUsage, RpcVantage, SentTransactions
from lptui.fleet.facts.safety import HostSafety
from lptui.fleet.facts.stake import StakeHistory, TranscoderPool
from lptui.fleet.facts.tickets import Redemptions, TicketQueue
from lptui.fleet.facts.upkeep import HostBackups, HostGrowth, HostImages, HostUnitTexts

TOPICS: Final[tuple[type, ...]] = (
    ChainRound,
    OrchestratorRecord,
    RewardHistory,
    NodeReward,
    NodeRewardLog,
    RewardWatch,
    ExplorerRewards,
    L1Pace,
    TranscoderPool,
    StakeHistory,
    GasPrices,
    SignerAccount,
    SenderDeposit,
    TicketQueue,
    Redemptions,
    FeeTrend,
    PaidCall,
    AccountFlow,
    EarningsFlow,
    NodeStatus,
    NodeIdentity,
    NodeBlock,
    NodeMetrics,
    LogErrors,
    HostLogs,
    HostGpus,
    BalancerState,
    NginxConfig,
    NginxConnections,
    PublicAddresses,
    RedeemerLink,
    ClosedPorts,
    RpcHead,
    RpcUsage,
    RpcVantage,
    SentTransactions,
    HostVitals,
    HostUnits,
    HostDisks,
    HostSystem,
    HostClock,
    HostListeners,
    HostProcesses,
    HostUnitTexts,
    HostImages,
    HostGrowth,
    HostKeystores,
    NodeKeystore,
    KeyAtStart,
    HostSafety,
    HostBackups,
    HostConnections,
    HostActivity,
    HostPrograms,
    NodeEnvironment,
    FleetLocked,
)
