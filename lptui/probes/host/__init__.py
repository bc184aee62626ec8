"""What a host says of itself: vitals, units, disks, system, clock, listeners, processes, files."""

from __future__ import annotations

from lptui.probes.host.activity import HostActivityProbe
from lptui.probes.host.backups import HostBackupsProbe
from lptui.probes.host.clock import HostClockProbe
from lptui.probes.host.connections import HostConnectionsProbe
from lptui.probes.host.disks import HostDisksProbe
from lptui.probes.host.environment import EnvironmentProbe
from lptui.probes.host.images import HostImagesProbe
from lptui.probes.host.key_at_start import KeyAtStartProbe
from lptui.probes.host.key_trial import KeyTrialProbe
from lptui.probes.host.keystores import HostKeystoresProbe
from lptui.probes.host.listeners import HostListenersProbe
from lptui.probes.host.log_files import HostLogsProbe
from lptui.probes.host.node_log import NodeLogProbe
from lptui.probes.host.processes import HostProcessesProbe
from lptui.probes.host.programs import HostProgramsProbe
from lptui.probes.host.safety import HostSafetyProbe
from lptui.probes.host.services import HostUnitsProbe
from lptui.probes.host.system import HostSystemProbe
from lptui.probes.host.unit_texts import HostUnitTextsProbe
from lptui.probes.host.vitals import HostVitalsProbe
from lptui.probes.probe import Probe

PROBES: tuple[Probe, ...] = (
    HostVitalsProbe(),
    HostUnitsProbe(),
    HostDisksProbe(),
    HostSystemProbe(),
    HostClockProbe(),
    HostListenersProbe(),
    HostProcessesProbe(),
    HostConnectionsProbe(),
    HostActivityProbe(),
    HostProgramsProbe(),
    HostKeystoresProbe(),
    HostSafetyProbe(),
    KeyTrialProbe(),
    KeyAtStartProbe(),
    HostBackupsProbe(),
    HostImagesProbe(),
    HostUnitTextsProbe(),
    EnvironmentProbe(),
    NodeLogProbe(),
    HostLogsProbe(),
)
