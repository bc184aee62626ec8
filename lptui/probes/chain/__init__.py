"""What the protocol's contracts say: rounds, rewards, stake, tickets, and the signers' money."""

from __future__ import annotations

from lptui.probes.chain.events import ChainEventsProbe
from lptui.probes.chain.probe import ChainProbe
from lptui.probes.chain.redemptions import RedemptionsProbe
from lptui.probes.chain.sent import SentTransactionsProbe
from lptui.probes.chain.watch import RewardWatchProbe
from lptui.probes.probe import Probe

PROBES: tuple[Probe, ...] = (
    ChainProbe(),
    ChainEventsProbe(),
    RedemptionsProbe(),
    RewardWatchProbe(),
    SentTransactionsProbe(),
)
