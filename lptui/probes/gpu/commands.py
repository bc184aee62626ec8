"""What the GPU probe sends to a host.

`nvidia-smi` fails as a whole when it does not know one field, and writes its errors to standard
output. Status 9: driver not loaded; 127: no NVIDIA software, which is not an error.
"""

from __future__ import annotations

from typing import Final

from lptui.transport.protocols import Command

FIELDS: Final = (
    "index",
    "uuid",
    "name",
    "driver_version",
    "pstate",
    "temperature.gpu",
    "fan.speed",
    "power.draw",
    "power.limit",
    "utilization.gpu",
    "utilization.memory",
    "utilization.encoder",
    "utilization.decoder",
    "encoder.stats.sessionCount",
    "encoder.stats.averageFps",
    "encoder.stats.averageLatency",
    "memory.used",
    "memory.total",
    "clocks.sm",
    "clocks.video",
    "ecc.errors.uncorrected.volatile.total",
    "mig.mode.current",
)
EVENT_REASONS: Final = "clocks_event_reasons.active"
"""Drivers from 535 on."""
THROTTLE_REASONS: Final = "clocks_throttle_reasons.active"
"""The same mask under the name that older drivers know."""
FEW_FIELDS: Final = (
    "index",
    "uuid",
    "name",
    "temperature.gpu",
    "utilization.gpu",
    "memory.used",
    "memory.total",
)


def query(fields: tuple[str, ...], timeout_s: float = 6.0) -> Command:
    """One CSV line a card, in the order of `fields`.

    `query((*FIELDS, EVENT_REASONS))`, two cards of which the second is sick:

        0, GPU-11111111-2222-3333-4444-555555555555, NVIDIA GeForce RTX 3080, 550.54.14, P2, 71,
        64, 231.51, 320.00, 38, 12, 61, 24, 5, 148, 8123, 3321, 10240, 1905, 1680, [N/A], [N/A],
        0x0000000000000000                                              (one line)
        1, GPU-…, NVIDIA GeForce RTX 3080, 550.54.14, [Unknown Error], [GPU requires reset], …

    An unknown field gives status 2 and `Field "clocks_event_reasons.active" is not a valid field
    to query.`; a lost driver status 9 and `NVIDIA-SMI has failed because it couldn't communicate
    with the NVIDIA driver. Make sure that the latest NVIDIA driver is installed and running.`; no
    card at all status 6 and `No devices were found`.
    """
    argv = ("nvidia-smi", f"--query-gpu={','.join(fields)}", "--format=csv,noheader,nounits")
    return Command(argv, timeout_s=timeout_s)


def query_driver(timeout_s: float = 6.0) -> Command:
    """What precedes the cards in the long report; COMPUTE has the fewest lines for a card.

        ==============NVSMI LOG==============

        Timestamp                                 : Wed Nov 13 15:27:22 2024
        Driver Version                            : 550.54.14
        CUDA Version                              : 12.4
        Attached GPUs                             : 2

    Drivers from 610 on say `CUDA UMD Version`, those before 410 nothing.
    """
    return Command(("nvidia-smi", "-q", "-d", "COMPUTE"), timeout_s=timeout_s)


def query_processes(timeout_s: float = 6.0) -> Command:
    """One CSV line a process; nothing when no process uses a card.

    GPU-11111111-2222-3333-4444-555555555555, 4242, /usr/local/bin/livepeer, 1180
    """
    return Command(
        (
            "nvidia-smi",
            "--query-compute-apps=gpu_uuid,pid,process_name,used_memory",
            "--format=csv,noheader,nounits",
        ),
        timeout_s=timeout_s,
    )
